package embedded

import (
	"regexp"
	"strings"
)

// foreignFunctions are functions that users know from PostgreSQL, and what SQLite has in their place.
var foreignFunctions = map[string]string{
	"now":                       "datetime('now')",
	"any":                       "ip in ('…', '…') or ip in (select …) for ip = any(…)",
	"all":                       "not in (…) for <> all(…)",
	"array_agg":                 "json_group_array(…)",
	"jsonb_agg":                 "json_group_array(…)",
	"jsonb_build_object":        "json_object(…)",
	"jsonb_array_length":        "json_array_length(…)",
	"jsonb_array_elements":      "from t, json_each(t.list) as e, and e.value",
	"jsonb_array_elements_text": "from t, json_each(t.list) as e, and e.value",
	"unnest":                    "from t, json_each(t.list) as e, and e.value",
	"date_trunc":                "strftime('%Y-%m-%d', …)",
	"to_timestamp":              "datetime(…, 'unixepoch')",
	"greatest":                  "max(…, …)",
	"least":                     "min(…, …)",
	"left":                      "substr(…, 1, …)",
	"right":                     "substr(…, -…)",
}

// foreignSyntax is syntax that users know from PostgreSQL, outside quotes, and what SQLite has in its place. The last one
// is no database's.
var foreignSyntax = []struct {
	found *regexp.Regexp
	write string
}{
	{regexp.MustCompile(`::`), "cast(x as text) for x::text"},
	{regexp.MustCompile(`<<=|>>=`), "ipcontains(network, address)"},
	{regexp.MustCompile(`@>|\?`), "'x' in (select value from json_each(list)) for list ? 'x'"},
	{regexp.MustCompile(`(?i)\bilike\b`), "like, which ignores case"},
	{regexp.MustCompile(`(?i)\binterval\b`), "datetime('now', '-1 day') for now() - interval '1 day'"},
	{regexp.MustCompile(`(?i)\barray\b`), "ip in ('…', '…') or ip in (select …)"},
	{regexp.MustCompile(`\b\d+\.\d+\.\d+\.\d+\b`), "an address in single quotes"},
}

// dialectHint returns what to write in place of what SQLite does not know in a statement, for an error of SQLite of this
// kind about a name, or "".
func dialectHint(sql, kind, name string) string {
	switch {
	case kind == "no such function", kind == "no such table" && strings.Contains(foreignFunctions[strings.ToLower(name)], "json_each"):
		return foreignFunctions[strings.ToLower(name)]
	case kind == "no such column" && strings.EqualFold(name, "interval"):
	case kind != "unrecognized token" && !strings.HasPrefix(name, "syntax error"):
		return ""
	}
	code := []byte(sql)
	for _, t := range tokenize(sql) {
		if t.kind == nameToken || t.kind == valueToken && strings.HasPrefix(t.text, "'") {
			for i := t.start; i < t.end; i++ {
				code[i] = ' '
			}
		}
	}
	if tokens := tokenize(string(code)); len(tokens) > 0 {
		code = code[tokens[0].start:tokens[len(tokens)-1].end] // the first statement
	}
	for _, s := range foreignSyntax {
		if s.found.Match(code) {
			return s.write
		}
	}
	return ""
}
