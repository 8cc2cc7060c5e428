package embedded

import (
	"bufio"
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/ncruces/go-sqlite3"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/ipaddr"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/sqlitefile"
)

// AttachCSV makes a table of a CSV file, which may be packed with gzip or zstd. Its first line names the columns; where
// that holds an address it is data, and the columns are called "ip", or "column_1" and so on. The separator is a comma,
// a semicolon, a tab or a bar, as the file has it, or what a first line such as "sep=;" says. Lines that begin with #
// are comments. A column of numbers compares as numbers, one of true and false is a truth value, any other is text, and
// an empty cell is NULL.
func (db *DB) AttachCSV(name, path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	return db.AttachCSVFrom(name, path, file)
}

// AttachCSVFrom is [DB.AttachCSV] for what a reader has, which messages call source.
func (db *DB) AttachCSVFrom(name, source string, r io.Reader) (err error) {
	defer sqlitefile.CatchOutOfMemory(&err)
	db.mu.Lock()
	defer db.mu.Unlock()
	text, done, err := plainText(r)
	defer done()
	if err == nil {
		err = db.attachCSV(name, source, text)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", source, err)
	}
	return nil
}

// attachCSV copies the file into a temporary table: SQLite can index that for a join, and the file is read once, so
// that it may be a pipe.
func (db *DB) attachCSV(name, source string, text *bufio.Reader) (err error) {
	sample, err := text.Peek(sampleSize)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	lines := &csvLines{text: text, dialect: findDialect(sample, err != nil)}
	if _, err := text.Discard(lines.dialect.skip); err != nil {
		return err
	}
	reader := csv.NewReader(lines)
	reader.Comma, reader.ReuseRecord = lines.dialect.comma, true
	first, err := reader.Read()
	if errors.Is(err, io.EOF) {
		return errors.New("the file is empty, its first line must name the columns")
	}
	if err != nil {
		return err
	}
	first = slices.Clone(first) // the reader uses it again
	var header []string
	if isData(first) {
		header = numbered(len(first))
	} else if header, err = csvHeader(first); err != nil {
		return err
	} else {
		first = nil
	}
	for _, t := range db.tables {
		if strings.EqualFold(t.Name, name) {
			return fmt.Errorf("the table %s exists already, attach the file by another name", name)
		}
	}

	if err := db.conn.Exec("SAVEPOINT attach"); err != nil {
		return sqlError(err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, db.conn.Exec("ROLLBACK TO attach"))
		}
		err = errors.Join(err, db.conn.Exec("RELEASE attach"))
	}()
	table, staged := sqlite3.QuoteIdentifier(name), sqlite3.QuoteIdentifier(name+" (as read)")
	types, err := db.stage(staged, header, first, reader)
	if err != nil {
		return err
	}
	columns, values := make([]string, len(header)), make([]string, len(header))
	for i, column := range header {
		columns[i] = sqlite3.QuoteIdentifier(column) + " " + types[i]
		// SQLite turns the text into numbers where the column has a numeric type, but knows no true and false.
		values[i] = fmt.Sprintf("c%d", i)
		if types[i] == "BOOLEAN" {
			values[i] = fmt.Sprintf("lower(c%d) = 'true'", i)
		}
	}
	err = db.conn.Exec(fmt.Sprintf("CREATE TABLE temp.%[1]s (%[3]s); INSERT INTO temp.%[1]s SELECT %[4]s FROM temp.%[2]s; DROP TABLE temp.%[2]s",
		table, staged, strings.Join(columns, ", "), strings.Join(values, ", ")))
	if err != nil {
		return sqlError(err)
	}
	if first != nil {
		db.warn(fmt.Sprintf("%s: the first line is data, it names no columns: they are called %s", source, strings.Join(header, ", ")))
	}
	like := 0
	for _, separators := range lines.comments {
		if len(header) > 1 && separators == len(header)-1 {
			like++
		}
	}
	if like > 0 {
		db.warn(fmt.Sprintf("%s: %d lines that look like rows begin with #, and are left out as comments", source, like))
	}
	return nil
}

// isData reports whether a record holds an address or a network, which is no name of a column.
func isData(record []string) bool {
	return slices.ContainsFunc(record, func(field string) bool {
		_, ok := ipaddr.Parse(field)
		return ok
	})
}

// numbered returns names for the columns of a file that names none.
func numbered(n int) []string {
	if n == 1 {
		return []string{"ip"}
	}
	names := make([]string, n)
	for i := range names {
		names[i] = "column_" + strconv.Itoa(i+1)
	}
	return names
}

// csvHeader returns the names of the columns.
func csvHeader(record []string) ([]string, error) {
	header, seen := make([]string, len(record)), make(map[string]bool)
	for i, field := range record {
		field = strings.TrimSpace(field)
		if strings.ContainsRune(field, 0) {
			return nil, errors.New("the first line has a NUL character in it; is this a CSV file in UTF-8?")
		}
		if field == "" {
			field = "column" + strconv.Itoa(i+1)
		}
		if seen[strings.ToLower(field)] {
			return nil, fmt.Errorf("the first line names two columns %q", field)
		}
		seen[strings.ToLower(field)] = true
		header[i] = field
	}
	return header, nil
}

// stage copies the records into a table of text, after the first one where that is data, and returns the type that fits
// all of each column.
func (db *DB) stage(table string, header, first []string, reader *csv.Reader) (types []string, err error) {
	columns, marks := make([]string, len(header)), make([]string, len(header))
	for i := range header {
		columns[i], marks[i] = fmt.Sprintf("c%d TEXT", i), "?"
	}
	err = db.conn.Exec(fmt.Sprintf("CREATE TABLE temp.%s (%s)", table, strings.Join(columns, ", ")))
	if err != nil {
		return nil, sqlError(err)
	}
	insert, _, err := db.conn.Prepare(fmt.Sprintf("INSERT INTO temp.%s VALUES (%s)", table, strings.Join(marks, ", ")))
	if err != nil {
		return nil, sqlError(err)
	}
	defer insert.Close()

	types = make([]string, len(header))
	for {
		record, err := first, error(nil)
		if first = nil; record == nil {
			record, err = reader.Read()
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if errors.Is(err, csv.ErrFieldCount) {
			line, _ := reader.FieldPos(0)
			return nil, fmt.Errorf("line %d has %d fields, the first line names %d columns", line, len(record), len(header))
		}
		if err != nil {
			return nil, err
		}
		for i, field := range record {
			if field == "" {
				err = insert.BindNull(i + 1)
			} else {
				types[i] = widen(types[i], field)
				err = insert.BindText(i+1, field)
			}
			if err != nil {
				return nil, sqlError(err)
			}
		}
		if err := insert.Exec(); err != nil {
			return nil, sqlError(err)
		}
	}
	for i := range types {
		if types[i] == "" {
			types[i] = "TEXT"
		}
	}
	return types, nil
}

// isBoolean reports whether a field is a truth value as Steampipe writes one.
func isBoolean(field string) bool {
	return strings.EqualFold(field, "true") || strings.EqualFold(field, "false")
}

// widen returns the type of a column of the given type ("" before its first value) when the field is in it as well.
// What would read differently as a number, such as 007, 1e5 or 1.10, is text.
func widen(columnType, field string) string {
	if columnType == "TEXT" || isBoolean(field) != (columnType == "BOOLEAN") && columnType != "" {
		return "TEXT"
	}
	if isBoolean(field) {
		return "BOOLEAN"
	}
	if i, err := strconv.ParseInt(field, 10, 64); err == nil && strconv.FormatInt(i, 10) == field {
		return cmp.Or(columnType, "INTEGER")
	}
	if f, err := strconv.ParseFloat(field, 64); err == nil {
		if text := strconv.FormatFloat(f, 'f', -1, 64); text == field || text+".0" == field {
			return "REAL"
		}
	}
	return "TEXT"
}
