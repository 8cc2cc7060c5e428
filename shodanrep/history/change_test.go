package history

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

// host parses a host with these fields of a response of the REST API.
func host(t *testing.T, fields string) *shodan.Host {
	t.Helper()
	h, err := shodan.ParseHost([]byte(`{"ip_str": "198.51.100.7", ` + fields + `}`))
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// tlsBanner is the banner of a TLS server with a certificate.
func tlsBanner(port int, name, fingerprint string) string {
	return fmt.Sprintf(`{"ip_str": "198.51.100.7", "port": %d, "transport": "tcp", "_shodan": {"module": "https", "options": {"hostname": %q}}, "ssl": {"cert": {"fingerprint": {"sha256": %q}}}}`, port, name, fingerprint)
}

func TestCompare(t *testing.T) {
	t.Parallel()
	const ports = `"ports": [22, 443]`
	for name, tt := range map[string]struct {
		before, after string // fields of a host; "first" if there is no state, "none" if it is not indexed
		want          []string
	}{
		"the same":                         {ports, ports, nil},
		"the same, not indexed":            {"none", "none", nil},
		"first seen":                       {"first", ports, []string{`indexed "" "22, 443"`}},
		"first seen without ports":         {"first", `"ports": []`, []string{`indexed "" ""`}},
		"first seen and not indexed":       {"first", "none", []string{`not_indexed "" ""`}},
		"indexed":                          {"none", ports, []string{`indexed "" "22, 443"`}},
		"no longer indexed":                {ports, "none", []string{`not_indexed "22, 443" ""`}},
		"a port opened":                    {ports, `"ports": [22, 80, 443, 8080]`, []string{`port_opened "" "80" 80`, `port_opened "" "8080" 8080`}},
		"a port closed":                    {ports, `"ports": [443]`, []string{`port_closed "22" "" 22`}},
		"a vulnerability added":            {ports, ports + `, "vulns": ["CVE-2021-44228"]`, []string{`vulnerability_added "" "CVE-2021-44228"`}},
		"a vulnerability removed":          {ports + `, "vulns": ["CVE-2021-44228", "CVE-2020-0001"]`, ports + `, "vulns": ["CVE-2020-0001"]`, []string{`vulnerability_removed "CVE-2021-44228" ""`}},
		"tags":                             {ports + `, "tags": ["cloud", "vpn"]`, ports + `, "tags": ["c2", "cloud"]`, []string{`tag_added "" "c2"`, `tag_removed "vpn" ""`}},
		"another organization":             {ports + `, "org": "One"`, ports + `, "org": "Two"`, []string{`organization "One" "Two"`}},
		"an organization that is unknown":  {ports + `, "org": null`, ports + `, "org": "Two"`, nil},
		"an organization that is not sent": {ports + `, "org": "One"`, ports, nil},
		"the order of a list":              {`"ports": [443, 22], "tags": ["b", "a"]`, `"ports": [22, 443], "tags": ["a", "b"]`, nil},
		"another certificate":              {`"data": [` + tlsBanner(443, "", "aa") + `]`, `"data": [` + tlsBanner(443, "", "bb") + `]`, []string{`certificate "aa" "bb" 443`}},
		"one certificate of several names": {
			`"data": [` + tlsBanner(443, "a.example", "aa") + "," + tlsBanner(443, "b.example", "aa") + `]`,
			`"data": [` + tlsBanner(443, "a.example", "bb") + "," + tlsBanner(443, "b.example", "bb") + `]`, []string{`certificate "aa" "bb" 443`},
		},
		"certificates of a port that opened": {`"data": [` + tlsBanner(443, "", "aa") + `]`, `"data": [` + tlsBanner(443, "", "aa") + "," + tlsBanner(8443, "", "cc") + `]`, []string{`port_opened "" "8443" 8443`}},
		"banners that are not known any more": {
			`"ports": [443], "data": [` + tlsBanner(443, "", "aa") + `]`, `"ports": [443], "data": []`, nil,
		},
		"all at once": {
			`"ports": [22], "tags": ["vpn"], "vulns": ["CVE-2020-0001"], "org": "One"`, `"ports": [3389], "tags": ["c2"], "vulns": ["CVE-2021-44228"], "org": "Two"`,
			[]string{
				`port_opened "" "3389" 3389`, `port_closed "22" "" 22`, `vulnerability_added "" "CVE-2021-44228"`, `vulnerability_removed "CVE-2020-0001" ""`,
				`tag_added "" "c2"`, `tag_removed "vpn" ""`, `organization "One" "Two"`,
			},
		},
	} {
		state := func(fields string) *State {
			switch fields {
			case "first":
				return nil
			case "none":
				return &State{}
			}
			return &State{Host: host(t, fields)}
		}
		var got []string
		for _, c := range Compare(state(tt.before), *state(tt.after)) {
			text := fmt.Sprintf("%s %q %q", c.Kind, c.Old, c.New)
			if c.Port != nil {
				text += fmt.Sprint(" ", *c.Port)
			}
			got = append(got, text)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: want (-), got (+): %s", name, diff)
		}
	}
}

// TestCompareIsSymmetric checks that what appears in one direction disappears in the other.
func TestCompareIsSymmetric(t *testing.T) {
	t.Parallel()
	opposite := map[Kind]Kind{
		Indexed: NotIndexed, PortOpened: PortClosed, VulnerabilityAdded: VulnerabilityRemoved, TagAdded: TagRemoved,
		Organization: Organization, Certificate: Certificate,
	}
	for kind, other := range opposite {
		opposite[other] = kind
	}
	hosts := []*shodan.Host{
		nil, host(t, `"ports": []`), host(t, `"ports": [22, 80], "tags": ["a"], "org": "One"`),
		host(t, `"ports": [80], "vulns": ["CVE-2020-0001"], "org": "Two"`), host(t, `"data": [`+tlsBanner(443, "", "aa")+`]`), host(t, `"data": [`+tlsBanner(443, "", "bb")+`]`),
	}
	for _, a := range hosts {
		for _, b := range hosts {
			count := map[Kind]int{}
			for _, c := range Compare(&State{Host: a}, State{Host: b}) {
				count[c.Kind]++
			}
			for _, c := range Compare(&State{Host: b}, State{Host: a}) {
				count[opposite[c.Kind]]--
			}
			for kind, n := range count {
				if n != 0 {
					t.Errorf("%d changes %s more in one direction", n, kind)
				}
			}
		}
	}
}
