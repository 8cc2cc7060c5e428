package shodanrep

import (
	"bytes"
	"io"

	"github.com/hashicorp/go-hclog"
)

// A quietLogger leaves out what the SDK logs of a query that was cancelled, unless the level is debug. Steampipe cancels
// a query when it has the rows of its LIMIT, and the SDK then logs a warning or an error for every value of a list.
type quietLogger struct{ hclog.Logger }

// Named returns the logger of a call, which is as quiet.
func (l quietLogger) Named(name string) hclog.Logger { return quietLogger{l.Logger.Named(name)} }

// StandardWriter returns the writer of the SDK's own lines. At the level off the standard logger does not even format
// them, a dozen per row.
func (l quietLogger) StandardWriter(options *hclog.StandardLoggerOptions) io.Writer {
	if !l.IsError() {
		return io.Discard
	}
	w := l.Logger.StandardWriter(options)
	if l.IsDebug() {
		return w
	}
	return cancellationFilter{w}
}

// A cancellationFilter drops log lines about a cancelled query.
type cancellationFilter struct{ io.Writer }

// cancellations are the words of context, of the SDK and of gRPC for a query that was cancelled.
var cancellations = [][]byte{[]byte("context canceled"), []byte("operation cancelled"), []byte("code = Canceled")}

// Write takes one line.
func (f cancellationFilter) Write(line []byte) (int, error) {
	for _, words := range cancellations {
		if bytes.Contains(line, words) {
			return len(line), nil
		}
	}
	return f.Writer.Write(line)
}
