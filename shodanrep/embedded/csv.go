package embedded

import (
	"bufio"
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/dustin/go-humanize/english"
	"github.com/ncruces/go-sqlite3"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/ipaddr"
)

// A csvImport copies a CSV file into a temporary table. SQLite can index the table for a join, and the file is read
// only once, so it may be a pipe.
type csvImport struct {
	db           *DB
	name, source string
	lines        *csvLines
	reader       *csv.Reader
	header       []string
	first        []string // the first record, if it is data
	renamed      []string // the names of columns whose own name another column has
	notUTF8      int      // the first line that has a field in another encoding; 0: none
}

func (i *csvImport) run(text *bufio.Reader) error {
	if err := i.readHeader(text); err != nil {
		return err
	}
	for _, t := range i.db.tables {
		if strings.EqualFold(t.Name, i.name) {
			return fmt.Errorf("the table %s already exists, attach the file by another name", i.name)
		}
	}
	if err := i.createTable(); err != nil {
		return err
	}
	if i.first != nil {
		i.db.warn(fmt.Sprintf("%s: the first line is data and does not name columns: they are called %s", i.source, strings.Join(i.header, ", ")))
	}
	if len(i.renamed) > 0 {
		i.db.warn(fmt.Sprintf("%s: the first line has names twice: the later columns are called %s", i.source, strings.Join(i.renamed, ", ")))
	}
	if n := i.commentedRows(); n > 0 {
		i.db.warn(fmt.Sprintf("%s: rows that begin with # are ignored as comments: %s", i.source, english.Plural(n, "line", "")))
	}
	if i.notUTF8 > 0 {
		i.db.warn(fmt.Sprintf("%s: line %d is not in UTF-8, so its letters with accents equal no text of a table or a query: "+
			"convert the file, as with iconv -f WINDOWS-1252 -t UTF-8", i.source, i.notUTF8))
	}
	return nil
}

// readHeader detects the dialect and reads the names of the columns.
func (i *csvImport) readHeader(text *bufio.Reader) error {
	sample, err := text.Peek(sampleSize)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	i.lines = &csvLines{text: text, dialect: detectDialect(sample, err != nil)}
	if _, err := text.Discard(i.lines.dialect.skip); err != nil {
		return err
	}
	i.reader = csv.NewReader(i.lines)
	i.reader.Comma, i.reader.ReuseRecord = i.lines.dialect.comma, true
	first, err := i.reader.Read()
	if errors.Is(err, io.EOF) {
		return errors.New("the file is empty, its first line must name the columns")
	}
	if err != nil {
		return err
	}
	i.checkEncoding(first)
	if hasAddress(first) {
		i.header, i.first = numberedColumns(len(first)), slices.Clone(first) // the reader reuses the record
		return nil
	}
	i.header, i.renamed, err = columnNames(first)
	return err
}

// createTable copies the records into a table. After an error the database is as it was.
func (i *csvImport) createTable() (err error) {
	conn := i.db.conn
	if err := conn.Exec("SAVEPOINT attach"); err != nil {
		return sqlError(err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, conn.Exec("ROLLBACK TO attach"))
		}
		err = errors.Join(err, conn.Exec("RELEASE attach"))
	}()
	table, staging := sqlite3.QuoteIdentifier(i.name), sqlite3.QuoteIdentifier(i.name+" (as read)")
	types, err := i.stage(staging)
	if err != nil {
		return err
	}
	columns, values := make([]string, len(i.header)), make([]string, len(i.header))
	for n, column := range i.header {
		columns[n] = sqlite3.QuoteIdentifier(column) + " " + types[n]
		// SQLite converts text to numbers if the column has a numeric type, but does not know true and false.
		values[n] = fmt.Sprintf("c%d", n)
		if types[n] == "BOOLEAN" {
			values[n] = fmt.Sprintf("lower(c%d) = 'true'", n)
		}
	}
	err = conn.Exec(fmt.Sprintf("CREATE TABLE temp.%[1]s (%[3]s); INSERT INTO temp.%[1]s SELECT %[4]s FROM temp.%[2]s; DROP TABLE temp.%[2]s",
		table, staging, strings.Join(columns, ", "), strings.Join(values, ", ")))
	if err != nil {
		return sqlError(err)
	}
	return nil
}

// commentedRows returns how many comments have as many fields as a row.
func (i *csvImport) commentedRows() int {
	if len(i.header) < 2 {
		return 0
	}
	return i.lines.comments[len(i.header)-1]
}

// stage copies the records into a staging table of text, and returns the type that fits all values of each column.
func (i *csvImport) stage(table string) (types []string, err error) {
	columns, marks := make([]string, len(i.header)), make([]string, len(i.header))
	for n := range i.header {
		columns[n], marks[n] = fmt.Sprintf("c%d TEXT", n), "?"
	}
	err = i.db.conn.Exec(fmt.Sprintf("CREATE TABLE temp.%s (%s)", table, strings.Join(columns, ", ")))
	if err != nil {
		return nil, sqlError(err)
	}
	insert, _, err := i.db.conn.Prepare(fmt.Sprintf("INSERT INTO temp.%s VALUES (%s)", table, strings.Join(marks, ", ")))
	if err != nil {
		return nil, sqlError(err)
	}
	defer insert.Close()

	types = make([]string, len(i.header))
	hasLarge := make([]bool, len(i.header))
	record := i.first
	if record == nil {
		record, err = i.read()
	}
	for ; err == nil; record, err = i.read() {
		for n, field := range record {
			if field == "" {
				err = insert.BindNull(n + 1)
			} else {
				types[n] = widen(types[n], field)
				hasLarge[n] = hasLarge[n] || isLarge(field)
				err = insert.BindText(n+1, field)
			}
			if err != nil {
				return nil, sqlError(err)
			}
		}
		if err := insert.Exec(); err != nil {
			return nil, sqlError(err)
		}
	}
	if !errors.Is(err, io.EOF) {
		return nil, err
	}
	for n := range types {
		if types[n] == "REAL" && hasLarge[n] {
			types[n] = "TEXT" // a REAL would be another number
		}
		types[n] = cmp.Or(types[n], "TEXT")
	}
	return types, nil
}

// read reads a record.
func (i *csvImport) read() ([]string, error) {
	record, err := i.reader.Read()
	if errors.Is(err, csv.ErrFieldCount) {
		line, _ := i.reader.FieldPos(0)
		return nil, fmt.Errorf("line %d has %s, the first line names %s", line, english.Plural(len(record), "field", ""), english.Plural(len(i.header), "column", ""))
	}
	i.checkEncoding(record)
	return record, err
}

// checkEncoding notes the line of the first field that is not in UTF-8.
func (i *csvImport) checkEncoding(record []string) {
	if i.notUTF8 > 0 {
		return
	}
	for n, field := range record {
		if !utf8.ValidString(field) {
			i.notUTF8, _ = i.reader.FieldPos(n)
			return
		}
	}
}

// hasAddress reports whether a record has an address or a network, which cannot be the name of a column.
func hasAddress(record []string) bool {
	return slices.ContainsFunc(record, func(field string) bool {
		_, ok := ipaddr.Parse(field)
		return ok
	})
}

// numberedColumns returns names for the columns of a file that does not name them.
func numberedColumns(n int) []string {
	if n == 1 {
		return []string{"ip"}
	}
	names := make([]string, n)
	for i := range names {
		names[i] = "column_" + strconv.Itoa(i+1)
	}
	return names
}

// columnNames returns the names of the columns in the first record. Exports of firewalls have some names twice: the later
// column then gets a number, and its new name is also in renamed.
func columnNames(record []string) (header, renamed []string, err error) {
	header = make([]string, len(record))
	taken := make(map[string]bool) // by the other columns
	for i, field := range record {
		if strings.ContainsRune(field, 0) {
			return nil, nil, errors.New("the first line has a NUL character in it; is this a CSV file in UTF-8?")
		}
		header[i] = cmp.Or(strings.TrimSpace(field), "column"+strconv.Itoa(i+1))
		taken[strings.ToLower(header[i])] = true
	}
	seen := make(map[string]bool)
	for i, name := range header {
		if lower := strings.ToLower(name); !seen[lower] {
			seen[lower] = true
			continue
		}
		for n := 2; taken[strings.ToLower(header[i])]; n++ {
			header[i] = name + "_" + strconv.Itoa(n)
		}
		taken[strings.ToLower(header[i])] = true
		renamed = append(renamed, header[i])
	}
	return header, renamed, nil
}

// isBoolean reports whether a field is a boolean as Steampipe writes it.
func isBoolean(field string) bool {
	return strings.EqualFold(field, "true") || strings.EqualFold(field, "false")
}

// isLarge reports whether a field is a whole number that a float64 may not hold.
func isLarge(field string) bool {
	const maxExact = 1 << 53
	if len(field) < len("9007199254740993") {
		return false
	}
	i, err := strconv.ParseInt(field, 10, 64)
	return err == nil && (i > maxExact || i < -maxExact)
}

// widen returns the type of a column of the given type ("" before its first value) after the field is added to it. A
// number that would be printed differently, such as 007, 1e5 or 1.10, is text.
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
