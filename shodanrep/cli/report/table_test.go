package report

import (
	"io"
	"testing"
)

// A writer that is no Appender gets results, which refer to whole responses: a table of 100,000 addresses would take 1.5 GB.
func TestTablesKeepNoResponses(t *testing.T) {
	t.Parallel()
	for _, f := range Formats {
		if _, ok := f.New(io.Discard, Options{Total: maxCards + 1}).(Appender); !ok && f.WorstFirst && !f.IsFile {
			t.Errorf("%s is no Appender", f.Name)
		}
	}
}
