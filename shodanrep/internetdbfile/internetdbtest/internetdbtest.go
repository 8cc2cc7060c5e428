// Package internetdbtest writes files like Shodan's internetdb.sqlite, for tests, measurements and the sample.
package internetdbtest

import (
	"errors"
	"fmt"
	"iter"

	"github.com/ncruces/go-sqlite3"
)

// A Row is a row of the file.
type Row struct {
	IP                                  any // a string or an int64
	Ports, Tags, CPEs, Vulns, Hostnames string
}

// Schema is the statement that makes the table.
const Schema = "CREATE TABLE data (ip TEXT, ports TEXT, tags TEXT, cpes TEXT, vulns TEXT, hostnames TEXT)"

// Index is the statement that makes the index.
const Index = "CREATE INDEX data_ip ON data (ip)"

// Write writes a file with rows and an index.
func Write(path string, rows iter.Seq[Row]) error { return WriteAs(path, Schema, Index, rows) }

// WriteAs writes a file whose table and index other statements make. The index may be empty.
func WriteAs(path, schema, index string, rows iter.Seq[Row]) (err error) {
	db, err := sqlite3.Open(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := db.Exec("PRAGMA journal_mode = off; PRAGMA synchronous = off; BEGIN; " + schema); err != nil {
		return err
	}
	insert, _, err := db.Prepare("INSERT INTO data (ip, ports, tags, cpes, vulns, hostnames) VALUES (?, ?, ?, ?, ?, ?)")
	if err != nil {
		return err
	}
	for row := range rows {
		switch ip := row.IP.(type) {
		case string:
			err = insert.BindText(1, ip)
		case int64:
			err = insert.BindInt64(1, ip)
		default:
			err = fmt.Errorf("an address cannot be a %T", ip)
		}
		for i, text := range []string{row.Ports, row.Tags, row.CPEs, row.Vulns, row.Hostnames} {
			err = errors.Join(err, insert.BindText(i+2, text))
		}
		if err = errors.Join(err, insert.Exec()); err != nil {
			return errors.Join(err, insert.Close())
		}
	}
	return errors.Join(insert.Close(), db.Exec(index+"; COMMIT"))
}
