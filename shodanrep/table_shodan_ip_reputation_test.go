package shodanrep

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/turbot/steampipe-plugin-sdk/v5/grpc/proto"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

// The services do not ask about documentation addresses, so these tests invent hosts in 11.0.0.0/8.
const (
	bad   = "11.0.0.1"
	good  = "11.0.0.2"
	empty = "11.0.0.3"
)

// simulate starts the services with a bad host, a good one, and one on which everything is closed.
func simulate(t *testing.T, opts ...shodantest.Option) *shodantest.Simulator {
	t.Helper()
	s := shodantest.New(t, opts...)
	vulns := []string{}
	for i := range 12 {
		vulns = append(vulns, fmt.Sprintf("CVE-2024-10%02d", i))
	}
	s.AddHost(shodantest.Host{
		IP: bad, Ports: []int{4444, 22, 443}, Tags: []string{"vpn", "c2"}, Vulns: vulns, Hostnames: []string{"bad.example.com"},
		Org: "Example Hosting", ASN: "AS64496", LastUpdate: time.Date(2026, 3, 1, 4, 5, 6, 0, time.UTC),
	})
	s.AddHost(shodantest.Host{IP: good, Ports: []int{443, 80}})
	s.AddHost(shodantest.Host{IP: empty})
	return s
}

// free is a connection to InternetDB only, keyed one with a key as well. Neither keeps anything beyond its test, since
// every simulator has an address of its own.
func free(s *shodantest.Simulator) string {
	return fmt.Sprintf("internetdb_url = %q\ninternetdb_requests_per_second = 1000\napi_url = %q\ncvedb_url = %q\nexploits_url = %q\ncache = \"memory\"\n", s.InternetDBURL(), s.APIURL(), s.CVEDBURL(), s.ExploitsURL())
}

func keyed(s *shodantest.Simulator) string {
	return free(s) + fmt.Sprintf("api_key = %q\nrequests_per_second = 1000\nbulk_lookup = \"off\"\n", shodantest.Key)
}

func TestReputationFromEitherSource(t *testing.T) {
	for name, tt := range map[string]struct {
		connection func(*shodantest.Simulator) string
		source     string
	}{
		"InternetDB without a key": {free, "internetdb"},
		"the REST API with a key":  {keyed, "shodan"},
	} {
		t.Run(name, func(t *testing.T) {
			sim := simulate(t)
			rows := mustConnect(t, tt.connection(sim)).mustRun(t, query{
				table: "shodan_ip_reputation",
				quals: map[string]*proto.QualValue{"ip": inets(bad, good, empty, "11.0.0.9", "10.1.2.3", "11.0.0.0/8")},
			})
			if len(rows) != 6 {
				t.Fatalf("%d rows, want one for each of the six addresses", len(rows))
			}
			r := byIP(t, rows, bad)
			want := row{
				"status": "indexed", "source": tt.source, "error": nil, "score": int64(65), "level": "critical", "policy": "baseline", "title": bad,
				"port_count": int64(3), "vuln_count": int64(12), "ports": []any{22.0, 443.0, 4444.0}, "suspicious_ports": []any{4444.0},
				"tags": []any{"c2", "vpn"}, "hostnames": []any{"bad.example.com"},
			}
			for column, value := range want {
				if diff := cmp.Diff(value, r[column]); diff != "" {
					t.Errorf("%s: %s", column, diff)
				}
			}
			if !slices.Contains(r["cpes"].([]any), "cpe:/a:openbsd:openssh:8.9p1") {
				t.Errorf("cpes: %v", r["cpes"])
			}
			points := 0.0
			for _, f := range r["factors"].([]any) {
				points += f.(map[string]any)["points"].(float64)
			}
			if points != 65 {
				t.Errorf("the factors add up to %v", points)
			}
			if g := byIP(t, rows, good); g["score"] != int64(0) || g["level"] != "low" || len(g["factors"].([]any)) != 0 {
				t.Errorf("a host with nothing against it: %v", g)
			}
			if e := byIP(t, rows, empty); e["status"] != "indexed" || e["score"] != int64(0) || e["port_count"] != int64(0) {
				t.Errorf("an indexed host without services: %v", e)
			}
			for ip, status := range map[string]string{"11.0.0.9": "not_indexed", "10.1.2.3": "reserved", "11.0.0.0/8": "not_a_host"} {
				r := byIP(t, rows, ip)
				if r["status"] != status || r["score"] != nil || r["level"] != "unknown" || r["factors"] != nil || r["ports"] != nil || r["port_count"] != nil {
					t.Errorf("%s: %v", ip, r)
				}
			}
			if tt.source == "internetdb" {
				for _, column := range []string{"organization", "asn", "country", "latitude", "domains", "services", "last_update"} {
					if r[column] != nil {
						t.Errorf("%s is %v, which InternetDB does not know", column, r[column])
					}
				}
			} else if r["organization"] != "Example Hosting" || r["last_update"] != "2026-03-01T04:05:06Z" || len(r["services"].([]any)) != 3 {
				t.Errorf("%v", r)
			}
			if n := sim.Count(""); n != 4 {
				t.Errorf("%d requests for four addresses that can be looked up: %v", n, sim.Requests())
			}
		})
	}
}

func TestALookUpIsMadeOnlyOnce(t *testing.T) {
	sim := simulate(t)
	addrs := sim.Generate(60)
	ips := []string{}
	for _, a := range addrs {
		ips = append(ips, a.String())
	}
	s := mustConnect(t, free(sim))
	for range 2 {
		if rows := s.mustRun(t, query{table: "shodan_ip_reputation", quals: map[string]*proto.QualValue{"ip": inets(slices.Concat(ips, ips)...)}}); len(rows) != 120 {
			t.Fatalf("%d rows", len(rows))
		}
		if n := sim.Count(""); n != 60 {
			t.Fatalf("%d requests for 60 addresses", n)
		}
	}
	s.mustRun(t, query{table: "shodan_service", quals: map[string]*proto.QualValue{"ip": inets(ips...)}})
	if n := sim.Count(""); n != 60 {
		t.Fatalf("another table asks again: %d requests", n)
	}
}

func TestWhatIsNotNeededIsNotLookedUp(t *testing.T) {
	sim := simulate(t)
	ips := []string{}
	for _, a := range sim.Generate(50) {
		ips = append(ips, a.String())
	}
	s := mustConnect(t, free(sim))
	if rows := s.mustRun(t, query{table: "shodan_ip_reputation", columns: []string{"ip", "title"}, quals: map[string]*proto.QualValue{"ip": inets(ips...)}}); len(rows) != 50 || sim.Count("") != 0 {
		t.Errorf("%d rows and %d requests, want 50 rows and none", len(rows), sim.Count(""))
	}
	if rows := s.mustRun(t, query{table: "shodan_ip_reputation", limit: 3, exact: true, quals: map[string]*proto.QualValue{"ip": inets(ips...)}}); len(rows) != 3 || sim.Count("") != 3 {
		t.Errorf("limit 3: %d rows and %d requests", len(rows), sim.Count(""))
	}
}

func TestASourceCanBeChosenInTheQuery(t *testing.T) {
	sim := simulate(t)
	s := mustConnect(t, keyed(sim))
	rows := s.mustRun(t, query{table: "shodan_ip_reputation", quals: map[string]*proto.QualValue{"ip": inets(bad, "10.0.0.1"), "source": texts("internetdb")}})
	for _, r := range rows {
		if r["source"] != "internetdb" {
			t.Errorf("%v: PostgreSQL would drop the row", r)
		}
	}
	rows = s.mustRun(t, query{table: "shodan_ip_reputation", quals: map[string]*proto.QualValue{"ip": inets(bad, good), "source": texts("internetdb", "shodan")}})
	if len(rows) != 4 {
		t.Errorf("%d rows for two addresses from two sources", len(rows))
	}
}

// TestTheLengthOfAListDecidesItsSource looks lists up in the slices that functions.sql makes of them. Networks and
// private addresses count, as SQL cannot tell them apart.
func TestTheLengthOfAListDecidesItsSource(t *testing.T) {
	t.Parallel()
	sim := simulate(t)
	var hosts []string
	for _, a := range sim.Generate(420) {
		hosts = append(hosts, a.String())
	}
	var private []string
	for i := range 60 {
		private = append(private, fmt.Sprintf("10.0.0.%d", i))
	}
	s := mustConnect(t, keyed(sim))
	for name, test := range map[string]struct {
		slices [][]string
		source string
	}{
		"as long as the limit":           {[][]string{hosts[:100]}, "shodan"},
		"twice the same addresses":       {[][]string{slices.Concat(hosts[:60], hosts[:60])}, "shodan"},
		"longer by one":                  {[][]string{hosts[:101]}, "internetdb"},
		"longer by a private address":    {[][]string{append(slices.Clone(hosts[:100]), "10.0.0.1")}, "internetdb"},
		"longer by a network":            {[][]string{append(slices.Clone(hosts[:100]), "11.0.0.0/24")}, "internetdb"},
		"250":                            {[][]string{hosts[:125], hosts[125:250]}, "internetdb"},
		"250, many of the first private": {[][]string{slices.Concat(private, hosts[:65]), hosts[65:190]}, "internetdb"},
		"420":                            {[][]string{hosts[:140], hosts[140:280], hosts[280:]}, "internetdb"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, list := range test.slices {
				for _, r := range s.mustRun(t, query{table: "shodan_ip_reputation", columns: []string{"ip", "source", "status"}, quals: map[string]*proto.QualValue{"ip": inets(list...)}}) {
					if r["source"] != test.source && r["status"] == "indexed" {
						t.Fatalf("%v, want it from %s", r, test.source)
					}
				}
			}
		})
	}
}

func TestKeysThatCannotLookUp(t *testing.T) {
	t.Parallel()
	ips := map[string]*proto.QualValue{"ip": inets(bad, good, empty, "11.0.0.9", "11.0.0.10")}
	t.Run("a plan without look-ups falls to InternetDB, after one refusal a query", func(t *testing.T) {
		sim := simulate(t, shodantest.WithPlan("oss"))
		s := mustConnect(t, keyed(sim))
		for range 4 {
			for _, r := range s.mustRun(t, query{table: "shodan_ip_reputation", quals: ips}) {
				if r["source"] != "internetdb" || r["status"] == "error" {
					t.Errorf("%v", r)
				}
			}
		}
		// One refusal may be about that one address, so the next query asks again, with one request.
		if n := sim.Count("shodan"); n != 4 {
			t.Errorf("the REST API was sent %d requests, want one a query", n)
		}
	})
	t.Run("a plan without look-ups fails a query that names the REST API", func(t *testing.T) {
		sim := simulate(t, shodantest.WithPlan("oss"))
		rows, err := mustConnect(t, keyed(sim)+`source = "shodan"`).run(t, query{table: "shodan_ip_reputation", quals: ips})
		if err == nil || !strings.Contains(err.Error(), "plan") || len(rows) != 0 {
			t.Errorf("%v rows, error %v", rows, err)
		}
	})
	t.Run("a wrong key fails the query, every time, and is not shown", func(t *testing.T) {
		sim := simulate(t)
		s := mustConnect(t, strings.Replace(keyed(sim), shodantest.Key, "WRONGKEYWRONGKEYWRONGKEYWRONGKEY", 1))
		for range 20 {
			rows, err := s.run(t, query{table: "shodan_ip_reputation", quals: ips})
			if err == nil || !strings.Contains(err.Error(), "refused the API key") || len(rows) != 0 {
				t.Fatalf("%v rows, error %v", rows, err)
			}
			if strings.Contains(err.Error(), "WRONGKEY") {
				t.Fatalf("the key is in the error: %v", err)
			}
		}
	})
}

func TestAFailingAddressIsARow(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]shodantest.Fault{
		"no connection":    {Kind: shodantest.Dropped},
		"broken off":       {Kind: shodantest.BrokenOff},
		"truncated JSON":   {Kind: shodantest.Truncated},
		"no answer":        {Kind: shodantest.Hang},
		"HTML":             {Status: 502, Body: shodantest.BodyPage(502)},
		"a challenge page": {Status: 403, Body: shodantest.BodyChallenge},
		"HTML with 200":    {Body: shodantest.BodyPage(200)},
		"nothing at all":   {},
		"JSON of no host":  {Body: `[]`},
		"an empty object":  {Body: `{}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sim := simulate(t)
			fault.Target = bad
			sim.Fault(fault)
			var rows []row
			for _, timeout := range []string{"5s", "1m"} { // the machine may be too busy for the first
				rows = mustConnect(t, free(sim)+fmt.Sprintf("timeout = %q\n", timeout)).mustRun(t, query{table: "shodan_ip_reputation", quals: map[string]*proto.QualValue{"ip": inets(bad, good)}})
				if byIP(t, rows, good)["status"] == "indexed" {
					break
				}
			}
			r := byIP(t, rows, bad)
			want := "InternetDB sent no usable response"
			if fault.Body == `{}` {
				want = "InternetDB sent an unexpected response"
			}
			if r["status"] != "error" || r["level"] != "unknown" || r["score"] != nil || !strings.HasPrefix(r["error"].(string), want) {
				t.Errorf("%v", r)
			}
			if strings.ContainsAny(r["error"].(string), "<>") {
				t.Errorf("HTML reaches the user: %v", r["error"])
			}
			if g := byIP(t, rows, good); g["status"] != "indexed" {
				t.Errorf("the other address: %v", g)
			}
		})
	}
}

func TestAFaultThatPassesIsNotSeen(t *testing.T) {
	t.Parallel()
	sim := simulate(t)
	sim.Fault(shodantest.Fault{Times: 2, Status: 502, Body: shodantest.BodyPage(502)})
	rows := mustConnect(t, free(sim)).mustRun(t, query{table: "shodan_ip_reputation", quals: map[string]*proto.QualValue{"ip": inets(bad)}})
	if r := byIP(t, rows, bad); r["status"] != "indexed" || sim.Count("") != 3 {
		t.Errorf("%v after %d requests", r, sim.Count(""))
	}
}
