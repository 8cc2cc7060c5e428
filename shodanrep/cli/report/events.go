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
	b       bytes.Buffer
}

// newEventWriter returns what makes the writer of a format whose events are made by a function.
func newEventWriter[E any](event func(Options, Result) E) func(io.Writer, Options) Writer {
	return func(out io.Writer, o Options) Writer {
		return &eventWriter[E]{out: rowformat.JSONOutput(out), options: o, event: event}
	}
}

func (w *eventWriter[E]) Write(r Result) error {
	rowformat.AppendJSON(&w.b, w.event(w.options, r))
	w.b.WriteByte('\n')
	_, err := w.b.WriteTo(w.out)
	return err
}

func (w *eventWriter[E]) Close() error { return nil }
