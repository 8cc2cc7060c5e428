package shodan

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// VulnMap is a set of vulnerabilities by id, which is a CVE id but for a few. Where the answer is a plain list of ids
// the details are empty.
type VulnMap map[string]Vuln

// Vuln is what a banner says of one vulnerability.
type Vuln struct {
	Verified    Null[bool]    `json:"verified"` // false: only inferred from the version
	CVSS        Null[float64] `json:"cvss"`
	CVSSVersion Null[float64] `json:"cvss_version"`
	EPSS        Null[float64] `json:"epss"`
	RankingEPSS Null[float64] `json:"ranking_epss"`
	KEV         Null[bool]    `json:"kev"` // known to be exploited; false where the banner has epss and no kev
	Summary     Text          `json:"summary"`
}

// UnmarshalJSON implements json.Unmarshaler. It fails only where the text is not valid JSON.
//
// Banners that have EPSS scores name kev only where it is true. Older banners have neither, and say nothing about it.
func (v *Vuln) UnmarshalJSON(raw []byte) error {
	type plain Vuln // without this method
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

// merge returns what two accounts of one vulnerability say together: the worse where they differ on what was tested or
// is exploited, else the first of the two.
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

// UnmarshalJSON implements json.Unmarshaler and never fails. It takes an object by id as well as a list of ids, and
// reads the ids as vulnIDs does.
func (v *VulnMap) UnmarshalJSON(b []byte) error {
	*v = nil
	found := VulnMap{}
	var byID map[string]json.RawMessage
	var list Texts
	if len(b) > 0 && b[0] == '{' && json.Unmarshal(b, &byID) == nil {
		// In order, so that two spellings of one id always give the same.
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

// add adds the vulnerabilities that a text names.
func (v VulnMap) add(text string, vuln Vuln) {
	for _, id := range vulnIDs(text) {
		if old, ok := v[id]; ok {
			v[id] = old.merge(vuln)
		} else {
			v[id] = vuln
		}
	}
}

// vulnID is the form of the ids that are known: CVE, Microsoft's bulletins such as MS15-034, GitHub's advisories, and
// China's two databases.
var vulnID = regexp.MustCompile(`^(CVE-\d{4}-\d{4,19}|MS\d{2}-\d{3}|GHSA(-[0-9A-Z]{4}){3}|CNVD-\d{4}-\d+|CNNVD-\d{6}-\d+)$`)

// vulnIDs returns the ids in a text, in upper case: usually one, but some answers join several with commas. What is not
// an id is left out. So is an id that starts with "!": it was tested, and the host found not vulnerable.
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

// IDs returns the ids, sorted, or nil where there was no list.
func (v VulnMap) IDs() []string {
	if v == nil {
		return nil
	}
	ids := slices.AppendSeq(make([]string, 0, len(v)), maps.Keys(v))
	slices.Sort(ids)
	return ids
}
