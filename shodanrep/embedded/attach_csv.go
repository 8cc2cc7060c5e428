package embedded

import (
	"fmt"
	"io"
	"os"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/sqlitefile"
)

// AttachCSV creates a table from a CSV file, which may be compressed with gzip or zstd. The first line names the
// columns; if it has an address it is data, and the columns are called "ip", or "column_1" and so on. The separator is
// a comma, a semicolon, a tab or a bar, whichever the file has, or what a first line such as "sep=;" says. Lines that
// begin with # are comments. A column of numbers compares as numbers, a column of true and false is boolean, any other
// is text, and an empty cell is NULL.
func (db *DB) AttachCSV(name, path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	return db.AttachCSVFrom(name, path, file)
}

// AttachCSVFrom is [DB.AttachCSV] for a reader. Errors and warnings call it source.
func (db *DB) AttachCSVFrom(name, source string, r io.Reader) (err error) {
	defer sqlitefile.CatchOutOfMemory(&err)
	db.mu.Lock()
	defer db.mu.Unlock()
	text, done, err := decode(r)
	defer done()
	if err == nil {
		i := &csvImport{db: db, name: name, source: source}
		err = i.run(text)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", source, err)
	}
	return nil
}
