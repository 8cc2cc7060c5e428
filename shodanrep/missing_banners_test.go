package shodanrep

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/turbot/steampipe-plugin-sdk/v5/grpc/proto"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

// TestPortsWithoutBannersAreNotClean holds that what only banners say is unknown, and the rest known, where a response
// has ports and vulnerabilities but no banners, or lists of them that lack some.
func TestPortsWithoutBannersAreNotClean(t *testing.T) {
	t.Parallel()
	const host = `{"ip_str": "11.0.7.2", "last_update": "2026-01-02T03:04:05", "ports": [443, 4444], "tags": ["vpn"], "vulns": ["CVE-2024-0001"], "org": "Example", "asn": "AS64500"`
	for name, test := range map[string]struct {
		data  string
		ports []int // with a banner
	}{
		"an empty list":         {`, "data": []`, nil},
		"no list":               {``, nil},
		"null":                  {`, "data": null`, nil},
		"nothing that is one":   {`, "data": [null, "text"]`, nil},
		"a banner of one port":  {`, "data": [{"port": 443, "transport": "tcp"}]`, []int{443}},
		"a banner without port": {`, "data": [{"transport": "tcp"}]`, []int{0}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sim := shodantest.New(t)
			sim.Fault(shodantest.Fault{Target: "11.0.7.2", Body: host + test.data + "}"})
			path := filepath.Join(t.TempDir(), "host.json")
			if err := os.WriteFile(path, []byte(host+test.data+"}"), 0o600); err != nil {
				t.Fatal(err)
			}
			for source, spc := range map[string]string{"shodan": keyed(sim), "dataset": free(sim) + fmt.Sprintf("data_files = [%q]", path)} {
				if source == "dataset" && test.ports != nil {
					continue // a banner that is not the address's own counts as its newest state
				}
				s := mustConnect(t, spc)
				from := func(table string) []row {
					return s.mustRun(t, query{table: table, quals: map[string]*proto.QualValue{"ip": inets("11.0.7.2"), "source": texts(source)}})
				}
				reputation := from("shodan_ip_reputation")[0]
				want := row{
					"status": "indexed", "source": source, "score": int64(35), "level": "high", "port_count": int64(2), "vuln_count": int64(1),
					"verified_vuln_count": nil, "kev_count": nil, "max_cvss": nil, "max_epss": nil,
				}
				got := row{}
				for column := range want {
					got[column] = reputation[column]
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%s: %s", source, diff)
				}
				if (reputation["services"] == nil) != (test.ports == nil) || (reputation["cpes"] == nil) != (test.ports == nil) {
					t.Errorf("%s: services %v, cpes %v", source, reputation["services"], reputation["cpes"])
				}
				if factors := from("shodan_reputation_factor"); len(factors) != 3 || factors[0]["score"] != int64(35) {
					t.Errorf("%s: factors %v", source, factors)
				}
				ports := map[any]bool{} // and whether their transport is known
				for _, r := range from("shodan_service") {
					ports[r["port"]] = r["transport"] != nil
				}
				wantPorts := map[any]bool{int64(443): false, int64(4444): false}
				for _, port := range test.ports {
					if port == 0 {
						wantPorts[nil] = true
					} else {
						wantPorts[int64(port)] = true
					}
				}
				if !maps.Equal(wantPorts, ports) {
					t.Errorf("%s: services %v, want %v", source, ports, wantPorts)
				}
				vulnerabilities := from("shodan_vulnerability")
				if r := vulnerabilities[0]; len(vulnerabilities) != 1 || r["cve_id"] != "CVE-2024-0001" || r["verified"] != nil || (r["ports"] == nil) != (test.ports == nil) {
					t.Errorf("%s: vulnerabilities %v", source, vulnerabilities)
				}
			}
			s := mustConnect(t, keyed(sim))
			for _, table := range []string{"shodan_fingerprint", "shodan_host_history", "shodan_ssl_correlation", "shodan_fingerprint_correlation"} {
				rows := s.mustRun(t, query{table: table, quals: map[string]*proto.QualValue{"ip": inets("11.0.7.2")}})
				isError := slices.ContainsFunc(rows, func(r row) bool {
					return r["status"] == "error" && strings.Contains(fmt.Sprint(r["error"]), "the response for 11.0.7.2 has 2 open ports and no banners")
				})
				if isError != (test.ports == nil) || isError && len(rows) != 1 {
					t.Errorf("%s: %v", table, rows)
				}
			}
		})
	}
}
