package embedded_test

import (
	"strings"
	"testing"
)

// Users copy queries for PostgreSQL, of which SQLite says only that a sign or a function is wrong.
func TestAnErrorAboutTheSQLOfPostgreSQLSaysWhatToWrite(t *testing.T) {
	t.Parallel()
	f := open(t, 0)
	for sql, want := range map[string]string{
		"select now()":                                      "datetime('now')",
		"select 1 where 'a' = any('{a}')":                   "ip in (select …)",
		"select 1::text":                                    "cast(x as text) for x::text",
		"select 'a ::' || x::text":                          "cast(x as text) for x::text",
		"select 1 where '10.0.0.1' <<= '10.0.0.0/8'":        "ipcontains(network, address)",
		"select 1 where '[]' ? 'c2'":                        "json_each(list)",
		"select 1 where '[]' @> '[]'":                       "json_each(list)",
		"select 1 where 'a' ilike 'A'":                      "like, which ignores case",
		"select '2026-01-01' - interval '1 day'":            "datetime('now', '-1 day')",
		"select 1 where '8.8.8.8' in array['8.8.8.8']":      "ip in (select …)",
		"select 1 where '8.8.8.8' = 8.8.8.8":                "an address in single quotes",
		"select jsonb_array_elements('[]')":                 "json_each(",
		"select 1 from (select 1) as t where t.a = 1 selct": "",
		"selct 'x::text'":                                   "",
		"selct 1; select 1::text":                           "",
		"select nowhere()":                                  "",
	} {
		_, err := f.run(t.Context(), sql)
		if err == nil {
			t.Errorf("%s is no error", sql)
			continue
		}
		message, hint, hinted := strings.Cut(err.Error(), "; in SQLite write ")
		if hinted != (want != "") || !strings.Contains(hint, want) || message == "" {
			t.Errorf("%s: %v", sql, err)
		}
	}
}
