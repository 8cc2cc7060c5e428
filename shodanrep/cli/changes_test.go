package cli

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/changes"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/rowformat"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/history"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/postgrestest"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

// The hosts of the tests: one with nothing against it, and one that the policies call high or worse.
var (
	goodPorts = []int{443}
	badPorts  = []int{443, 3389, 4444}
	badVulns  = []string{
		"CVE-2021-0001", "CVE-2021-0002", "CVE-2021-0003", "CVE-2021-0004", "CVE-2021-0005", "CVE-2021-0006",
		"CVE-2021-0007", "CVE-2021-0008", "CVE-2021-0009", "CVE-2021-0010", "CVE-2021-0011",
	}
)

// historyOf is a connection to simulated services with a history store in a folder of the test.
func historyOf(t *testing.T, sim *shodantest.Simulator, arguments ...string) (connection, path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "history.sqlite")
	return to(sim, append(arguments, fmt.Sprintf("history_store = %q\n", path))...), path
}

// record puts responses of InternetDB into a history store, each at a time before now. A host without ports is not
// indexed.
func record(t *testing.T, path, ip string, ago time.Duration, source string, ports []int, vulns ...string) {
	t.Helper()
	store := history.Open(history.Options{Location: path})
	o := history.Observation{Addr: netip.MustParseAddr(ip), Source: source, CheckedAt: time.Now().Add(-ago)}
	if ports != nil {
		body, err := json.Marshal(map[string]any{"ip": ip, "ports": ports, "vulns": append([]string{}, vulns...), "tags": []string{}, "hostnames": []string{}, "cpes": []string{}})
		if err == nil {
			o.Host, err = shodan.ParseInternetDB(body)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	store.Record(o)
	if err := store.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
}

// jsonLines decodes JSON lines, and keeps some fields of each.
func jsonLines(t *testing.T, text string, fields ...string) []string {
	t.Helper()
	var lines []string
	for line := range strings.Lines(text) {
		var object map[string]any
		if err := json.Unmarshal([]byte(line), &object); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		var values []string
		for _, field := range fields {
			value, ok := object[field]
			if !ok {
				t.Fatalf("no field %s in %s", field, line)
			}
			if value == nil {
				value = "-"
			}
			values = append(values, fmt.Sprint(value))
		}
		lines = append(lines, strings.Join(values, " "))
	}
	return lines
}

// past fills a history store with hosts that changed within the last day, or did not, and returns a connection to it.
func past(t *testing.T) string {
	t.Helper()
	connection, path := historyOf(t, shodantest.New(t))
	const hour = time.Hour
	record(t, path, "203.0.114.10", 100*hour, "internetdb", goodPorts)
	record(t, path, "203.0.114.10", 2*hour, "internetdb", badPorts, badVulns...)
	record(t, path, "203.0.114.11", 100*hour, "internetdb", badPorts, badVulns...)
	record(t, path, "203.0.114.11", 3*hour, "internetdb", goodPorts)
	record(t, path, "203.0.114.12", 4*hour, "internetdb", badPorts, badVulns...)
	record(t, path, "203.0.114.13", 100*hour, "internetdb", goodPorts)
	record(t, path, "203.0.114.13", hour, "internetdb", nil)
	record(t, path, "203.0.114.14", 100*hour, "internetdb", goodPorts)
	record(t, path, "203.0.114.15", 100*hour, "internetdb", goodPorts)
	record(t, path, "203.0.114.15", hour, "internetdb", goodPorts)
	return connection
}

// TestChangesOfAHostBetweenTwoRuns is the main job: check, something changes, check again, what has changed?
func TestChangesOfAHostBetweenTwoRuns(t *testing.T) {
	t.Run("in a file", func(t *testing.T) {
		sim := shodantest.New(t)
		connection, _ := historyOf(t, sim)
		testChanges(t, sim, connection)
	})
	t.Run("in PostgreSQL", func(t *testing.T) {
		sim := shodantest.New(t)
		testChanges(t, sim, to(sim, fmt.Sprintf("history_store = %q\n", postgrestest.New(t).URL())))
	})
}

func testChanges(t *testing.T, sim *shodantest.Simulator, connection string) {
	sim.AddHost(shodantest.Host{IP: "203.0.114.10", Ports: goodPorts})
	sim.AddHost(shodantest.Host{IP: "203.0.114.11", Ports: goodPorts})
	check := func() {
		if got := runCheck(t, connection, "", "check", "--refresh", "--output", "list", "203.0.114.10", "203.0.114.11"); got.status != exitDone {
			t.Fatal(got)
		}
	}
	check()
	sim.AddHost(shodantest.Host{IP: "203.0.114.10", Ports: badPorts, Vulns: badVulns, Tags: []string{"c2"}})
	check()
	requests := len(sim.Requests())

	got := runCheck(t, connection, "", "changes", "--output", "jsonl", "--policy", "baseline")
	if got.status != exitDone || got.stderr != "" {
		t.Fatal(got)
	}
	want := []string{
		"203.0.114.10 level - low - low false", "203.0.114.10 indexed - 443 - low false",
		"203.0.114.10 level low critical low critical true",
		"203.0.114.10 port_opened - 3389 low critical true", "203.0.114.10 port_opened - 4444 low critical true",
	}
	for _, id := range badVulns {
		want = append(want, "203.0.114.10 vulnerability_added - "+id+" low critical true")
	}
	want = append(want, "203.0.114.10 tag_added - c2 low critical true", "203.0.114.11 level - low - low false", "203.0.114.11 indexed - 443 - low false")
	if diff := cmp.Diff(want, jsonLines(t, got.stdout, "ip", "change", "old_value", "new_value", "old_level", "level", "is_worse")); diff != "" {
		t.Errorf("want (-), got (+): %s", diff)
	}
	got = runCheck(t, connection, "", "changes", "--only", "worse", "--output", "list")
	if got.stdout != "203.0.114.10\n" || got.status != exitDone {
		t.Error(got)
	}
	rows := query(t, connection, "select ip, level, checks, is_newest from shodan_reputation_history where policy = 'baseline' order by ip, is_newest")
	if diff := cmp.Diff([]map[string]any{
		{"ip": "203.0.114.10", "level": "low", "checks": 1.0, "is_newest": false}, {"ip": "203.0.114.10", "level": "critical", "checks": 1.0, "is_newest": true},
		{"ip": "203.0.114.11", "level": "low", "checks": 2.0, "is_newest": true},
	}, rows); diff != "" {
		t.Errorf("the table: want (-), got (+): %s", diff)
	}
	if now := len(sim.Requests()); now != requests {
		t.Errorf("%d requests were sent to read the past", now-requests)
	}
}

func TestTheSelectionOfChanges(t *testing.T) {
	connection := past(t)
	inputs := []string{"203.0.114.10", "203.0.114.12", "203.0.114.14", "203.0.114.15", "203.0.114.99", "10.0.0.1"}
	for name, tt := range map[string]struct {
		args   []string
		want   string // ADDRESS of each row, for each change once
		status int
	}{
		"all that changed":              {nil, "10 11 12 13", exitDone},
		"worse":                         {[]string{"--only", "worse"}, "10 12", exitDone},
		"better":                        {[]string{"--only", "better"}, "11", exitDone},
		"a level":                       {[]string{"--only", "unknown"}, "13", exitDone},
		"a change":                      {[]string{"--only", "port_closed,not_indexed"}, "11 13", exitDone},
		"a score":                       {[]string{"--min-score", "10"}, "10 12", exitDone},
		"a score, and better":           {[]string{"--only", "better", "--min-score", "10"}, "", exitDone},
		"not so long ago":               {[]string{"--since", "150m"}, "10 13", exitDone},
		"long ago":                      {[]string{"--since", "7d"}, "10 11 12 13 14 15", exitDone},
		"of addresses":                  {inputs, "10 12 14 99 1", exitDone},
		"of addresses, worse":           {append([]string{"--only", "worse"}, inputs...), "10 12", exitDone},
		"of addresses, not checked":     {append([]string{"--only", "not_checked"}, inputs...), "14 99 1", exitDone},
		"of a network":                  {[]string{"203.0.114.12/31"}, "12 13", exitDone},
		"of a network and its address":  {[]string{"203.0.114.12/31", "203.0.114.12"}, "12 13", exitDone},
		"of a network without any":      {[]string{"203.0.114.128/25"}, "", exitDone},
		"of another source":             {[]string{"--source", "shodan"}, "", exitDone},
		"to fail on worse":              {[]string{"--fail-on", "worse"}, "10 11 12 13", exitFound},
		"to fail on high":               {[]string{"--fail-on", "high", "--only", "better"}, "11", exitFound},
		"to fail on medium, of one":     {[]string{"--fail-on", "medium", "203.0.114.11"}, "11", exitDone},
		"to fail on a change":           {[]string{"--fail-on", "not_indexed"}, "10 11 12 13", exitFound},
		"to fail on a network":          {[]string{"--fail-on", "not_checked", "203.0.114.8/29"}, "10 11 12 13", exitDone},
		"to fail on another network":    {[]string{"--fail-on", "not_checked", "203.0.114.8/29", "203.0.200.0/24"}, "10 11 12 13", exitFound},
		"to fail on a reserved network": {[]string{"--fail-on", "not_checked", "203.0.114.8/29", "10.0.0.0/8"}, "10 11 12 13", exitDone},
		"to fail on not checked":        {append([]string{"--fail-on", "not_checked"}, inputs...), "10 12 14 99 1", exitFound},
		"all of them are checked":       {[]string{"--fail-on", "not_checked", "203.0.114.15"}, "", exitDone},
		"reserved is not not checked":   {[]string{"--fail-on", "not_checked", "10.0.0.1"}, "1", exitDone},
		"nothing was checked":           {[]string{"--fail-on", "not_checked", "--since", "1m"}, "", exitFound},
		"nothing was checked, no flag":  {[]string{"--since", "1m"}, "", exitDone},
		"only what was not checked yet": {[]string{"--fail-on", "worse", "203.0.114.99"}, "99", exitDone},
	} {
		got := runCheck(t, connection, "", append([]string{"changes", "--output", "jsonl", "--quiet"}, tt.args...)...)
		var addresses []string
		for _, ip := range jsonLines(t, got.stdout, "ip") {
			if last := ip[strings.LastIndex(ip, ".")+1:]; len(addresses) == 0 || addresses[len(addresses)-1] != last {
				addresses = append(addresses, last)
			}
		}
		if text := strings.Join(addresses, " "); text != tt.want || got.status != tt.status {
			t.Errorf("%s: got %q, status %d: %s; want %q, status %d", name, text, got.status, got.stderr, tt.want, tt.status)
		}
	}
}

func TestTheFormatsOfChanges(t *testing.T) {
	connection := past(t)
	inputs := []string{"203.0.114.10", "203.0.114.11", "203.0.114.12", "203.0.114.14", "203.0.114.15", "10.0.0.1"}
	for _, format := range changes.Names() {
		got := runCheck(t, connection, "", append([]string{"changes", "--only", "worse", "--output", format}, inputs...)...)
		if got.status != exitDone {
			t.Errorf("%s: %+v", format, got)
		}
		if format == rowformat.Parquet {
			if !strings.HasPrefix(got.stdout, "PAR1") || !strings.HasSuffix(got.stdout, "PAR1") {
				t.Errorf("not a Parquet file: %q", got.stdout)
			}
			continue
		}
		for ip, want := range map[string]bool{"203.0.114.10": true, "203.0.114.11": false, "203.0.114.12": true, "203.0.114.15": false} {
			if strings.Contains(got.stdout, ip) != want {
				t.Errorf("%s: %s is in the output: %v", format, ip, !want)
			}
		}
		// For a platform, an address that is missing would look like one without changes.
		f, _ := changes.Find(format)
		if has := strings.Contains(got.stdout, "203.0.114.14"); has != f.KeepsUnchecked || has && !strings.Contains(got.stdout, "not checked since 20") {
			t.Errorf("%s: the address that was not checked is in the output: %v", format, has)
		}
	}
	if got := runCheck(t, connection, "", append([]string{"changes", "--output", "list"}, inputs...)...); got.stdout != "203.0.114.10\n203.0.114.11\n203.0.114.12\n" {
		t.Errorf("the list is %q", got.stdout)
	}
	if got := runCheck(t, connection, "", append([]string{"changes", "--output", "nft"}, inputs...)...); !strings.Contains(got.stderr, "3 addresses in the output ") {
		t.Errorf("no notice on the levels of a block list: %+v", got)
	}
	if got := runCheck(t, connection, "", "changes", "--only", "worse", "--output", "cidr", "203.0.114.10/31", "203.0.114.12"); got.stdout != "203.0.114.10/32\n203.0.114.12/32\n" {
		t.Errorf("the networks are %q", got.stdout)
	}
	csv := runCheck(t, connection, "", "changes", "--output", "csv", "203.0.114.10")
	if want := "ip,source,status,error,changed_at,previous_checked_at,last_checked,last_failed,last_failure,change,old_value,new_value,port,old_level,level,old_score,score,is_worse,is_better,policy,title\n"; !strings.HasPrefix(csv.stdout, want) {
		t.Errorf("the header is %q", csv.stdout)
	}
	path := filepath.Join(t.TempDir(), "changes.md")
	if got := runCheck(t, connection, "", "changes", "--output", "markdown", "-o", path); got.status != exitDone || got.stdout != "" {
		t.Error(got)
	}
	text, err := os.ReadFile(path)
	if err != nil || !strings.Contains(string(text), "| 203.0.114.10 | **critical** | low | ports opened: 3389, 4444; vulnerabilities added: ") {
		t.Errorf("%v: %s", err, text)
	}
}

// TestTheTableOfChanges is the whole output for people, at the width of a terminal.
func TestTheTableOfChanges(t *testing.T) {
	connection := past(t)
	t.Setenv("COLUMNS", "80")
	got := runCheck(t, connection, "", "changes", "--policy", "baseline", "203.0.114.0/24", "203.0.114.14", "203.0.114.99", "10.0.0.1")
	text := regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d`).ReplaceAllString(got.stdout, "YYYY-MM-DD hh:mm")
	want := `ADDRESS       LEVEL     WAS       CHANGES                                  SCORE
203.0.114.10  critical  low       ports opened: 3389, 4444;              0 -> 55
                                  vulnerabilities added: CVE-2021-0001,
                                  CVE-2021-0002, CVE-2021-0003,
                                  CVE-2021-0004, CVE-2021-0005, +6
203.0.114.12  critical  new       first checked: ports 443, 3389, 4444        55
203.0.114.11  low       critical  ports closed: 3389, 4444;              55 -> 0
                                  vulnerabilities removed:
                                  CVE-2021-0001, CVE-2021-0002,
                                  CVE-2021-0003, CVE-2021-0004,
                                  CVE-2021-0005, +6
203.0.114.13  unknown   low       no longer indexed, had port 443              -
203.0.114.14  unknown   -         not checked since YYYY-MM-DD hh:mm           -
                                  UTC
203.0.114.99  unknown   -         never checked                                -
10.0.0.1      unknown   -         never checked: a private, local or           -
                                  reserved address

Not shown: time, source; use a wider terminal, or --output csv

Since YYYY-MM-DD hh:mm UTC: 5 addresses checked, 4 changed (2 worse, 1 better, 1
checked for the first time), by the policy baseline
Last responses: from YYYY-MM-DD hh:mm to YYYY-MM-DD hh:mm UTC; the addresses
with older ones were not looked up since then
Not checked since then: 2 addresses, 1 of them never
Never checked, because reserved: 1 address
`
	if diff := cmp.Diff(want, text); diff != "" {
		t.Errorf("want (-), got (+): %s", diff)
	}
}

func TestChangesReadsInputsAsCheckDoes(t *testing.T) {
	connection := past(t)
	file := writeFile(t, "list.txt", "seen 203.0.114[.]10 and 203.0.114.11\n")
	for name, args := range map[string][]string{"a file": {file}, "standard input": {"-"}, "arguments": {"203.0.114.10", "203.0.114[.]11"}} {
		got := runCheck(t, connection, "203.0.114.11 203.0.114.10 203.0.114.10", append([]string{"changes", "--output", "list"}, args...)...)
		if !strings.Contains(got.stdout, "203.0.114.10\n") || strings.Count(got.stdout, "\n") != 2 || got.status != exitDone {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if got := runCheck(t, connection, "", "changes", "--fail-on", "not_checked", writeFile(t, "empty.txt", "nothing")); got.status != exitFound || !strings.Contains(got.stderr, "no address was found in ") {
		t.Errorf("no address: %+v", got)
	}
}

func TestChangesThatCannotBeRead(t *testing.T) {
	sim := shodantest.New(t)
	good := past(t)
	for name, tt := range map[string]struct {
		connection string
		args       []string
		status     int
		want       string
	}{
		"the store is off":    {to(sim, "history_store = \"off\"\n"), nil, exitFailed, `the history store is off (history_store = "off")`},
		"a folder":            {to(sim, fmt.Sprintf("history_store = %q\n", t.TempDir()+"/")), nil, exitFailed, "the history store: "},
		"PostgreSQL is away":  {to(sim, "history_store = \"postgres://nobody:secret@127.0.0.1:1/none?connect_timeout=2\"\n"), nil, exitFailed, "the history store: "},
		"no such file":        {good, []string{"nowhere.txt"}, exitFailed, "nowhere.txt: no such file, and not an address"},
		"no such policy":      {good, []string{"--policy", "extendet"}, exitFailed, "policy extendet: there is no policy of that name"},
		"a wrong word":        {good, []string{"--only", "wurst"}, exitUsage, `--only: there is no word "wurst"; use worse, better, not_checked, critical,`},
		"no word":             {good, []string{"--fail-on", ""}, exitUsage, "--fail-on needs a word"},
		"a wrong format":      {good, []string{"--output", "yaml"}, exitUsage, `--output must be one of table, jsonl, csv,`},
		"a negative score":    {good, []string{"--min-score=-1"}, exitUsage, "--min-score must not be negative, but is -1"},
		"a wrong time":        {good, []string{"--since", "yesterday"}, exitUsage, `--since must be a duration such as 24h or 7d, or a date such as 2026-01-31, not "yesterday"`},
		"a long time":         {good, []string{"--since", "70000d"}, exitUsage, `--since "70000d" is longer than 100 years ago: give a shorter duration or a date`},
		"a time to come":      {good, []string{"--since", "2999-01-01"}, exitUsage, `--since "2999-01-01" is in the future`},
		"a negative duration": {good, []string{"--since=-5h"}, exitUsage, "--since must be a duration"},
		"a wrong source":      {good, []string{"--source", "dataset"}, exitUsage, `--source must be shodan or internetdb, not "dataset"`},
		"a wrong flag":        {good, []string{"--sins", "5h"}, exitUsage, "--since"},
	} {
		got := runCheck(t, tt.connection, "", append([]string{"changes"}, tt.args...)...)
		if got.status != tt.status || !strings.Contains(got.stderr, tt.want) || got.stdout != "" || strings.Contains(got.stderr, "secret") {
			t.Errorf("%s: got %+v, want status %d and %q", name, got, tt.status, tt.want)
		}
	}
}

func TestParseSince(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]string{
		"24h": "2026-03-09T12:00:00Z", "90m": "2026-03-10T10:30:00Z", "7d": "2026-03-03T12:00:00Z", "2w": "2026-02-24T12:00:00Z", "0s": "2026-03-10T12:00:00Z", " 1d ": "2026-03-09T12:00:00Z",
		"2026-03-01": "2026-03-01T00:00:00Z", "2026-03-01T06:30": "2026-03-01T06:30:00Z", "2026-03-01 06:30": "2026-03-01T06:30:00Z", "2026-03-01T06:30:00+02:00": "2026-03-01T04:30:00Z",
		"1w2d12h": "2026-03-01T00:00:00Z", "2026-03-01T06:30:15": "2026-03-01T06:30:15Z", "2026-03-01 06:30:15": "2026-03-01T06:30:15Z", "2026-03-01T06:30Z": "2026-03-01T06:30:00Z",
		"": "", "d": "", "-1d": "", "1.5d": "", "99999999d": "", "tomorrow": "", "2026-03-11": "", "2026-13-01": "", "24": "",
	} {
		at, err := parseSince(text, now)
		if got := at.UTC().Format(time.RFC3339); err == nil && got != want || (err != nil) != (want == "") {
			t.Errorf("%q: %s, %v; want %q", text, got, err, want)
		}
	}
}
