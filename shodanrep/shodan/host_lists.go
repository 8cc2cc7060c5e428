package shodan

import (
	"encoding/json"
	"fmt"
	"strings"
)

// checkLists returns an error if a field of a host's response is not a list although it must be. The lenient types read
// such a value as no list or as a list of one, and a host whose ports are unknown would look like one without ports.
//
// A list may be missing or null. A single string is read as a list of one, and vulnerabilities may be an object.
func checkLists(body []byte) error {
	var lists struct {
		Ports     firstByte `json:"ports"`
		Data      firstByte `json:"data"`
		Vulns     firstByte `json:"vulns"`
		Tags      firstByte `json:"tags"`
		Hostnames firstByte `json:"hostnames"`
		Domains   firstByte `json:"domains"`
		CPEs      firstByte `json:"cpes"`
	}
	if err := json.Unmarshal(body, &lists); err != nil && !isTypeError(err) {
		return fmt.Errorf("the response is not complete JSON: %w", err)
	}
	for _, list := range []struct {
		name    string
		first   firstByte
		allowed string // the possible first bytes of its value
	}{
		{"ports", lists.Ports, "["}, {"data", lists.Data, "["}, {"vulns", lists.Vulns, `[{"`},
		{"tags", lists.Tags, `["`}, {"hostnames", lists.Hostnames, `["`}, {"domains", lists.Domains, `["`}, {"cpes", lists.CPEs, `["`},
	} {
		if list.first != 0 && list.first != 'n' && !strings.ContainsRune(list.allowed, rune(list.first)) {
			return unexpected{fmt.Errorf(`"%s" is not a list`, list.name)}
		}
	}
	return nil
}

// firstByte is the first byte of a JSON value, which shows its type. It is 0 if there is no value.
type firstByte byte

// UnmarshalJSON implements json.Unmarshaler.
func (f *firstByte) UnmarshalJSON(b []byte) error {
	*f = firstByte(b[0])
	return nil
}
