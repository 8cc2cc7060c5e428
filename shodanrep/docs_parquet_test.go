package shodanrep_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/duckdbtest"
)

// TestThePageOfParquetWasRun runs the command of the page, and its query in DuckDB.
func TestThePageOfParquetWasRun(t *testing.T) {
	atRoot(t)
	page := read(t, "docs/parquet.md")
	file := filepath.Join(t.TempDir(), "verdicts.parquet")
	_, args, _ := strings.Cut(blocksIn(page, "sh")[0].text, "bin/shodanrep ")
	runCLI(t, strings.Fields(strings.Replace(args, "verdicts.parquet", file, 1))...)
	log, err := filepath.Abs("config/sample/flow_log.txt")
	if err != nil {
		t.Fatal(err)
	}
	query := strings.NewReplacer("config/sample/flow_log.txt", log, "verdicts.parquet", file).Replace(blocksIn(page, "sql+duckdb")[0].text)
	rows := duckdbtest.Query(t, query)[0]
	_, table, found := strings.Cut(page, "\n| ip | level |")
	if !found {
		t.Fatal("the page has no result")
	}
	header, table, _ := strings.Cut("| ip | level |"+table, "\n")
	table, _, _ = strings.Cut(table, "\n\n")
	names := strings.Split(strings.Trim(header, "| "), " | ")
	var want, got []string
	for line := range strings.Lines(table) {
		if !strings.HasPrefix(line, "|---") {
			want = append(want, strings.TrimSuffix(line, "\n"))
		}
	}
	for _, row := range rows {
		var cells []string
		for _, name := range names {
			cell := fmt.Sprint(row[name])
			if list, ok := row[name].([]any); ok {
				cell = strings.ReplaceAll(strings.Trim(fmt.Sprint(list), "[]"), " ", ", ")
			}
			cells = append(cells, cell)
		}
		got = append(got, "| "+strings.Join(cells, " | ")+" |")
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the page (-) and DuckDB (+) differ:\n%s", diff)
	}
}
