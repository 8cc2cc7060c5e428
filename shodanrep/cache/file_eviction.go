package cache

import (
	"fmt"

	"github.com/ncruces/go-sqlite3"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/sqlitefile"
)

// evict makes room where the file is larger than its bound. It deletes what has expired, then what was checked longest
// ago. It goes down to nine tenths of the bound, so that not each Put has to. It runs within the Put's transaction.
func (f *fileStore) evict(c *sqlitefile.Conn) error {
	p, err := c.Pages()
	if err != nil || p.Used() <= f.opts.MaxBytes {
		return err
	}
	if err := c.Run(deleteExpired, f.opts.Now().UnixMicro()); err != nil {
		return err
	}
	bound := f.opts.MaxBytes / 10 * 9
	for {
		if p, err = c.Pages(); err != nil {
			return err
		}
		if p.Used() <= bound {
			break
		}
		if n, err := deleteOldest(c, p.Used()-bound); err != nil {
			return err
		} else if n == 0 {
			break // what is left are the tables themselves
		}
	}
	// The next entries use the free pages. Only those beyond the bound go back to the file system, as when the bound was
	// lowered.
	if surplus := min(p.Count-f.opts.MaxBytes/p.Size, p.Free); surplus > 0 {
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
