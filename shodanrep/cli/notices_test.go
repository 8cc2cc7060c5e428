package cli

import (
	"bytes"
	"errors"
	"fmt"
	"log"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

// listOf returns the addresses 11.0.0.1 and on as a list of SQL.
func listOf(addresses int) string {
	var ips []string
	for i := range addresses {
		ips = append(ips, fmt.Sprintf("'11.0.%d.%d'", (i+1)/256, (i+1)%256))
	}
	return strings.Join(ips, ", ")
}

func TestWhatCouldNotBeCheckedIsSaid(t *testing.T) {
	const refused, list = 3, 150
	sim := shodantest.New(t)
	addrs := sim.Generate(list)
	for _, addr := range addrs[:refused] {
		sim.Fault(shodantest.Fault{Target: addr.String(), Status: http.StatusBadRequest, Body: `{"error": "Invalid \u001b[31mIP"}`})
	}
	const said = `shodanrep: 3 of 150 addresses could not be checked (InternetDB refused the request (HTTP 400: Invalid \x1b[31mIP)); select status, error` + "\n"
	where := "where ip in (" + listOf(list) + ")"
	for name, tt := range map[string]struct {
		sql, stderr string
		flags       []string
	}{
		"a count":            {"select count(*) as n from shodan_ip_reputation " + where + " and level <> ''", said, nil},
		"a column":           {"select level from shodan_ip_reputation " + where, said, nil},
		"several statements": {"select level from shodan_ip_reputation " + where + "; select level from shodan_host " + where + "; select count(*) as n from shodan_ip_reputation " + where + " and score > 0", said, nil},
		"several schemas":    {"select level from shodan_ip_reputation " + where + " union all select level from other.shodan_ip_reputation " + where, said, nil},
		"a join":             {"with list(ip) as (values (" + strings.ReplaceAll(listOf(list), ", ", "), (") + ")) select level from list join shodan_ip_reputation using (ip)", said, nil},
		"its columns":        {"select status, error from shodan_ip_reputation " + where, strings.Replace(said, "; select status, error", "", 1), nil},
		"quietly":            {"select level from shodan_ip_reputation " + where, "", []string{"--quiet"}},
		"no lookups":         {"select ip from shodan_ip_reputation " + where, "", nil},
		"no failures":        {"select level from shodan_ip_reputation where ip in ('11.0.0.4', '11.0.0.5')", "", nil},
	} {
		sql := strings.ReplaceAll(tt.sql, "level from shodan_host", "status from shodan_host")
		connection := to(sim) + "\n}\nconnection \"other\" {\n plugin = \"shodanrep\"\n" + to(sim)
		_, stderr, status := runQuery(t, connection, sql, append(tt.flags, "--output", "csv")...)
		if status != exitDone || stderr != tt.stderr {
			t.Errorf("%s: exit status %d, %q", name, status, stderr)
		}
	}
}

func TestABanIsSaidWithItsEnd(t *testing.T) {
	for response, says := range map[int]string{
		http.StatusTooManyRequests:    "InternetDB refuses further requests until",
		http.StatusServiceUnavailable: "InternetDB is unavailable until",
	} {
		sim := shodantest.New(t)
		sim.Generate(50)
		sim.Fault(shodantest.Fault{Status: response, Header: http.Header{"Retry-After": {"3600"}}, Body: `{"detail": "slow down"}`})
		before := time.Now().UTC().Add(time.Hour)
		_, stderr, status := runQuery(t, to(sim), "select count(*) from shodan_ip_reputation where level <> '' and ip in ("+listOf(50)+")")
		text := "shodanrep: 50 of 50 addresses could not be checked (" + says + " %s UTC); select status, error\n"
		after := time.Now().UTC().Add(time.Hour)
		if status != exitDone || stderr != fmt.Sprintf(text, before.Format("15:04")) && stderr != fmt.Sprintf(text, after.Format("15:04")) {
			t.Errorf("exit status %d, %q", status, stderr)
		}
	}
}

func TestAnUnexpectedSourceIsSaid(t *testing.T) {
	key := fmt.Sprintf("api_key = %q", shodantest.Key)
	sql := "select level from shodan_ip_reputation where ip in (%s)"
	for name, tt := range map[string]struct {
		options   []shodantest.Option
		arguments []string
		sql       string
		stderr    string
	}{
		"a long list":           {nil, []string{key}, fmt.Sprintf(sql, listOf(150)), "shodanrep: 150 addresses were looked up in InternetDB, because the list is longer than api_lookup_limit (100)\n"},
		"twice":                 {nil, []string{key, "api_lookup_limit = 2"}, fmt.Sprintf(sql, listOf(3)) + ";" + fmt.Sprintf(sql, listOf(4)), "shodanrep: 4 addresses were looked up in InternetDB, because the list is longer than api_lookup_limit (2)\n"},
		"a short list":          {nil, []string{key, "api_lookup_limit = 3"}, fmt.Sprintf(sql, listOf(3)), ""},
		"a source by the query": {nil, []string{key, "api_lookup_limit = 2"}, fmt.Sprintf(sql, listOf(3)) + " and source = 'internetdb'", ""},
		"a source by the file":  {nil, []string{key, "api_lookup_limit = 2", `source = "internetdb"`}, fmt.Sprintf(sql, listOf(3)), ""},
		"a plan that is low":    {[]shodantest.Option{shodantest.WithPlan("oss")}, []string{key}, fmt.Sprintf(sql, listOf(3)), "shodanrep: 3 addresses were looked up in InternetDB, because the API key's plan does not allow this ("},
		"no key":                {nil, nil, fmt.Sprintf(sql, listOf(150)), ""},
	} {
		sim := shodantest.New(t, tt.options...)
		sim.Generate(150)
		_, stderr, status := runQuery(t, to(sim, tt.arguments...), tt.sql, "--output", "csv")
		if status != exitDone || !strings.Contains(stderr, tt.stderr) || tt.stderr == "" && stderr != "" {
			t.Errorf("%s: exit status %d, %q", name, status, stderr)
		}
	}
}

func TestNotices(t *testing.T) {
	t.Parallel()
	got := strings.Join(lookupNotices(lookup.Summary{
		Addresses: 12_000, Failed: 11_010,
		Failures:  []lookup.Reason{{Text: "a", Addresses: 11_000}, {Text: "b", Addresses: 5}, {Text: "c", Addresses: 3}, {Text: "d", Addresses: 1}, {Text: "e", Addresses: 1}},
		Fallbacks: []lookup.Reason{{Text: "f", Addresses: 1}, {Text: "g", Addresses: 2}},
	}, "", errors.New("a")), "\n")
	want := "1 address was looked up in InternetDB, because f\n2 addresses were looked up in InternetDB, because g\n" +
		"11,010 of 12,000 addresses could not be checked (11,000: a; 5: b; 3: c; 2: other reasons)"
	if got != want {
		t.Errorf("got %s", got)
	}
	if got := lookupNotices(lookup.Summary{Addresses: 5}, "select status, error", nil); len(got) > 0 {
		t.Errorf("of nothing: %q", got)
	}
}

// A reason that ends the command is said by its error, and not a second time by the notices.
func TestAReasonThatIsTheErrorOfTheCommandIsSaidOnce(t *testing.T) {
	t.Parallel()
	one := []lookup.Reason{{Text: "the key is refused", Addresses: 2}}
	s := lookup.Summary{Addresses: 2, Failed: 2, Failures: one, Names: lookup.TextSummary{Count: 1, Failed: 1, Failures: one}}
	for _, tt := range []struct {
		err  error
		want string
	}{
		{nil, "2 of 2 addresses could not be checked (the key is refused); select error\n1 of 1 name could not be looked up completely (the key is refused); select error"},
		{errors.New("the disk is full"), "2 of 2 addresses could not be checked (the key is refused); select error\n1 of 1 name could not be looked up completely (the key is refused); select error"},
		{fmt.Errorf("looking up: %w", errors.New("the key is refused")), "2 of 2 addresses could not be checked\n1 of 1 name could not be looked up completely"},
	} {
		if got := strings.Join(lookupNotices(s, "select error", tt.err), "\n"); got != tt.want {
			t.Errorf("%v: got %q, want %q", tt.err, got, tt.want)
		}
	}
}

func TestASearchWithoutAMatchSaysWhatItSearchedFor(t *testing.T) {
	sim := neighbourhood(t)
	keyed := to(sim, fmt.Sprintf("api_key = %q", shodantest.Key))
	const from = "select related_ip from shodan_ssl_correlation where "
	for _, tt := range []struct{ name, sql, stderr string }{
		{"no match", from + "pivot = 'subject_cn' and value = 'none.example'",
			"shodanrep: no related hosts: searched Shodan for ssl.cert.subject.cn:\"none.example\", which cost 1 query credit\n"},
		{"several", from + "pivot = 'jarm' and value in ('a', 'b', 'c', 'd', 'e')", " and 2 more, which cost 5 query credits\n"},
		{"one of several matches", from + "pivot = 'subject_cn' and value in ('none.example', 'first.example.com')", ""},
		{"nothing to search for", "select related_ip from shodan_fingerprint_correlation where ip = '11.0.1.1' and pivot = 'hassh'",
			"shodanrep: no related hosts: nothing was searched for, because 11.0.1.1 has none of hassh\n"},
		{"an unknown address", from + "ip = '11.0.9.9'", "shodanrep: no related hosts: nothing was searched for, because 11.0.9.9 has the status not_indexed\n"},
	} {
		stdout, stderr, status := runQuery(t, keyed, tt.sql, "--output", "csv")
		hasRows := tt.stderr == "" || strings.HasSuffix(tt.stderr, "not_indexed\n") // the row that says so
		if status != exitDone || !strings.HasSuffix(stderr, tt.stderr) || tt.stderr == "" && stderr != "" || strings.Count(stdout, "\n") > 1 != hasRows {
			t.Errorf("%s: exit status %d, %q, %q", tt.name, status, stdout, stderr)
		}
	}
	connection := strings.Replace(keyed, `"memory"`, fmt.Sprintf("%q", filepath.Join(t.TempDir(), "cache.db")), 1)
	for _, cost := range []string{"1 query credit", "0 query credits"} {
		if _, stderr, _ := runQuery(t, connection, from+"pivot = 'subject_cn' and value = 'once.example'"); !strings.Contains(stderr, "which cost "+cost+"\n") {
			t.Errorf("want %s: %s", cost, stderr)
		}
	}
	if _, stderr, _ := runQuery(t, keyed, from+"value = 'quiet'", "--quiet"); stderr != "" {
		t.Errorf("quietly: %q", stderr)
	}
}

// TestWhatNoBatchLooksUpIsSaid checks that failures of names, of searches for a network and of CVEs are said as those of
// addresses are: a condition on the columns that they leave null would otherwise select nothing without a word.
func TestWhatNoBatchLooksUpIsSaid(t *testing.T) {
	t.Parallel()
	sim := shodantest.New(t)
	sim.AddHost(shodantest.Host{IP: "11.0.0.1", Ports: []int{80}, Vulns: []string{"CVE-2021-44228"}})
	sim.Fault(shodantest.Fault{Service: shodantest.Shodan, Status: http.StatusBadRequest, Body: `{"error": "Invalid"}`})
	sim.Fault(shodantest.Fault{Service: shodantest.CVEDB, Status: http.StatusBadRequest, Body: `{"error": "Invalid"}`})
	const refused, nothing = "(Shodan refused the request (HTTP 400: Invalid))", "shodanrep: no address was checked: every lookup failed\n"
	for name, tt := range map[string]struct {
		sql, failOn, stderr string
		status              int
	}{
		"a search for a network": {
			"select level from shodan_network_reputation where network = '11.0.0.0/31' and source = 'shodan'",
			"critical", "shodanrep: 2 of 2 addresses could not be checked " + refused + "; select status, error\n" + nothing, exitFailed,
		},
		"a condition that no failed address meets": {
			"select level from shodan_network_reputation where network = '11.0.0.0/31' and source = 'shodan' and level = 'critical'",
			"critical", "shodanrep: 2 of 2 addresses could not be checked " + refused + "; select status, error\n" + nothing, exitFailed,
		},
		"names of addresses": {
			"select status, hostnames from shodan_dns_reverse where ip in ('11.0.0.1', '11.0.0.2', '10.0.0.1', 'x')",
			"indexed", "shodanrep: 3 of 4 addresses could not be checked (2: Shodan refused the request (HTTP 400: Invalid); 1: not an IP address); select status, error\n", exitDone,
		},
		"addresses of names": {
			"select status, ip from shodan_dns_resolve where hostname in ('a.example.com', 'b.example.com', 'not a name')",
			"resolved", "shodanrep: 3 of 3 names could not be looked up completely (2: Shodan refused the request (HTTP 400: Invalid); 1: \"not a name\" is not the name of a host: write it like www.example.com); select status, error\n" + nothing, exitFailed,
		},
		"a domain": {
			"select status, value from shodan_domain where domain = 'example.com'",
			"indexed", "shodanrep: 1 of 1 name could not be looked up completely " + refused + "; select status, error\n" + nothing, exitFailed,
		},
		"CVEs": {
			"select status, cve_id from shodan_vulnerability where ip = '11.0.0.1' and source = 'internetdb' and kev",
			"indexed", "shodanrep: 1 of 1 CVE could not be looked up, so cvss, epss and kev may be null (CVEDB refused the request (HTTP 400: Invalid))\n", exitDone,
		},
	} {
		connection := to(sim, fmt.Sprintf("api_key = %q", shodantest.Key), fmt.Sprintf("cvedb_url = %q", sim.CVEDBURL()))
		_, stderr, status := runQuery(t, connection, tt.sql, "--fail-on", tt.failOn, "--output", "csv")
		if status != tt.status || stderr != tt.stderr {
			t.Errorf("%s: exit status %d, %s", name, status, stderr)
		}
	}
}

// A domain counts as looked up also if the query needs no more of its records.
func TestADomainOfWhichALimitWantsAFewRecordsWasLookedUp(t *testing.T) {
	t.Parallel()
	sim := shodantest.New(t)
	for i := range 5 {
		sim.AddRecords("example.com", shodantest.Record{Subdomain: fmt.Sprint("host-", i), Type: "A", Value: "11.0.0.1"})
	}
	_, stderr, status := runQuery(t, to(sim, fmt.Sprintf("api_key = %q", shodantest.Key)),
		"select status from shodan_domain where domain = 'not a name' union all select * from (select status from shodan_domain where domain = 'example.com' limit 3)", "--fail-on", "not_indexed", "--output", "csv")
	if !strings.Contains(stderr, "1 of 2 names could not be looked up") || status != exitDone {
		t.Errorf("exit status %d, %s", status, stderr)
	}
}

// TestWhatAServiceSendsUnaskedIsNotShown checks that net/http does not write it to standard error, where it would be a line
// of shodanrep's.
func TestWhatAServiceSendsUnaskedIsNotShown(t *testing.T) {
	before := log.Writer()
	defer log.SetOutput(before)
	log.SetOutput(failOnWrite{t})
	var out, errs bytes.Buffer
	if status := Main([]string{"version"}, strings.NewReader(""), &out, &errs); status != exitDone {
		t.Errorf("exit status %d", status)
	}
	log.Printf("Unsolicited response received on idle HTTP channel starting with %q", "x") // as net/http does
	if errs.Len() > 0 {
		t.Errorf("it is on standard error: %s", &errs)
	}
}

// failOnWrite fails a test to which something is written.
type failOnWrite struct{ t *testing.T }

func (f failOnWrite) Write(p []byte) (int, error) {
	f.t.Errorf("the standard logger wrote %q", p)
	return len(p), nil
}
