package embedded

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/ncruces/go-sqlite3"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/sqlitefile"
)

// Query runs one or more statements, and calls each with the rows of every statement that has a result. It stops at the
// first error, of the plugin, of SQLite, of each or of the context. each must not call methods of db. After an error
// that is [sqlitefile.ErrOutOfMemory] only Close may be called.
func (db *DB) Query(ctx context.Context, sql string, each func(*Rows) error) error {
	db.mu.Lock()
	defer db.mu.Unlock()
	db.ctx = ctx
	old := db.conn.SetInterrupt(ctx)
	defer db.conn.SetInterrupt(old)
	for sql = skipBlank(sql); sql != ""; sql = skipBlank(sql) {
		tail, err := db.run(sql, each)
		if err != nil {
			return err
		}
		sql = tail
	}
	return nil
}

// ResultColumns returns the names of the columns of all results of sql without running it. It reports false if they are
// not known before: a statement is wrong, or needs a table that an earlier one makes.
func (db *DB) ResultColumns(ctx context.Context, sql string) (names []string, known bool) {
	db.mu.Lock()
	defer db.mu.Unlock()
	db.ctx = ctx
	for sql = skipBlank(sql); sql != ""; sql = skipBlank(sql) {
		columns, tail, err := db.compile(sql)
		if err != nil {
			return nil, false
		}
		names, sql = append(names, columns...), tail
	}
	return names, true
}

// QueryAll runs one or more statements and returns all their rows.
func (db *DB) QueryAll(ctx context.Context, sql string) ([]Row, error) {
	var all []Row
	err := db.Query(ctx, sql, func(rows *Rows) error {
		for rows.Next() {
			row := Row{}
			for i, v := range rows.Values() {
				row[rows.Columns()[i].Name] = v
			}
			all = append(all, row)
		}
		return rows.Err()
	})
	return all, err
}

// run runs the first statement of sql and returns the rest.
func (db *DB) run(sql string, each func(*Rows) error) (tail string, err error) {
	db.statement = &statement{}
	stmt, tail, err := db.prepare(sql)
	if err == nil || isNoPlan(err) {
		if wrong := checkSubqueries(sql, db.compile); wrong != nil {
			closeStmt(stmt)
			return "", wrong
		}
	}
	if err != nil {
		if filled := fillEmptyLists(sql); isNoPlan(err) && filled != sql {
			return db.run(filled, each)
		}
		return "", addSuggestion(db, sql, db.wrapError(err))
	}
	if stmt == nil {
		return tail, nil
	}
	defer closeStmt(stmt)

	rows := &Rows{db: db, stmt: stmt}
	rows.step()
	if rows.err != nil {
		return "", rows.err
	}
	if stmt.ColumnCount() > 0 {
		rows.describe()
		if err := each(rows); err != nil {
			return "", err
		}
		if rows.err != nil {
			return "", rows.err
		}
	}
	if !isExplain(sql) {
		for _, warning := range db.statement.warnings() {
			db.warn(warning)
		}
	}
	return tail, nil
}

// prepare compiles the first statement of sql and returns the rest.
func (db *DB) prepare(sql string) (stmt *sqlite3.Stmt, tail string, err error) {
	defer sqlitefile.CatchOutOfMemory(&err)
	return db.conn.Prepare(sql)
}

// compile compiles the first statement of sql without running it, whether or not the plugin could answer it. It returns
// the names of its columns and the rest of sql.
func (db *DB) compile(sql string) (columns []string, tail string, err error) {
	defer sqlitefile.CatchOutOfMemory(&err)
	running := db.statement
	defer func() { db.statement = running }()
	db.statement = &statement{compileOnly: true}
	stmt, tail, err := db.conn.Prepare(sql)
	if err != nil {
		return nil, "", err
	}
	if stmt == nil {
		return nil, "", errors.New("there is no statement")
	}
	defer stmt.Close()
	for i := range stmt.ColumnCount() {
		columns = append(columns, stmt.ColumnName(i))
	}
	return columns, tail, nil
}

// closeStmt frees a statement. Its error is that of the last step again.
func closeStmt(stmt *sqlite3.Stmt) {
	var err error
	defer sqlitefile.CatchOutOfMemory(&err)
	_ = stmt.Close()
}

// wrapError returns the error for users in place of one of SQLite.
func (db *DB) wrapError(err error) error {
	if errors.Is(err, sqlitefile.ErrOutOfMemory) {
		return fmt.Errorf("%w; read fewer rows or shorter values, such as substr(data, 1, 1000)", err)
	}
	if db.ctx.Err() != nil {
		return context.Cause(db.ctx)
	}
	if db.statement.err != nil {
		return db.statement.err
	}
	err = sqlError(err)
	if isNoPlan(err) {
		return cmp.Or(db.statement.missingConditions(), err)
	}
	return err
}

// HasStatement reports whether sql has more than white space, comments and semicolons.
func HasStatement(sql string) bool { return skipBlank(sql) != "" }

// skipBlank returns sql from its first statement on, without white space, comments and semicolons before it.
func skipBlank(sql string) string {
	for {
		sql = strings.TrimLeft(sql, " \t\r\n\f;\ufeff")
		var end string
		switch {
		case strings.HasPrefix(sql, "--"):
			end = "\n"
		case strings.HasPrefix(sql, "/*"):
			end = "*/"
		default:
			return sql
		}
		var found bool
		if _, sql, found = strings.Cut(sql[2:], end); !found {
			return ""
		}
	}
}

// isNoPlan reports whether SQLite found no plan that BestIndex accepts.
func isNoPlan(err error) bool { return strings.Contains(err.Error(), "no query solution") }

// emptyList matches "in ()", and quoted text and comments, which are skipped.
var emptyList = regexp.MustCompile(`(?is)'[^']*'|"[^"]*"|--[^\n]*|/\*.*?\*/|\bin\s*\(\s*\)`)

// fillEmptyLists replaces empty lists by a subquery without rows. SQLite does not pass a condition with an empty list
// to a table, which then seems to lack a condition that it needs.
func fillEmptyLists(sql string) string {
	return emptyList.ReplaceAllStringFunc(sql, func(found string) string {
		if found[0] == 'i' || found[0] == 'I' {
			return "in (select null where false)"
		}
		return found
	})
}

// isExplain reports whether a statement is EXPLAIN.
func isExplain(sql string) bool {
	const word = "explain"
	return len(sql) > len(word) && strings.EqualFold(sql[:len(word)], word)
}
