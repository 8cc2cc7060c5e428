package embedded

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/ncruces/go-sqlite3"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/sqlitefile"
)

// moduleName is the name of the SQLite module of the plugin's tables. Its argument is the index of a table.
const moduleName = "plugin_table"

// A virtualTable is a table of the plugin for SQLite.
type virtualTable struct {
	db    *DB
	table *Table
}

// newVirtualTable is called by SQLite for each CREATE VIRTUAL TABLE.
func newVirtualTable(db *DB, conn *sqlite3.Conn, args []string) (*virtualTable, error) {
	if len(args) != 1 {
		return nil, fmt.Errorf("%s takes one argument", moduleName)
	}
	n, err := strconv.Atoi(args[0])
	if err != nil || n < 0 || n >= len(db.tables) {
		return nil, fmt.Errorf("%s: there is no table %q", moduleName, args[0])
	}
	t := db.tables[n]
	return &virtualTable{db: db, table: t}, conn.DeclareVTab(t.declaration())
}

// BestIndex is called for each way in which SQLite could run a query. It rejects a way that lacks a required condition,
// so that the planner uses another. [DB.Query] reports that no way is left.
func (v *virtualTable) BestIndex(idx *sqlite3.IndexInfo) error {
	if v.db.statement.compileOnly {
		return nil
	}
	if !planScan(v.table, idx) {
		v.db.statement.rejected(v.table)
		return sqlite3.CONSTRAINT
	}
	v.db.statement.accepted(v.table)
	return nil
}

// Open returns a cursor for one reference to the table in a query.
func (v *virtualTable) Open() (sqlite3.VTabCursor, error) {
	return &cursor{db: v.db, table: v.table}, nil
}

// A cursor reads the rows of one reference to a table. In a join SQLite calls Filter again for every row of the tables
// before it.
type cursor struct {
	db    *DB
	table *Table
	scan  *scan
	row   row // nil at the end

	// seen counts the rows with a hash, for RowID.
	seen map[uint64]int64
}

// Filter starts a scan.
func (c *cursor) Filter(_ int, idxStr string, args ...sqlite3.Value) (err error) {
	defer sqlitefile.CatchOutOfMemoryInCallback(&err)
	c.stop()
	var p plan
	if err := json.Unmarshal([]byte(idxStr), &p); err != nil {
		return err
	}
	request, err := newRequest(c.table, p, args)
	if err != nil {
		return err
	}
	if request.notTime != "" || request.asText != "" {
		c.db.statement.comparedText(c.table, request.notTime, request.asText)
	}
	if request.none {
		c.db.statement.skipped(c.table, request.emptyList)
		return nil
	}
	c.db.statement.started(c.table)
	c.scan = startScan(c.db, request)
	return c.Next()
}

// Next waits for a row.
func (c *cursor) Next() error {
	row, err := c.scan.next()
	c.row = row
	if err != nil {
		c.db.statement.fail(err)
	}
	return err
}

// EOF reports that there are no more rows.
func (c *cursor) EOF() bool { return c.row == nil }

// Column returns a value of the row.
func (c *cursor) Column(ctx sqlite3.Context, n int) (err error) {
	defer sqlitefile.CatchOutOfMemoryInCallback(&err)
	setResult(ctx, c.scan.request.value(c.row, n))
	return nil
}

// RowID identifies rows. SQLite uses it to run "a or b" as two scans without duplicates: a row that both scans find
// needs the same number in both, and equal rows of one scan need different numbers.
func (c *cursor) RowID() (int64, error) {
	hash := c.row.hash()
	if c.seen == nil {
		c.seen = make(map[uint64]int64)
	}
	nth := c.seen[hash]
	c.seen[hash]++
	return int64(hash) + nth, nil
}

// Close ends the scan.
func (c *cursor) Close() error {
	c.stop()
	return nil
}

func (c *cursor) stop() {
	if c.scan != nil {
		c.scan.stop()
	}
	c.scan, c.row, c.seen = nil, nil, nil
}
