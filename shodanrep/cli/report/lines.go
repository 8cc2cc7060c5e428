package report

import (
	"bytes"
	"io"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/rowformat"
)

// An eventWriter writes an event per line, as JSON.
type eventWriter[E any] struct {
	out     io.Writer
	options Options
	event   func(Options, Result) E
}

// newEventWriter returns what makes the writer of a format whose events are made by a function.
func newEventWriter[E any](event func(Options, Result) E) func(io.Writer, Options) Writer {
	return func(out io.Writer, o Options) Writer {
		return &eventWriter[E]{rowformat.JSONOutput(out), o, event}
	}
}

func (w *eventWriter[E]) Append(b []byte, r Result) []byte {
	line := bytes.NewBuffer(b)
	rowformat.AppendJSON(line, w.event(w.options, r))
	line.WriteByte('\n')
	return line.Bytes()
}

func (w *eventWriter[E]) WriteText(text []byte) error {
	_, err := w.out.Write(text)
	return err
}

func (w *eventWriter[E]) Write(r Result) error { return w.WriteText(w.Append(nil, r)) }

func (w *eventWriter[E]) Close() error { return nil }
