package config_test

import (
	"io/fs"
	"maps"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/postgrestest/joincheck"
)

// tables returns the tables of the plugin.
func tables(t *testing.T) map[string]*plugin.Table {
	t.Helper()
	tables, err := shodanrep.Plugin(t.Context()).TableMapFunc(t.Context(), &plugin.TableMapData{})
	if err != nil {
		t.Fatal(err)
	}
	return tables
}

// foreign returns the tables of the plugin, and those of the cloud plugins that the tests have.
func foreign(t *testing.T) map[string]*plugin.Table {
	t.Helper()
	all := tables(t)
	for _, m := range regexp.MustCompile(`create table (\w+)`).FindAllStringSubmatch(read(t, "powerpipe/testdata/cloud_tables.sql"), -1) {
		maps.Copy(all, joincheck.Foreign(m[1]))
	}
	return all
}

// TestTheDocumentsJoinSafely checks the SQL of all pages that is meant for PostgreSQL.
func TestTheDocumentsJoinSafely(t *testing.T) {
	t.Parallel()
	block := regexp.MustCompile("(?ms)^```sql(?:\\+postgres)?\n(.*?)^```$")
	command := regexp.MustCompile(`steampipe query [^"\n]*"(select [^"]+)"`)
	all := foreign(t)
	pages, queries := 0, 0
	for _, folder := range []string{"../README.md", "../docs", "."} {
		err := filepath.WalkDir(folder, func(path string, _ fs.DirEntry, err error) error {
			if err != nil || filepath.Ext(path) != ".md" {
				return err
			}
			pages++
			page := read(t, path)
			for _, m := range append(block.FindAllStringSubmatch(page, -1), command.FindAllStringSubmatch(page, -1)...) {
				queries++
				// The command is shown with a place to fill in.
				joincheck.Check(t, path, strings.ReplaceAll(m[1], "where …", ""), all)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if pages < 35 || queries < 140 {
		t.Errorf("only %d queries on %d pages were found", queries, pages)
	}
}

// TestTheChecksJoinSafely checks the queries that the command line runs, too: people take them to Steampipe.
func TestTheChecksJoinSafely(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*/*.sql")
	if err != nil || len(files) < 9 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	all := tables(t)
	for _, file := range files {
		joincheck.Check(t, file, read(t, file), all)
	}
}

// TestTheFunctionsJoinSafely checks the functions as PostgreSQL has them, and the query that they make.
func TestTheFunctionsJoinSafely(t *testing.T) {
	db := install(t)
	all := tables(t)
	made := regexp.MustCompile(`(?s)return query execute (.*?) using \w+;`)
	bodies, dynamic := 0, 0
	for _, row := range db.Query("select proname, lanname, prosrc, pg_get_functiondef(p.oid) from pg_proc as p join pg_language as l on l.oid = prolang where pronamespace = 'public'::regnamespace") {
		name, language, source, definition := row[0], row[1], row[2], row[3]
		bodies++
		joincheck.Check(t, name, definition, all)
		if language == "sql" && source != "" {
			joincheck.Check(t, name, source, all)
		}
		for _, m := range made.FindAllStringSubmatch(source, -1) {
			dynamic++
			sql := db.Query("select " + m[1])[0][0]
			if !strings.Contains(sql, "shodan_") {
				t.Errorf("%s: the query is not of a table: %s", name, sql)
			}
			joincheck.Check(t, name, sql, all)
		}
	}
	if bodies < 7 || dynamic < 2 {
		t.Errorf("only %d functions with %d queries were found", bodies, dynamic)
	}
}
