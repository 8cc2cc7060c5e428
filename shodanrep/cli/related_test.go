package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/related"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

// runRelated runs related on a connection, and returns what it printed.
func runRelated(t *testing.T, connection string, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	spc := filepath.Join(t.TempDir(), "test.spc")
	text := "connection \"shodanrep\" {\n  plugin = \"shodanrep\"\n" + shodantest.Patient(connection) + "\n}\n"
	if err := os.WriteFile(spc, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	status = Main(append([]string{"related", "--config", spc}, args...), strings.NewReader(""), &out, &errs)
	return out.String(), errs.String(), status
}

// relatedHosts reads the lines of --output jsonl, as "address pivot".
func relatedHosts(t *testing.T, stdout string) []string {
	t.Helper()
	var hosts []string
	for line := range strings.Lines(stdout) {
		var h related.Host
		if err := json.Unmarshal([]byte(line), &h); err != nil {
			t.Fatal(err)
		}
		if h.Status != "indexed" || h.Policy != "extended" || h.Score == nil {
			t.Errorf("no verdict: %s", line)
		}
		hosts = append(hosts, fmt.Sprintf("%d %s %s", h.Hop, h.IP, h.Pivot))
	}
	slices.Sort(hosts)
	return hosts
}

// neighbourhood is a chain: .1 and .2 share a certificate, .2 and .3 another one; all are of one organization, and the
// autonomous system has a crowd of others.
func neighbourhood(t *testing.T) *shodantest.Simulator {
	t.Helper()
	sim := shodantest.New(t)
	expires := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	service := func(port int, cn string) map[string]any {
		return map[string]any{"port": port, "transport": "tcp", "product": "nginx", "ssl": shodantest.TLS(cn, expires), "data": fmt.Sprint(port, cn)}
	}
	for i, names := range [][]string{{"first.example.com"}, {"first.example.com", "second.example.com"}, {"second.example.com"}} {
		ip := fmt.Sprintf("11.0.1.%d", i+1)
		var banners []map[string]any
		for i, name := range names {
			banners = append(banners, service(443+i, name))
		}
		sim.AddHost(shodantest.Host{IP: ip, Org: "Example Trio", ASN: "AS64501", Banners: banners})
	}
	return sim
}

func TestRelatedHostsAreFoundBreadthFirstEachOnce(t *testing.T) {
	sim := neighbourhood(t)
	connection := to(sim, fmt.Sprintf("api_key = %q", shodantest.Key))
	for name, test := range map[string]struct {
		args    []string
		want    []string
		credits int
	}{
		"by the certificate": {
			[]string{"--pivots", "subject_cn"}, []string{"1 11.0.1.2 subject_cn"}, 1,
		},
		"two hops away": {
			[]string{"--pivots", "subject_cn", "--hops", "2"}, []string{"1 11.0.1.2 subject_cn", "2 11.0.1.3 subject_cn"}, 2,
		},
		"by the organization": {
			[]string{"--pivots", "organization"}, []string{"1 11.0.1.2 organization", "1 11.0.1.3 organization"}, 1,
		},
		"no more than the limit": {
			[]string{"--pivots", "organization", "--limit", "1"}, []string{"1 11.0.1.2 organization"}, 1,
		},
		"without credits": {
			[]string{"--pivots", "organization", "--max-credits", "0"}, nil, 0,
		},
	} {
		t.Run(name, func(t *testing.T) {
			before := sim.Credits(shodantest.Key)
			stdout, stderr, status := runRelated(t, connection, append(test.args, "11.0.1.1", "--output", "jsonl")...)
			if got := relatedHosts(t, stdout); status != exitDone || !slices.Equal(got, test.want) {
				t.Errorf("exit status %d, %v, want %v: %s", status, got, test.want, stderr)
			}
			if spent := before - sim.Credits(shodantest.Key); spent > test.credits {
				t.Errorf("%d credits spent, want at most %d", spent, test.credits)
			}
		})
	}
}

func TestRelatedSpendsTheCreditsOnTheRarestValues(t *testing.T) {
	sim := neighbourhood(t)
	stdout, stderr, status := runRelated(t, to(sim, fmt.Sprintf("api_key = %q", shodantest.Key)), "11.0.1.1", "--max-credits", "1")
	if spent := 10_000 - sim.Credits(shodantest.Key); status != exitDone || spent != 1 {
		t.Fatalf("exit status %d, %d credits spent: %s", status, spent, stderr)
	}
	// Two services have the certificate, three the organization.
	first, rest, _ := strings.Cut(stdout[strings.Index(stdout, "11.0.1.1"):], "\n")
	if !strings.Contains(first, "1 new host") || !strings.Contains(rest, "| not searched, --max-credits is reached") {
		t.Errorf("%s", stdout)
	}
	if stderr != "" {
		t.Errorf("the table says it already: %s", stderr)
	}
	stdout, _, status = runRelated(t, to(sim, fmt.Sprintf("api_key = %q", shodantest.Key)), "11.0.1.1", "--max-credits", "0", "--pivots", "organization,asn")
	if want := "no related hosts found; 2 of 2 values were not searched for (--max-credits is reached)\n"; status != exitDone || !strings.HasSuffix(stdout, want) {
		t.Errorf("status %d, %s", status, stdout)
	}
	// Hosts that share what was not searched for are not known: no line of the others is not "no related hosts".
	for _, output := range []string{"jsonl", "mermaid", "dot", "stix", "misp"} {
		_, stderr, status := runRelated(t, to(sim, fmt.Sprintf("api_key = %q", shodantest.Key)), "11.0.1.1", "--max-credits", "0", "--output", output)
		if status != exitDone || !strings.HasPrefix(stderr, "shodanrep: ") || !strings.Contains(stderr, "were not searched for (--max-credits is reached); --output table lists them\n") {
			t.Errorf("%s: status %d, %q", output, status, stderr)
		}
	}
}

func TestRelatedIsDrawnAsAGraph(t *testing.T) {
	sim := neighbourhood(t)
	connection := to(sim, fmt.Sprintf("api_key = %q", shodantest.Key))
	for output, want := range map[string]string{
		"mermaid": "graph LR\n  n0[\"11.0.1.1\"]\n  n1[\"11.0.1.2 (low, 0)\"]\n  n0 -->|\"subject_cn first.example.com\"| n1\n",
		"dot":     "digraph related {\n  rankdir=LR;\n  \"11.0.1.1\";\n  \"11.0.1.2\" [label=\"11.0.1.2 (low, 0)\"];\n  \"11.0.1.1\" -> \"11.0.1.2\" [label=\"subject_cn first.example.com\"];\n}\n",
	} {
		if stdout, stderr, status := runRelated(t, connection, "11.0.1.1", "--pivots", "subject_cn", "--output", output); stdout != want || status != exitDone {
			t.Errorf("exit status %d: %s\n%s\nwant\n%s", status, stderr, stdout, want)
		}
	}
	var b bytes.Buffer
	hostile := []*related.Host{{IP: "11.0.1.2", From: "11.0.1.1", Pivot: "organization", Value: "\"]\n click n0 \"javascript:x\" \x1b[31m", Status: "error"}}
	if err := related.Write("mermaid", &b, &related.Result{IP: "11.0.1.1", Hosts: hostile}, false); err != nil || strings.Count(b.String(), "\n") != 4 || strings.Contains(b.String(), "\x1b") {
		t.Errorf("%q, %v", b.String(), err)
	}
}

func TestADatasetIsSearchedAtNoCost(t *testing.T) {
	file := filepath.Join("..", "..", "config", "sample", "hosts.json.gz")
	stdout, stderr, status := runRelated(t, fmt.Sprintf("data_files = [%q]\ncache = \"memory\"\nsource = \"dataset\"", file),
		"203.0.113.10", "--output", "jsonl", "--pivots", "fingerprint_sha256")
	want := []string{"1 192.0.2.130 fingerprint_sha256", "1 2001:db8:bad::10 fingerprint_sha256", "1 203.0.113.12 fingerprint_sha256"}
	if got := relatedHosts(t, stdout); status != exitDone || !slices.Equal(got, want) {
		t.Errorf("exit status %d, %v, want %v: %s", status, got, want, stderr)
	}
}

// The owner of a host chooses what it answers. A value that no search can have must not keep the other values from being
// searched for, and is reported.
func TestAValueThatNoSearchCanHaveIsReported(t *testing.T) {
	const banners = `{"ip_str": "11.0.0.1", "port": 443, "org": "\\", "asn": "x", "ssl": {"jarm": "\"", "cert": {"serial": 77, "fingerprint": {"sha256": " "}, "subject": {"CN": "\""}}}}
{"ip_str": "11.0.0.2", "port": 443, "ssl": {"cert": {"serial": 77}}}
`
	connection := fmt.Sprintf("data_files = [%q]\ncache = \"memory\"\nsource = \"dataset\"", writeFile(t, "hosts.json", banners))
	stdout, stderr, status := runRelated(t, connection, "11.0.0.1", "--output", "jsonl")
	if got := relatedHosts(t, stdout); status != exitDone || !slices.Equal(got, []string{"1 11.0.0.2 cert_serial"}) {
		t.Errorf("exit status %d, %v: %s", status, got, stderr)
	}
	if want := "not searched for (no search can have the value)"; !strings.Contains(stderr, want) {
		t.Errorf("got %q, want %q", stderr, want)
	}
}

// A key, and a connection that looks addresses up in the REST API, send nothing with --source dataset. That source is for
// the address, for the search and for the verdicts.
func TestTheDatasetAloneSendsNoRequest(t *testing.T) {
	sim := neighbourhood(t)
	file := filepath.Join("..", "..", "config", "sample", "hosts.json.gz")
	for _, source := range []string{"auto", "shodan", "internetdb"} {
		connection := to(sim, fmt.Sprintf("api_key = %q", shodantest.Key), fmt.Sprintf("data_files = [%q]", file), fmt.Sprintf("source = %q", source))
		stdout, stderr, status := runRelated(t, connection, "203.0.113.10", "--source", "dataset", "--output", "jsonl", "--pivots", "fingerprint_sha256", "--hops", "2", "--policy", "extended")
		if got := relatedHosts(t, stdout); status != exitDone || len(got) < 3 {
			t.Errorf("%s: exit status %d, %v: %s", source, status, got, stderr)
		}
		_, stderr, status = runRelated(t, connection, "11.0.1.1", "--source", "dataset")
		if want := "11.0.1.1 has the status not_indexed: it is not in the dataset; without --source dataset it would be looked up in Shodan\n"; status != exitFailed || !strings.Contains(stderr, want) {
			t.Errorf("%s, another address: exit status %d: %s", source, status, stderr)
		}
	}
	if n := len(sim.Requests()); n != 0 {
		t.Errorf("%d requests: %v", n, sim.Requests())
	}
	// With --source shodan the address is looked up there, also if the dataset has it.
	dataset := filepath.Join(t.TempDir(), "old.json")
	if err := os.WriteFile(dataset, []byte(`{"ip_str":"11.0.1.1","port":22,"timestamp":"2020-01-01T00:00:00","data":"","hash":1}`), 0o600); err != nil {
		t.Fatal(err)
	}
	connection := to(sim, fmt.Sprintf("api_key = %q", shodantest.Key), fmt.Sprintf("data_files = [%q]", dataset))
	stdout, stderr, status := runRelated(t, connection, "11.0.1.1", "--source", "shodan", "--yes", "--output", "jsonl", "--pivots", "subject_cn")
	if got := relatedHosts(t, stdout); status != exitDone || !slices.Equal(got, []string{"1 11.0.1.2 subject_cn"}) {
		t.Errorf("--source shodan: exit status %d, %v: %s", status, got, stderr)
	}
}

func TestRelatedSaysWhatIsWrong(t *testing.T) {
	sim := neighbourhood(t)
	keyed := to(sim, fmt.Sprintf("api_key = %q", shodantest.Key))
	refused := neighbourhood(t)
	refused.Fault(shodantest.Fault{Endpoint: shodantest.EndpointSearch, Status: 403, Body: shodantest.BodyPlanTooLow})
	for name, test := range map[string]struct {
		connection string
		args       []string
		status     int
		want       string
	}{
		"not an address":     {keyed, []string{"example.com"}, exitUsage, `"example.com" is not an IP address`},
		"an unknown pivot":   {keyed, []string{"11.0.1.1", "--pivots", "jam"}, exitUsage, `there is no pivot "jam"; there are`},
		"too many hops":      {keyed, []string{"11.0.1.1", "--hops", "9"}, exitUsage, "--hops must be from 1 to 5"},
		"an unknown format":  {keyed, []string{"11.0.1.1", "--output", "xml"}, exitUsage, "--output must be one of table"},
		"no hosts":           {keyed, []string{"11.0.1.1", "--limit", "0"}, exitUsage, "--limit must be from 1"},
		"an unknown source":  {keyed, []string{"11.0.1.1", "--source", "internetdb"}, exitUsage, "--source must be dataset or shodan"},
		"an unknown policy":  {keyed, []string{"11.0.1.1", "--policy", "strict"}, exitFailed, `there is no policy "strict"`},
		"a private address":  {keyed, []string{"10.0.0.1"}, exitFailed, "10.0.0.1 has the status reserved"},
		"an unknown address": {keyed, []string{"11.0.9.9"}, exitFailed, "11.0.9.9 has the status not_indexed"},
		"without a key":      {to(sim), []string{"11.0.1.1"}, exitFailed, "needs an API key or a dataset"},
		"searches refused":   {to(refused, fmt.Sprintf("api_key = %q", shodantest.Key)), []string{"11.0.1.1"}, exitFailed, "needs a plan that allows searches"},
	} {
		_, stderr, status := runRelated(t, test.connection, test.args...)
		if status != test.status || !strings.Contains(stderr, test.want) || strings.Contains(stderr, shodantest.Key) {
			t.Errorf("%s: exit status %d: %s", name, status, stderr)
		}
	}
}

// A policy that does not exist is an error before credits are spent, and also if no host needs a verdict.
func TestRelatedKnowsAPolicyBeforeItSearches(t *testing.T) {
	sim := neighbourhood(t)
	_, stderr, status := runRelated(t, to(sim, fmt.Sprintf("api_key = %q", shodantest.Key)), "11.0.1.1", "--policy", "extendet", "--yes")
	if want := "shodanrep: there is no policy \"extendet\": did you mean \"extended\"?\n"; status != exitFailed || stderr != want || sim.Count("") != 0 {
		t.Errorf("exit status %d, %q after %d requests", status, stderr, sim.Count(""))
	}
}

// An address without data has one reason, and a lookup that failed never looks like a host that shares nothing.
func TestRelatedSaysOneThingOfAnAddress(t *testing.T) {
	sim := neighbourhood(t)
	down := neighbourhood(t)
	down.Fault(shodantest.Fault{Status: 403, Body: shodantest.BodyPage(403)})
	hosts, err := filepath.Abs("../../config/sample/hosts.json.gz")
	if err != nil {
		t.Fatal(err)
	}
	key, dataset := fmt.Sprintf("api_key = %q", shodantest.Key), fmt.Sprintf("data_files = [%q]\n", hosts)
	const brief = `timeout = "100ms"` // no need to try again and again
	for name, test := range map[string]struct{ connection, ip, want string }{
		"not in the dataset, and no key": {to(down, dataset), "11.0.1.1", "11.0.1.1 has the status not_indexed: it is not in the dataset; with an API key (api_key, or SHODAN_API_KEY) it would be looked up in Shodan\n"},
		"in the dataset only":            {to(sim, dataset, key, `source = "dataset"`), "11.0.1.1", "11.0.1.1 has the status not_indexed: it is not in the dataset\n"},
		"not in the index":               {to(sim, key), "11.0.9.9", "11.0.9.9 has the status not_indexed: Shodan has no data by which hosts could be related to it\n"},
		"reserved":                       {to(sim, key), "10.0.0.1", "10.0.0.1 has the status reserved: Shodan does not scan such addresses, so no host can be related to it\n"},
		"a service that is down":         {to(down, key, brief), "11.0.1.1", "11.0.1.1 could not be looked up: *"},
		"a dataset, and one that is":     {to(down, dataset, key, brief), "11.0.1.1", "11.0.1.1 could not be looked up: *"},
	} {
		t.Run(name, func(t *testing.T) {
			stdout, stderr, status := runRelated(t, test.connection, test.ip)
			want, rest, _ := strings.Cut("shodanrep: "+test.want, "*")
			if status != exitFailed || stdout != "" || !strings.HasPrefix(stderr, want) || !strings.HasSuffix(stderr, rest) || strings.Count(stderr, "\n") != 1 {
				t.Errorf("exit status %d: %q, %q", status, stdout, stderr)
			}
		})
	}
	stdout, stderr, status := runRelated(t, to(sim, key), "11.0.1.1", "--pivots", "hassh")
	if want := "11.0.1.1 has no value of the pivots that --pivots names\n"; status != exitDone || stdout != want || stderr != "" {
		t.Errorf("exit status %d: %q, %q", status, stdout, stderr)
	}
}

func TestRelatedHasTheFlagsOfItsSiblings(t *testing.T) {
	t.Setenv("XDG_DATA_HOME", t.TempDir())
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	sim := neighbourhood(t)
	cache := filepath.Join(t.TempDir(), "cache.db")
	connection := strings.Replace(to(sim, fmt.Sprintf("api_key = %q", shodantest.Key)), `"memory"`, strconv.Quote(cache), 1)
	args := []string{"11.0.1.1", "--pivots", "subject_cn", "--output", "jsonl"}
	file := filepath.Join(t.TempDir(), "hosts.jsonl")
	stdout, stderr, status := runRelated(t, connection, append(args, "--no-cache", "-o", file)...)
	written, err := os.ReadFile(file)
	if err != nil || stdout != "" || stderr != "" || status != exitDone {
		t.Fatalf("%v: exit status %d: %s%s", err, status, stdout, stderr)
	}
	if got := relatedHosts(t, string(written)); !slices.Equal(got, []string{"1 11.0.1.2 subject_cn"}) {
		t.Errorf("the file has %v", got)
	}
	if _, err := os.Stat(cache); err == nil {
		t.Error("there is a cache")
	}
	before := sim.Credits(shodantest.Key)
	_, stderr, status = runRelated(t, connection, append(args, "-o", filepath.Join(file, "x"))...)
	if spent := before - sim.Credits(shodantest.Key); spent != 0 || status != exitFailed || !strings.Contains(stderr, "cannot be written") {
		t.Errorf("exit status %d, %d credits: %s", status, spent, stderr)
	}
	dataset := fmt.Sprintf("data_files = [%q]\ncache = \"memory\"", filepath.Join("..", "..", "config", "sample", "hosts.json.gz"))
	if _, stderr, status := runRelated(t, dataset, "203.0.113.10", "--pivots", "jarm", "--verbose"); status != exitDone || !strings.Contains(stderr, "read the data files") {
		t.Errorf("--verbose: exit status %d: %s", status, stderr)
	}
}

// A related host that could not be checked is reported, unless --quiet is set.
func TestRelatedReportsWhatWasNotChecked(t *testing.T) {
	t.Setenv("XDG_DATA_HOME", t.TempDir())
	for _, args := range [][]string{nil, {"--quiet"}} {
		sim := neighbourhood(t)
		sim.Fault(shodantest.Fault{Target: "11.0.1.2", Status: 400, Body: `{"error": "Invalid IP"}`})
		connection := to(sim, fmt.Sprintf("api_key = %q", shodantest.Key))
		stdout, stderr, _ := runRelated(t, connection, append([]string{"11.0.1.1", "--pivots", "subject_cn", "--output", "jsonl"}, args...)...)
		if !strings.Contains(stdout, `"status":"error"`) || strings.Contains(stderr, "1 of 2 addresses could not be checked") != (args == nil) {
			t.Errorf("%q: %s%s", args, stdout, stderr)
		}
	}
}
