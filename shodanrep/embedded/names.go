package embedded

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/suggest"
)

// explainNames adds to an error of a statement about a name that does not exist which one may be meant.
func (db *DB) explainNames(sql string, err error) error {
	kind, name, found := strings.Cut(err.Error(), ": ")
	if !found || strings.ContainsAny(name, "\n") {
		return err
	}
	switch kind {
	case "no such table":
		return db.noSuchTable(name, err)
	case "no such column":
		return db.noSuchColumn(sql, name, err)
	case "no such function":
		return errors.New(err.Error() + suggest.DidYouMean(name, db.names("SELECT DISTINCT name FROM pragma_function_list")))
	}
	return err
}

// noSuchTable names the table, or the connection before it, that may be meant, or else all there are.
func (db *DB) noSuchTable(name string, err error) error {
	schema, table, qualified := strings.Cut(name, ".")
	if !qualified {
		schema, table = "main", name
	}
	schemas := db.names("SELECT name FROM pragma_database_list WHERE name NOT IN ('main', 'temp') ORDER BY 1")
	if qualified && !slices.ContainsFunc(schemas, func(s string) bool { return strings.EqualFold(s, schema) }) {
		if nearest := suggest.Nearest(schema, schemas); nearest != "" {
			return fmt.Errorf("%w: did you mean %q?", err, nearest+"."+table)
		}
		return fmt.Errorf("%w; the connections are %s", err, strings.Join(schemas, ", "))
	}
	tables := db.names("SELECT name FROM pragma_table_list WHERE lower(schema) IN (lower(?), 'temp')"+
		" AND name NOT LIKE 'sqlite!_%' ESCAPE '!' ORDER BY 1", schema)
	if nearest := suggest.Nearest(table, tables); nearest != "" {
		return fmt.Errorf("%w: did you mean %q?", err, nearest)
	}
	return fmt.Errorf("%w; there are %s", err, strings.Join(tables, ", "))
}

// noSuchColumn names the column that may be meant, of the tables that the statement names.
func (db *DB) noSuchColumn(sql, name string, err error) error {
	// Behind a name in double quotes SQLite asks whether it should be a text.
	written, _, _ := strings.Cut(name, " - ")
	column := strings.Trim(written, `"`)
	column = column[strings.LastIndexByte(column, '.')+1:]
	var columns []string
	for _, t := range tokenize(sql) {
		if t.kind == wordToken || t.kind == nameToken {
			columns = append(columns, db.names("SELECT name FROM pragma_table_info(?)", t.text)...)
		}
	}
	slices.Sort(columns)
	nearest := suggest.Nearest(column, slices.Compact(columns))
	// Where another table has the column, the name before it is wrong, or the table lacks it.
	if nearest == "" || strings.EqualFold(nearest, column) {
		return err
	}
	return fmt.Errorf("no such column: %s: did you mean %q?", written, nearest)
}

// names returns the first column of a query. The error of a statement is explained without those that cannot be read.
func (db *DB) names(sql string, arguments ...string) []string {
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
