package shodanrep

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/turbot/steampipe-plugin-sdk/v5/grpc/proto"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation/policyfile"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

// setClock stops the clock up to which the age of data is counted. All tests share it, so the test must not be parallel.
func setClock(t *testing.T, now time.Time) {
	t.Helper()
	t.Setenv("SHODANREP_TEST_CLOCK", now.String()) // panics in a parallel test
	before := clock
	clock = func() time.Time { return now }
	t.Cleanup(func() { clock = before })
}

// judgedBy asks for the reputation of addresses by policies, "" for the connection's.
func judgedBy(policies []string, ips ...string) query {
	quals := map[string]*proto.QualValue{"ip": inets(ips...)}
	if len(policies) > 0 {
		quals["policy"] = texts(policies...)
	}
	return query{table: "shodan_ip_reputation", quals: quals}
}

// exposed is a host with something of everything.
func exposed() shodantest.Host {
	vuln := func(more map[string]any) map[string]any {
		v := shodantest.Vuln("x")
		maps.Copy(v, more)
		return v
	}
	return shodantest.Host{
		IP: bad, Ports: []int{443, 6379}, Tags: []string{"cloud"}, Hostnames: []string{"Web.example.com"}, ASN: "AS64500",
		LastUpdate: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC),
		Banners: []map[string]any{{
			"port": 443, "module": "https", "cloud": map[string]any{"provider": "Example Cloud"},
			"http": shodantest.HTTP("IIS7", "IIS"), "ssl": shodantest.TLS("web.example.com", time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)),
			"vulns": map[string]any{
				"CVE-2024-0001": vuln(map[string]any{"kev": true, "epss": 0.9, "cvss": "9.8"}),
				"CVE-2024-0002": vuln(map[string]any{"verified": true, "epss": 0.2}),
			},
		}},
		History: []map[string]any{
			{"port": 23, "transport": "tcp", "timestamp": "2025-01-02T03:04:05.000000", "tags": []string{"malware"}},
			{"port": 443, "transport": "tcp", "timestamp": "2025-06-01T00:00:00.000000", "http": shodantest.HTTP("Old", "x")},
		},
	}
}

func TestAQueryChoosesThePolicy(t *testing.T) {
	setClock(t, time.Date(2026, 3, 11, 0, 0, 0, 0, time.UTC))
	sim := shodantest.New(t)
	sim.AddHost(exposed())
	s := mustConnect(t, keyed(sim))
	rows := s.mustRun(t, judgedBy([]string{"baseline", "extended"}, bad, "10.0.0.1"))
	if len(rows) != 4 || sim.Count("") != 1 {
		t.Fatalf("%d rows of two addresses by two policies, %d requests for the one that can be asked about", len(rows), sim.Count(""))
	}
	byPolicy := map[string]row{}
	for _, r := range rows {
		if r["ip"] == bad {
			byPolicy[r["policy"].(string)] = r
		} else if r["status"] != "reserved" || r["score"] != nil || r["level"] != "unknown" || r["confidence"] != nil || r["hosting_type"] != nil || r["is_honeypot"] != nil || r["kev_count"] != nil {
			t.Errorf("a reserved address: %v", r)
		}
	}
	// The baseline: two vulnerabilities and a tag.
	for policy, want := range map[string]row{
		"baseline": {"score": int64(20), "level": "medium", "suspicious_ports": []any{}, "confidence": 0.95},
		"extended": {"score": int64(20 + 10 + 15 + 5 + 20 + 5 + 5 + 5), "level": "critical", "suspicious_ports": []any{6379.0}, "confidence": 0.95},
	} {
		maps.Copy(want, row{"hosting_type": "cloud", "is_honeypot": false, "max_cvss": 9.8, "max_epss": 0.9, "kev_count": int64(1), "verified_vuln_count": int64(1), "first_seen": nil, "listed": nil, "list_reason": nil})
		for column, value := range want {
			if diff := cmp.Diff(value, byPolicy[policy][column]); diff != "" {
				t.Errorf("%s, %s: %s", policy, column, diff)
			}
		}
	}
	_, err := s.run(t, judgedBy([]string{"strict"}, bad))
	if want := `there is no policy "strict": use "baseline", "extended"; a file is a connection's to name`; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("a policy that there is not: %v", err)
	}
	if _, err := s.run(t, judgedBy([]string{"Basline"}, bad)); err == nil || !strings.Contains(err.Error(), `there is no policy "Basline": did you mean "baseline"?`) {
		t.Errorf("a misspelt policy is %v", err)
	}
	if _, err := s.run(t, judgedBy([]string{"/etc/passwd"}, bad)); err == nil || !strings.Contains(err.Error(), "there is no policy") {
		t.Errorf("a query reads a file: %v", err)
	}
}

func TestAScoreDoesNotDependOnTheColumns(t *testing.T) {
	setClock(t, time.Date(2026, 3, 11, 0, 0, 0, 0, time.UTC))
	for name, connection := range map[string]func(*shodantest.Simulator) string{"InternetDB": free, "REST": keyed} {
		sim := shodantest.New(t)
		sim.AddHost(exposed())
		s := mustConnect(t, strings.Replace(connection(sim), `"memory"`, `"off"`, 1)) // no scan has the answers of another
		for _, policy := range policyfile.Names() {
			for column, value := range s.mustRun(t, judgedBy([]string{policy}, bad))[0] {
				one := judgedBy([]string{policy}, bad)
				one.columns = []string{"ip", column}
				if got := s.mustRun(t, one)[0]; column != "checked_at" && !cmp.Equal(got[column], value) {
					t.Errorf("%s, %s: %s is %v by itself and %v with all columns", name, policy, column, got[column], value)
				}
			}
		}
	}
}

func TestInternetDBKnowsNoDetailsAndSaysSo(t *testing.T) {
	sim := shodantest.New(t)
	sim.AddHost(exposed())
	r := mustConnect(t, free(sim)).mustRun(t, judgedBy([]string{"extended"}, bad))[0]
	for _, column := range []string{"max_cvss", "max_epss", "kev_count", "verified_vuln_count", "first_seen"} {
		if r[column] != nil {
			t.Errorf("%s is %v, which InternetDB does not know", column, r[column])
		}
	}
	names := []string{}
	for _, f := range r["factors"].([]any) {
		names = append(names, f.(map[string]any)["factor"].(string))
	}
	if want := []string{"unweighed_vulnerabilities", "exposed_databases", "hosting_type"}; !slices.Equal(names, want) || r["confidence"] != 0.5 || r["hosting_type"] != "cloud" {
		t.Errorf("the factors are %v, want %v; confidence %v, hosting type %v", names, want, r["confidence"], r["hosting_type"])
	}
}

// ownPolicy writes a policy of one's own.
func ownPolicy(t *testing.T, name, inside string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "own.hcl")
	if err := os.WriteFile(path, []byte(fmt.Sprintf("policy %q {\n%s\n}\n", name, inside)), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestAPolicyOfAConnectionsOwn(t *testing.T) {
	setClock(t, time.Date(2026, 3, 11, 0, 0, 0, 0, time.UTC))
	sim := shodantest.New(t)
	sim.AddHost(exposed())
	path := ownPolicy(t, "ours", "base = \"extended\"\nhistory = true\nhosting \"business\" { asns = [\"AS64500 Ours\"] }")
	s := mustConnect(t, keyed(sim)+fmt.Sprintf("policy = %q\n", path))
	r := s.mustRun(t, judgedBy(nil, bad))[0]
	points := map[string]float64{}
	for _, f := range r["factors"].([]any) {
		points[f.(map[string]any)["factor"].(string)] = f.(map[string]any)["points"].(float64)
	}
	if r["policy"] != "ours" || r["hosting_type"] != "business" || r["first_seen"] != "2025-01-02T03:04:05Z" || points["past_malice"] != 15 || points["hosting_type"] != 0 || points["remote_administration"] != 0 {
		t.Errorf("%v by %v", points, r)
	}
	if services := r["services"].([]any); len(services) != 2 || fmt.Sprint(r["ports"]) != "[443 6379]" {
		t.Errorf("what was is taken for what is: %v", services)
	}
	if got := s.mustRun(t, judgedBy([]string{"ours", "extended"}, bad)); len(got) != 2 {
		t.Errorf("%d rows by the connection's own policy and another", len(got))
	}
	// InternetDB has no past, and must not be taken to know that there was none.
	r = mustConnect(t, free(sim)+fmt.Sprintf("policy = %q\n", path)).mustRun(t, judgedBy(nil, bad))[0]
	if r["first_seen"] != nil || r["kev_count"] != nil || r["level"] == "unknown" {
		t.Errorf("by InternetDB: %v", r)
	}

	if err := os.WriteFile(path, []byte("policy \"ours\" {\n base = \"baseline\"\n without = [\"tags\"]\n}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if r = s.mustRun(t, judgedBy(nil, bad))[0]; r["score"] != int64(10) {
		t.Errorf("a file that has changed is not read again: score %v", r["score"])
	}
	if err := os.WriteFile(path, []byte("policy \"ours\" {\n bse = 1\n}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := s.run(t, judgedBy(nil, bad)); err == nil || !strings.Contains(err.Error(), path+":2: a policy has no argument bse") {
		t.Errorf("a file that has become wrong: %v", err)
	}
}

func TestListsSayWhatTheyAreAskedAbout(t *testing.T) {
	sim := simulate(t)
	path := filepath.Join(t.TempDir(), "deny.txt")
	if err := os.WriteFile(path, []byte("# of May\n11.0.0.0/24 a bad neighbourhood\nAS64496 no friends of ours\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	lists := fmt.Sprintf("allow_list = [\"%s our own\", \"10.0.0.0/8\"]\ndeny_list = [\"@%s\"]\n", good, path)
	s := mustConnect(t, keyed(sim)+lists)
	for policy, want := range map[string]map[string]string{
		"baseline": {
			bad: "65 critical deny a bad neighbourhood", good: "0 low allow our own", "11.0.0.9": "<nil> unknown deny a bad neighbourhood",
			"10.1.2.3": "<nil> unknown allow 10.0.0.0/8", "11.0.1.0": "<nil> unknown <nil> <nil>", "11.0.0.0/25": "<nil> unknown <nil> <nil>",
		},
		"extended": {
			bad: "90 critical deny a bad neighbourhood", good: "5 low allow our own", "11.0.0.9": "<nil> unknown deny a bad neighbourhood",
			"10.1.2.3": "<nil> unknown allow 10.0.0.0/8", "11.0.1.0": "<nil> unknown <nil> <nil>", "11.0.0.0/25": "<nil> unknown <nil> <nil>",
		},
	} {
		got := map[string]string{}
		for _, r := range s.mustRun(t, judgedBy([]string{policy}, slices.Collect(maps.Keys(want))...)) {
			got[r["ip"].(string)] = fmt.Sprintf("%v %v %v %v", r["score"], r["level"], r["listed"], r["list_reason"])
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", policy, diff)
		}
	}
	byASN := mustConnect(t, keyed(sim)+`deny_list = ["AS64496 no friends"]`).mustRun(t, judgedBy([]string{"extended"}, good, empty))
	for _, r := range byASN {
		if r["listed"] != "deny" || r["list_reason"] != "no friends" || r["level"] != "critical" || r["score"] != int64(50) {
			t.Errorf("%s is in a denied autonomous system: %v %v %v", r["ip"], r["listed"], r["level"], r["score"])
		}
	}
}

func TestANetworkIsJudgedByThePolicyThatAQueryNames(t *testing.T) {
	setClock(t, time.Date(2026, 3, 11, 0, 0, 0, 0, time.UTC))
	sim := shodantest.New(t)
	sim.AddHost(exposed())
	s := mustConnect(t, keyed(sim)+"deny_list = [\"11.0.0.2 bad\"]\n")
	for _, source := range []string{"internetdb", "shodan"} {
		whole := query{table: "shodan_network_reputation", quals: map[string]*proto.QualValue{"network": inets("11.0.0.0/30"), "source": texts(source), "policy": texts("baseline", "extended")}}
		got := map[string]row{}
		rows := s.mustRun(t, whole)
		for _, r := range rows {
			got[fmt.Sprint(r["ip"], " ", r["policy"])] = r
		}
		if len(rows) != 8 || len(got) != 8 || got["11.0.0.2 baseline"]["listed"] != "deny" || got["11.0.0.2 baseline"]["level"] != "unknown" {
			t.Errorf("%s: %d rows of four addresses by two policies: %v", source, len(rows), got["11.0.0.2 baseline"])
		}
		for _, policy := range policyfile.Names() {
			one := judgedBy([]string{policy}, bad)
			one.quals["source"] = texts(source)
			want := s.mustRun(t, one)[0]
			for _, column := range []string{"score", "level", "factors", "confidence", "hosting_type"} {
				if diff := cmp.Diff(want[column], got[bad+" "+policy][column]); diff != "" {
					t.Errorf("%s, %s: the address by itself (-) and in its network (+) differ in %s: %s", source, policy, column, diff)
				}
			}
		}
	}
	path := ownPolicy(t, "ours", "base = \"extended\"\nhistory = true")
	s = mustConnect(t, keyed(sim)+fmt.Sprintf("policy = %q\n", path))
	_, err := s.run(t, query{table: "shodan_network_reputation", quals: map[string]*proto.QualValue{"network": inets("11.0.0.0/30"), "source": texts("shodan")}})
	if err == nil || !strings.Contains(err.Error(), "which a search does not have: name one that does not, such as where policy = 'extended'") {
		t.Errorf("a search for history: %v", err)
	}
}

func TestAFileThatCouldNotBeReadIsReadAgain(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "policy.hcl")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	reads := 0
	read := func() (*string, error) {
		if reads++; reads == 1 {
			return nil, fmt.Errorf("it failed: %w", &fs.PathError{Op: "open", Path: path, Err: syscall.EMFILE})
		}
		return new("what is in it"), nil
	}
	for i, want := range []int{1, 2, 2} {
		text, err := readCached("test "+path, []string{path}, read)
		if reads != want || (i == 0) != (err != nil) || (i > 0) != (text != nil) {
			t.Errorf("time %d: %d reads, error %v", i+1, reads, err)
		}
	}
}
