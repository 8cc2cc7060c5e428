package rowformat

import (
	"bytes"
	"io"
	"strings"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/display"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/embedded"
)

// A markdownWriter writes a table in Markdown. Without a header it writes rows to add to a table.
type markdownWriter struct {
	out io.Writer
	b   bytes.Buffer
}

func newMarkdownWriter(out io.Writer, columns []embedded.Column, o Options) *markdownWriter {
	w := &markdownWriter{out: out}
	if o.NoHeader {
		return w
	}
	for _, name := range printableNames(columns) {
		w.b.WriteString("| " + Markdown(name) + " ")
	}
	w.b.WriteString("|\n" + strings.Repeat("|---", len(columns)) + "|\n")
	return w
}

func (w *markdownWriter) Write(values []any) error {
	for _, v := range values {
		cell := ""
		if v != nil {
			cell = Markdown(readable(v))
		}
		w.b.WriteString("| " + cell + " ")
	}
	w.b.WriteString("|\n")
	_, err := w.b.WriteTo(w.out)
	return err
}

func (w *markdownWriter) Close() error {
	_, err := w.b.WriteTo(w.out)
	return err
}

var markdownEscaper = strings.NewReplacer(`\`, `\\`, "|", `\|`, "<", "&lt;", ">", "&gt;", "&", "&amp;", "*", `\*`, "~", `\~`, "_", `\_`, "`", "\\`", "[", `\[`, "]", `\]`)

// Markdown returns a text as a cell of a table in Markdown, with its markup escaped.
func Markdown(s string) string { return markdownEscaper.Replace(display.Printable(s)) }

// MarkdownLines is [Markdown] for a text of several lines: line feeds stay.
func MarkdownLines(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = Markdown(line)
	}
	return strings.Join(lines, "\n")
}
