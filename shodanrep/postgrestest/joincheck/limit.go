package joincheck

import (
	"fmt"
	"strings"
)

// returningRows are the functions of which the select list makes several rows.
var returningRows = map[string]bool{
	"generate_series": true, "unnest": true, "regexp_matches": true, "regexp_split_to_table": true, "string_to_table": true,
}

// limit reports a LIMIT that Steampipe passes although PostgreSQL needs more rows of the table: the query orders by an
// expression, or has a window function or a function that returns rows in its select list.
func (c *checker) limit(selected node, sc *scope) {
	if count := child(selected, "limitCount"); count == nil || as(count, "A_Const")["isnull"] != nil {
		return
	}
	for _, field := range []string{"groupClause", "havingClause", "distinctClause"} {
		if selected[field] != nil {
			return // Steampipe passes no LIMIT
		}
	}
	var only *scan
	for _, r := range sc.relations {
		for s := range r.all() {
			if s == other || only != nil && only != s {
				return // nor in a join
			}
			only = s
		}
	}
	if only == nil {
		return
	}
	if why := needsMoreRows(selected); why != "" {
		c.shared = append(c.shared, fmt.Sprintf("%s has a limit and %s: Steampipe reads only the first rows", only.table, why))
	}
}

// needsMoreRows says why the first rows of a table need not be the first rows of a query, or returns "".
func needsMoreRows(selected node) string {
	computed := map[string]bool{} // the columns of the result that are expressions
	targets := list(selected, "targetList")
	for _, item := range targets {
		target := as(item, "ResTarget")
		if as(target["val"], "ColumnRef") == nil {
			computed[text(target, "name")] = true
		}
		for _, call := range find(target["val"], "FuncCall") {
			parts := list(call, "funcname")
			name := text(as(parts[len(parts)-1], "String"), "sval")
			switch {
			case call["over"] != nil:
				return "a window function"
			case returningRows[name], strings.HasPrefix(name, "json") && (strings.Contains(name, "_array_elements") || strings.Contains(name, "_each") || strings.HasSuffix(name, "_object_keys")):
				return "a function that returns rows in its select list"
			}
		}
	}
	for _, item := range list(selected, "sortClause") {
		by := as(item, "SortBy")["node"]
		if place, ok := child(as(by, "A_Const"), "ival")["ival"].(float64); ok && 1 <= int(place) && int(place) <= len(targets) {
			by = as(targets[int(place)-1], "ResTarget")["val"]
		}
		ref := as(by, "ColumnRef")
		if fields := fieldsOf(ref); ref == nil || len(fields) == 1 && computed[fields[0]] {
			return "orders by an expression"
		}
	}
	return ""
}
