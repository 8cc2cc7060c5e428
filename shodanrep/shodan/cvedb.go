package shodan

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// DefaultCVEDBURL is the URL of CVEDB.
const DefaultCVEDBURL = "https://cvedb.shodan.io"

// CVEDB is a client for Shodan's database of vulnerabilities, which needs no key. The zero value is ready to use.
type CVEDB struct {
	BaseURL   string // DefaultCVEDBURL if empty
	UserAgent string
	HTTP      *http.Client // a client with a timeout if nil; redirects are never followed
}

// Get requests a path of CVEDB and returns the cleaned response.
//
// https://cvedb.shodan.io/docs
func (c *CVEDB) Get(ctx context.Context, path string, query url.Values) ([]byte, error) {
	base := c.BaseURL
	if base == "" {
		base = DefaultCVEDBURL
	}
	s := transport{name: "CVEDB", http: c.HTTP, userAgent: c.UserAgent}
	body, _, err := s.get(ctx, base, path, query)
	if err != nil {
		return nil, err
	}
	return Clean(body), nil
}

// CVE is a vulnerability in CVEDB. Every score may be missing.
type CVE struct {
	ID                 Text          `json:"cve_id"`
	Summary            Text          `json:"summary"`
	CVSS               Null[float64] `json:"cvss"` // by the newest version of CVSS that the CVE has
	CVSSVersion        Null[float64] `json:"cvss_version"`
	CVSSv2             Null[float64] `json:"cvss_v2"`
	CVSSv3             Null[float64] `json:"cvss_v3"`
	CVSSv4             Null[float64] `json:"cvss_v4"`
	EPSS               Null[float64] `json:"epss"`
	RankingEPSS        Null[float64] `json:"ranking_epss"`
	KEV                Null[bool]    `json:"kev"`
	ProposeAction      Text          `json:"propose_action"`
	RansomwareCampaign Text          `json:"ransomware_campaign"`
	References         Texts         `json:"references"`
	PublishedTime      Time          `json:"published_time"`
	CPEs               Texts         `json:"cpes"` // nil in a list of CVEs
	// Vendor, Product and Version are what is affected, only in a list of CVEs, and not in all.
	Vendor  Text `json:"vendor"`
	Product Text `json:"product"`
	Version Text `json:"version"`
}

// cveID is the form of a CVE id.
var cveID = regexp.MustCompile(`^CVE-\d{4}-\d{4,19}$`)

// CanonicalCVE returns a CVE id in CVEDB's form, such as CVE-2021-44228, and reports whether the text is one.
func CanonicalCVE(text string) (string, bool) {
	id := strings.ToUpper(strings.TrimSpace(text))
	return id, cveID.MatchString(id)
}

// FindCVE requests one CVE. The id must be canonical.
//
// https://cvedb.shodan.io/docs (GET /cve/{cve_id})
func FindCVE(id string) Call[*CVE] {
	return Call[*CVE]{
		What: "looking up " + id, Service: CVEDBService, Path: "/cve/" + url.PathEscape(id), Lasting: true,
		Read: func(body []byte) (*CVE, error) {
			cve, err := readObject[CVE](body)
			if err == nil && !strings.EqualFold(string(cve.ID), id) {
				err = fmt.Errorf("the response is for %q, not for %s", cve.ID, id)
			}
			if err != nil {
				return nil, err
			}
			return cve, nil
		},
	}
}

// A CVEQuery selects CVEs. Empty fields do not filter.
type CVEQuery struct {
	CPE23, Product string    // at most one of the two
	KEV            bool      // only CVEs that are known to be exploited
	Start, End     time.Time // publication, to the second, both inclusive
	Skip, Limit    int
}

// FindCVEs requests a part of the list of CVEs. Without a product and a CPE, the newest come first.
//
// https://cvedb.shodan.io/docs (GET /cves)
func FindCVEs(q CVEQuery) Call[[]CVE] {
	const seconds = "2006-01-02T15:04:05"
	values := url.Values{"limit": {strconv.Itoa(q.Limit)}}
	what := "listing CVEs"
	for name, value := range map[string]string{"cpe23": q.CPE23, "product": q.Product} {
		if value != "" {
			values.Set(name, value)
			what += " of " + value
		}
	}
	if q.KEV {
		values.Set("is_kev", "true")
	}
	if !q.Start.IsZero() {
		values.Set("start_date", q.Start.UTC().Format(seconds))
	}
	if !q.End.IsZero() {
		values.Set("end_date", q.End.UTC().Format(seconds))
	}
	if q.Skip > 0 {
		values.Set("skip", strconv.Itoa(q.Skip))
	}
	return Call[[]CVE]{What: what, Service: CVEDBService, Path: "/cves", Query: values, Read: parseCVEs}
}

// parseCVEs reads a list of CVEs. It keeps an item that is not a CVE without an id, so that the list has the requested
// length.
func parseCVEs(body []byte) ([]CVE, error) {
	response, err := readObject[struct {
		CVEs []CVE `json:"cves"`
	}](body)
	if err == nil && response.CVEs == nil {
		err = errors.New("the response has no list of CVEs")
	}
	if err != nil {
		return nil, err
	}
	return response.CVEs, nil
}

// cpe23 is the form of the CPEs that CVEDB accepts.
var cpe23 = regexp.MustCompile(`^cpe:2\.3:[aho](:[^:]+){3}(:[^:]*){0,7}$`)

// CanonicalCPE returns a CPE in the newer form, which CVEDB accepts: cpe:2.3:a:vendor:product:version. InternetDB and
// many banners have the older form, cpe:/a:vendor:product:version. It reports whether the text is a CPE with a version.
func CanonicalCPE(text string) (string, bool) {
	if older, ok := strings.CutPrefix(text, "cpe:/"); ok {
		text = "cpe:2.3:" + older
	}
	return text, cpe23.MatchString(text)
}
