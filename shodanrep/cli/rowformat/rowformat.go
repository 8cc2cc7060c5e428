// Package rowformat writes rows of results in the formats of the command line, one format per file.
package rowformat

import (
	"fmt"
	"io"
	"reflect"
	"slices"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/display"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/embedded"
)

// TextNames are the names of the formats that are text, and Names those of all formats.
var (
	TextNames = []string{"table", "csv", "tsv", "json", "jsonl", "line", "markdown"}
	Names     = append(slices.Clone(TextNames), Parquet)
)

// A Writer writes the rows of one result. All formats but the table and Parquet write each row at once, and Parquet
// writes some thousand rows together, so that memory does not grow with the number of rows.
type Writer interface {
	// Write writes a row. Its values have the types of [embedded.Rows.Values].
	Write(values []any) error
	// Close ends the result. After an error of the rows it must not be called: the result is then incomplete.
	Close() error
}

// Options are how rows are written. The zero value is the default.
type Options struct {
	NoHeader bool // without the line of column names
	NoColor  bool // without colours on a terminal
	// EscapeFormulas puts an apostrophe before what a spreadsheet would take for a formula, in csv and tsv.
	EscapeFormulas bool
	// Keep are the columns of a table that are left out last if the terminal is too narrow.
	Keep []string
	// Origins are the columns of tables that the columns of the result are, if they are known. They and JSONType, the
	// type that the JSON of a column comes from, or nil if it has no fixed shape, give Parquet its types.
	Origins  []embedded.Origin
	JSONType func(embedded.Origin) reflect.Type
}

// New returns a Writer of a format. The header is written at once if the format has one.
func New(format string, out io.Writer, columns []embedded.Column, o Options) (Writer, error) {
	switch format {
	case "table":
		return newTableWriter(out, columns, o), nil
	case "csv", "tsv", "json", "jsonl":
		return NewText(format, out, columns, o)
	case "line":
		return newRecordWriter(out, columns, o), nil
	case "markdown":
		return newMarkdownWriter(out, columns, o), nil
	case Parquet:
		return newParquetWriter(out, columns, o)
	}
	return nil, fmt.Errorf("there is no output format %q", format)
}

// Rows are the rows of a result, see [embedded.Rows].
type Rows interface {
	Columns() []embedded.Column
	Next() bool
	Values() []any
	Err() error
}

// Write writes all rows in a format.
func Write(format string, out io.Writer, rows Rows, o Options) error {
	w, err := New(format, out, rows.Columns(), o)
	if err != nil {
		return err
	}
	for rows.Next() {
		if err := w.Write(rows.Values()); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	return w.Close()
}

// printableNames returns the names of columns.
func printableNames(columns []embedded.Column) []string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = display.Printable(c.Name)
	}
	return names
}
