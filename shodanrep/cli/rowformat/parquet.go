package rowformat

import (
	"encoding/json"
	"errors"
	"io"
	"slices"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/zstd"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/stdio"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/embedded"
)

// Parquet is the name of the format of Parquet files, the only one that is not text.
const Parquet = "parquet"

// parquetLimits are how much is held in memory.
type parquetLimits struct {
	// typingRows and typingBytes are after how many rows, or bytes of values, the types of columns are decided that are
	// not known before.
	typingRows, typingBytes int
	// groupRows and groupBytes are how many rows, or bytes of values, a row group has.
	groupRows, groupBytes int
}

var defaultParquetLimits = parquetLimits{typingRows: 10_000, typingBytes: 16 << 20, groupRows: 32 << 10, groupBytes: 64 << 20}

// errParquetOnTerminal is the error of Parquet on a terminal.
var errParquetOnTerminal = errors.New("the format parquet is not for a terminal: name a file, such as -o result.parquet")

// CheckTerminal returns an error if a format cannot be written to a stream, because that is a terminal.
func CheckTerminal(format string, out io.Writer) error {
	if format == Parquet && stdio.IsTerminal(out) {
		return errParquetOnTerminal
	}
	return nil
}

// A parquetWriter writes a Parquet file. Its rows are held in memory until the types of all columns are known, and then
// until their row group is complete. The file can be read only after Close: its schema is at the end.
type parquetWriter struct {
	out     io.Writer
	columns []*parquetColumn
	limits  parquetLimits
	// Until the types are known:
	waiting [][]any
	// Then:
	file   *parquet.GenericWriter[any]
	leaves parquetRow
	row    parquet.Row

	rows      int64
	groupRows int // of the row group
	bytes     int // of the waiting rows or of the row group
}

func newParquetWriter(out io.Writer, columns []embedded.Column, o Options) (*parquetWriter, error) {
	w := &parquetWriter{out: out, columns: newParquetColumns(columns, o), limits: defaultParquetLimits}
	if !slices.ContainsFunc(w.columns, func(c *parquetColumn) bool { return c.kind == nil }) {
		w.start()
	}
	return w, CheckTerminal(Parquet, out)
}

// start begins the file: the types are known.
func (w *parquetWriter) start() {
	fields, leaf := make([]parquetField, len(w.columns)), 0
	for i, c := range w.columns {
		c.decide()
		fields[i] = c.parquetField
		leaf = c.kind.number(leaf)
	}
	w.leaves = make(parquetRow, leaf)
	schema := parquet.NewSchema("rows", newParquetGroup(fields))
	w.file = parquet.NewGenericWriter[any](w.out, schema, parquet.Compression(&zstd.Codec{}),
		parquet.CreatedBy("shodanrep", "", ""),
		// The writer writes pages itself if they are larger, so that a closed pipe is noticed at the first row group.
		parquet.WriteBufferSize(4<<10),
	)
}

func (w *parquetWriter) Write(values []any) error {
	if w.file != nil {
		return w.write(values)
	}
	kept := slices.Clone(values)
	for i, v := range kept {
		if b, ok := v.([]byte); ok {
			kept[i] = slices.Clone(b) // the next row overwrites it
		}
		if w.columns[i].kind == nil {
			w.columns[i].see(v)
		}
		w.bytes += sizeOf(v)
	}
	w.waiting = append(w.waiting, kept)
	if len(w.waiting) < w.limits.typingRows && w.bytes < w.limits.typingBytes {
		return nil
	}
	return w.writeWaiting()
}

// writeWaiting writes the rows that waited for the types.
func (w *parquetWriter) writeWaiting() error {
	w.start()
	w.bytes = 0
	for _, values := range w.waiting {
		if err := w.write(values); err != nil {
			return err
		}
	}
	w.waiting = nil
	return nil
}

// write writes a row.
func (w *parquetWriter) write(values []any) error {
	w.rows++
	for i := range w.leaves {
		w.leaves[i] = w.leaves[i][:0]
	}
	for i, c := range w.columns {
		if err := c.add(w.leaves, values[i], w.rows); err != nil {
			return err
		}
		w.bytes += sizeOf(values[i])
	}
	w.row = w.row[:0]
	for _, leaf := range w.leaves {
		w.row = append(w.row, leaf...)
	}
	if _, err := w.file.WriteRows([]parquet.Row{w.row}); err != nil {
		return err
	}
	w.groupRows++
	if w.groupRows < w.limits.groupRows && w.bytes < w.limits.groupBytes {
		return nil
	}
	w.groupRows, w.bytes = 0, 0
	return w.file.Flush()
}

func (w *parquetWriter) Close() error {
	if w.file == nil {
		if err := w.writeWaiting(); err != nil {
			return err
		}
	}
	return w.file.Close()
}

// sizeOf returns about how many bytes of memory a value needs.
func sizeOf(v any) int {
	const header = 16
	switch v := v.(type) {
	case string:
		return header + len(v)
	case json.RawMessage:
		return header + len(v)
	case []byte:
		return header + len(v)
	}
	return header
}
