package cli

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/report"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/scan"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

var update = flag.Bool("update", false, "write the golden files anew")

// sampleConnection is a connection to the sample.
const sampleConnection = `data_files = ["../../config/sample/hosts.json.gz"]
cache = "memory"
`

// runCheck runs "shodanrep check" over a connection.
func runCheck(t *testing.T, connection, stdin string, args ...string) result {
	t.Helper()
	t.Setenv("SHODAN_API_KEY", "")
	t.Setenv(configVariable, writeFile(t, "check.spc", "connection \"shodanrep\" {\n plugin = \"shodanrep\"\n"+shodantest.Patient(connection)+"}\n"))
	var stdout, stderr bytes.Buffer
	a := app{plugin: shodanrep.Plugin, stdin: strings.NewReader(stdin), stdout: &stdout, stderr: &stderr}
	status := a.run(t.Context(), args)
	return result{stdout.String(), stderr.String(), status}
}

const someText = "198.51.100[.]66 and hxxp://203.0.113.10:8080/x\nagain 198.51.100.66, curl/7.81.0.1, 10.0.0.1\n192.0.2.200 192.0.2.201\n"

func TestCheckReadsEveryKindOfInput(t *testing.T) {
	dir := t.TempDir()
	plain, zipped := filepath.Join(dir, "a.txt"), filepath.Join(dir, "a.data")
	var b bytes.Buffer
	g := gzip.NewWriter(&b)
	g.Write([]byte(someText))
	g.Close()
	if err := os.WriteFile(plain, []byte(someText), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(zipped, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	all := "198.51.100.66\n203.0.113.10\n10.0.0.1\n192.0.2.200\n192.0.2.201\n"
	for name, test := range map[string]struct {
		stdin string
		args  []string
		want  string
	}{
		"standard input":            {someText, nil, all},
		"standard input by name":    {someText, []string{"-"}, all},
		"a file":                    {"", []string{plain}, all},
		"a compressed file":         {"", []string{zipped}, all},
		"addresses":                 {"", []string{"198.51.100.66", "203.0.113[.]10", "198.51.100.66"}, "198.51.100.66\n203.0.113.10\n"},
		"an address in a URL":       {"", []string{"hxxp://198.51.100.66/x"}, "198.51.100.66\n"},
		"several":                   {"192.0.2.1", []string{"192.0.2.9", plain, "-"}, "192.0.2.9\n" + all + "192.0.2.1\n"},
		"a network":                 {"", []string{"192.0.2.0/30"}, "192.0.2.0/30\n"},
		"the addresses of networks": {"192.0.2.1", []string{"--expand", "192.0.2.0/30", "-"}, "192.0.2.0\n192.0.2.1\n192.0.2.2\n192.0.2.3\n"},
	} {
		got := runCheck(t, sampleConnection, test.stdin, append([]string{"check", "--output", "list"}, test.args...)...)
		if got.stdout != test.want || got.status != exitDone {
			t.Errorf("%s: got %+v, want %q", name, got, test.want)
		}
	}
}

func TestCheckWritesAllColumnsAsJSONLines(t *testing.T) {
	got := runCheck(t, sampleConnection, someText, "check", "--output", "jsonl", "--policy", "baseline")
	lines := strings.Split(strings.TrimSpace(got.stdout), "\n")
	if len(lines) != 5 || got.stderr != "" {
		t.Fatalf("%d lines: %+v", len(lines), got)
	}
	var first map[string]any
	if err := json.Unmarshal([]byte(lines[0]), &first); err != nil {
		t.Fatal(err)
	}
	for _, column := range shodanrep.VerdictColumns() {
		if _, ok := first[column.Name]; !ok {
			t.Errorf("no field %s", column.Name)
		}
	}
	if len(first) != len(shodanrep.VerdictColumns())+4 || first["hits"] != 2.0 || first["first_line"] != 1.0 || first["first_input"] != "-" || first["score"] != 80.0 {
		t.Errorf("%d fields, %v hits, line %v, score %v", len(first), first["hits"], first["first_line"], first["score"])
	}
	if diff := cmp.Diff([]any{"13 known vulnerabilities, more than 10", "1 port open that seldom serves a good purpose", "23 open ports, more than 20", "tagged cloud"}, first["reasons"]); diff != "" {
		t.Error(diff)
	}
	if !strings.Contains(lines[2], `"status":"reserved"`) || !strings.Contains(lines[2], `"level":"unknown"`) {
		t.Errorf("the private address is %s", lines[2])
	}
}

func TestTheInputOfALineIsNamed(t *testing.T) {
	one, two := writeFile(t, "one.txt", "\n192.0.2.44\n"), writeFile(t, "two.txt", "192.0.2.44\n\n\n198.51.100.66\n")
	got := runCheck(t, sampleConnection, "192.0.2.80", "check", "--output", "jsonl", one, two, "-", "192.0.2.10")
	for i, line := range strings.Split(strings.TrimSpace(got.stdout), "\n") {
		var found struct {
			Line  *int    `json:"first_line"`
			Input *string `json:"first_input"`
		}
		if err := json.Unmarshal([]byte(line), &found); err != nil {
			t.Fatal(err)
		}
		want := []string{"2 " + one, "4 " + two, "1 -", ""}[i]
		if want == "" && (found.Line != nil || found.Input != nil) || want != "" && want != fmt.Sprintf("%d %s", *found.Line, *found.Input) {
			t.Errorf("got %s, want %q", line, want)
		}
	}
	for _, test := range []struct {
		inputs []string
		want   string
	}{{[]string{one, two}, "2 times, first in line 2 of " + one}, {[]string{one}, "1 time, first in line 2\n"}} {
		if got := runCheck(t, sampleConnection, "", append([]string{"check"}, test.inputs...)...); !strings.Contains(got.stdout, test.want) {
			t.Errorf("got %+v, want %q", got, test.want)
		}
	}
}

func TestCheckSelects(t *testing.T) {
	const list = "198.51.100.66 203.0.113.10 10.0.0.1 192.0.2.200 192.0.2.44 192.0.2.0/24 192.0.2.222"
	base := []string{"check", "--output", "list", "--policy", "baseline"}
	for name, test := range map[string]struct {
		args   []string
		stdout string
		status int
		stderr string
	}{
		"a level is exactly that":      {[]string{"--only", "critical"}, "198.51.100.66\n203.0.113.10\n", 0, ""},
		"levels and statuses":          {[]string{"--only", "CRITICAL,not_a_host"}, "198.51.100.66\n203.0.113.10\n192.0.2.0/24\n", 0, ""},
		"by score":                     {[]string{"--min-score", "60"}, "198.51.100.66\n", 0, ""},
		"an unknown word":              {[]string{"--only", "crtical"}, "", exitUsage, `--only: "crtical" is not a level or a status`},
		"an unknown word to fail on":   {[]string{"--fail-on", "crtical"}, "", exitUsage, `--fail-on: "crtical" is not a level or a status`},
		"a negative score":             {[]string{"--min-score", "-5"}, "", exitUsage, "--min-score must not be negative, but is -5"},
		"an unknown format":            {[]string{"--output", "xml"}, "", exitUsage, "--output must be one of table, jsonl"},
		"a level or worse":             {[]string{"--fail-on", "high", "--only", "low"}, "192.0.2.222\n", exitFound, "2 with the level critical"},
		"a policy that there is not":   {[]string{"--policy", "basline"}, "", exitFailed, "policy basline: there is no policy of that name"},
		"a source without files":       {[]string{"--source", "shodan"}, "", exitFailed, `source "shodan" needs an API key`},
		"cache flags that contradict":  {[]string{"--no-cache", "--refresh"}, "", exitUsage, "exclude each other"},
		"an empty argument":            {[]string{"192.0.2.44", ""}, "", exitUsage, "an argument is empty: it must be an address, a network or a file"},
		"a file that is not there":     {[]string{"nothing.txt"}, "", exitFailed, "nothing.txt: no such file, and not an address\n"},
		"the name of a host":           {[]string{"Bücher.example."}, "", exitFailed, "Bücher.example.: no such file, and not an address; the names of hosts are not resolved: pass their addresses, as from dig +short xn--bcher-kva.example\n"},
		"the name in a URL":            {[]string{"https://a.example:8443/x"}, "", exitFailed, "as from dig +short a.example\n"},
		"a word":                       {[]string{"AS64496"}, "", exitFailed, "AS64496: no such file, and not an address\n"},
		"a directory":                  {[]string{"."}, "", exitFailed, ". is a directory"},
		"a result that has no place":   {[]string{"-o", "nowhere/x"}, "", exitFailed, "nowhere/x cannot be written"},
		"the worst first":              {[]string{"--sort", "--only", "critical,reserved"}, "198.51.100.66\n203.0.113.10\n10.0.0.1\n192.0.2.200\n", 0, ""},
		"networks are not looked up":   {[]string{"--only", "critical"}, "198.51.100.66\n203.0.113.10\n", 0, "1 network was not looked up; --expand"},
		"a connection that is not one": {[]string{"--connection", "x"}, "", exitFailed, `there is no connection "x"`},
	} {
		got := runCheck(t, sampleConnection, list, append(base, test.args...)...)
		if got.stdout != test.stdout || got.status != test.status || !strings.Contains(got.stderr, test.stderr) {
			t.Errorf("%s: got %+v, want status %d, %q and %q", name, got, test.status, test.stdout, test.stderr)
		}
	}
}

// The advice to use --expand does not help with a network that is too large.
func TestOnlyNetworksThatCanBeExpandedHaveTheAdviceToExpandThem(t *testing.T) {
	for networks, want := range map[string][2]string{
		"192.0.2.0/24":                          {"1 network was not looked up; --expand checks each of the addresses", "(--expand)"},
		"10.0.0.0/8":                            {"1 network was not looked up: more addresses than network_limit of the connection; name smaller networks, or raise it", "(larger than network_limit)"},
		"192.0.2.0/24 10.0.0.0/8":               {"2 networks were not looked up; --expand checks each of the addresses, but 1 has more addresses than network_limit", "(--expand, but 1 larger than network_limit)"},
		"192.0.2.0/24 10.0.0.0/8 2001:db8::/32": {"3 networks were not looked up; --expand checks each of the addresses, but 2 have more addresses than network_limit", "(--expand, but 2 larger than"},
	} {
		got := runCheck(t, sampleConnection, "", append([]string{"check"}, strings.Fields(networks)...)...)
		if !strings.Contains(got.stderr, want[0]) || !strings.Contains(strings.Join(strings.Fields(got.stdout), " "), want[1]) {
			t.Errorf("%s: %+v", networks, got)
		}
		if got = runAnnotate(t, sampleConnection, networks); !strings.Contains(got.stderr, strings.Replace(want[0], "--expand", "shodanrep check --expand", 1)) {
			t.Errorf("%s: %+v", networks, got)
		}
	}
}

// --expand leaves out networks that are too large, which every output must say.
func TestANetworkThatIsTooLargeToExpandIsReported(t *testing.T) {
	const notice = "shodanrep: 1 network was not looked up: more addresses than network_limit of the connection; name smaller networks, or raise it\n"
	for _, format := range report.Names() {
		args := []string{"check", "--expand", "--output", format, "--only", "critical", "10.0.0.0/8", "192.0.2.0/31"}
		if format == "parquet" {
			args = append(args, "-o", filepath.Join(t.TempDir(), "x.parquet"))
		}
		got := runCheck(t, sampleConnection, "", args...)
		if got.stderr != notice || strings.Contains(got.stdout, "--expand") {
			t.Errorf("%s: %+v", format, got)
		}
		if !slices.Contains([]string{"table", "markdown", "html"}, format) {
			continue
		}
		if want := "1 network not checked (larger than network_limit)"; !strings.Contains(strings.ReplaceAll(got.stdout, `\_`, "_"), want) {
			t.Errorf("%s: no %q in %s", format, want, got.stdout)
		}
	}
}

func TestAnInputWithoutAddressesIsSaidAndFails(t *testing.T) {
	for _, test := range []struct {
		args   []string
		status int
	}{{nil, exitDone}, {[]string{"--fail-on", "error"}, exitFound}, {[]string{"--fail-on", "high"}, exitDone}} {
		got := runCheck(t, sampleConnection, "v1.2.3.4 at 12:34:56\n", append([]string{"check", "--output", "list"}, test.args...)...)
		if got.stdout != "" || got.status != test.status || !strings.Contains(got.stderr, "no address was found in standard input") {
			t.Errorf("%v: %+v", test.args, got)
		}
	}
}

func TestAnAddressThatCouldNotBeCheckedIsNeverClean(t *testing.T) {
	sim := shodantest.New(t)
	sim.Fault(shodantest.Fault{Status: 500, Body: "out of order"})
	connection := fmt.Sprintf("internetdb_url = %q\ncache = \"memory\"\ntimeout = \"200ms\"\n", sim.InternetDBURL())
	got := runCheck(t, connection, "93.184.216.34 93.184.216.35 93.184.216.36 93.184.216.37", "check", "--fail-on", "error", "--only", "low")
	if got.status != exitFound || !strings.Contains(got.stderr, "4 of 4 addresses could not be checked") ||
		!strings.Contains(got.stdout, "4 unknown") || !strings.Contains(got.stdout, "4 not checked (") {
		t.Errorf("%+v", got)
	}
}

func TestCheckWritesFilesWhole(t *testing.T) {
	file := filepath.Join(t.TempDir(), "out.jsonl")
	if err := os.WriteFile(file, []byte("old"), 0o640); err != nil {
		t.Fatal(err)
	}
	content := func() string {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	sim := shodantest.New(t)
	sim.Fault(shodantest.Fault{Status: 401, Body: `{"error": "Invalid API key"}`})
	refused := fmt.Sprintf("api_url = %q\ninternetdb_url = %q\napi_key = %q\nsource = \"shodan\"\ncache = \"memory\"\n", sim.APIURL(), sim.InternetDBURL(), shodantest.Key)
	if got := runCheck(t, refused, "93.184.216.34", "check", "--output", "jsonl", "-o", file); got.status != exitFailed || content() != "old" {
		t.Errorf("a failed command left %q: %+v", content(), got)
	}
	if got := runCheck(t, sampleConnection, someText, "check", "--output", "list", "-o", file); got.status != exitDone || got.stdout != "" || !strings.HasPrefix(content(), "198.51.100.66\n") {
		t.Errorf("the file has %q: %+v", content(), got)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("the mode is %v, %v", info.Mode(), err)
	}
	link := filepath.Join(filepath.Dir(file), "link")
	if err := os.Symlink(file, link); err != nil {
		t.Fatal(err)
	}
	runCheck(t, sampleConnection, "192.0.2.1", "check", "--output", "list", "-o", link)
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 || content() != "192.0.2.1\n" {
		t.Errorf("through a link the file has %q; %v", content(), err)
	}
	if got := runCheck(t, sampleConnection, "192.0.2.1", "check", "-o", filepath.Dir(file)); got.status != exitFailed || !strings.Contains(got.stderr, "cannot be written") {
		t.Errorf("to a directory: %+v", got)
	}
	if files, _ := filepath.Glob(filepath.Dir(file) + "/.*"); len(files) > 0 {
		t.Errorf("%v are left", files)
	}
}

func TestCheckMakesSetsOfNetworks(t *testing.T) {
	const list = "192.0.2.0 192.0.2.1 192.0.2.2/31 192.0.2.3 192.0.2.5 2001:db8::1 2001:db8::"
	got := runCheck(t, sampleConnection, list, "check", "--output", "cidr")
	if want := "192.0.2.0/30\n192.0.2.5/32\n2001:db8::/127\n"; got.stdout != want {
		t.Errorf("got %q, want %q", got.stdout, want)
	}
	got = runCheck(t, sampleConnection, "192.0.2.0 192.0.2.1 192.0.2.5", "check", "--output", "nft")
	want := `table inet shodanrep {
	set addresses4 {
		type ipv4_addr
		flags interval
	}
	set addresses6 {
		type ipv6_addr
		flags interval
	}
}
flush set inet shodanrep addresses4
flush set inet shodanrep addresses6
add element inet shodanrep addresses4 {
	192.0.2.0/31,
	192.0.2.5
}
`
	if got.stdout != want {
		t.Errorf("got %s, want %s", got.stdout, want)
	}
}

// Shodan has data on the IPv4 address of such a host, if on any.
func TestAnAddressOfATunnelNamesItsIPv4End(t *testing.T) {
	got := runCheck(t, offlineConnection, "", "check", "--output", "csv", "64:ff9b::192.0.2.44", "2002:b00:5::1", "2001:0:4136:e378:8000:63bf:f4ff:fff2", "2002:a00:5::1", "2001:4860:4860::8888")
	for _, want := range []string{
		"\n192.0.2.44,192.0.2.44,dataset,indexed,", `""not indexed: the dataset has no data on it"",""its 6to4 tunnel ends at 11.0.0.5: check that address too""`,
		`""not on the internet: a private, local or reserved address"",""its Teredo tunnel ends at 11.0.0.13: check that address too""`,
	} {
		if !strings.Contains(got.stdout, want) {
			t.Errorf("no %q in %s", want, got.stdout)
		}
	}
	if strings.Count(got.stdout, "tunnel") != 2 {
		t.Errorf("a host without a tunnel, or with a private end, has one: %s", got.stdout)
	}
}

func TestAnAddressAloneIsChecked(t *testing.T) {
	for _, args := range [][]string{{"198.51.100.66", "--output", "list"}, {"198.51.100[.]66", "--output", "list"}} {
		if got := runCheck(t, sampleConnection, "", args...); got.stdout != "198.51.100.66\n" {
			t.Errorf("%v: %+v", args, got)
		}
	}
	if got := runCheck(t, sampleConnection, "", "chekc"); got.status != exitUsage {
		t.Errorf("%+v", got)
	}
}

// goldenList is addresses of every level and status.
const goldenList = "198.51.100.66 203.0.113.10 192.0.2.44 198.51.100.21 192.0.2.10 192.0.2.99 10.0.0.1 192.0.2.222 10.0.0.0/8 2001:db8:bad::10 2001:db8:20::5"

// durations are what differs from run to run.
var durations = regexp.MustCompile(`[0-9.]+(ms|s|µs)\n`)

func TestTheTableFitsTheTerminal(t *testing.T) {
	for _, width := range []int{80, 200} {
		for _, kind := range []string{"table", "cards"} {
			list := goldenList
			if kind == "cards" {
				list = "198.51.100.66 203.0.113.10 10.0.0.1"
			}
			var b bytes.Buffer
			runCheckReport(t, &b, list, width)
			got := durations.ReplaceAllString(b.String(), "1ms\n")
			for i, line := range strings.Split(got, "\n") {
				if n := len([]rune(line)); n > width {
					t.Errorf("%s at %d: line %d has %d columns: %s", kind, width, i+1, n, line)
				}
			}
			golden(t, fmt.Sprintf("testdata/check_%s_%d.txt", kind, width), got)
		}
	}
}

// golden compares a text with that of a file.
func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

// runCheckReport writes the report for a terminal of a width, by a policy that does not depend on the day.
func runCheckReport(t *testing.T, b *bytes.Buffer, text string, width int) {
	t.Helper()
	list := newTargetList()
	if err := list.read(strings.NewReader(text), "-"); err != nil {
		t.Fatal(err)
	}
	checker, err := shodanrep.NewChecker(t.Context(), "shodanrep", sampleConnection, shodanrep.CheckOptions{Policy: "testdata/timeless.hcl"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(scan.Shutdown)
	command := &checkCommand{app: &app{}, selectionFlags: selectionFlags{failOn: &failOn{}}, output: report.Formats[0]}
	c := &check{checkCommand: command, checker: checker, list: list, bar: &progressBar{progress: lookup.NewProgress()}}
	if err := c.writeResults(t.Context(), b, report.Options{Width: width}); err != nil {
		t.Fatal(err)
	}
}
