package shodantest

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestQueriesAreRead(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		text string
		want query
	}{
		{"nginx", query{{values: []string{"nginx"}}}},
		{`  apache   "not found" `, query{{values: []string{"apache"}}, {values: []string{"not found"}}}},
		{"-nginx - x", query{{negated: true, values: []string{"nginx"}}, {values: []string{"-"}}, {values: []string{"x"}}}},
		{"one,two", query{{values: []string{"one,two"}}}},
		{"port:22", query{{filter: "port", values: []string{"22"}}}},
		{"port:22,80,443", query{{filter: "port", values: []string{"22", "80", "443"}}}},
		{`org:"Example, Inc." -country:US`, query{{filter: "org", values: []string{"Example, Inc."}}, {negated: true, filter: "country", values: []string{"US"}}}},
		{`org:one,"two three",four`, query{{filter: "org", values: []string{"one", "two three", "four"}}}},
		{"net:198.51.100.0/24,203.0.113.9,2001:db8::/32", query{{filter: "net", values: []string{"198.51.100.0/24", "203.0.113.9", "2001:db8::/32"}}}},
		{"http.favicon.hash:-1776962843", query{{filter: "http.favicon.hash", values: []string{"-1776962843"}}}},
		{`product:a:b`, query{{filter: "product", values: []string{"a:b"}}}},
		{`org:"back\slash"`, query{{filter: "org", values: []string{`back\slash`}}}},
		{"Port:22", query{{values: []string{"Port:22"}}}}, // no filter: their names are in small letters
		{"\tüber\u00a0x", query{{values: []string{"über"}}, {values: []string{"x"}}}},
	} {
		got, err := parseQuery(test.text)
		if err != nil {
			t.Errorf("%q: %v", test.text, err)
		}
		if diff := cmp.Diff(test.want, got, cmp.AllowUnexported(term{})); diff != "" {
			t.Errorf("%q: %s", test.text, diff)
		}
	}
}

func TestMalformedQueriesAreRefused(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                     "the query is empty",
		" \n":                  "the query is empty",
		"nope:1":               `there is no filter "nope"`,
		"port:":                "port: a value is missing",
		"port:22,":             "port: a value is missing",
		"port:,22":             "port: a value is missing",
		"port: 22":             "port: a value is missing",
		"port:ssh":             "port: not a whole number",
		"hash:1.5":             "hash: not a whole number",
		`org:"`:                "org: a quote is not closed",
		`org:"Example`:         "org: a quote is not closed",
		`org:""`:               "org: a value is empty",
		`org:" "`:              "org: a value is empty",
		`org:"a"b`:             `org: 'b' follows a closing quote`,
		`org:a"b"`:             "org: a quote is within a word",
		`"a""b"`:               `'"' follows a closing quote`,
		`"a",b`:                `',' follows a closing quote`,
		`a"b`:                  "a quote is within a word",
		"ip:example.com":       `ip: ParseAddr("example.com"): unexpected character (at "example.com")`,
		"net:198.51.100.0/240": `net: ParseAddr("198.51.100.0/240"): unexpected character (at "/240")`,
		`ssl.cert.subject.cn:"x" port:22" country:US`: "port: a quote is within a word",
	} {
		if got, err := parseQuery(text); err == nil || err.Error() != want {
			t.Errorf("%q is read as %v, %v", text, got, err)
		}
	}
}

func FuzzParseQuery(f *testing.F) {
	for _, seed := range []string{
		`org:"Example, Inc." -country:US`, "port:22,80", `org:one,"two three"`, `a"b`, `org:"`, "-", `net:2001:db8::/32 "x y"`, "ssl.cert.serial:0 \xff", "hash:-1",
	} {
		f.Add(seed)
	}
	banner, err := decode([]byte(`{"data": "x y", "port": 22, "org": "Example, Inc.", "ip_str": "192.0.2.1", "ssl": {"cert": {"serial": 255}}}`))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		q, err := parseQuery(text)
		if err != nil {
			if q != nil {
				t.Errorf("%q is refused and read as %v", text, q)
			}
			return
		}
		q.matches(banner)
		if len(q) == 0 {
			t.Errorf("%q is read as nothing", text)
		}
		// Written out with every value in quotes, it is the same query.
		again, err := parseQuery(q.String())
		if err != nil {
			t.Errorf("%q, written as %q, is refused: %v", text, q.String(), err)
		}
		if !slices.EqualFunc(q, again, func(a, b term) bool {
			return a.negated == b.negated && a.filter == b.filter && slices.Equal(a.values, b.values)
		}) {
			t.Errorf("%q, written as %q, is read as %v instead of %v", text, q.String(), again, q)
		}
	})
}

// String writes a query in one of the ways in which it can be read.
func (q query) String() string {
	terms := make([]string, len(q))
	for i, t := range q {
		values := make([]string, len(t.values))
		for j, value := range t.values {
			values[j] = `"` + value + `"`
		}
		terms[i] = strings.Join(values, ",")
		if t.filter != "" {
			terms[i] = t.filter + ":" + terms[i]
		}
		if t.negated {
			terms[i] = "-" + terms[i]
		}
	}
	return strings.Join(terms, " ")
}
