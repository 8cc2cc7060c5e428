package embedded

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/ncruces/go-sqlite3"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/sqlitefile"
)

// Rows are the rows of one statement's result.
type Rows struct {
	db      *DB
	stmt    *sqlite3.Stmt
	columns []Column
	// computed says which columns are no columns of a table.
	computed []bool
	values   []any
	// ready says that the statement is at a row that was not returned yet, and done that there are no more rows:
	// another step would run the statement again.
	ready, done bool
	err         error
}

// A Column is a column of a result. Type is the name of its type in Steampipe's database: the type of a table's column,
// or for a computed column the type of the first row's value, or else "text".
type Column struct {
	Name string
	Type string
}

// Columns returns the result's columns.
func (r *Rows) Columns() []Column { return r.columns }

// An Origin is the column of a plugin's table that a column of a result is. It is empty for a computed value and for a
// column of another table, such as a CSV file: their values can be of any type.
type Origin struct{ Table, Column string }

// Origins returns the origins of the result's columns.
func (r *Rows) Origins() []Origin {
	origins := make([]Origin, len(r.columns))
	for i := range origins {
		table := r.stmt.ColumnTableName(i)
		if r.stmt.ColumnDatabaseName(i) == "main" && slices.ContainsFunc(r.db.tables, func(t *Table) bool { return t.Name == table }) {
			origins[i] = Origin{table, r.stmt.ColumnOriginName(i)}
		}
	}
	return origins
}

// Next reads the next row and reports whether there is one.
func (r *Rows) Next() bool {
	if !r.ready {
		r.step()
	}
	more := r.ready
	r.ready = false
	if more {
		r.read()
	}
	return more && r.err == nil
}

// Values returns the row's values, until the next call of Next: nil, bool, int64, float64, string, []byte, or a
// json.RawMessage where the column is of type jsonb or, if it is computed, the value is of one of SQLite's JSON functions.
func (r *Rows) Values() []any { return r.values }

// Err returns the error that ended the rows, or nil.
func (r *Rows) Err() error { return r.err }

func (r *Rows) step() {
	if r.done {
		return
	}
	ready, err := step(r.stmt)
	r.ready, r.done = ready, !ready
	if err != nil {
		r.err = r.db.wrapError(err)
	}
}

func step(stmt *sqlite3.Stmt) (ready bool, err error) {
	defer sqlitefile.CatchOutOfMemory(&err)
	ready = stmt.Step()
	return ready, stmt.Err()
}

// declaredTypes maps the declared type of a column to the name of the type in Steampipe's database.
var declaredTypes = func() map[string]string {
	types := map[string]string{"INTEGER": "int8", "REAL": "float8", "NUMERIC": "numeric", "BLOB": "bytea"}
	for _, t := range columnTypes {
		types[t.declared] = t.steampipe
	}
	return types
}()

func (r *Rows) describe() {
	n := r.stmt.ColumnCount()
	r.columns, r.computed, r.values = make([]Column, n), make([]bool, n), make([]any, n)
	for i := range r.columns {
		r.columns[i] = Column{Name: r.stmt.ColumnName(i), Type: declaredTypes[strings.ToUpper(r.stmt.ColumnDeclType(i))]}
		if r.columns[i].Type == "" {
			r.columns[i].Type, r.computed[i] = r.valueType(i), true
		}
	}
}

// valueType returns the type of the first row's value.
func (r *Rows) valueType(i int) string {
	if r.ready {
		switch r.stmt.ColumnType(i) {
		case sqlite3.INTEGER:
			return "int8"
		case sqlite3.FLOAT:
			return "float8"
		case sqlite3.BLOB:
			return "bytea"
		case sqlite3.TEXT:
			if r.isComputedJSON(i) {
				return "jsonb"
			}
		}
	}
	return "text"
}

// isComputedJSON reports whether a value of the row is of one of SQLite's JSON functions.
func (r *Rows) isComputedJSON(i int) bool { return r.stmt.ColumnValue(i).Subtype() == jsonSubtype }

func (r *Rows) read() {
	clear(r.values)
	if err := columns(r.stmt, r.values); err != nil {
		r.err = r.db.wrapError(err)
		return
	}
	for i, c := range r.columns {
		switch v := r.values[i].(type) {
		case int64:
			if c.Type == "bool" {
				r.values[i] = v != 0
			}
		case string:
			isJSON := c.Type == "jsonb"
			if r.computed[i] { // the rows before this one had NULL, perhaps
				isJSON = r.isComputedJSON(i)
			}
			if isJSON && json.Valid([]byte(v)) {
				r.values[i] = json.RawMessage(v)
			}
		}
	}
}

func columns(stmt *sqlite3.Stmt, values []any) (err error) {
	defer sqlitefile.CatchOutOfMemory(&err)
	return stmt.Columns(values...)
}

// A Row is a row of a result by column, with the values of [Rows.Values].
type Row map[string]any

// Text returns a column that holds text, and "" if it is NULL.
func (r Row) Text(column string) string {
	text, _ := r[column].(string)
	return text
}

// Int64 returns a column that holds an integer, and 0 if it is NULL.
func (r Row) Int64(column string) int64 {
	n, _ := r[column].(int64)
	return n
}
