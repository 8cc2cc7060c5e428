package history

import (
	"context"
	"encoding/hex"
	"fmt"
	"net/netip"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/sqlitefile"
)

// failureSchema makes the table of failures with the first one: a file that an earlier version made has none, and that
// version can use the file with it.
const failureSchema = `CREATE TABLE IF NOT EXISTS failure (
	ip TEXT NOT NULL,
	ip_order BLOB NOT NULL,
	source TEXT NOT NULL,
	first_failed INTEGER NOT NULL, -- microseconds since 1970
	last_failed INTEGER NOT NULL,
	lookups INTEGER NOT NULL,
	reason TEXT NOT NULL,
	PRIMARY KEY (ip_order, source)
) STRICT, WITHOUT ROWID`

// saveFailure adds to the failures of an address, or begins again where the source has responded since then.
const saveFailure = `INSERT INTO failure (ip, ip_order, source, first_failed, last_failed, lookups, reason) VALUES (?, ?, ?, ?, ?, ?, ?)
	ON CONFLICT (ip_order, source) DO UPDATE SET
		first_failed = iif(` + respondedSQLite + `, excluded.first_failed, min(first_failed, excluded.first_failed)),
		lookups = iif(` + respondedSQLite + `, excluded.lookups, lookups + excluded.lookups),
		reason = iif(excluded.last_failed >= last_failed, excluded.reason, reason),
		last_failed = max(last_failed, excluded.last_failed)`

// respondedSQLite is the condition that the source has responded since the last failure.
const respondedSQLite = `EXISTS (SELECT 1 FROM history h WHERE h.ip_order = failure.ip_order AND h.source = failure.source
	AND h.last_checked >= failure.last_failed)`

func (t sqliteTransaction) saveFailures(failures []Failure) error {
	if len(failures) == 0 {
		return nil
	}
	if err := t.Exec(failureSchema); err != nil {
		return err
	}
	for _, f := range failures {
		err := t.Run(saveFailure, f.Addr.String(), orderOf(f.Addr), f.Source, f.First.UnixMicro(), f.Last.UnixMicro(), f.Lookups, f.Reason)
		if err != nil {
			return err
		}
	}
	return nil
}

func hasFailures(c *sqlitefile.Conn) (bool, error) {
	n, err := c.Number(`SELECT count(*) FROM sqlite_schema WHERE name = 'failure'`)
	return n > 0, err
}

func (b *sqliteBackend) failures(ctx context.Context, addrs []netip.Addr, since time.Time, yield func(Failure) bool) error {
	query := `SELECT ip_order, source, first_failed, last_failed, lookups, reason FROM failure
		WHERE last_failed >= ? AND last_failed <= ? AND NOT ` + respondedSQLite
	args := []any{since.UnixMicro(), b.opts.Now().Add(clockSkew).UnixMicro()}
	if len(addrs) > 0 {
		orders := make([]string, 0, len(addrs))
		for _, addr := range addressesOf(addrs) {
			orders = append(orders, hex.EncodeToString(orderOf(addr)))
		}
		query += ` AND ip_order IN (SELECT unhex(value) FROM json_each(?))`
		args = append(args, listOrNil(orders))
	}
	return b.readOnce(ctx, func(c *sqlitefile.Conn, begin func()) error {
		if has, err := hasFailures(c); !has {
			return err
		}
		return c.Rows(query, args, func(row *sqlite3.Stmt) (bool, error) {
			order := row.ColumnRawBlob(0)
			addr, ok := netip.AddrFromSlice(order[min(1, len(order)):])
			if !ok {
				return false, fmt.Errorf("a failure has no address")
			}
			begin()
			return yield(Failure{
				Addr: addr, Source: row.ColumnText(1), First: timeOf(row.ColumnInt64(2)), Last: timeOf(row.ColumnInt64(3)),
				Lookups: row.ColumnInt64(4), Reason: row.ColumnText(5),
			}), nil
		})
	})
}

// pruneFailures deletes the failures that say nothing any more.
func pruneFailures(c *sqlitefile.Conn, before time.Time) error {
	if has, err := hasFailures(c); !has {
		return err
	}
	return c.Run(`DELETE FROM failure WHERE last_failed < ? OR `+respondedSQLite, before.UnixMicro())
}

// evictFailures keeps the newest failures, in a file that is larger than its bound.
func evictFailures(c *sqlitefile.Conn, bound int64) error {
	if has, err := hasFailures(c); !has {
		return err
	}
	return c.Run(`DELETE FROM failure WHERE (ip_order, source) IN (SELECT ip_order, source FROM failure
		ORDER BY last_failed DESC LIMIT -1 OFFSET ?)`, bound/failureShare/failureBytes)
}
