package embedded_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/embedded"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/embedded/embeddedtest"
)

// fixture is a database over the fake plugin.
type fixture struct {
	*embedded.DB
	plugin   *embeddedtest.Plugin
	warnings []string
}

func open(t testing.TB, rows int, connections ...embedded.Connection) *fixture {
	t.Helper()
	f := &fixture{plugin: &embeddedtest.Plugin{Rows: rows}}
	db, err := embedded.Open(t.Context(), embedded.Options{
		PluginFunc:  f.plugin.Func,
		Connections: connections,
		Warn:        func(message string) { f.warnings = append(f.warnings, message) },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	f.DB = db
	return f
}

// run returns the rows of all statements as text: values separated by "|", rows by new lines.
func (f *fixture) run(ctx context.Context, sql string) (string, error) {
	var b strings.Builder
	err := f.Query(ctx, sql, func(rows *embedded.Rows) error {
		for rows.Next() {
			for i, v := range rows.Values() {
				if i > 0 {
					b.WriteByte('|')
				}
				if raw, ok := v.(json.RawMessage); ok {
					v = string(raw)
				}
				fmt.Fprint(&b, v)
			}
			b.WriteByte('\n')
		}
		return rows.Err()
	})
	return strings.TrimSuffix(b.String(), "\n"), err
}

// query is run for statements that must not fail.
func (f *fixture) query(t testing.TB, sql string) string {
	t.Helper()
	got, err := f.run(t.Context(), sql)
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return got
}
