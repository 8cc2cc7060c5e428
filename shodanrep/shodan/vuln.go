package shodan

import (
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
	s := scanner{text: raw}
	*v = Vuln{}
	if err := v.decode(&s); err != nil {
		return err
	}
	return s.end()
}

// decode reads the data on a vulnerability into an empty one. A value of another type is none.
func (v *Vuln) decode(s *scanner) error {
	var kev []byte
	err := s.object(func(name []byte) (err error) {
		switch string(key(name)) {
		case "verified":
			return s.into(&v.Verified)
		case "cvss":
			return s.into(&v.CVSS)
		case "cvss_version":
			return s.into(&v.CVSSVersion)
		case "epss":
			return s.into(&v.EPSS)
		case "ranking_epss":
			return s.into(&v.RankingEPSS)
		case "summary":
			if !s.summaryOnly {
				return s.into(&v.Summary)
			}
		case "kev":
			kev, err = s.value()
			return err
		}
		return s.skip()
	})
	switch {
	case kev != nil && !isNull(kev):
		_ = v.KEV.UnmarshalJSON(kev) // never fails
	case v.EPSS.Valid:
		v.KEV = Null[bool]{Valid: true}
	}
	return err
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
	s := scanner{text: b}
	if v.decode(&s) != nil || s.end() != nil {
		*v = nil
	}
	return nil
}

// decode reads vulnerabilities, or a value of any other type as none.
func (v *VulnMap) decode(s *scanner) error {
	*v = nil
	switch s.peek() {
	case '{':
		byID, usual := VulnMap{}, true
		err := s.object(func(name []byte) error {
			var vuln Vuln
			err := vuln.decode(s)
			id := string(name)
			byID[id], usual = vuln, usual && isCVE(id)
			return err
		})
		if usual {
			*v = byID
			return err
		}
		*v = VulnMap{}
		// Sorted, so that two spellings of one id always give the same result.
		for _, text := range slices.Sorted(maps.Keys(byID)) {
			v.add(text, byID[text])
		}
		return err
	case '[', '"': // a number alone is not an id
		var list Texts
		if err := s.into(&list); err != nil || list == nil {
			return err
		}
		*v = VulnMap{}
		for _, text := range list {
			v.add(text, Vuln{})
		}
		return nil
	}
	return s.skip()
}

// add adds the vulnerabilities with the ids in a text.
func (v VulnMap) add(text string, vuln Vuln) {
	if _, known := v[text]; !known && isCVE(text) { // the usual case
		v[text] = vuln
		return
	}
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

// isCVE reports whether a text is the id of a CVE, in the form of vulnID.
func isCVE(text string) bool {
	const year, number = len("CVE-"), len("CVE-2021-")
	if len(text) < number+4 || len(text) > number+19 || text[:year] != "CVE-" || text[number-1] != '-' {
		return false
	}
	for i := year; i < len(text); i++ {
		if c := text[i]; (c < '0' || c > '9') && i != number-1 {
			return false
		}
	}
	return true
}

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
