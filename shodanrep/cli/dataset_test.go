package cli

import (
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/internetdbfile/internetdbtest"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/postgrestest"
)

// sampleFile is the file of InternetDB of the sample.
const sampleFile = `internetdb_file = "../../config/sample/internetdb.sqlite"
internetdb_url = "http://127.0.0.1:9"
cache = "memory"
history_store = "off"
`

func TestDatasetIndexAddsTheIndexThatLookupsNeed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "internetdb.sqlite")
	err := internetdbtest.WriteAs(path, internetdbtest.Schema, "", slices.Values([]internetdbtest.Row{{IP: "11.0.0.1", Ports: "22"}}))
	if err != nil {
		t.Fatal(err)
	}
	connection := fmt.Sprintf("internetdb_file = %q\ncache = \"memory\"\nhistory_store = \"off\"\n", path)
	r := runCheck(t, connection, "", "check", "11.0.0.1")
	if want := "it has no index on the column ip, without which a lookup reads the whole file: add one with: shodanrep dataset index " + path; r.status != exitFailed || !strings.Contains(r.stderr, want) {
		t.Fatalf("without an index: %+v, want %s", r, want)
	}
	for _, want := range []string{"has an index on ip now", "has an index on ip already"} {
		if r := runCheck(t, connection, "", "dataset", "index", path); r.status != exitDone || r.stdout != path+" "+want+"\n" {
			t.Errorf("%+v, want %s", r, want)
		}
	}
	if r := runCheck(t, connection, "", "check", "--output", "list", "11.0.0.1"); r.status != exitDone || r.stdout != "11.0.0.1\n" {
		t.Errorf("with an index: %+v", r)
	}
	for name, tt := range map[string]struct {
		args   []string
		status int
		want   string
	}{
		"no such file": {[]string{"dataset", "index", path + "x"}, exitFailed, "there is no such file"},
		"no file":      {[]string{"dataset", "index"}, exitUsage, "dataset index takes one argument, the name of a file, and none was given"},
		"no command":   {[]string{"dataset"}, exitUsage, "dataset needs a command: shodanrep dataset index FILE"},
		"misspelled":   {[]string{"dataset", "indx", path}, exitUsage, "index"},
	} {
		if r := runCheck(t, connection, "", tt.args...); r.status != tt.status || !strings.Contains(r.stderr, tt.want) {
			t.Errorf("%s: %+v, want %s", name, r, tt.want)
		}
	}
}

// TestCheckAnswersLongListsFromTheFile checks more addresses than several windows have, in order, each once, and with a
// network among them.
func TestCheckAnswersLongListsFromTheFile(t *testing.T) {
	const n = 10_000
	path := filepath.Join(t.TempDir(), "internetdb.sqlite")
	var list strings.Builder
	var want []string
	isIndexed := map[string]bool{}
	err := internetdbtest.Write(path, func(yield func(internetdbtest.Row) bool) {
		for i := range n {
			ip := fmt.Sprintf("11.%d.%d.%d", i*7%200, i/256, i%256)
			fmt.Fprintln(&list, ip)
			want = append(want, ip)
			isIndexed[ip] = i%2 == 0
			if i%1000 == 999 {
				fmt.Fprintln(&list, want[i/2]) // again
			}
			if i == n/2 {
				fmt.Fprintln(&list, "11.0.0.0/24")
				want = append(want, "11.0.0.0/24")
			}
			if isIndexed[ip] && !yield(internetdbtest.Row{IP: ip, Ports: "22,4444", Tags: `odd, "tag"`, Vulns: "CVE-2021-44228", Hostnames: "<a>&b"}) {
				return
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	r := runCheck(t, fmt.Sprintf("internetdb_file = %q\ninternetdb_url = \"http://127.0.0.1:9\"\ncache = \"memory\"\nhistory_store = \"off\"\n", path), list.String(), "check", "--output", "csv")
	rows, err := csv.NewReader(strings.NewReader(r.stdout)).ReadAll()
	if err != nil || r.status != exitDone || len(rows) != len(want)+1 {
		t.Fatalf("%d rows, exit status %d, %v: %s", len(rows), r.status, err, r.stderr)
	}
	column := func(row []string, name string) string { return row[slices.Index(rows[0], name)] }
	for i, row := range rows[1:] {
		status, ports := "not_indexed", ""
		switch {
		case strings.Contains(want[i], "/"):
			status = "not_a_host"
		case isIndexed[want[i]]:
			status, ports = "indexed", "[22,4444]"
		}
		if row[0] != want[i] || column(row, "status") != status || column(row, "ports") != ports {
			t.Fatalf("row %d: %q, want %s, %s, the ports %s", i, row, want[i], status, ports)
		}
		if status == "indexed" && (column(row, "tags") != `["\"tag\"","odd"]` || column(row, "hostnames") != `["\u003ca\u003e\u0026b"]` || column(row, "source") != "internetdb") {
			t.Fatalf("row %d: %q", i, row)
		}
	}
}

func TestUnpackingIsReportedWhereNoBarShowsIt(t *testing.T) {
	dir := t.TempDir()
	content, err := os.ReadFile("../../config/sample/internetdb.sqlite")
	if err != nil {
		t.Fatal(err)
	}
	var zipped bytes.Buffer
	g := gzip.NewWriter(&zipped)
	if _, err := g.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := g.Close(); err != nil {
		t.Fatal(err)
	}
	packed := filepath.Join(dir, "internetdb.sqlite.gz")
	if err := os.WriteFile(packed, zipped.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	connection := fmt.Sprintf("internetdb_file = %q\ncache = %q\nhistory_store = \"off\"\n", packed, filepath.Join(dir, "cache", "c.sqlite"))
	for _, isFirst := range []bool{true, false} {
		r := runCheck(t, connection, "", "check", "--output", "list", "203.0.113.10")
		if r.status != exitDone || r.stdout != "203.0.113.10\n" || strings.Contains(r.stderr, "unpacking "+packed) != isFirst {
			t.Errorf("first %v: %+v", isFirst, r)
		}
	}
	for _, args := range [][]string{{"annotate"}, {"load", "--to", postgrestest.New(t).URL()}} {
		connection := strings.Replace(connection, filepath.Join("cache", "c.sqlite"), filepath.Join(args[0], "c.sqlite"), 1)
		if r := runCheck(t, connection, "203.0.113.10\n", args...); r.status != exitDone || !strings.Contains(r.stderr, "unpacking "+packed) {
			t.Errorf("%v: %+v", args, r)
		}
	}
}

func TestTheSampleFileIsScored(t *testing.T) {
	r := runCheck(t, sampleFile, "", "check", "--policy", "baseline", "--output", "jsonl", "203.0.113.10")
	if r.status != exitDone || !strings.Contains(r.stdout, `"source":"internetdb"`) || !strings.Contains(r.stdout, `"score":50`) {
		t.Errorf("%+v", r)
	}
}
