package embedded

import (
	"bufio"
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/ncruces/go-sqlite3"
)

// AttachCSV makes a table of a CSV file, or of one with tabs if its name ends in .tsv. Its first line names the
// columns. A column of numbers compares as numbers, one of true and false is a truth value, any other is text, and an
// empty cell is NULL.
func (db *DB) AttachCSV(name, path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	comma := ','
	if strings.EqualFold(filepath.Ext(path), ".tsv") {
		comma = '\t'
	}
	if err := db.attachCSV(name, file, comma); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// attachCSV copies the file into a temporary table: SQLite can index that for a join, and the file is read once, so
// that it may be a pipe.
func (db *DB) attachCSV(name string, file io.Reader, comma rune) (err error) {
	db.mu.Lock()
	defer db.mu.Unlock()
	buffered := bufio.NewReader(file)
	if start, _ := buffered.Peek(3); string(start) == "\ufeff" {
		buffered.Discard(3)
	}
	reader := csv.NewReader(buffered)
	reader.Comma, reader.ReuseRecord = comma, true
	header, err := csvHeader(reader)
	if err != nil {
		return err
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
	types, err := db.stage(staged, header, reader)
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
	return sqlError(db.conn.Exec(fmt.Sprintf("CREATE TABLE temp.%[1]s (%[3]s); INSERT INTO temp.%[1]s SELECT %[4]s FROM temp.%[2]s; DROP TABLE temp.%[2]s",
		table, staged, strings.Join(columns, ", "), strings.Join(values, ", "))))
}

// csvHeader reads the line that names the columns.
func csvHeader(reader *csv.Reader) ([]string, error) {
	record, err := reader.Read()
	if errors.Is(err, io.EOF) {
		return nil, errors.New("the file is empty, its first line must name the columns")
	}
	if err != nil {
		return nil, err
	}
	header, seen := make([]string, len(record)), make(map[string]bool)
	for i, field := range record {
		field = strings.TrimSpace(field)
		if _, err := netip.ParseAddr(field); err == nil {
			return nil, fmt.Errorf("the first line must name the columns, and has the address %s in it", field)
		}
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

// stage copies the records into a table of text, and returns the type that fits all of each column.
func (db *DB) stage(table string, header []string, reader *csv.Reader) (types []string, err error) {
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
		record, err := reader.Read()
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
