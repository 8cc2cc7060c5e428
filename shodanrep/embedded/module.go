package embedded

import (
	"encoding/json"
	"fmt"
	"hash/maphash"
	"strconv"

	"github.com/ncruces/go-sqlite3"
	"github.com/turbot/steampipe-plugin-sdk/v5/grpc/proto"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/sqlitefile"
)

// moduleName is the name under which SQLite knows the plugin's tables; its argument is the table's number.
const moduleName = "plugin_table"

// virtualTable is a table of the plugin as SQLite sees it.
type virtualTable struct {
	db *DB
	t  *Table
}

// connect is called by SQLite for each CREATE VIRTUAL TABLE.
func (db *DB) connect(conn *sqlite3.Conn, _, _, _ string, args ...string) (*virtualTable, error) {
	if len(args) != 1 {
		return nil, fmt.Errorf("%s takes one argument", moduleName)
	}
	n, err := strconv.Atoi(args[0])
	if err != nil || n < 0 || n >= len(db.tables) {
		return nil, fmt.Errorf("%s: no table has the number %q", moduleName, args[0])
	}
	t := db.tables[n]
	return &virtualTable{db: db, t: t}, conn.DeclareVTab(t.declaration())
}

// BestIndex is asked for each way in which SQLite could run a query. A way that lacks a required condition is refused,
// so that the planner takes another; whether any is left, [DB.Query] finds out.
func (v *virtualTable) BestIndex(idx *sqlite3.IndexInfo) error {
	if v.db.statement.compileOnly {
		return nil
	}
	if !v.t.choose(idx) {
		v.db.statement.refused(v.t)
		return sqlite3.CONSTRAINT
	}
	v.db.statement.accepted(v.t)
	return nil
}

// Open returns a cursor for one reference to the table in a query.
func (v *virtualTable) Open() (sqlite3.VTabCursor, error) {
	return &cursor{db: v.db, t: v.t}, nil
}

// cursor reads the rows of one reference to a table; SQLite starts it over, with Filter, for every row of what comes
// before it in a join.
type cursor struct {
	db   *DB
	t    *Table
	scan *scan
	row  *proto.Row

	// seen counts the rows of one hash, for RowID.
	seen map[uint64]int64
}

// rowSeed makes the hashes of equal rows equal in all cursors.
var rowSeed = maphash.MakeSeed()

// Filter starts a scan.
func (c *cursor) Filter(_ int, idxStr string, args ...sqlite3.Value) (err error) {
	defer sqlitefile.CatchOutOfMemoryInCallback(&err)
	c.stop()
	var p plan
	if err := json.Unmarshal([]byte(idxStr), &p); err != nil {
		return err
	}
	request, err := newRequest(c.t, p, args)
	if err != nil {
		return err
	}
	if request.none {
		c.db.statement.skipped(c.t, request.emptyList)
		return nil
	}
	c.db.statement.asked(c.t)
	c.scan = c.db.startScan(request)
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

// Column hands over a value of the row.
func (c *cursor) Column(ctx sqlite3.Context, n int) (err error) {
	defer sqlitefile.CatchOutOfMemoryInCallback(&err)
	setResult(ctx, c.row.Columns[c.t.Columns[n].Name])
	return nil
}

// RowID tells rows apart. SQLite asks for it where it runs "a or b" as two scans and wants no row twice: so a row that
// both scans find needs the same number in both, and rows that look alike within one scan need different ones.
func (c *cursor) RowID() (int64, error) {
	hash := hashRow(rowSeed, c.row)
	if c.seen == nil {
		c.seen = make(map[uint64]int64)
	}
	nth := c.seen[hash]
	c.seen[hash]++
	return int64(hash) + nth, nil
}

// Close ends the scan, however far it is.
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
