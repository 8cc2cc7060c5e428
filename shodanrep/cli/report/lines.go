package report

import (
	"bytes"
	"io"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/rowformat"
)

// A lineWriter is the Appender of a format that has a line for each result.
type lineWriter struct {
	out        io.Writer
	appendLine func(b []byte, r Result) []byte
}

// newListWriter returns a writer of one address or network per line.
func newListWriter(out io.Writer, _ Options) Writer {
	return lineWriter{out, func(b []byte, r Result) []byte { return append(append(b, r.IP()...), '\n') }}
}

// newEventWriter returns what makes the writer of a format whose lines are events as JSON, which a function makes.
func newEventWriter[E any](event func(Options, Result) E) func(io.Writer, Options) Writer {
	return func(out io.Writer, o Options) Writer {
		return lineWriter{rowformat.JSONOutput(out), func(b []byte, r Result) []byte {
			line := bytes.NewBuffer(b)
			rowformat.AppendJSON(line, event(o, r))
			line.WriteByte('\n')
			return line.Bytes()
		}}
	}
}

func (w lineWriter) Append(b []byte, r Result) []byte { return w.appendLine(b, r) }

func (w lineWriter) WriteText(text []byte) error {
	_, err := w.out.Write(text)
	return err
}

func (w lineWriter) Write(r Result) error { return w.WriteText(w.Append(nil, r)) }

func (w lineWriter) Close() error { return nil }
