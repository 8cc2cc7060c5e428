package shodan

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// referenceBanner reads a banner with encoding/json alone, by the tags of the types.
func referenceBanner(raw []byte) (*Banner, error) {
	type plain Banner // has no UnmarshalJSON, so that decoding does not recurse
	var wire struct {
		plain
		Vulns json.RawMessage `json:"vulns"`
		IP    json.RawMessage `json:"ip"`
		IPStr Text            `json:"ip_str"`
		IPv6  Text            `json:"ipv6"`
		Title Text            `json:"title"`
		Opts  struct {
			Vulns json.RawMessage `json:"vulns"`
		} `json:"opts"`
		Shodan struct {
			ID      Text `json:"id"`
			Module  Text `json:"module"`
			Options struct {
				Hostname Text `json:"hostname"`
			} `json:"options"`
		} `json:"_shodan"`
	}
	if err := unmarshalObject(raw, &wire); err != nil {
		return nil, err
	}
	b := Banner(wire.plain)
	if b.Addr = parseAddr(string(wire.IPStr), wire.IP); !b.Addr.IsValid() {
		b.Addr = parseAddr(string(wire.IPv6), nil)
	}
	b.ID, b.Module, b.RequestedHostname = wire.Shodan.ID, wire.Shodan.Module, wire.Shodan.Options.Hostname
	if b.Port.Valid && b.Port.V != 0 && !isPort(b.Port.V) {
		b.Port = Null[int64]{}
	}
	b.Vulns = referenceVulns(wire.Vulns)
	b.addOldFields(wire.Title, referenceVulns(wire.Opts.Vulns))
	return &b, nil
}

func referenceVulns(b []byte) VulnMap {
	found := VulnMap{}
	var byID map[string]json.RawMessage
	var list Texts
	if len(b) > 0 && b[0] == '{' && json.Unmarshal(b, &byID) == nil {
		for _, text := range slices.Sorted(maps.Keys(byID)) {
			found.add(text, referenceVuln(byID[text]))
		}
	} else if _ = list.UnmarshalJSON(b); list != nil && (b[0] == '[' || b[0] == '"') {
		for _, text := range list {
			found.add(text, Vuln{})
		}
	} else {
		return nil
	}
	return found
}

func referenceVuln(raw []byte) Vuln {
	type plain Vuln // has no UnmarshalJSON
	var wire struct {
		plain
		KEV json.RawMessage `json:"kev"`
	}
	_ = json.Unmarshal(raw, &wire)
	v := Vuln(wire.plain)
	switch {
	case wire.KEV != nil && !isNull(wire.KEV):
		_ = v.KEV.UnmarshalJSON(wire.KEV)
	case v.EPSS.Valid:
		v.KEV = Null[bool]{Valid: true}
	}
	return v
}

// bannerTexts are banners of all kinds: those of the sample and of the captures, and some that are hardly any.
func bannerTexts(t testing.TB) (texts [][]byte) {
	t.Helper()
	for _, pattern := range []string{"host/*.json", "search/*.json", "internetdb/*.json"} {
		// The responses of the real services are not in the repository: the rest is tested without them.
		paths, _ := filepath.Glob(filepath.Join("..", "..", "..", "shared", "captures", pattern))
		for _, path := range paths {
			body, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			var lists struct{ Data, Matches []json.RawMessage }
			if json.Unmarshal(body, &lists) == nil {
				for _, item := range slices.Concat(lists.Data, lists.Matches) {
					texts = append(texts, item)
				}
			}
			texts = append(texts, body)
		}
	}
	for _, text := range []string{
		`{"ip_str": "192.0.2.1", "port": 22, "data": "\"smb\"", "ssh": {"hassh": "x"}, "http": {"title": "\u00e4 \ud83d\ude00", "status": "200"}}`,
		`{"IP_STR": "192.0.2.1", "Port": "443.0", "p\u006frt": 80, "http": [], "ssh": "text", "ssl": null, "ssl": {"cert": {"subject": {"CN": 7, "O": null}}}}`,
		`{"ip": 3221225985, "port": 0, "vulns": {"cve-2020-0001": {"cvss": "7.5", "kev": null, "epss": 0.5}, "CVE-2020-0002": 7, "x": {}}, "location": 5, "cloud": []}`,
		`{"ip": 3221225985, "port": 1, "vulns": ["CVE-2020-0001,CVE-2020-0002", "!CVE-2014-0160"], "opts": {"vulns": "MS15-034"}, "title": "Old"}`,
		`{"ipv6": "2001:db8::1%eth0", "port": 65536, "tags": "one", "hostnames": [1, null, true, {}], "timestamp": "2026-01-02 03:04:05"}`,
		"{\"port\": 1e400, \"hash\": -0, \"uptime\": 01, \"x\": \"\x01\"}", `{"a": "\x"}`, `{"a": 1,}`, `{"a": [1 2]}`, `{"a" 1}`, `{} {}`, `{`, `[]`, `nul`, ``,
		`{"data": "a\u0000b", "port": 1, "deep": ` + string(bytes.Repeat([]byte("["), 600)) + string(bytes.Repeat([]byte("]"), 600)) + `}`,
		"{\"ssl\": {\"cert\": {\"issuer\": {\"CN\": \"\xff\"}}}, \"org\": \"\xc3\xa4\xff\"}",
	} {
		texts = append(texts, []byte(text))
	}
	return texts
}

// wantAsReference checks that a text is read as encoding/json reads it.
func wantAsReference(t *testing.T, text []byte) {
	t.Helper()
	text = Clean(text)
	want, wantErr := referenceBanner(text)
	var got Banner
	err := got.UnmarshalJSON(text)
	if err != nil && wantErr != nil {
		if err.Error() != wantErr.Error() {
			t.Errorf("%.300q: %v, want %v", text, err, wantErr)
		}
		return
	}
	if err != nil || wantErr != nil {
		t.Fatalf("%.300q: %v, want %v", text, err, wantErr)
	}
	if diff := cmp.Diff(want, &got, cmpopts.IgnoreFields(Banner{}, "Raw"), cmpopts.EquateComparable(netip.Addr{})); diff != "" {
		t.Errorf("%.300q: %s", text, diff)
	}
	if !got.Addr.IsValid() || !got.Port.Valid {
		return
	}
	full, err := ParseBanner(text)
	summary, summaryErr := ParseBannerSummary(text)
	if err != nil || summaryErr != nil {
		t.Fatalf("%.300q: %v, %v", text, err, summaryErr)
	}
	if diff := cmp.Diff(want, full, cmpopts.IgnoreFields(Banner{}, "Raw"), cmpopts.EquateComparable(netip.Addr{})); diff != "" {
		t.Errorf("%.300q in full: %s", text, diff)
	}
	if diff := cmp.Diff(full.Summary(), summary, cmpopts.IgnoreFields(Banner{}, "Raw"), cmpopts.EquateComparable(netip.Addr{})); diff != "" {
		t.Errorf("the summary of %.300q: %s", text, diff)
	}
}

func TestBannersAreReadAsByEncodingJSON(t *testing.T) {
	t.Parallel()
	for _, text := range bannerTexts(t) {
		wantAsReference(t, text)
	}
}

func FuzzBannersAreReadAsByEncodingJSON(f *testing.F) {
	for _, text := range bannerTexts(f) {
		if len(text) < 2000 {
			f.Add(text)
		}
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, c := range text {
			if c >= 0x80 {
				return // encoding/json takes more than ASCII letters for the same in the names of fields
			}
		}
		wantAsReference(t, text)
	})
}
