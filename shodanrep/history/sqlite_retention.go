package history

import (
	"fmt"

	"github.com/ncruces/go-sqlite3"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/sqlitefile"
)

// prune deletes states that are too old, now and then, and the oldest where the file is larger than its bound. It runs
// within the transaction that writes.
func (b *sqliteBackend) prune(c *sqlitefile.Conn) error {
	var last retention
	found := false
	err := c.Rows(`SELECT ran, until FROM retention`, nil, func(row *sqlite3.Stmt) (bool, error) {
		found, last = true, retention{timeOf(row.ColumnInt64(0)), timeOf(row.ColumnInt64(1))}
		return false, nil
	})
	if err != nil {
		return err
	}
	now := b.opts.Now()
	next, due := last.next(now)
	if !found {
		next, due = retention{now, now}, false
		err = c.Run(`INSERT INTO retention VALUES (?, ?)`, now.UnixMicro(), now.UnixMicro())
	}
	if due {
		err = b.deleteOld(c, next)
	}
	if err != nil {
		return err
	}
	return b.evict(c)
}

func (b *sqliteBackend) deleteOld(c *sqlitefile.Conn, r retention) error {
	if err := c.Run(`UPDATE retention SET ran = ?, until = ?`, r.ran.UnixMicro(), r.until.UnixMicro()); err != nil {
		return err
	}
	before := r.before(b.opts.Keep)
	if err := pruneFailures(c, before); err != nil {
		return err
	}
	return c.Run(`DELETE FROM history WHERE last_checked < ?`, before.UnixMicro())
}

// evict deletes the states that were checked longest ago where the file is larger than its bound. It goes down to nine
// tenths of it, so that not each batch has to.
func (b *sqliteBackend) evict(c *sqlitefile.Conn) error {
	p, err := c.Pages()
	if err != nil || p.Used() <= b.opts.MaxBytes {
		return err
	}
	if err := evictFailures(c, b.opts.MaxBytes); err != nil {
		return err
	}
	if p, err = c.Pages(); err != nil {
		return err
	}
	bound := b.opts.MaxBytes / 10 * 9
	for p.Used() > bound {
		if n, err := deleteOldest(c, p.Used()-bound); err != nil {
			return err
		} else if n == 0 {
			break // what is left are the tables themselves
		}
		if p, err = c.Pages(); err != nil {
			return err
		}
	}
	// The next states use the free pages. Only those beyond the bound go back to the file system.
	if surplus := min(p.Count-b.opts.MaxBytes/p.Size, p.Free); surplus > 0 {
		return c.Exec(fmt.Sprintf("PRAGMA incremental_vacuum(%d)", surplus))
	}
	return nil
}

// deleteOldest deletes states that take up about so many bytes, and returns how many states.
func deleteOldest(c *sqlitefile.Conn, bytes int64) (int, error) {
	const perRow = 160 // the numbers, the hashes, and the places in the indexes
	var ids []int64
	err := c.Rows(`SELECT id, coalesce(octet_length(facts), 0) + coalesce(octet_length(ports), 0) + coalesce(octet_length(vulns), 0) +
		coalesce(octet_length(tags), 0) + coalesce(octet_length(hostnames), 0) + coalesce(octet_length(certificates), 0)
		FROM history ORDER BY last_checked`, nil, func(row *sqlite3.Stmt) (bool, error) {
		ids = append(ids, row.ColumnInt64(0))
		bytes -= row.ColumnInt64(1) + perRow
		return bytes > 0, nil
	})
	if err != nil {
		return 0, err
	}
	for _, id := range ids {
		if err := c.Run(`DELETE FROM history WHERE id = ?`, id); err != nil {
			return 0, err
		}
	}
	return len(ids), nil
}
