package shodan

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// VulnMap is a set of vulnerabilities by id. Most ids are CVE ids. The details are empty if the response has a list of
// ids.
type VulnMap map[string]Vuln

// Vuln is a banner's data on one vulnerability.
type Vuln struct {
	Verified    Null[bool]    `json:"verified"` // false: only inferred from the version
	CVSS        Null[float64] `json:"cvss"`
	CVSSVersion Null[float64] `json:"cvss_version"`
	EPSS        Null[float64] `json:"epss"`
	RankingEPSS Null[float64] `json:"ranking_epss"`
	KEV         Null[bool]    `json:"kev"` // known to be exploited; false if the banner has epss and no kev
	Summary     Text          `json:"summary"`
}

// UnmarshalJSON implements json.Unmarshaler. It fails only if the text is not valid JSON.
//
// Banners with EPSS scores have kev only if it is true. Older banners have neither, and kev is unknown.
func (v *Vuln) UnmarshalJSON(raw []byte) error {
	type plain Vuln // has no UnmarshalJSON
	var wire struct {
		plain
		KEV json.RawMessage `json:"kev"`
	}
	if err := json.Unmarshal(raw, &wire); err != nil && !isTypeError(err) {
		return err
	}
	*v = Vuln(wire.plain)
	switch {
	case wire.KEV != nil && !isNull(wire.KEV):
		_ = v.KEV.UnmarshalJSON(wire.KEV) // never fails
	case v.EPSS.Valid:
		v.KEV = Null[bool]{Valid: true}
	}
	return nil
}

// merge combines the data on one vulnerability from two banners. It is verified or exploited if one of them says so.
// Other fields come from the first that has them.
func (v Vuln) merge(other Vuln) Vuln {
	if other.Verified.V || !v.Verified.Valid {
		v.Verified = other.Verified
	}
	if other.KEV.V || !v.KEV.Valid {
		v.KEV = other.KEV
	}
	if !v.CVSS.Valid {
		v.CVSS, v.CVSSVersion = other.CVSS, other.CVSSVersion
	}
	if !v.EPSS.Valid {
		v.EPSS, v.RankingEPSS = other.EPSS, other.RankingEPSS
	}
	if v.Summary == "" {
		v.Summary = other.Summary
	}
	return v
}

// UnmarshalJSON implements json.Unmarshaler and never fails. It reads an object by id or a list of ids, and accepts the
// ids that vulnIDs accepts.
func (v *VulnMap) UnmarshalJSON(b []byte) error {
	*v = nil
	found := VulnMap{}
	var byID map[string]json.RawMessage
	var list Texts
	if len(b) > 0 && b[0] == '{' && json.Unmarshal(b, &byID) == nil {
		// Sorted, so that two spellings of one id always give the same result.
		for _, text := range slices.Sorted(maps.Keys(byID)) {
			var vuln Vuln
			if vuln.UnmarshalJSON(byID[text]) == nil {
				found.add(text, vuln)
			}
		}
	} else if _ = list.UnmarshalJSON(b); list != nil && (b[0] == '[' || b[0] == '"') { // a number alone is not an id
		for _, text := range list {
			found.add(text, Vuln{})
		}
	} else {
		return nil
	}
	*v = found
	return nil
}

// add adds the vulnerabilities with the ids in a text.
func (v VulnMap) add(text string, vuln Vuln) {
	for _, id := range vulnIDs(text) {
		if old, ok := v[id]; ok {
			v[id] = old.merge(vuln)
		} else {
			v[id] = vuln
		}
	}
}

// vulnID is the form of the known ids: CVE, Microsoft's bulletins such as MS15-034, GitHub's advisories, and China's
// two databases.
var vulnID = regexp.MustCompile(`^(CVE-\d{4}-\d{4,19}|MS\d{2}-\d{3}|GHSA(-[0-9A-Z]{4}){3}|CNVD-\d{4}-\d+|CNNVD-\d{6}-\d+)$`)

// vulnIDs returns the ids in a text, in upper case. It is usually one, but some responses join several with commas. It
// skips texts that are not ids, and ids that start with "!", which means that the host was tested and is not
// vulnerable.
func vulnIDs(text string) []string {
	var ids []string
	for _, item := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ';' }) {
		if strings.HasPrefix(strings.TrimSpace(item), "!") {
			continue
		}
		for _, id := range strings.Fields(item) {
			if id = strings.ToUpper(id); vulnID.MatchString(id) {
				ids = append(ids, id)
			}
		}
	}
	return ids
}

// IDs returns the sorted ids, or nil if there was no list.
func (v VulnMap) IDs() []string {
	if v == nil {
		return nil
	}
	ids := slices.AppendSeq(make([]string, 0, len(v)), maps.Keys(v))
	slices.Sort(ids)
	return ids
}
