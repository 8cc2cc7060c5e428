package internetdbfile

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"
	"strings"
	"sync"

	"github.com/ncruces/go-sqlite3"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/sqlitefile"
)

// maxConns is how many connections read at a time. Each has a page cache.
const maxConns = 8

// A database is one version of a file, opened.
type database struct {
	path    string  // of the SQLite file
	source  version // of the file that the user named
	version version // of the SQLite file
	layout  layout

	idle chan *conn
	// retired is closed when another version takes the place of this one.
	retired chan struct{}
	mu      sync.Mutex // guards what put and retire do

	// checking holds a token while a call uses the fields after it, see ensureFindable.
	checking  chan struct{}
	isChecked bool
	checkErr  error
}

// openDatabase opens a SQLite file and checks that it can be used.
func openDatabase(path string, source version) (*database, error) {
	v, err := statFile(path)
	if err != nil {
		return nil, err
	}
	if err := checkHeader(path, v.state.Size); err != nil {
		return nil, err
	}
	d := &database{
		path: path, source: source, version: v,
		idle: make(chan *conn, maxConns), retired: make(chan struct{}), checking: make(chan struct{}, 1),
	}
	if d.layout, err = readLayout(path); err != nil {
		return nil, withAdvice(err)
	}
	for range max(2, min(runtime.GOMAXPROCS(0), maxConns)) {
		c, err := d.connect()
		if err != nil {
			d.retire()
			return nil, withAdvice(err)
		}
		d.idle <- c
	}
	return d, nil
}

// take returns a connection. It fails with errRetired if another version took the place of the database.
func (d *database) take(ctx context.Context) (*conn, error) {
	select {
	case c := <-d.idle:
		return c, nil
	case <-d.retired:
		return nil, errRetired
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// put gives a connection back.
func (d *database) put(c *conn) {
	d.mu.Lock()
	defer d.mu.Unlock()
	select {
	case <-d.retired:
		c.close()
	default:
		d.idle <- c
	}
}

// retire closes the connections, those in use when they are given back.
func (d *database) retire() {
	d.mu.Lock()
	defer d.mu.Unlock()
	close(d.retired)
	for len(d.idle) > 0 {
		select {
		case c := <-d.idle:
			c.close()
		default:
		}
	}
}

// isUnchanged reports whether the SQLite file was not written to since it was opened. A file that took its place at the
// path does not matter: the connections still read the old one.
func (d *database) isUnchanged() bool {
	now, err := statFile(d.path)
	return err != nil || !os.SameFile(now.FileInfo, d.version.FileInfo) || now.same(d.version)
}

// The header of a SQLite file: https://sqlite.org/fileformat.html#the_database_header
const (
	headerSize  = 100
	headerMagic = "SQLite format 3\x00"
)

// readHeader returns the header of a SQLite file, or an error if a file is none.
func readHeader(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, cause(err)
	}
	defer file.Close()
	header := make([]byte, headerSize)
	n, err := io.ReadFull(file, header)
	switch {
	case n == 0 && err == io.EOF:
		return nil, errors.New("it is empty")
	case err != nil && err != io.EOF && err != io.ErrUnexpectedEOF:
		return nil, cause(err)
	case n < headerSize || string(header[:len(headerMagic)]) != headerMagic:
		return nil, fmt.Errorf("it is no SQLite database: internetdb_file is Shodan's internetdb.sqlite, as it is or compressed with bzip2, zstd or gzip%s", looksLike(header[:n]))
	}
	return header, nil
}

// checkHeader returns an error if a file is no complete SQLite file, or is being written.
func checkHeader(path string, size int64) error {
	header, err := readHeader(path)
	if err != nil {
		return err
	}
	pageSize := int64(binary.BigEndian.Uint16(header[16:]))
	if pageSize == 1 {
		pageSize = 1 << 16
	}
	pages, sizeIsValid := int64(binary.BigEndian.Uint32(header[28:])), string(header[24:28]) == string(header[92:96])
	if want := pages * pageSize; sizeIsValid && size < want {
		return fmt.Errorf("it is not complete: it has %d of %d bytes; copy or download it again", size, want)
	}
	for _, ending := range []string{"-journal", "-wal"} {
		if info, err := os.Stat(path + ending); err == nil && info.Size() > 0 {
			return fmt.Errorf("another program is writing it, or was interrupted, because %s%s exists: wait for that program, or run: shodanrep dataset index %s",
				path, ending, shellQuoted(path))
		}
	}
	return nil
}

// looksLike describes the beginning of a file that is none of ours.
func looksLike(head []byte) string {
	switch text := strings.TrimSpace(string(head)); {
	case strings.HasPrefix(text, "PK\x03\x04"):
		return "; this is a ZIP archive"
	case strings.HasPrefix(text, "\xfd7zXZ"):
		return "; this is xz"
	case strings.HasPrefix(text, "{"), strings.HasPrefix(text, "["):
		return "; this is JSON, which the argument data_files reads"
	case strings.HasPrefix(text, "<"):
		return "; this is HTML or XML"
	}
	return ""
}

// withAdvice says what to do about an error of SQLite.
func withAdvice(err error) error {
	if err == nil || errors.Is(err, fs.ErrPermission) {
		return err
	}
	if sqlitefile.IsDamaged(err) || errors.Is(err, sqlite3.CANTOPEN) {
		return fmt.Errorf("it is damaged (%w): copy or download it again", err)
	}
	return err
}

// shellQuoted quotes a path for a command line if it needs that.
func shellQuoted(path string) string {
	others, isWindows := "/._-+:@%,", os.IsPathSeparator('\\')
	if isWindows {
		others += `\`
	}
	if strings.ContainsFunc(path, func(r rune) bool {
		return !(r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' || strings.ContainsRune(others, r))
	}) {
		if isWindows { // its command lines have double quotes, and its paths have none
			return `"` + path + `"`
		}
		return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
	}
	return path
}
