package shodanrep

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/turbot/steampipe-plugin-sdk/v5/grpc/proto"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

// TestServicesHaveOneOrder has a response whose banners are in no order: from the REST API, from the cache, and in a file
// of data, the services are in that of their ports and transports.
func TestServicesHaveOneOrder(t *testing.T) {
	t.Parallel()
	banner := func(port int, transport string) string {
		return fmt.Sprintf(`{"ip_str": %q, "port": %d, "transport": %q, "timestamp": "2026-01-15T12:00:00", "data": ""}`, bad, port, transport)
	}
	response := fmt.Sprintf(`{"ip_str": %q, "ports": [443, 22, 53], "tags": [], "last_update": "2026-01-15T12:00:00", "data": [%s, %s, %s, %s]}`,
		bad, banner(443, "tcp"), banner(53, "udp"), banner(53, "tcp"), banner(22, "tcp"))
	want := []string{"22 tcp", "53 tcp", "53 udp", "443 tcp"}
	sim := simulate(t)
	sim.Fault(shodantest.Fault{Target: bad, Status: 200, Body: response})
	path := filepath.Join(t.TempDir(), "response.json")
	if err := os.WriteFile(path, []byte(response), 0o600); err != nil {
		t.Fatal(err)
	}
	fromREST := mustConnect(t, keyed(sim))
	fromFile := mustConnect(t, free(sim)+fmt.Sprintf("data_files = [%q]", path))
	for _, tt := range []struct {
		name string
		server
	}{{"REST API", fromREST}, {"cache", fromREST}, {"file", fromFile}} {
		rows := tt.mustRun(t, query{table: "shodan_ip_reputation", quals: map[string]*proto.QualValue{"ip": inets(bad)}})
		var got []string
		for _, service := range rows[0]["services"].([]any) {
			s := service.(map[string]any)
			got = append(got, fmt.Sprint(s["port"], " ", s["transport"]))
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: services are %q", tt.name, got)
		}
	}
}
