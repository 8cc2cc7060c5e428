package rowformat

import (
	"fmt"
	"io"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/display"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/stdio"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/texttable"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/embedded"
)

// A recordWriter writes each row as a record: one line per column. On a terminal long values wrap, unless a word would
// have to be broken: a URL could then not be copied.
type recordWriter struct {
	out       io.Writer
	columns   []*texttable.Column
	nameWidth int
	width     int // of the values; 0 is unlimited
	painter   display.Painter
	records   int
}

func newRecordWriter(out io.Writer, columns []embedded.Column, o Options) *recordWriter {
	return newTextRecordWriter(out, tableColumns(columns), o)
}

func newTextRecordWriter(out io.Writer, columns []*texttable.Column, o Options) *recordWriter {
	w := &recordWriter{out: out, columns: columns, painter: stdio.Painter(out, o.NoColor)}
	for _, column := range columns {
		w.nameWidth = max(w.nameWidth, text.StringWidth(column.Title))
	}
	if available := stdio.Width(out); available > 0 {
		w.width = max(display.MinWidth, available-w.nameWidth-3)
	}
	return w
}

func (w *recordWriter) Write(values []any) error {
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = readable(v)
	}
	return w.writeTexts(texts)
}

func (w *recordWriter) Close() error { return nil }

// writeTexts writes a record.
func (w *recordWriter) writeTexts(values []string) error {
	w.records++
	var b strings.Builder
	b.WriteString(text.Pad(fmt.Sprintf("-[ RECORD %d ]", w.records), 60, '-') + "\n")
	for i, column := range w.columns {
		name := column.Title
		lines := []string{values[i]}
		if display.LongestWord(values[i]) <= w.width {
			lines = display.Wrap(values[i], w.width)
		}
		for _, part := range lines {
			if column.Level {
				part = w.painter.Level(display.LevelIn(part), part)
			}
			fmt.Fprintf(&b, "%s | %s\n", text.Pad(name, w.nameWidth, ' '), part)
			name = ""
		}
	}
	_, err := io.WriteString(w.out, b.String())
	return err
}
