package shodan_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

func TestParseHostSurvivesWhatIsKnownToCome(t *testing.T) {
	t.Parallel()
	h, err := shodan.ParseHost([]byte(`{
		"ip": 3232235777, "asn": null, "city": null, "org": "Example\u0000 Hosting", "latitude": "48.5", "longitude": -122.25,
		"ports": [443, "22", 443, null], "tags": null, "vulns": ["CVE-2024-0002", "CVE-2024-0001", "!CVE-2014-0160"],
		"hostnames": "one.example.com", "last_update": "2023-07-15T08:31:35.019046", "unknown": {"a": [1]},
		"data": [
			{"port": "443", "transport": "tcp", "hash": -123, "timestamp": "2023-07-15T08:31:35.019046", "tags": ["cloud", "vpn"],
			 "ssl": {"cert": {"serial": 393617837287465218345678901234567890, "expires": "20260119082400Z", "expired": "false", "subject": {"CN": 7}}, "versions": []},
			 "http": {"status": "200", "title": null, "favicon": null},
			 "vulns": {"CVE-2024-0001": {"cvss": "9.8", "verified": false}, "CVE-2024-0003": {"cvss": 5, "kev": true}, "CVE-2024-0004": 7}},
			null, "text", {"port": 53, "ssl": "none", "http": [], "cloud": null, "data": {"no": "text"}}
		]}`))
	if err != nil {
		t.Fatal(err)
	}
	if h.Addr != netip.MustParseAddr("192.168.1.1") || h.Organization != "Example Hosting" || h.ASN != "" || *h.Latitude.Ptr() != 48.5 {
		t.Errorf("%v %q %q %v", h.Addr, h.Organization, h.ASN, h.Latitude)
	}
	if diff := cmp.Diff(shodan.Ints{22, 443}, h.Ports); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"CVE-2024-0001", "CVE-2024-0002"}, h.Vulns.IDs()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(shodan.Texts{"cloud", "vpn"}, h.Tags); diff != "" {
		t.Errorf("the tags of the banners, where the host has no list: %s", diff)
	}
	if len(h.Banners) != 2 {
		t.Fatalf("%d banners, want the two that are objects", len(h.Banners))
	}
	b := h.Banners[0]
	if b.Port.V != 443 || b.Hash.V != -123 || b.SSL.Cert.Serial != "393617837287465218345678901234567890" || b.HTTP.Status.V != 200 || b.HTTP.Title != "" {
		t.Errorf("%+v", b)
	}
	if want := time.Date(2026, 1, 19, 8, 24, 0, 0, time.UTC); !b.SSL.Cert.Expires.Equal(want) || *b.SSL.Cert.Expired.Ptr() || b.SSL.Cert.Subject["CN"] != "7" || b.SSL.Versions == nil {
		t.Errorf("%+v", b.SSL)
	}
	if b.Vulns["CVE-2024-0001"].CVSS.V != 9.8 || !b.Vulns["CVE-2024-0003"].KEV.V || len(b.Vulns) != 3 {
		t.Errorf("%+v", b.Vulns)
	}
	if h.Banners[1].SSL != nil && h.Banners[1].SSL.JARM != "" {
		t.Errorf("%+v", h.Banners[1].SSL)
	}
}

// TestAListWithAnItemThatCannotBeReadIsAnError checks the lists that say what is wrong with a host: without the item it
// would have a better score.
func TestAListWithAnItemThatCannotBeReadIsAnError(t *testing.T) {
	t.Parallel()
	for list, items := range map[string][]string{
		"ports": {`{"port": 4444}`, `[4444]`, `"x"`, `true`, `1e400`},
		"tags":  {`{"name": "c2"}`, `["c2"]`},
		"vulns": {`{"id": "CVE-2021-44228"}`, `["CVE-2021-44228"]`},
	} {
		usual := map[string]string{"ports": "80", "tags": `"cloud"`, "vulns": `"CVE-2024-0001"`, "data": `{"port": 80}`}
		for _, item := range items {
			fields := []string{`"ip_str": "192.0.2.1"`, `"ip": "192.0.2.1"`}
			for name, first := range usual {
				if name == list {
					first += ", null, " + item
				}
				fields = append(fields, fmt.Sprintf("%q: [%s]", name, first))
			}
			body := []byte("{" + strings.Join(fields, ", ") + "}")
			want := fmt.Sprintf("%q is a list with an item that cannot be read", list)
			if _, err := shodan.ParseHost(body); err == nil || err.Error() != want {
				t.Errorf("%s: %v", body, err)
			}
			if _, err := shodan.ParseInternetDB(body); err == nil || err.Error() != want {
				t.Errorf("InternetDB, %s: %v", body, err)
			}
		}
	}
}

func TestWhatIsNoHostIsAnError(t *testing.T) {
	t.Parallel()
	for _, body := range []string{"", " ", "null", "[]", `"text"`, "<html></html>", `{}`, `{"ip_str": "192.0.2.1"}`, `{"ports": [80], "ip_str": "192.0`, `{"ports": null, "data": null}`} {
		if h, err := shodan.ParseHost([]byte(body)); err == nil {
			t.Errorf("%s is taken for the host %+v", body, h)
		}
		if h, err := shodan.ParseInternetDB([]byte(body)); err == nil {
			t.Errorf("%s is taken for the host %+v", body, h)
		}
	}
}

// A connection that ends early, or a damaged file, may cut a response off anywhere.
func TestAResponseThatBreaksOffIsAnError(t *testing.T) {
	t.Parallel()
	const banners = `[{"ip_str": "192.0.2.1", "port": 80, "vulns": {"CVE-2024-0001": {"cvss": 9.8}}}, {"port": 443, "cpe": ["a", "b"]}]`
	for name, tt := range map[string]struct {
		body  string
		parse func(body []byte) error
	}{
		"host": {`{"ip_str": "192.0.2.1", "ports": [80, 443], "tags": ["c2"], "data": ` + banners + `}`, func(body []byte) error {
			_, err := shodan.ParseHost(body)
			return err
		}},
		"InternetDB": {`{"ip": "192.0.2.1", "ports": [80], "tags": ["c2"], "vulns": ["CVE-2024-0001"], "cpes": [], "hostnames": []}`, func(body []byte) error {
			_, err := shodan.ParseInternetDB(body)
			return err
		}},
		"banner": {`{"ip_str": "192.0.2.1", "port": 80, "hostnames": ["a", "b"], "_shodan": {"module": "http"}}`, func(body []byte) error {
			_, err := shodan.ParseBanner(body)
			return err
		}},
		"search": {`{"matches": ` + banners + `, "total": 2}`, func(body []byte) error {
			_, err := shodan.ParseSearch(body)
			return err
		}},
	} {
		if err := tt.parse([]byte(tt.body)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for end := range tt.body {
			if tt.parse([]byte(tt.body[:end])) == nil {
				t.Errorf("%s: what is read of %s is taken for all of it", name, tt.body[:end])
			}
		}
	}
}

func TestMergeBannersKeepsTheNewestOfAPort(t *testing.T) {
	t.Parallel()
	var banners []shodan.Banner
	for _, line := range []string{
		`{"ip_str": "192.0.2.1", "port": 443, "transport": "tcp", "timestamp": "2026-01-02T00:00:00", "product": "new", "org": "New Org", "hostnames": ["b.example.com"]}`,
		`{"ip_str": "192.0.2.1", "port": 443, "transport": "tcp", "timestamp": "2026-01-01T00:00:00", "product": "old", "org": "Old Org", "vulns": {"CVE-2020-0001": {}}}`,
		`{"ip_str": "192.0.2.1", "port": 443, "transport": "udp", "timestamp": "2025-01-01T00:00:00", "hostnames": ["a.example.com"]}`,
	} {
		b, err := shodan.ParseBanner([]byte(line))
		if err != nil {
			t.Fatal(err)
		}
		banners = append(banners, *b)
	}
	h := shodan.MergeBanners(banners)
	if len(h.Banners) != 2 || h.Banners[0].Product != "new" || h.Organization != "New Org" || len(h.Vulns) != 0 {
		t.Errorf("%+v", h)
	}
	if diff := cmp.Diff(shodan.Texts{"a.example.com", "b.example.com"}, h.Hostnames); diff != "" {
		t.Error(diff)
	}
	if shodan.MergeBanners(nil) != nil {
		t.Error("no banners make a host")
	}
}

func TestCapturedAnswersAreReadWhole(t *testing.T) {
	t.Parallel()
	files, _ := filepath.Glob(filepath.Join("..", "..", "..", "shared", "captures", "search", "*.json"))
	if len(files) == 0 {
		t.Skip("the captured answers are not beside the project")
	}
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		result, err := shodan.ParseSearch(body)
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		var raw struct{ Matches []map[string]any }
		if err := json.Unmarshal(body, &raw); err != nil {
			t.Fatal(err)
		}
		if len(result.Matches) != len(raw.Matches) {
			t.Fatalf("%s: %d matches of %d", file, len(result.Matches), len(raw.Matches))
		}
		for i, match := range raw.Matches {
			b := result.Matches[i]
			if float64(b.Port.V) != match["port"] || b.Addr.String() != match["ip_str"] || b.Timestamp.IsZero() || float64(b.Hash.V) != match["hash"] {
				t.Errorf("%s, match %d: %v:%v", file, i, b.Addr, b.Port.V)
			}
		}
	}
}

// fuzzAnswers holds a parser to never failing badly, and to texts that PostgreSQL takes.
func fuzzAnswers(f *testing.F, parse func(*testing.T, []byte) (json.RawMessage, bool)) {
	for _, seed := range []string{`{"ip_str":"192.0.2.1","ports":[80],"data":[{"port":80,"ssl":{"cert":{"serial":1e99}}}]}`, `{"ports":{},"data":[[]]}`, `{"matches":[{}],"total":"x"}`, `{"ip":-1,"port":1,"vulns":{"a":[]}}`, `{"ports":[1e400],"ip":"x\u0000"}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		raw, ok := parse(t, body)
		if ok && raw != nil && (!json.Valid(raw) || slices.Contains(raw, 0)) {
			t.Errorf("%q is kept as %q", body, raw)
		}
	})
}

// wantAllListed fails where a host lacks something bad that the lists of its response have, as encoding/json reads them: the
// host would look better than it is.
func wantAllListed(t *testing.T, h *shodan.Host) {
	t.Helper()
	if bytes.ContainsFunc(h.Raw, func(r rune) bool { return r >= utf8.RuneSelf }) {
		return // encoding/json takes more than ASCII letters for the same in the names of fields
	}
	var lists struct{ Ports, Tags, Vulns any }
	if err := json.Unmarshal(h.Raw, &lists); err != nil {
		t.Fatalf("%s: %v", h.Raw, err)
	}
	ports, _ := lists.Ports.([]any)
	for _, port := range ports {
		number, ok := port.(float64)
		if text, isText := port.(string); isText {
			i, err := strconv.Atoi(text)
			number, ok = float64(i), err == nil
		}
		if ok && number >= 1 && number <= 65535 && !slices.Contains(h.Ports, int(number)) {
			t.Errorf("%s has the port %v, and the host has %v", h.Raw, port, h.Ports)
		}
	}
	if ports != nil && len(h.Ports) > len(ports) {
		t.Errorf("%s is a host with the ports %v", h.Raw, h.Ports)
	}
	tags, _ := lists.Tags.([]any)
	for _, tag := range append(tags, lists.Tags) {
		if text, ok := tag.(string); ok && text != "" && !slices.Contains(h.Tags, text) {
			t.Errorf("%s has the tag %q, and the host has %q", h.Raw, text, h.Tags)
		}
	}
	vulns, _ := lists.Vulns.([]any)
	if byID, ok := lists.Vulns.(map[string]any); ok {
		for id := range byID {
			vulns = append(vulns, id)
		}
	}
	for _, vuln := range vulns {
		if id, ok := vuln.(string); ok && cveID.MatchString(id) && !slices.ContainsFunc(slices.Collect(maps.Keys(h.Vulns)), func(found string) bool { return strings.EqualFold(found, id) }) {
			t.Errorf("%s has %s, and the host has %v", h.Raw, id, h.Vulns)
		}
	}
}

// cveID is an identifier that every list of vulnerabilities may have.
var cveID = regexp.MustCompile(`^(?i)CVE-(199|20[0-9])[0-9]-[0-9]{4,7}$`)

func FuzzParseHost(f *testing.F) {
	f.Add([]byte(`{"ip_str":"192.0.2.1","PORTS":[80,"443",2.2e1,null],"tags":["c2",""],"vulns":["cve-2024-0001","CVE-2024-0002"],"data":[]}`))
	f.Add([]byte(`{"ip_str":"192.0.2.1","ports":[80],"ports":[443],"tags":"c2","vulns":{"CVE-2024-0001":{}}}`))
	fuzzAnswers(f, func(t *testing.T, body []byte) (json.RawMessage, bool) {
		h, err := shodan.ParseHost(body)
		if err != nil {
			return nil, false
		}
		wantAllListed(t, h)
		return h.Raw, true
	})
}

func FuzzParseInternetDB(f *testing.F) {
	f.Add([]byte(`{"ip":"192.0.2.1","ports":[80],"tags":["c2"],"vulns":["CVE-2024-0001"],"cpes":[],"hostnames":[]}`))
	fuzzAnswers(f, func(t *testing.T, body []byte) (json.RawMessage, bool) {
		h, err := shodan.ParseInternetDB(body)
		if err != nil {
			return nil, false
		}
		wantAllListed(t, h)
		return h.Raw, true
	})
}

func FuzzParseBanner(f *testing.F) {
	fuzzAnswers(f, func(_ *testing.T, body []byte) (json.RawMessage, bool) {
		b, err := shodan.ParseBanner(body)
		if err != nil {
			return nil, false
		}
		return b.Raw, true
	})
}

func FuzzParseSearch(f *testing.F) {
	f.Add([]byte(`{"matches":[{"ip_str":"192.0.2.1","port":80},{}],"total":2,"Matches":[{"port": 1}]}`))
	fuzzAnswers(f, func(t *testing.T, body []byte) (json.RawMessage, bool) {
		result, err := shodan.ParseSearch(body)
		var want struct {
			Matches []json.RawMessage
			Total   *uint32
		}
		wantErr := json.Unmarshal(shodan.Clean(body), &want)
		isOther := func(match json.RawMessage) bool { return match[0] != '{' }
		switch isPage := wantErr == nil && want.Total != nil && want.Matches != nil && !slices.ContainsFunc(want.Matches, isOther); {
		case isPage && err != nil:
			t.Errorf("%q: %v", body, err)
		case isPage && (len(result.Matches) != len(want.Matches) || result.Total.V != int64(*want.Total)):
			t.Errorf("%q: %d matches of %d, want %d of %d", body, len(result.Matches), result.Total.V, len(want.Matches), *want.Total)
		case err == nil && len(want.Matches) != len(result.Matches):
			t.Errorf("%q: %d matches, and encoding/json finds %d, %v", body, len(result.Matches), len(want.Matches), wantErr)
		}
		if err != nil {
			return nil, false
		}
		for i, match := range result.Matches {
			if !json.Valid(match.Raw) || wantErr == nil && !bytes.Equal(match.Raw, want.Matches[i]) {
				t.Errorf("%q: match %d is %s", body, i, match.Raw)
			}
		}
		return nil, true
	})
}

func TestQuoteKeepsAValueInItsPlace(t *testing.T) {
	t.Parallel()
	for _, value := range []string{`a" port:"22`, "a\\", "a\nb", `"`, "plain"} {
		quoted := shodan.Quote(value)
		if inner := strings.TrimSuffix(strings.TrimPrefix(quoted, `"`), `"`); strings.ContainsAny(inner, "\"\\\n") || len(quoted) < 2 {
			t.Errorf("%q is written %s", value, quoted)
		}
	}
}

// TestAPastVulnerabilityIsNotAPresentOne is about responses with the history, which have no key for the vulnerabilities of
// a host that no longer has any.
func TestAPastVulnerabilityIsNotAPresentOne(t *testing.T) {
	t.Parallel()
	const vulns = `"vulns": {"CVE-2021-44228": {"verified": true}}`
	for banners, want := range map[string][]string{
		`{"port": 443, "timestamp": "2026-01-02T00:00:00"}, {"port": 443, "timestamp": "2025-01-02T00:00:00", ` + vulns + `}`:  {},
		`{"port": 443, "timestamp": "2026-01-02T00:00:00"}, {"port": 8080, "timestamp": "2025-01-02T00:00:00", ` + vulns + `}`: {},
		`{"port": 443, "timestamp": "2026-01-02T00:00:00", ` + vulns + `}, {"port": 443, "timestamp": "2025-01-02T00:00:00"}`:  {"CVE-2021-44228"},
		// The list of ports lacks this one, but nothing says that it is closed.
		`{"port": 443, "timestamp": "2026-01-02T00:00:00"}, {"port": 8080, "timestamp": "2026-01-01T00:00:00", ` + vulns + `}`: {"CVE-2021-44228"},
		`{"port": 443}, {"port": 443, ` + vulns + `}`: {"CVE-2021-44228"},
	} {
		h, err := shodan.ParseHost([]byte(`{"ip_str": "192.0.2.1", "ports": [443], "data": [` + banners + `]}`))
		if err != nil {
			t.Fatal(err)
		}
		if got := h.Vulns.IDs(); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", banners, got, want)
		}
	}
}
