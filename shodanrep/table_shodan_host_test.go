package shodanrep

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/turbot/steampipe-plugin-sdk/v5/grpc/proto"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

// historic starts the services with a host that has a service less than it once had.
func historic(t *testing.T, opts ...shodantest.Option) *shodantest.Simulator {
	t.Helper()
	sim := simulate(t, opts...)
	sim.AddHost(shodantest.Host{
		IP: bad, Ports: []int{22, 443}, Banners: []map[string]any{
			{"port": 22, "cloud": map[string]any{"provider": "Example Cloud", "region": "eu-1", "service": nil}},
		},
		History: []map[string]any{{"port": 23, "timestamp": "2025-01-01T00:00:00.000000"}},
	})
	return sim
}

func TestEveryAddressIsARowOfTheHostTable(t *testing.T) {
	t.Parallel()
	sim := historic(t)
	sim.Fault(shodantest.Fault{Target: good, Kind: shodantest.Truncated})
	rows := mustRunInTime(t, keyed(sim), "5s", query{
		table: "shodan_host", quals: map[string]*proto.QualValue{"ip": inets(bad, good, "11.0.0.9", "10.1.2.3", "11.0.0.0/8")},
	})
	if len(rows) != 5 {
		t.Fatalf("%d rows for five addresses", len(rows))
	}
	for ip, status := range map[string]string{bad: "indexed", good: "error", "11.0.0.9": "not_indexed", "10.1.2.3": "reserved", "11.0.0.0/8": "not_a_host"} {
		r := byIP(t, rows, ip)
		if r["status"] != status || (r["ports"] != nil) != (status == "indexed") || (r["error"] != nil) != (status == "error") || (r["raw"] != nil) != (status == "indexed") || r["title"] != ip {
			t.Errorf("%s: %v", ip, r)
		}
	}
	if message, ok := byIP(t, rows, good)["error"].(string); !ok || !strings.Contains(message, "Shodan sent no usable response") {
		t.Errorf("the error is %v", byIP(t, rows, good)["error"])
	}
}

func TestAHostIsAskedForAsTheColumnsAndTheQueryNeed(t *testing.T) {
	sim := historic(t)
	s := mustConnect(t, keyed(sim))
	for _, tt := range []struct {
		name     string
		columns  []string
		quals    map[string]*proto.QualValue
		requests int // in all, so far
		banners  any // in raw
		cloud    bool
	}{
		{"the address alone", []string{"ip", "history", "minify", "title"}, nil, 0, nil, false},
		{"the summary", []string{"ip", "org"}, nil, 1, nil, false},
		{"the cloud, which is in the banners", []string{"ip", "cloud"}, nil, 2, nil, true},
		{"the answer", []string{"ip", "raw", "cloud"}, nil, 2, 2, true},
		{"minified", []string{"ip", "raw", "cloud", "minify"}, map[string]*proto.QualValue{"minify": truth(true)}, 2, 0, false},
		{"not minified", []string{"ip", "raw", "cloud", "minify"}, map[string]*proto.QualValue{"minify": truth(false)}, 2, 2, true},
		{"with the history", []string{"ip", "raw", "history"}, map[string]*proto.QualValue{"history": truth(true)}, 3, 3, true},
		{"without the history", []string{"ip", "raw", "history"}, map[string]*proto.QualValue{"history": truth(false)}, 3, 2, true},
		{"with the history, minified", []string{"ip", "raw", "history", "minify"}, map[string]*proto.QualValue{"history": truth(true), "minify": truth(true)}, 3, 0, false},
	} {
		quals := map[string]*proto.QualValue{"ip": inets(bad)}
		maps.Copy(quals, tt.quals)
		rows := s.mustRun(t, query{table: "shodan_host", columns: tt.columns, quals: quals})
		if len(rows) != 1 || sim.Count("") != tt.requests {
			t.Fatalf("%s: %d rows, %d requests so far, want %d", tt.name, len(rows), sim.Count(""), tt.requests)
		}
		for column, value := range tt.quals {
			if rows[0][column] != value.GetBoolValue() {
				t.Errorf("%s: %s is %v, and PostgreSQL would drop the row", tt.name, column, rows[0][column])
			}
		}
		var banners any
		if raw, ok := rows[0]["raw"].(map[string]any); ok {
			banners = len(raw["data"].([]any))
		}
		if banners != tt.banners || (rows[0]["cloud"] != nil) != tt.cloud {
			t.Errorf("%s: %v banners and the cloud %v", tt.name, banners, rows[0]["cloud"])
		}
	}
	rows := s.mustRun(t, query{table: "shodan_host", quals: map[string]*proto.QualValue{"ip": inets(bad, good), "history": {Value: &proto.QualValue_ListValue{ListValue: &proto.QualValueList{Values: []*proto.QualValue{truth(true), truth(false)}}}}}})
	if len(rows) != 4 {
		t.Errorf("%d rows of two addresses with and without history", len(rows))
	}
}

func TestAHostOfInternetDBHasWhatThatKnows(t *testing.T) {
	rows := mustConnect(t, free(simulate(t))).mustRun(t, query{table: "shodan_host", quals: map[string]*proto.QualValue{"ip": inets(bad)}})
	r := rows[0]
	known := []string{"ip", "title", "source", "status", "ports", "hostnames", "vulns", "tags", "raw", "checked_at"}
	for column, value := range r {
		if slices.Contains(known, column) == (value == nil) {
			t.Errorf("%s is %v", column, value)
		}
	}
	if raw := r["raw"].(map[string]any); raw["ip"] != bad || raw["data"] != nil {
		t.Errorf("raw is %v", raw)
	}
}

func TestAKeyThatCannotLookUpFallsToInternetDBForAHost(t *testing.T) {
	ips := map[string]*proto.QualValue{"ip": inets(bad, good)}
	for _, r := range mustConnect(t, keyed(simulate(t, shodantest.WithPlan("oss")))).mustRun(t, query{table: "shodan_host", quals: ips}) {
		if r["source"] != "internetdb" || r["status"] != "indexed" {
			t.Errorf("%v", r)
		}
	}
	_, err := mustConnect(t, strings.Replace(keyed(simulate(t)), shodantest.Key, "WRONGKEY", 1)).run(t, query{table: "shodan_host", quals: ips})
	if err == nil || !strings.Contains(err.Error(), "refused the API key") || strings.Contains(err.Error(), "WRONGKEY") {
		t.Errorf("a wrong key: %v", err)
	}
}

func TestHostsOfADatasetHaveNoAnswerToShow(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data.json")
	line := `{"ip_str": "192.0.2.1", "port": 22, "transport": "tcp", "timestamp": "2021-03-04T05:06:07", "org": "Example", "cloud": {"provider": "Example Cloud"},
		"location": {"area_code": "408", "city": "San Jose", "country_code": "US", "country_code3": "USA", "country_name": "United States", "dma_code": 807, "postal_code": "95101", "region_code": "CA"}}`
	if err := os.WriteFile(path, []byte(strings.ReplaceAll(line, "\n", " ")), 0o600); err != nil {
		t.Fatal(err)
	}
	s := mustConnect(t, free(simulate(t))+fmt.Sprintf("data_files = [%q]", path))
	for name, quals := range map[string]map[string]*proto.QualValue{
		"by address": {"ip": inets("192.0.2.1"), "history": truth(true)},
		"listed":     {"source": texts("dataset"), "history": truth(true)},
	} {
		rows := s.mustRun(t, query{table: "shodan_host", quals: quals})
		if len(rows) != 1 {
			t.Fatalf("%s: %d rows", name, len(rows))
		}
		for column, want := range map[string]any{
			"ip": "192.0.2.1", "source": "dataset", "history": true, "minify": nil, "org": "Example", "raw": nil, "area_code": int64(408), "dma_code": int64(807),
			"country_code": "US", "country_code3": "USA", "country_name": "United States", "postal_code": "95101", "region_code": "CA", "city": "San Jose", "last_update": "2021-03-04T05:06:07Z",
		} {
			if rows[0][column] != want {
				t.Errorf("%s: %s is %v, want %v", name, column, rows[0][column], want)
			}
		}
		if diff := cmp.Diff(map[string]any{"provider": "Example Cloud", "region": nil, "service": nil}, rows[0]["cloud"]); diff != "" {
			t.Errorf("%s: cloud: %s", name, diff)
		}
	}
}

// TestHostsAgreeWithCapturedHosts reads the captured answers on its own, and holds every column to them.
func TestHostsAgreeWithCapturedHosts(t *testing.T) {
	onCapturedHosts(t, func(t *testing.T, server server, ip string, body []byte) {
		var host map[string]any
		if err := json.Unmarshal(body, &host); err != nil {
			t.Fatal(err)
		}
		rows := server.mustRun(t, query{table: "shodan_host", quals: map[string]*proto.QualValue{"ip": inets(ip)}})
		if len(rows) != 1 {
			t.Fatalf("%d rows", len(rows))
		}
		if diff := cmp.Diff(host, rows[0]["raw"]); diff != "" {
			t.Errorf("raw: %s", diff)
		}
		for _, column := range strings.Fields("area_code asn city country_code country_code3 country_name dma_code domains hostnames isp latitude longitude org os postal_code region_code tags") {
			if diff := cmp.Diff(host[column], rows[0][column]); diff != "" {
				t.Errorf("%s: %s", column, diff)
			}
		}
		ports := host["ports"].([]any)
		slices.SortFunc(ports, func(a, b any) int { return int(a.(float64) - b.(float64)) })
		if diff := cmp.Diff(ports, rows[0]["ports"]); diff != "" {
			t.Errorf("ports: %s", diff)
		}
		seen, err := time.Parse("2006-01-02T15:04:05", host["last_update"].(string))
		if err != nil || rows[0]["last_update"] != seen.Format(time.RFC3339) {
			t.Errorf("last_update is %v, want %v", rows[0]["last_update"], seen)
		}
		// None of the captures has vulnerabilities, and only one a cloud.
		if inCloud := slices.Contains(host["tags"].([]any), any("cloud")); inCloud != (rows[0]["cloud"] != nil) || len(rows[0]["vulns"].([]any)) != 0 {
			t.Errorf("cloud %v, vulns %v", rows[0]["cloud"], rows[0]["vulns"])
		}
	})
}

func TestSavedResponsesAreADataset(t *testing.T) {
	path := filepath.Join(t.TempDir(), "responses.json")
	responses := `{
  "ip": "192.0.2.1", "ports": [443, 22], "cpes": ["cpe:/a:openbsd:openssh"], "hostnames": ["a.example"], "tags": ["compromised"], "vulns": ["CVE-2024-6387"]
}
{
  "ip_str": "192.0.2.2", "last_update": "2026-01-02T03:04:05", "ports": [80], "tags": ["cloud"], "org": "Example", "data": []
}
{"ip_str": "192.0.2.3", "ports": [25], "data": [{"ip_str": "192.0.2.3", "port": 25, "transport": "tcp", "timestamp": "2026-01-03T00:00:00", "product": "Postfix"}]}
`
	if err := os.WriteFile(path, []byte(responses), 0o600); err != nil {
		t.Fatal(err)
	}
	s := mustConnect(t, free(simulate(t))+fmt.Sprintf("data_files = [%q]", path))
	for _, tt := range []struct {
		table string
		quals map[string]*proto.QualValue
		want  []map[string]any
	}{
		{"shodan_host", map[string]*proto.QualValue{"source": texts("dataset")}, []map[string]any{
			{"ip": "192.0.2.1", "ports": []any{22.0, 443.0}, "tags": []any{"compromised"}, "vulns": []any{"CVE-2024-6387"}, "org": nil, "last_update": nil, "raw": nil},
			{"ip": "192.0.2.2", "ports": []any{80.0}, "tags": []any{"cloud"}, "vulns": []any{}, "org": "Example", "last_update": "2026-01-02T03:04:05Z", "raw": nil},
			{"ip": "192.0.2.3", "ports": []any{25.0}, "tags": []any{}, "vulns": []any{}, "org": nil, "last_update": "2026-01-03T00:00:00Z", "raw": nil},
		}},
		{"shodan_service", map[string]*proto.QualValue{"ip": inets("192.0.2.1", "192.0.2.3")}, []map[string]any{
			{"ip": "192.0.2.1", "source": "dataset", "port": int64(22), "product": nil},
			{"ip": "192.0.2.1", "source": "dataset", "port": int64(443), "product": nil},
			{"ip": "192.0.2.3", "source": "dataset", "port": int64(25), "product": "Postfix"},
		}},
		{"shodan_ip_reputation", map[string]*proto.QualValue{"ip": inets("192.0.2.1")}, []map[string]any{
			{"ip": "192.0.2.1", "source": "dataset", "status": "indexed", "services": nil, "verified_vuln_count": nil},
		}},
	} {
		rows := s.mustRun(t, query{table: tt.table, quals: tt.quals})
		slices.SortFunc(rows, func(a, b row) int {
			return strings.Compare(fmt.Sprint(a["ip"], a["port"]), fmt.Sprint(b["ip"], b["port"]))
		})
		var got []map[string]any
		for i, row := range rows {
			part := map[string]any{}
			for column := range tt.want[min(i, len(tt.want)-1)] {
				part[column] = row[column]
			}
			got = append(got, part)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s:\n%s", tt.table, diff)
		}
	}
}
