package history

import (
	"context"
	"fmt"

	"github.com/ncruces/go-sqlite3"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/sqlitefile"
)

// A pruner deletes states that are too old, now and then, and the oldest while the file is larger than its bound, a few at a
// time.
type pruner struct {
	*sqliteBackend
	// bound is what the file is to be smaller than: MaxBytes, or less once that was exceeded, so that not each write has to
	// delete.
	bound int64
}

// isPruneDue reports whether there is something to delete. It runs within the transaction that writes.
func (b *sqliteBackend) isPruneDue(c *sqlitefile.Conn) (bool, error) {
	_, due, err := b.nextRetention(c)
	if err != nil || due {
		return due, err
	}
	p, err := c.Pages()
	return p.Used() > b.opts.MaxBytes || b.surplus(p) > 0, err
}

// prune deletes what is too old or too much, after a write.
func (b *sqliteBackend) prune(ctx context.Context) {
	p := &pruner{b, b.opts.MaxBytes}
	b.pruning.run(ctx, b.opts.Logger, func() (more bool, err error) {
		err = b.do(ctx, func(db *sqlitefile.File) error {
			return db.Write(ctx, func(c *sqlitefile.Conn) (err error) {
				more, err = p.pruneSome(c)
				return err
			})
		})
		return more, err
	})
}

// pruneSome is one transaction of prune. It reports whether more is to be deleted.
func (p *pruner) pruneSome(c *sqlitefile.Conn) (more bool, err error) {
	if more, err = p.deleteOld(c); err != nil || more {
		return more, err
	}
	if more, err = p.evict(c); err != nil || more {
		return more, err
	}
	return p.free(c)
}

// free gives some pages back to the file system, and reports whether there are more.
func (p *pruner) free(c *sqlitefile.Conn) (more bool, err error) {
	before, err := c.Pages()
	surplus := p.surplus(before)
	if err != nil || surplus <= 0 {
		return false, err
	}
	if err := c.Exec(fmt.Sprintf("PRAGMA incremental_vacuum(%d)", min(surplus, freedAtOnce))); err != nil {
		return false, err
	}
	after, err := c.Pages()
	return after.Free < before.Free && p.surplus(after) > 0, err
}

// nextRetention returns the next retention, and whether it is due.
func (b *sqliteBackend) nextRetention(c *sqlitefile.Conn) (next retention, due bool, err error) {
	found := false
	err = c.Rows(`SELECT ran, until FROM retention`, nil, func(row *sqlite3.Stmt) (bool, error) {
		found, next = true, retention{timeOf(row.ColumnInt64(0)), timeOf(row.ColumnInt64(1))}
		return false, nil
	})
	if err != nil {
		return next, false, err
	}
	now := b.opts.Now()
	if !found {
		return retention{now, now}, false, c.Run(`INSERT INTO retention VALUES (?, ?)`, now.UnixMicro(), now.UnixMicro())
	}
	next, due = next.next(now)
	return next, due, nil
}

// deleteOld deletes some of the states that are too old, if it is due, and reports whether there may be more. The retention
// stays due until all are deleted.
func (p *pruner) deleteOld(c *sqlitefile.Conn) (more bool, err error) {
	next, due, err := p.nextRetention(c)
	if err != nil || !due {
		return false, err
	}
	before := next.before(p.opts.Keep)
	var ids []int64
	err = c.Rows(`SELECT id FROM history INDEXED BY history_age WHERE last_checked < ? ORDER BY last_checked LIMIT ?`,
		[]any{before.UnixMicro(), int64(p.pruning.atOnce)}, func(row *sqlite3.Stmt) (bool, error) {
			ids = append(ids, row.ColumnInt64(0))
			return true, nil
		})
	if err == nil {
		err = deleteStates(c, ids)
	}
	if err != nil || len(ids) == p.pruning.atOnce {
		return true, err
	}
	if err := pruneFailures(c, before); err != nil {
		return false, err
	}
	return false, c.Run(`UPDATE retention SET ran = ?, until = ?`, next.ran.UnixMicro(), next.until.UnixMicro())
}

// evict deletes some of the states that were checked longest ago where the file is larger than its bound, and reports
// whether there may be more. It goes down to nine tenths of MaxBytes.
func (p *pruner) evict(c *sqlitefile.Conn) (more bool, err error) {
	pages, err := c.Pages()
	if err != nil || pages.Used() <= p.bound {
		return false, err
	}
	if p.bound == p.opts.MaxBytes {
		p.bound = p.opts.MaxBytes / 10 * 9
		if err := evictFailures(c, p.opts.MaxBytes); err != nil {
			return false, err
		}
		if pages, err = c.Pages(); err != nil || pages.Used() <= p.bound {
			return false, err
		}
	}
	n, err := deleteOldest(c, pages.Used()-p.bound, p.pruning.atOnce)
	return n > 0, err // if there is none, what is left are the tables themselves
}

// surplus returns how many pages go back to the file system: free ones beyond the bound, and those beyond a quarter of the
// file, such as after history_keep was made shorter. The next states use the others.
func (b *sqliteBackend) surplus(p sqlitefile.Pages) int64 {
	return min(p.Free, max(p.Count-b.opts.MaxBytes/p.Size, p.Free-p.Count/4-freedAtOnce))
}

// deleteOldest deletes states that take up about so many bytes, a few at most, and returns how many states.
func deleteOldest(c *sqlitefile.Conn, bytes int64, most int) (int, error) {
	const perRow = 160 // the numbers, the hashes, and the places in the indexes
	var ids []int64
	err := c.Rows(`SELECT id, coalesce(octet_length(facts), 0) + coalesce(octet_length(ports), 0) + coalesce(octet_length(vulns), 0) +
		coalesce(octet_length(tags), 0) + coalesce(octet_length(hostnames), 0) + coalesce(octet_length(certificates), 0)
		FROM history ORDER BY last_checked`, nil, func(row *sqlite3.Stmt) (bool, error) {
		ids = append(ids, row.ColumnInt64(0))
		bytes -= row.ColumnInt64(1) + perRow
		return bytes > 0 && len(ids) < most, nil
	})
	if err != nil {
		return 0, err
	}
	return len(ids), deleteStates(c, ids)
}

func deleteStates(c *sqlitefile.Conn, ids []int64) error {
	for _, id := range ids {
		if err := c.Run(`DELETE FROM history WHERE id = ?`, id); err != nil {
			return err
		}
	}
	return nil
}
