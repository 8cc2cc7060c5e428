package embedded

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/suggest"
)

// addSuggestion adds the most similar name to an error about an unknown name, and to an error about what another database
// has what SQLite has in its place.
func addSuggestion(db *DB, sql string, err error) error {
	kind, name, found := strings.Cut(err.Error(), ": ")
	if !found || strings.ContainsAny(name, "\n") {
		return err
	}
	if hint := dialectHint(sql, kind, name); hint != "" {
		return fmt.Errorf("%w; in SQLite write %s", err, hint)
	}
	switch kind {
	case "no such table":
		return noSuchTable(db, name, err)
	case "no such column":
		return noSuchColumn(db, sql, name, err)
	case "no such function":
		return errors.New(err.Error() + suggest.DidYouMean(name, queryNames(db, "SELECT DISTINCT name FROM pragma_function_list")))
	}
	return err
}

// noSuchTable adds the most similar table or connection, or else lists all.
func noSuchTable(db *DB, name string, err error) error {
	schema, table, qualified := strings.Cut(name, ".")
	if !qualified {
		schema, table = "main", name
	}
	schemas := queryNames(db, "SELECT name FROM pragma_database_list WHERE name NOT IN ('main', 'temp') ORDER BY 1")
	if qualified && !slices.ContainsFunc(schemas, func(s string) bool { return strings.EqualFold(s, schema) }) {
		if nearest := suggest.Nearest(schema, schemas); nearest != "" {
			return fmt.Errorf("%w: did you mean %q?", err, nearest+"."+table)
		}
		return fmt.Errorf("%w; the connections are %s", err, strings.Join(schemas, ", "))
	}
	tables := queryNames(db, "SELECT name FROM pragma_table_list WHERE lower(schema) IN (lower(?), 'temp')"+
		" AND name NOT LIKE 'sqlite!_%' ESCAPE '!' ORDER BY 1", schema)
	if nearest := suggest.Nearest(table, tables); nearest != "" {
		return fmt.Errorf("%w: did you mean %q?", err, nearest)
	}
	return fmt.Errorf("%w; there are %s", err, strings.Join(tables, ", "))
}

// noSuchColumn adds the most similar column of the tables that the statement names.
func noSuchColumn(db *DB, sql, name string, err error) error {
	// After a name in double quotes SQLite adds a question whether it should be a string.
	written, _, _ := strings.Cut(name, " - ")
	column := strings.Trim(written, `"`)
	column = column[strings.LastIndexByte(column, '.')+1:]
	var columns []string
	for _, t := range tokenize(sql) {
		if t.kind == wordToken || t.kind == nameToken {
			columns = append(columns, queryNames(db, "SELECT name FROM pragma_table_info(?)", t.text)...)
		}
	}
	slices.Sort(columns)
	nearest := suggest.Nearest(column, slices.Compact(columns))
	// If another table has the column, the problem is the table.
	if nearest == "" || strings.EqualFold(nearest, column) {
		return err
	}
	return fmt.Errorf("no such column: %s: did you mean %q?", written, nearest)
}

// queryNames returns the first column of a query, up to the first error.
func queryNames(db *DB, sql string, arguments ...string) []string {
	stmt, _, err := db.prepare(sql)
	if err != nil {
		return nil
	}
	defer closeStmt(stmt)
	for i, argument := range arguments {
		if err := stmt.BindText(i+1, argument); err != nil {
			return nil
		}
	}
	var names []string
	for {
		more, err := step(stmt)
		if err != nil || !more {
			return names
		}
		names = append(names, stmt.ColumnText(0))
	}
}
