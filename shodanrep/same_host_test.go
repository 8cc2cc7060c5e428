package shodanrep

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/turbot/steampipe-plugin-sdk/v5/grpc/proto"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

// TestAResponseAndItsFileSayTheSame holds that a response for a host gives the same rows from the REST API and from a
// data file, also where it lacks in general what its banners have, or the other way round.
func TestAResponseAndItsFileSayTheSame(t *testing.T) {
	setClock(t, time.Date(2026, 3, 11, 0, 0, 0, 0, time.UTC))
	const (
		ip       = "11.0.7.3"
		general  = `"asn": "AS64500", "org": "Example", "isp": "Example ISP", "os": "Linux", "city": "Oslo", "country_code": "NO", "country_name": "Norway", "latitude": 59.9, "longitude": 10.7`
		names    = `"hostnames": ["a.example.com"], "domains": ["example.com"], "tags": ["vpn"]`
		location = `"location": {"city": "Oslo", "country_code": "NO", "country_name": "Norway", "latitude": 59.9, "longitude": 10.7}`
		banner   = `"port": 22, "transport": "tcp", "timestamp": "2025-01-02T03:04:05.678901", "data": "SSH-2.0", "_shodan": {"module": "ssh"}`
		network  = `"asn": "AS64500", "org": "Example", "isp": "Example ISP", "os": "Linux"`
	)
	want := row{
		"status": "indexed", "asn": "AS64500", "organization": "Example", "isp": "Example ISP", "os": "Linux", "city": "Oslo",
		"country_code": "NO", "country": "Norway", "latitude": 59.9, "longitude": 10.7, "confidence": nil, "score": nil,
		"hostnames": []any{"a.example.com"}, "domains": []any{"example.com"}, "tags": []any{"vpn"}, "ports": []any{22.0},
	}
	for name, body := range map[string]string{
		"only in general":     general + "," + names + `, "ports": [22], "last_update": "2025-01-02T03:04:05.678901", "data": [{` + banner + `}]`,
		"only in the banner":  `"data": [{` + banner + "," + network + "," + location + "," + names + `}]`,
		"null in general":     `"asn": null, "org": null, "isp": "", "os": null, "city": null, "country_code": null, "latitude": null, "hostnames": null, "domains": null, "tags": null, "ports": null, "last_update": null, "data": [{` + banner + "," + network + "," + location + "," + names + `}]`,
		"null in the banner":  general + "," + names + `, "ports": [22], "data": [{"asn": null, "location": null, "os": null, "hostnames": null, "domains": [], "tags": null, ` + banner + `}]`,
		"a time that is none": general + "," + names + `, "ports": [22], "last_update": "soon", "data": [{` + banner + `}]`,
	} {
		t.Run(name, func(t *testing.T) {
			body := fmt.Sprintf(`{"ip_str": %q, %s}`, ip, body)
			sim := shodantest.New(t)
			sim.Fault(shodantest.Fault{Target: ip, Body: body})
			path := filepath.Join(t.TempDir(), "host.json")
			if err := os.WriteFile(path, []byte(body), 0o600); err != nil {
				t.Fatal(err)
			}
			rows := map[string]row{}
			for source, spc := range map[string]string{"shodan": keyed(sim), "dataset": free(sim) + fmt.Sprintf("data_files = [%q]", path)} {
				got := mustConnect(t, spc).mustRun(t, query{table: "shodan_ip_reputation", quals: map[string]*proto.QualValue{
					"ip": inets(ip), "source": texts(source), "policy": texts("extended")}})[0]
				rows[source] = row{}
				for column, value := range want {
					rows[source][column] = got[column]
					if value == nil { // the same in all
						want[column] = got[column]
					}
				}
				if diff := cmp.Diff(want, rows[source]); diff != "" {
					t.Errorf("%s: %s", source, diff)
				}
			}
		})
	}
}
