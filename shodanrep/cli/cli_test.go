package cli

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/spf13/cobra"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/rowformat"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/embedded/embeddedtest"
)

// result is what a command leaves behind.
type result struct {
	stdout, stderr string
	status         int
}

// run runs the command line over the fake plugin, away from any configuration of this machine.
func run(t *testing.T, fake *embeddedtest.Plugin, stdin string, args ...string) result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	a := app{plugin: fake.Func, stdin: strings.NewReader(stdin), stdout: &stdout, stderr: &stderr}
	if len(args) > 0 && args[0] == "query" && !strings.Contains(strings.Join(args, " "), "--config") {
		args = slices.Insert(slices.Clone(args), 1, "--config", writeFile(t, "fake.spc", "connection \"fake\" {\n plugin = \"shodanrep\"\n}"))
	}
	status := a.run(t.Context(), args)
	return result{stdout.String(), stderr.String(), status}
}

// rows has a value of every kind, and text that a format has to quote.
const rows = `select 'a,"b"' as text, 'two
lines' as "two lines", 7 as n, 0.5 as f, null as missing, public, tags, x'0102' as raw, json_array(1, 'x') as computed
	from fake_address where ip = '192.0.2.10'; select 1 as a, 2 as a where false`

func TestOutput(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"table": `+-------+------------+---+-----+---------+--------+------+------+----------+
| text  | two lines  | n |   f | missing | public | tags | raw  | computed |
+-------+------------+---+-----+---------+--------+------+------+----------+
| a,"b" | two\nlines | 7 | 0.5 | <null>  | true   | a, b | AQI= | 1, x     |
+-------+------------+---+-----+---------+--------+------+------+----------+
+---+---+
| a | a |
+---+---+
+---+---+
`,
		"csv": `text,two lines,n,f,missing,public,tags,raw,computed
"a,""b""","two
lines",7,0.5,,true,"[""a"",""b""]",AQI=,"[1,""x""]"
a,a
`,
		"json": `{
 "columns": [
  {"name":"text","data_type":"text"},
  {"name":"two lines","data_type":"text"},
  {"name":"n","data_type":"int8"},
  {"name":"f","data_type":"float8"},
  {"name":"missing","data_type":"text"},
  {"name":"public","data_type":"bool"},
  {"name":"tags","data_type":"jsonb"},
  {"name":"raw","data_type":"bytea"},
  {"name":"computed","data_type":"jsonb"}
 ],
 "rows": [
  {"text":"a,\"b\"","two lines":"two\nlines","n":7,"f":0.5,"missing":null,"public":true,"tags":["a","b"],"raw":"AQI=","computed":[1,"x"]}
 ]
}
{
 "columns": [
  {"name":"a","data_type":"text"},
  {"name":"a_2","data_type":"text"}
 ],
 "rows": [
 ]
}
`,
		"tsv": "text\ttwo lines\tn\tf\tmissing\tpublic\ttags\traw\tcomputed\n" +
			"\"a,\"\"b\"\"\"\t\"two\nlines\"\t7\t0.5\t\ttrue\t\"[\"\"a\"\",\"\"b\"\"]\"\tAQI=\t\"[1,\"\"x\"\"]\"\na\ta\n",
		"jsonl": `{"text":"a,\"b\"","two lines":"two\nlines","n":7,"f":0.5,"missing":null,"public":true,"tags":["a","b"],"raw":"AQI=","computed":[1,"x"]}
`,
		"markdown": `| text | two lines | n | f | missing | public | tags | raw | computed |
|---|---|---|---|---|---|---|---|---|
| a,"b" | two\\nlines | 7 | 0.5 |  | true | a, b | AQI= | 1, x |
| a | a |
|---|---|
`,
		"line": `-[ RECORD 1 ]-----------------------------------------------
text      | a,"b"
two lines | two\nlines
n         | 7
f         | 0.5
missing   | <null>
public    | true
tags      | a, b
raw       | AQI=
computed  | 1, x
`,
	}
	for format, want := range tests {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			got := run(t, &embeddedtest.Plugin{}, "", "query", "--output", format, rows)
			if got.stdout != want || got.stderr != "" || got.status != exitDone {
				t.Errorf("got %+v\nwant %s", got, want)
			}
		})
	}
}

func TestOutputsCanBeReadAgain(t *testing.T) {
	t.Parallel()
	sql := "select n, name, at from fake_event order by n"
	fake := &embeddedtest.Plugin{Rows: 300}
	records, err := csv.NewReader(strings.NewReader(run(t, fake, "", "query", "--output", "csv", sql).stdout)).ReadAll()
	if err != nil || len(records) != 301 || records[300][1] != "Event 299" {
		t.Errorf("%d records, %v", len(records), err)
	}
	var document struct {
		Columns []struct{ Name string }
		Rows    []struct{ N int }
	}
	if err := json.Unmarshal([]byte(run(t, fake, "", "query", "--output", "json", sql).stdout), &document); err != nil {
		t.Fatal(err)
	}
	if len(document.Rows) != 300 || document.Rows[299].N != 299 || len(document.Columns) != 3 {
		t.Errorf("%d rows, %d columns", len(document.Rows), len(document.Columns))
	}
}

func TestQuery(t *testing.T) {
	t.Parallel()
	config := writeFile(t, "x.spc", `
		connection "home" {
			plugin = "shodanrep"
			word = "h"
		}
		connection "work" {
			plugin = "shodanrep"
			word = "w"
		}`)
	wrong := writeFile(t, "wrong.spc", "connection \"home\" {\n plugin = \"shodanrep\"\n colour = \"red\"\n}")
	hosts := writeFile(t, "hosts.csv", "ip,name\n192.0.2.1,web\n192.0.2.22,mail\n")
	const noStatement = "shodanrep: query needs SQL, and there is no statement in %s\nRun 'shodanrep query --help' for usage.\n"
	tests := map[string]struct {
		stdin string
		args  []string
		want  result
	}{
		"SQL from standard input":         {"select 1 as a", nil, result{"a\n1\n", "", 0}},
		"SQL from standard input by name": {"select 1 as a", []string{"-"}, result{"a\n1\n", "", 0}},
		"no SQL":                          {"-- nothing\n", nil, result{"", fmt.Sprintf(noStatement, "standard input"), 2}},
		"an empty argument":               {"select 1", []string{""}, result{"", fmt.Sprintf(noStatement, "its argument"), 2}},
		"the first connection": {"", []string{"--config", config, "select word from fake_address where ip = '192.0.2.1'"},
			result{"word\nh\n", "", 0}},
		"a chosen connection": {"", []string{"--config", config, "--connection", "work", "select word from fake_address where ip = '192.0.2.1'"},
			result{"word\nw\n", "", 0}},
		"a connection by its schema": {"", []string{"--config", config, "select word from work.fake_address where ip = '192.0.2.1'"},
			result{"word\nw\n", "", 0}},
		"a file": {"", []string{"--attach", "hosts=" + hosts, "select name, score from hosts join fake_address using (ip) where ip in (select ip from hosts) order by name"},
			result{"name,score\nmail,10\nweb,9\n", "", 0}},
		"a warning": {"", []string{"select ip from fake_address where ip in (select name from fake_event where false)"},
			result{"ip\n", "shodanrep: warning: fake_address: the list of ip is empty, nothing was looked up\n", 0}},
		"an empty list": {"", []string{"select ip from fake_address where ip in ()"},
			result{"ip\n", "shodanrep: warning: fake_address: the list of ip is empty, nothing was looked up\n", 0}},
		"an error of the plugin": {"", []string{"select value from fake_failure where way = 'list'"},
			result{"", "shodanrep: the key is wrong, set api_key\n", 1}},
		"an error after a result": {"", []string{"select 1 as a; select nothing"},
			result{"a\n1\n", "shodanrep: near \"nothing\": syntax error, at: nothing\n", 1}},
		"a wrong argument of a connection": {"", []string{"--config", wrong, "select 1"},
			result{"", `shodanrep: connection "home": `, 1}},
		"a configuration that is not there": {"", []string{"--config", "/nowhere.spc", "select 1"},
			result{"", "shodanrep: open /nowhere.spc: no such file or directory\n", 1}},
		"a connection that is not there": {"", []string{"--config", config, "--connection", "nobody", "select 1"},
			result{"", "shodanrep: there is no connection \"nobody\" in the configuration\n", 1}},
		"a table from standard input": {"ip;name\n192.0.2.1;web\n", []string{"--attach", "f=-", "select name from f"}, result{"name\nweb\n", "", 0}},
		"a subquery without the column": {"user;src_ip\nweb;192.0.2.1\n", []string{"--attach", "f=-", "select * from fake_address where ip in (select ip from f)"},
			result{"", "shodanrep: f has no column ip; its columns are user, src_ip\n", 1}},
		"standard input twice": {"select 1", []string{"--attach", "f=-"},
			result{"", "shodanrep: --attach f=-: standard input is read already, for the SQL or another table\nRun 'shodanrep query --help' for usage.\n", 2}},
		"a file that is not there": {"", []string{"--attach", "f=/nowhere.csv", "select 1"},
			result{"", "shodanrep: open /nowhere.csv: no such file or directory\n", 1}},
		"a file without a name": {"", []string{"--attach", hosts, "select 1"},
			result{"", "shodanrep: --attach must be NAME=FILE, not \"" + hosts + "\": did you mean --attach hosts=" + hosts + "?\nRun 'shodanrep query --help' for usage.\n", 2}},
		"an unknown format": {"", []string{"--output", "xml", "select 1"},
			result{"", "shodanrep: --output must be one of table, csv, tsv, json, jsonl, line, markdown, parquet, not \"xml\"\nRun 'shodanrep query --help' for usage.\n", 2}},
		"a path that is no file": {"", []string{"--attach", "/nowhere.csv", "select 1"},
			result{"", "shodanrep: --attach must be NAME=FILE, not \"/nowhere.csv\"\nRun 'shodanrep query --help' for usage.\n", 2}},
		"a format as a flag": {"", []string{"--json", "select 1"},
			result{"", "shodanrep: unknown flag: --json: did you mean \"--output json\"?\nRun 'shodanrep query --help' for usage.\n", 2}},
		"a function of PostgreSQL that makes rows": {"", []string{"select value from jsonb_array_elements('[1]')"},
			result{"", "shodanrep: no such table: jsonb_array_elements; in SQLite write from t, json_each(t.list) as e, and e.value\n", 1}},
		"an unknown flag": {"", []string{"--colour", "select 1"},
			result{"", "shodanrep: unknown flag: --colour\nRun 'shodanrep query --help' for usage.\n", 2}},
		"SQL without quotes": {"", []string{"select", "1"},
			result{"", "shodanrep: query takes one argument, the SQL in quotes or the name of a file, and 2 were given\nRun 'shodanrep query --help' for usage.\n", 2}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			args := append([]string{"query"}, tt.args...)
			if !strings.Contains(strings.Join(args, " "), "--output") {
				args = append(args, "--output", "csv")
			}
			got := run(t, &embeddedtest.Plugin{Rows: 3}, tt.stdin, args...)
			// What HCL says of a wrong argument is its own.
			if got.stdout != tt.want.stdout || got.status != tt.want.status || !strings.HasPrefix(got.stderr, tt.want.stderr) ||
				strings.HasSuffix(tt.want.stderr, "\n") && got.stderr != tt.want.stderr || tt.want.stderr == "" && got.stderr != "" {
				t.Errorf("got  %+v\nwant %+v", got, tt.want)
			}
		})
	}
}

func TestOtherCommands(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		args           []string
		stdout, stderr string
		status         int
	}{
		"tables":             {[]string{"tables"}, `\| fake_pair    \| A row for two values that are both needed. `, `^$`, 0},
		"a table":            {[]string{"tables", "fake_address"}, `(?s)^fake_address: One row an address\.\n\n.*\| ip         \| inet        \| any of \(=\) \| The address as it was asked for\. `, `^$`, 0},
		"its operators":      {[]string{"tables", "fake_event"}, `\| n      \| int8        \| optional \(= < <= > >= <>\) `, `^$`, 0},
		"an unknown table":   {[]string{"tables", "nothing"}, `^$`, `^shodanrep: there is no table nothing; 'shodanrep tables' lists`, 1},
		"version":            {[]string{"version"}, `^shodanrep .*go1\.\d+`, `^$`, 0},
		"help":               {[]string{"--help"}, `(?s)Usage:.*query .*tables .*version `, `^$`, 0},
		"help of a command":  {[]string{"help", "query"}, `(?s)--attach NAME=FILE.*--config FILE.*--connection NAME.*--output FORMAT`, `^$`, 0},
		"an unknown command": {[]string{"qery"}, `^$`, `^shodanrep: unknown command "qery" for "shodanrep"`, 2},
		"too many arguments": {[]string{"tables", "a", "b"}, `^$`, `^shodanrep: tables takes one argument, the name of a table, and 2 were given`, 2},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := run(t, &embeddedtest.Plugin{}, "", tt.args...)
			if !regexp.MustCompile(tt.stdout).MatchString(got.stdout) || !regexp.MustCompile(tt.stderr).MatchString(got.stderr) || got.status != tt.status {
				t.Errorf("got %+v", got)
			}
		})
	}
}

// Every command has an example, or needs none, and a description.
func TestCommandsAreDescribed(t *testing.T) {
	t.Parallel()
	a := app{plugin: new(embeddedtest.Plugin).Func}
	var check func(*cobra.Command)
	check = func(cmd *cobra.Command) {
		if cmd.Short == "" {
			t.Errorf("%s has no description", cmd.CommandPath())
		}
		if strings.Contains(cmd.Use, "[") && cmd.Example == "" {
			t.Errorf("%s has no example", cmd.CommandPath())
		}
		for _, child := range cmd.Commands() {
			check(child)
		}
	}
	check(a.command())
}

// head reads one line and goes away.
type head struct{ lines int }

func (h *head) Write(b []byte) (int, error) {
	if h.lines++; h.lines > 1 {
		return 0, &writeError{}
	}
	return len(b), nil
}

type writeError struct{}

func (*writeError) Error() string { return "write |1: broken pipe" }
func (*writeError) Unwrap() error { return syscall.EPIPE }

func TestABrokenPipeEndsQuietly(t *testing.T) {
	t.Parallel()
	// Parquet writes first after some thousand rows. The SDK takes so long for as many that SQLite makes most of them.
	const sql = `with recursive copies (copy) as (select 1 union all select copy + 1 from copies where copy < 1000)
		select n from fake_event cross join copies; select 1`
	for _, format := range rowformat.Names {
		var stderr bytes.Buffer
		fake := &embeddedtest.Plugin{Rows: 100_000}
		if format == "table" {
			fake.Rows = 10
		}
		a := app{plugin: fake.Func, stdin: strings.NewReader(""), stdout: &head{}, stderr: &stderr}
		config := writeFile(t, "fake.spc", `connection "fake" { plugin = "shodanrep" }`)
		status := a.run(t.Context(), []string{"query", "--config", config, "--output", format, sql})
		if status != exitDone || stderr.Len() > 0 {
			t.Errorf("%s: status %d, %q", format, status, stderr.String())
		}
		if fake.Streamed() > 5_000 {
			t.Errorf("%s: read on to row %d", format, fake.Streamed())
		}
	}
}

func TestAFullDiskIsAnError(t *testing.T) {
	t.Parallel()
	var stderr bytes.Buffer
	a := app{plugin: new(embeddedtest.Plugin).Func, stdin: strings.NewReader(""), stdout: fullDisk{}, stderr: &stderr}
	if status := a.run(t.Context(), []string{"version"}); status != exitFailed || stderr.String() != "shodanrep: no space left on device\n" {
		t.Errorf("status %d, %q", status, stderr.String())
	}
}

// The error of the system has the name of a file that the user may not know.
func TestAFullDiskIsAnErrorOfStandardOutput(t *testing.T) {
	t.Parallel()
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("needs /dev/full:", err)
	}
	defer full.Close()
	for name, args := range map[string][]string{
		"standard output": {"version"}, "/dev/full": {"query", "--config", writeFile(t, "fake.spc", `connection "fake" { plugin = "shodanrep" }`), "-o", "/dev/full", "select 1"},
	} {
		var stderr bytes.Buffer
		a := app{plugin: new(embeddedtest.Plugin).Func, stdin: strings.NewReader(""), stdout: full, stderr: &stderr}
		want := "shodanrep: " + name + " cannot be written: no space left on device\n"
		if status := a.run(t.Context(), args); status != exitFailed || stderr.String() != want {
			t.Errorf("status %d, %q, want %q", status, stderr.String(), want)
		}
	}
}

// Cobra writes help and completions, and doctor continues after a line.
func TestEveryOutputThatIsLostIsAFailure(t *testing.T) {
	t.Parallel()
	config := writeFile(t, "fake.spc", `connection "fake" { plugin = "shodanrep" }`)
	for _, args := range [][]string{{"--help"}, {"help", "check"}, {"check", "-h"}, {"--version"}, {"version"}, {"tables"}, {"completion", "bash"}, {"policy", "show", "extended"}, {"doctor", "--config", config + ".not"}} {
		var stderr bytes.Buffer
		a := app{plugin: new(embeddedtest.Plugin).Func, stdin: strings.NewReader(""), stdout: fullDisk{}, stderr: &stderr}
		if status := a.run(t.Context(), args); status != exitFailed || !strings.HasSuffix(stderr.String(), "\n") {
			t.Errorf("%q: status %d, %q", args, status, stderr.String())
		}
		a.stdout = closedPipe{}
		if status := a.run(t.Context(), args); status != exitDone && args[0] != "doctor" {
			t.Errorf("%q in a pipe whose reader has gone: status %d", args, status)
		}
	}
}

type closedPipe struct{ io.Writer }

func (closedPipe) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

type fullDisk struct{ io.Writer }

// The message of doctor refers to lines, which are lost.
func TestADoctorOnAFullDiskSaysThatItsLinesAreLost(t *testing.T) {
	t.Parallel()
	var stderr bytes.Buffer
	config := writeFile(t, "bad.spc", "connection \"a\" {\n plugin = \"shodanrep\"\n max_concurrency = 0\n}\n")
	a := app{plugin: shodanrep.Plugin, stdin: strings.NewReader(""), stdout: fullDisk{}, stderr: &stderr}
	status := a.run(t.Context(), []string{"doctor", "--config", config})
	if want := "shodanrep: no space left on device\nshodanrep: " + errChecksFailed.Error() + "\n"; status != exitFailed || stderr.String() != want {
		t.Errorf("status %d, %q", status, stderr.String())
	}
}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

func TestAnInterruptEndsTheQuery(t *testing.T) {
	t.Parallel()
	var stdout, stderr bytes.Buffer
	ctx, cancel := context.WithCancel(t.Context())
	fake := &embeddedtest.Plugin{Notify: func(event string) {
		if event == "block" {
			cancel()
		}
	}}
	a := app{plugin: fake.Func, stdin: strings.NewReader(""), stdout: &stdout, stderr: &stderr}
	config := writeFile(t, "fake.spc", `connection "fake" { plugin = "shodanrep" }`)
	status := a.run(ctx, []string{"query", "--config", config, "select * from fake_block where id = 'never'"})
	if status != exitInterrupted || stderr.String() != "shodanrep: interrupted\n" {
		t.Errorf("status %d, %q", status, stderr.String())
	}
}

// writeFile writes a temporary file and returns its path.
func writeFile(t testing.TB, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestTheWarningOfAReadableKeyIsOnStandardError(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("files have no mode there")
	}
	path := writeFile(t, "x.spc", "connection \"shodanrep\" {\n  plugin = \"shodanrep\"\n  cache = \"memory\"\n  api_key = \"0123456789abcdefghijABCDEFGHIJ01\"\n}\n")
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	if status := Main([]string{"query", "--config", path, "select 1"}, strings.NewReader(""), &stdout, &stderr); status != 0 {
		t.Errorf("status %d", status)
	}
	if got := strings.Count(stderr.String(), path+" (mode 0644)"); got != 1 {
		t.Errorf("want the warning once: %s", stderr.String())
	}
	if strings.Contains(stdout.String(), "warning") {
		t.Errorf("on standard output: %s", stdout.String())
	}
}
