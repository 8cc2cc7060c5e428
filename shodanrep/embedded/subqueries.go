package embedded

import (
	"fmt"
	"slices"
	"strings"
)

// In "ip in (select ip from f)", if f has no column ip, SQL uses the column ip of the outer query: the condition is
// true for every row, without an error. So a statement is rejected if a subquery returns a column that only the outer
// query has.
//
// SQLite resolves the names: a part of the subquery is compiled alone, and a name that is then missing is one of the
// outer query. Subqueries that use outer columns in their conditions, or next to columns of their own, are allowed.

// A subquery is "select results from tables" in parentheses, or one part of a union.
type subquery struct {
	// with is a WITH clause of the common table expressions that are visible in the subquery.
	with string
	// text is the whole subquery, results the part before its FROM, and tables the part after it.
	text, results, tables string
	// resultTokens are the tokens of results, and tokens those of everything but tables, both without nested
	// subqueries.
	resultTokens, tokens []token
	// compared says that the results are compared with a column, as in "ip in (…)" or "ip = (select ip …)".
	compared bool
}

// A compileFunc compiles the first statement of sql, and returns the names of its columns and the rest of sql.
type compileFunc func(sql string) (columns []string, tail string, err error)

// checkSubqueries returns an error for a subquery whose tables do not have the column that it selects.
func checkSubqueries(sql string, compile compileFunc) error {
	for _, q := range subqueries(sql) {
		// Results that are compared must be from the subquery's own tables. Any other subquery only has to use a column
		// of its own somewhere.
		part, tokens := q.text, q.tokens
		if q.compared && len(unqualifiedNames(q.resultTokens)) > 0 {
			part, tokens = "select "+q.results+" from "+q.tables, q.resultTokens
		}
		missing := missingColumn(q.with+part, compile)
		if missing == "" || !containsFold(unqualifiedNames(tokens), missing) {
			continue
		}
		own, _, err := compile(q.with + "select * from " + q.tables)
		if err != nil || len(own) == 0 || usesAny(tokens, own) {
			continue
		}
		return fmt.Errorf("%s has no column %s; its columns are %s", q.tables, missing, strings.Join(own, ", "))
	}
	return nil
}

// missingColumn returns the name of the first column that does not exist in a statement. It is empty if all exist, or
// the statement has another error.
func missingColumn(sql string, compile compileFunc) string {
	if _, _, err := compile(sql); err != nil {
		_, name, _ := strings.Cut(err.Error(), "no such column: ")
		name, _, _ = strings.Cut(name, " - should this be")
		return strings.Trim(name, `"`)
	}
	return ""
}

// subqueries returns the subqueries of a statement that have a FROM.
func subqueries(sql string) []subquery {
	tokens := tokenize(sql)
	var found []subquery
	for i, t := range tokens {
		if !t.sign("(") || t.match < 0 || !tokens[i+1].is("select", "with") {
			continue
		}
		for _, part := range parts(tokens, i+1, t.match) {
			q, ok := newSubquery(sql, tokens, part[0], part[1])
			if !ok {
				continue
			}
			q.with = visible(sql, tokens, part[0])
			q.compared = i > 0 && tokens[i-1].is("in") ||
				i > 1 && tokens[i-1].sign("=") && len(q.resultTokens) == 1 && strings.EqualFold(q.resultTokens[0].text, tokens[i-2].text)
			found = append(found, q)
		}
	}
	return found
}

// parts returns the SELECTs of a UNION, INTERSECT or EXCEPT as ranges of tokens.
func parts(tokens []token, from, to int) [][2]int {
	var list [][2]int
	start := -1
	for i := from; i < to; i++ {
		switch t := tokens[i]; {
		case t.sign("(") && t.match > 0:
			i = t.match
		case t.is("select"):
			start = i
		case t.is("union", "intersect", "except") && start >= 0:
			list = append(list, [2]int{start, i})
			start = -1
		}
	}
	if start >= 0 {
		list = append(list, [2]int{start, to})
	}
	return list
}

// newSubquery parses a SELECT. It returns false if there is no FROM.
func newSubquery(sql string, tokens []token, from, to int) (subquery, bool) {
	q := subquery{text: sql[tokens[from].start:tokens[to-1].end]}
	start, level := from+1, tokens[from].inside
	if tokens[start].is("distinct", "all") {
		start++
	}
	tables, tablesEnd := -1, to
	for i := start; i < to; i++ {
		t := tokens[i]
		switch {
		case t.sign("(") && t.match > 0 && tokens[i+1].is("select", "with"):
			i = t.match // a nested subquery, which is checked by itself
			continue
		case tables < 0 && t.is("from") && t.inside == level:
			if i == start {
				return q, false
			}
			q.results, q.resultTokens = sql[tokens[start].start:tokens[i-1].end], slices.Clone(q.tokens)
			tables = i + 1
			continue
		case tables >= 0 && tablesEnd == to && t.inside == level && t.is("where", "group", "having", "window", "order", "limit"):
			tablesEnd = i
		}
		if tables < 0 || tablesEnd < to {
			q.tokens = append(q.tokens, t)
		}
	}
	if tables < 0 || tables >= tablesEnd {
		return q, false
	}
	q.tables = sql[tokens[tables].start:tokens[tablesEnd-1].end]
	return q, true
}

// visible returns a WITH clause of all common table expressions that are visible at a token: the ones that are complete
// before it, on its own level of parentheses and on outer levels.
func visible(sql string, tokens []token, at int) string {
	var lists []string
	word := "with "
	for i := 0; i < at; i++ {
		if !tokens[i].is("with") || tokens[i].inside >= 0 && tokens[tokens[i].inside].match < at {
			continue
		}
		if tokens[i+1].is("recursive") {
			word = "with recursive "
			i++
		}
		end := i + 1
		for j := i + 1; j < at && !tokens[j].is("select", "insert", "update", "delete", "replace", "values"); j++ {
			if tokens[j].sign("(") && tokens[j].match > 0 {
				j = tokens[j].match
			}
			// A list of column names ends with a parenthesis too, but AS follows.
			if j < at && tokens[j].sign(")") && !tokens[j+1].is("as") {
				end = j + 1
			}
		}
		if end > i+1 {
			lists = append(lists, sql[tokens[i+1].start:tokens[end-1].end])
		}
	}
	if lists == nil {
		return ""
	}
	return word + strings.Join(lists, ", ") + " "
}

// notColumns are keywords in expressions, which are not columns.
var notColumns = []string{
	"all", "and", "as", "asc", "between", "by", "case", "cast", "collate", "desc", "distinct", "else", "end", "escape",
	"except", "exists", "false", "filter", "first", "from", "glob", "group", "having", "in", "intersect", "is", "isnull",
	"last", "like", "limit", "match", "not", "notnull", "null", "nulls", "offset", "on", "or", "order", "over", "partition",
	"regexp", "select", "then", "true", "union", "using", "values", "when", "where", "window", "with",
}

// unqualifiedNames returns the names that may be columns, without the ones that follow the name of a table.
func unqualifiedNames(tokens []token) []string {
	var names []string
	for i, t := range tokens {
		switch {
		case t.kind != wordToken && t.kind != nameToken, t.is(notColumns...):
		case i > 0 && (tokens[i-1].sign(".") || tokens[i-1].is("as", "collate") || tokens[i-1].sign(":") || tokens[i-1].sign("@")):
		case i+1 < len(tokens) && (tokens[i+1].sign(".") || tokens[i+1].sign("(")):
		default:
			names = append(names, t.text)
		}
	}
	return names
}

// usesAny reports whether tokens use one of the columns, with or without the name of its table, or all with a star.
func usesAny(tokens []token, columns []string) bool {
	for i, t := range tokens {
		if t.sign("*") && (i == 0 || tokens[i-1].sign(".") || tokens[i-1].sign(",")) {
			return true
		}
		if (t.kind == wordToken || t.kind == nameToken) && containsFold(columns, t.text) {
			return true
		}
	}
	return false
}

func containsFold(names []string, name string) bool {
	return slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, name) })
}
