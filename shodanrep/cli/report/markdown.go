package report

import (
	"bytes"
	"io"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/rowformat"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation"
)

// A markdownWriter writes a table in Markdown with the columns of [tableWriter], and the summary.
type markdownWriter struct {
	out     io.Writer
	options Options
	columns []column
	b       bytes.Buffer
	rows    int
}

func newMarkdownWriter(out io.Writer, o Options) Writer {
	w := &markdownWriter{out: out, options: o, columns: columns()}
	w.b.WriteString("| Address | Level | Score | Confidence | Reasons | Organization | Country | Ports |\n|---|---|--:|--:|---|---|---|---|\n")
	return w
}

func (w *markdownWriter) Append(b []byte, r Result) []byte {
	for j, column := range w.columns {
		if j == reasonsColumn {
			b = append(b, "| "+rowformat.Markdown(r.reasonText())+" "...)
		}
		cell := rowformat.Markdown(column.cell(r))
		if j == levelColumn && (r.Level() == reputation.Critical || r.Level() == reputation.High) {
			cell = "**" + cell + "**"
		}
		b = append(b, "| "+cell+" "...)
	}
	return append(b, "|\n"...)
}

func (w *markdownWriter) WriteText(text []byte) error {
	w.rows += bytes.Count(text, []byte("\n")) // no cell has one
	w.b.Write(text)
	return nil
}

func (w *markdownWriter) Write(r Result) error { return w.WriteText(w.Append(nil, r)) }

func (w *markdownWriter) Close() error {
	w.b.WriteByte('\n')
	// It quotes what services sent, and the name of the policy.
	var summary bytes.Buffer
	w.options.Summary().write(&summary, w.rows, 0, false)
	w.b.WriteString(rowformat.MarkdownLines(summary.String()))
	_, err := w.b.WriteTo(w.out)
	return err
}
