package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/duckdbtest"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/embedded/embeddedtest"
)

// parquetRows reads rows from a file.
func parquetRows[T any](t *testing.T, file string) []T {
	t.Helper()
	rows, err := parquet.ReadFile[T](file)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func TestCheckWritesParquet(t *testing.T) {
	file := filepath.Join(t.TempDir(), "verdicts.parquet")
	got := runCheck(t, sampleConnection, "198.51.100.66 198.51.100.66\n10.0.0.1", append([]string{"check", "--output", "parquet", "-o", file}, timeless...)...)
	if got.status != exitDone || got.stdout != "" {
		t.Fatalf("%+v", got)
	}
	schema := strings.Join(columnsOf(t, file), " ")
	for _, column := range shodanrep.VerdictColumns() {
		if !strings.Contains(" "+schema+" ", " "+column.Name+" ") {
			t.Errorf("there is no column %s: %s", column.Name, schema)
		}
	}
	type row struct {
		IP      string  `parquet:"ip,optional"`
		Status  string  `parquet:"status,optional"`
		Score   *int64  `parquet:"score,optional"`
		Level   string  `parquet:"level,optional"`
		Hits    int64   `parquet:"hits,optional"`
		Line    *int64  `parquet:"first_line,optional"`
		Input   *string `parquet:"first_input,optional"`
		Updated *int64  `parquet:"last_update,optional,timestamp(microsecond)"`
	}
	rows := parquetRows[row](t, file)
	if len(rows) != 2 || rows[0].IP != "198.51.100.66" || rows[0].Score == nil || rows[0].Level != "critical" || rows[0].Hits != 2 || rows[0].Updated == nil ||
		rows[1].Status != "reserved" || rows[1].Score != nil || rows[1].Level != "unknown" || *rows[1].Line != 2 || *rows[1].Input != "-" {
		t.Errorf("%+v", rows)
	}
}

// columnsOf returns the names of the columns of a file.
func columnsOf(t *testing.T, file string) []string {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	f, err := parquet.OpenFile(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, field := range f.Schema().Fields() {
		names = append(names, field.Name())
	}
	return names
}

// TestDuckDBReadsWhatOtherOutputsHave reads the files of check and query with DuckDB, and compares them with JSON.
func TestDuckDBReadsWhatOtherOutputsHave(t *testing.T) {
	dir := t.TempDir()
	commands := map[string][]string{
		"check":            append([]string{"check", "198.51.100.66", "203.0.113.10", "10.0.0.1", "192.0.2.222", "192.0.2.0/24"}, timeless...),
		"host":             {"query", "select * from shodan_host where ip in ('203.0.113.10', '198.51.100.66', '10.0.0.1') order by ip"},
		"service":          {"query", "select * from shodan_service where ip in ('203.0.113.10', '198.51.100.66') order by ip, port"},
		"vulnerability":    {"query", "select * from shodan_vulnerability where ip = '203.0.113.10' order by cve_id"},
		"factor":           {"query", "select * from shodan_reputation_factor where ip = '203.0.113.10' and policy = 'extended' order by factor"},
		"no rows":          {"query", "select * from shodan_host where ip = '203.0.113.10' and port_count < 0"},
		"of an expression": {"query", "select score + 0.5 as half, json_array(ip) as list, ip is null as absent, null as none from shodan_ip_reputation where ip = '203.0.113.10'"},
	}
	commands["no rows"] = []string{"query", "select ip, ports, last_update from shodan_host where ip = '203.0.113.10' and city = 'Atlantis'"}
	var names, statements []string
	wants := map[string][]map[string]any{}
	for name, args := range commands {
		file := filepath.Join(dir, strings.ReplaceAll(name, " ", "_")+".parquet")
		if got := runCheck(t, sampleConnection, "", append(args, "--output", "parquet", "-o", file)...); got.status != exitDone {
			t.Fatalf("%s: %+v", name, got)
		}
		names = append(names, name)
		statements = append(statements, fmt.Sprintf("select to_json(r)::varchar as row from '%s' r", file))
		for line := range strings.Lines(runCheck(t, sampleConnection, "", append(args, "--output", "jsonl")...).stdout) {
			wants[name] = append(wants[name], jsonRow(t, line))
		}
	}
	for i, rows := range duckdbtest.Query(t, statements...) {
		var got []map[string]any
		for _, row := range rows {
			got = append(got, jsonRow(t, row["row"].(string)))
		}
		if diff := cmp.Diff(wants[names[i]], got); diff != "" {
			t.Errorf("%s (-jsonl +DuckDB):\n%s", names[i], diff)
		}
	}
}

// duckDBTime is a time as DuckDB writes it.
var duckDBTime = regexp.MustCompile(`"(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d(\.\d+)?)\+00"`)

// jsonRow returns a row of JSON, with times in one form.
func jsonRow(t *testing.T, text string) map[string]any {
	t.Helper()
	var row map[string]any
	if err := json.Unmarshal(duckDBTime.ReplaceAll([]byte(text), []byte(`"${1}T${2}Z"`)), &row); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return row
}

func TestQueryWritesFilesWhole(t *testing.T) {
	t.Parallel()
	file := writeFile(t, "out", "old")
	config := writeFile(t, "fake.spc", `connection "fake" { plugin = "shodanrep" }`)
	query := func(ctx context.Context, fake *embeddedtest.Plugin, args ...string) result {
		var stdout, stderr bytes.Buffer
		a := app{plugin: fake.Func, stdin: strings.NewReader(""), stdout: &stdout, stderr: &stderr}
		status := a.run(ctx, append([]string{"query", "--config", config, "-o", file}, args...))
		return result{stdout.String(), stderr.String(), status}
	}
	for _, format := range []string{"parquet", "csv"} {
		for name, sql := range map[string]string{
			"an error of the plugin": "select * from fake_failure where way = 'list'",
			"an error of SQLite":     "select 1 as n union all select abs(-9223372036854775808)",
			"a wrong statement":      "select 1; select",
		} {
			if got := query(t.Context(), &embeddedtest.Plugin{}, "--output", format, sql); got.status != exitFailed || got.stderr == "" || readFile(t, file) != "old" {
				t.Errorf("%s: %s: %+v; the file has %q", format, name, got, readFile(t, file))
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		fake := &embeddedtest.Plugin{Notify: func(event string) {
			if event == "block" {
				cancel()
			}
		}}
		if got := query(ctx, fake, "--output", format, "select '1' as id union all select value from fake_block where id = 'never'"); got.status != exitInterrupted || readFile(t, file) != "old" {
			t.Errorf("%s: an interrupt: %+v; the file has %q", format, got, readFile(t, file))
		}
	}
	for _, sql := range []string{"select 1; select 2", "create table t (n)"} {
		if got := query(t.Context(), &embeddedtest.Plugin{}, "--output", "parquet", sql); got.status != exitFailed || !strings.Contains(got.stderr, "exactly one statement with a result") || readFile(t, file) != "old" {
			t.Errorf("%s: %+v; the file has %q", sql, got, readFile(t, file))
		}
	}
	if got := query(t.Context(), &embeddedtest.Plugin{}, "--output", "csv", "select 1 as n; select 2 as m"); got.status != exitDone || got.stdout != "" || readFile(t, file) != "n\n1\nm\n2\n" {
		t.Errorf("%+v; the file has %q", got, readFile(t, file))
	}
	if got := query(t.Context(), &embeddedtest.Plugin{}, "--output", "parquet", "--fail-on", "alarm", "create table t (n); select 'alarm' as status, 7 as n"); got.status != exitFound {
		t.Errorf("%+v", got)
	}
	type row struct {
		Status string `parquet:"status,optional"`
		N      int64  `parquet:"n,optional"`
	}
	if rows := parquetRows[row](t, file); len(rows) != 1 || rows[0] != (row{"alarm", 7}) {
		t.Errorf("%+v", rows)
	}
	if files, _ := filepath.Glob(filepath.Dir(file) + "/.*"); len(files) > 0 {
		t.Errorf("%v are left", files)
	}
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// TestParquetHasTheTypesOfThePlugin reads the schema that a query of every type of column has.
func TestParquetHasTheTypesOfThePlugin(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "x.parquet")
	got := run(t, &embeddedtest.Plugin{}, "", "query", "--output", "parquet", "-o", file,
		"select ip, score, public, ratio, checked_at, tags, error, score as IP from fake_address where ip in ('192.0.2.1')")
	if got.status != exitDone {
		t.Fatalf("%+v", got)
	}
	content := readFile(t, file)
	f, err := parquet.OpenFile(strings.NewReader(content), int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	want := `message rows {
	optional binary ip (STRING);
	optional int64 score (INT(64,true));
	optional boolean public;
	optional double ratio;
	optional int64 checked_at (TIMESTAMP(isAdjustedToUTC=true,unit=MICROS));
	optional group tags (LIST) {
		repeated group list {
			optional binary element (STRING);
		}
	}
	optional binary error (STRING);
	optional int64 IP_2 (INT(64,true));
}`
	if diff := cmp.Diff(want, f.Schema().String()); diff != "" {
		t.Error(diff)
	}
}
