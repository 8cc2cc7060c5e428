package dataset

import (
	"context"

	"github.com/ncruces/go-sqlite3"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/filestate"
)

// entry is a data file in the index.
type entry struct {
	file
	id                         int64
	used                       int64
	firstHost, lastHost        int64
	newest                     int64 // Unix microseconds
	isStored                   bool
	banners, badLines, badLine int64
	badReason                  string
}

const selectFiles = `select id, path, size, mtime, used, first_host, last_host, banners, bad_lines, bad_line, bad_reason, newest, stored, ctime from file`

// entries returns the files of the index by path.
func (c conn) entries() (map[string]entry, error) {
	found := map[string]entry{}
	err := c.Rows(selectFiles, nil, func(row *sqlite3.Stmt) (bool, error) {
		e := entry{
			file:      file{row.ColumnText(1), filestate.State{Size: row.ColumnInt64(2), Modified: row.ColumnInt64(3), Changed: row.ColumnInt64(13)}},
			id:        row.ColumnInt64(0),
			used:      row.ColumnInt64(4),
			firstHost: row.ColumnInt64(5), lastHost: row.ColumnInt64(6),
			banners: row.ColumnInt64(7), badLines: row.ColumnInt64(8), badLine: row.ColumnInt64(9),
			badReason: row.ColumnText(10), newest: row.ColumnInt64(11), isStored: row.ColumnInt64(12) != 0,
		}
		found[e.path] = e
		return true, nil
	})
	return found, err
}

// entries returns the files of the index by path.
func (x *index) entries(ctx context.Context) (known map[string]entry, err error) {
	err = x.read(ctx, func(c conn) error {
		known, err = c.entries()
		return err
	})
	return known, err
}
