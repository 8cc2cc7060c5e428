package cache

import (
	"fmt"

	"github.com/ncruces/go-sqlite3"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/sqlitefile"
)

// evict makes room where the file is larger than its bound. It deletes what has expired, then what was checked longest
// ago. It goes down to nine tenths of the bound, so that not each Put has to. It runs within the Put's transaction.
func (f *fileStore) evict(c *sqlitefile.Conn) error {
	p, err := readPages(c)
	if err != nil || p.used() <= f.opts.MaxBytes {
		return err
	}
	if err := c.Run(deleteExpired, f.opts.Now().UnixMicro()); err != nil {
		return err
	}
	bound := f.opts.MaxBytes / 10 * 9
	for {
		if p, err = readPages(c); err != nil {
			return err
		}
		if p.used() <= bound {
			break
		}
		if n, err := deleteOldest(c, p.used()-bound); err != nil {
			return err
		} else if n == 0 {
			break // what is left are the tables themselves
		}
	}
	// The next entries use the free pages. Only those beyond the bound go back to the file system, as when the bound was
	// lowered.
	if surplus := min(p.count-f.opts.MaxBytes/p.size, p.free); surplus > 0 {
		return c.Exec(fmt.Sprintf("PRAGMA incremental_vacuum(%d)", surplus))
	}
	return nil
}

// deleteOldest deletes entries that take up so many bytes, and returns how many entries.
func deleteOldest(c *sqlitefile.Conn, bytes int64) (int, error) {
	const perRow = 64 // the row's numbers, and its places in the indexes beside the key itself
	var ids []int64
	err := c.Rows(`SELECT id, coalesce(octet_length(body), 0), octet_length(subject) + octet_length(service) +
		octet_length(asked) FROM answer INDEXED BY answer_age ORDER BY checked_at`, nil, func(row *sqlite3.Stmt) (bool, error) {
		ids = append(ids, row.ColumnInt64(0))
		bytes -= row.ColumnInt64(1) + 2*row.ColumnInt64(2) + perRow
		return bytes > 0, nil
	})
	if err != nil {
		return 0, err
	}
	for _, id := range ids {
		if err := c.Run(`DELETE FROM answer WHERE id = ?`, id); err != nil {
			return 0, err
		}
	}
	return len(ids), nil
}

// pages are the pages of the file, as SQLite knows them without a look at any row.
type pages struct{ size, count, free int64 }

func (p pages) used() int64 { return (p.count - p.free) * p.size }

func readPages(c *sqlitefile.Conn) (p pages, err error) {
	for _, q := range []struct {
		pragma string
		to     *int64
	}{{"PRAGMA page_size", &p.size}, {"PRAGMA page_count", &p.count}, {"PRAGMA freelist_count", &p.free}} {
		if *q.to, err = c.Number(q.pragma); err != nil {
			return p, err
		}
	}
	return p, nil
}
