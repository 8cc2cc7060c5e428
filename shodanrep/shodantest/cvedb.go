package shodantest

import (
	"cmp"
	"encoding/json"
	"hash/fnv"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The endpoints of CVEDB.
const (
	EndpointCVE  = "/cve/{cve_id}"
	EndpointCVEs = "/cves"
	EndpointCPEs = "/cpes"
)

// CVE is an invented vulnerability for CVEDB. Empty fields are null, except those that the service always has.
type CVE struct {
	ID, Summary                       string
	CVSS, CVSSVersion                 float64
	EPSS, RankingEPSS                 float64
	KEV                               bool
	ProposeAction, RansomwareCampaign string
	References                        []string
	Published                         time.Time
	CPEs                              []string // in the form cpe:2.3:a:vendor:product:version

	// Raw is the exact response of GET /cve/{cve_id}. In lists, the other fields apply.
	Raw json.RawMessage
}

// AddCVE adds a CVE to CVEDB, or replaces the CVE with the same id.
func (s *Simulator) AddCVE(c CVE) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cves[c.ID] = c
}

// The forms of the ids, CPEs and dates that CVEDB accepts.
var (
	cveForm = regexp.MustCompile(`^CVE-(\d{4})-\d{4,}$`)
	cpeForm = regexp.MustCompile(`^cpe:2\.3:[aho]:[^:]+:[^:]+:[^:]+(:[^:]*){0,7}$`)
	dayForm = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}:\d{2})?$`)
)

// cveDB handles requests to CVEDB.
func (s *Simulator) cveDB(c *call) *response {
	query := c.r.URL.Query()
	switch c.Endpoint {
	case EndpointCVE:
		known := s.knownCVEs()
		if cve, ok := known[c.Target]; ok {
			return cve.response()
		}
		if s.invents(c.Target) {
			return inventedCVE(c.Target, nil).response()
		}
		return errorResponse(http.StatusNotFound, cveDBNothing)
	case EndpointCVEs:
		return s.listCVEs(query)
	case EndpointCPEs:
		return s.listCPEs(query)
	}
	return errorResponse(http.StatusNotFound, cveDBNoPath)
}

// knownCVEs returns the CVEs that were added and all other CVEs of the hosts: CVEDB knows every CVE that a host has.
func (s *Simulator) knownCVEs() map[string]CVE {
	known := map[string]CVE{}
	for _, e := range s.entries() {
		for _, banner := range e.banners() {
			for _, id := range vulnIDs(banner["vulns"]) {
				if cveForm.MatchString(id) && known[id].ID == "" {
					known[id] = inventedCVE(id, banner)
				}
			}
		}
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	maps.Copy(known, s.cves)
	return known
}

// invents reports whether a generated host may have the id.
func (s *Simulator) invents(id string) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.generated > 0 && cveForm.MatchString(id)
}

// inventedCVE returns a CVE that was not added: its data in a banner, or else data derived from the id.
func inventedCVE(id string, banner map[string]any) CVE {
	h := fnv.New32a()
	_, _ = h.Write([]byte(id))
	n := int(h.Sum32() >> 1)
	year, _ := strconv.Atoi(cveForm.FindStringSubmatch(id)[1])
	c := CVE{
		ID: id, Summary: "Invented for a test: " + id, CVSS: float64(n%90+10) / 10, CVSSVersion: 3.1, EPSS: float64(n%1000) / 1000,
		References: []string{"https://nvd.nist.gov/vuln/detail/" + id},
		Published:  time.Date(year, time.Month(1+n%12), 1+n%28, n%24, n%60, n%59, 0, time.UTC),
	}
	byID, _ := banner["vulns"].(map[string]any)
	if detail, ok := byID[id].(map[string]any); ok {
		c.CVSS, c.EPSS = decimal(detail["cvss"]), decimal(detail["epss"])
		c.Summary, _ = detail["summary"].(string)
		c.KEV, _ = detail["kev"].(bool)
		for _, cpe := range cpes(banner) {
			if newer := "cpe:2.3:" + strings.TrimPrefix(cpe, "cpe:/"); cpeForm.MatchString(newer) {
				c.CPEs = append(c.CPEs, newer)
			}
		}
	}
	c.RankingEPSS = min(1, c.EPSS+0.05)
	if c.KEV {
		c.ProposeAction, c.RansomwareCampaign = "Apply the vendor's update.", "Unknown"
	}
	return c
}

// decimal reads a number of any type. It returns 0 for anything else.
func decimal(value any) float64 {
	text, _ := value.(string)
	if number, ok := value.(json.Number); ok {
		text = string(number)
	}
	if number, ok := value.(float64); ok {
		return number
	}
	number, _ := strconv.ParseFloat(text, 64)
	return number
}

// response returns the response of GET /cve/{cve_id}.
func (c CVE) response() *response {
	if c.Raw != nil {
		return jsonResponse(http.StatusOK, c.Raw)
	}
	doc := c.document()
	doc["cpes"] = distinct(c.CPEs)
	return ok(doc)
}

// item returns the CVE as an item of a list, which has one product instead of all CPEs.
func (c CVE) item() map[string]any {
	doc := c.document()
	doc["vendor"], doc["product"], doc["version"] = nil, nil, nil
	if len(c.CPEs) > 0 {
		parts := strings.Split(c.CPEs[0], ":")
		doc["vendor"], doc["product"], doc["version"] = parts[3], parts[4], parts[5]
	}
	return doc
}

func (c CVE) document() map[string]any {
	score := func(value float64) any {
		if value == 0 {
			return nil
		}
		return value
	}
	doc := map[string]any{
		"cve_id": c.ID, "summary": orNull(c.Summary), "cvss": score(c.CVSS), "cvss_version": score(c.CVSSVersion),
		"cvss_v2": nil, "cvss_v3": nil, "cvss_v4": nil, "epss": score(c.EPSS), "ranking_epss": score(c.RankingEPSS), "kev": c.KEV,
		"propose_action": orNull(c.ProposeAction), "ransomware_campaign": orNull(c.RansomwareCampaign),
		"references": distinct(c.References), "published_time": c.Published.UTC().Format("2006-01-02T15:04:05"),
	}
	if c.CVSSVersion > 0 {
		doc["cvss_v"+strconv.Itoa(int(c.CVSSVersion))] = score(c.CVSS)
	}
	return doc
}

// listCVEs handles GET /cves.
func (s *Simulator) listCVEs(query url.Values) *response {
	page, problem := parsePage(query)
	cpe, product := query.Get("cpe23"), query.Get("product")
	switch {
	case cpe != "" && product != "": // the real response is unknown
		return errorResponse(http.StatusBadRequest, cveDBEither)
	case cpe != "" && !cpeForm.MatchString(cpe):
		problem = invalidParameter("cpe23")
	}
	for _, name := range []string{"start_date", "end_date"} {
		if day := query.Get(name); day != "" && !dayForm.MatchString(day) {
			problem = invalidParameter(name)
		}
	}
	if problem != nil {
		return problem
	}
	var found []CVE
	for _, c := range s.knownCVEs() {
		published := c.Published.UTC().Format("2006-01-02T15:04:05")
		end := query.Get("end_date")
		if (cpe == "" || slices.ContainsFunc(c.CPEs, func(own string) bool { return own == cpe || strings.HasPrefix(own, cpe+":") })) &&
			(product == "" || slices.ContainsFunc(c.CPEs, func(own string) bool { return productOf(own) == product })) &&
			(!isTrue(query.Get("is_kev")) || c.KEV) && published >= query.Get("start_date") && (end == "" || published <= end) {
			found = append(found, c)
		}
	}
	slices.SortFunc(found, func(a, b CVE) int {
		if isTrue(query.Get("sort_by_epss")) && a.EPSS != b.EPSS {
			return cmp.Compare(b.EPSS, a.EPSS)
		}
		return cmp.Or(b.Published.Compare(a.Published), cmp.Compare(a.ID, b.ID))
	})
	if isTrue(query.Get("count")) {
		return ok(map[string]any{"total": len(found)})
	}
	if len(found) == 0 && (cpe != "" || product != "") {
		return errorResponse(http.StatusNotFound, cveDBNothing)
	}
	items := []map[string]any{}
	for _, c := range part(found, page) {
		items = append(items, c.item())
	}
	return ok(map[string]any{"cves": items})
}

// listCPEs handles GET /cpes.
func (s *Simulator) listCPEs(query url.Values) *response {
	page, problem := parsePage(query)
	if query.Get("product") == "" {
		problem = invalidParameter("product")
	}
	if problem != nil {
		return problem
	}
	var found []string
	for _, c := range s.knownCVEs() {
		for _, cpe := range c.CPEs {
			if productOf(cpe) == query.Get("product") {
				found = append(found, cpe)
			}
		}
	}
	found = distinct(found)
	slices.Sort(found)
	switch {
	case isTrue(query.Get("count")):
		return ok(map[string]any{"total": len(found)})
	case len(found) == 0:
		return errorResponse(http.StatusNotFound, cveDBNothing)
	}
	return ok(map[string]any{"cpes": part(found, page)})
}

// productOf returns the product of a CPE.
func productOf(cpe string) string {
	parts := strings.Split(cpe, ":")
	return parts[min(4, len(parts)-1)]
}

// parsePage reads the requested part of a list: how many items to skip, and the maximum number of items.
func parsePage(query url.Values) (page [2]int, problem *response) {
	page = [2]int{0, 1000}
	for i, name := range []string{"skip", "limit"} {
		if text := query.Get(name); text != "" {
			var err error
			if page[i], err = strconv.Atoi(text); err != nil || page[i] < 0 {
				return page, invalidParameter(name)
			}
		}
	}
	return page, nil
}

// part returns the requested part of a list.
func part[T any](list []T, page [2]int) []T {
	first := min(len(list), page[0])
	return list[first:min(len(list), first+page[1])]
}

// invalidParameter returns FastAPI's response for a parameter of the wrong form.
func invalidParameter(name string) *response {
	body := marshal(map[string]any{"detail": []map[string]any{{"loc": []string{"query", name}, "msg": "Input should match the pattern of " + name, "type": "string_pattern_mismatch"}}})
	return jsonResponse(http.StatusUnprocessableEntity, body)
}
