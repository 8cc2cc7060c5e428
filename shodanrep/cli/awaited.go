package cli

import (
	"context"
	"io"
	"os"
	"runtime"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/stdio"
)

// waitNotice is how long a command waits for an input before it says what it waits for.
const waitNotice = 2 * time.Second

// An awaiter says what a command waits for. A nil awaiter says nothing.
type awaiter func(message string)

// awaiter returns what tells the user at a terminal why nothing happens. Elsewhere nobody waits for it.
func (a *app) awaiter() awaiter {
	if !stdio.IsTerminal(a.stderr) {
		return nil
	}
	return a.say
}

// start says that the command waits for an input, unless the returned function is called soon. It can be called again.
func (w awaiter) start(name string) (stop func()) {
	if w == nil {
		return func() {}
	}
	timer := time.AfterFunc(waitNotice, func() { w("waiting for " + name) })
	return func() { timer.Stop() }
}

// startFiles is start for files that the command is about to read: for the first one that is a pipe or the like.
func (w awaiter) startFiles(paths ...string) (stop func()) {
	for _, path := range paths {
		if info, err := os.Stat(path); w != nil && err == nil && !info.Mode().IsRegular() {
			return w.start(path)
		}
	}
	return func() {}
}

// awaitReader says that nobody reads a file that the command is about to write, if it is a pipe and the returned function is
// not called soon. It says so to a log as well: the command does nothing until somebody reads.
func (a *app) awaitReader(path string) (stop func()) {
	if info, err := os.Stat(path); err == nil && info.Mode()&os.ModeNamedPipe != 0 {
		return awaiter(a.say).start("a program to read " + path)
	}
	return func() {}
}

// writeFile writes the file of the results, see [stdio.ReplaceFile].
func (a *app) writeFile(ctx context.Context, name string, write func(io.Writer) error) error {
	stop := a.awaitReader(name)
	defer stop()
	return stdio.ReplaceFile(ctx, name, func(w io.Writer) error {
		stop()
		return write(w)
	})
}

// reader returns a reader of an input that says if its first part does not come soon. A terminal is waited for in any
// case, and what the user types does not end by itself.
func (w awaiter) reader(r io.Reader, name string) io.Reader {
	switch {
	case w == nil || isRegular(r):
		return r
	case stdio.IsTerminal(r):
		end := "Ctrl-D"
		if runtime.GOOS == "windows" {
			end = "Ctrl-Z and Enter"
		}
		w("reading " + name + ", which is the terminal: end the text with " + end)
		return r
	}
	return &awaitedReader{r, w, name}
}

// An awaitedReader is a reader whose first read may take long.
type awaitedReader struct {
	io.Reader
	awaiter awaiter // nil after the first read
	name    string
}

func (r *awaitedReader) Read(p []byte) (int, error) {
	defer r.awaiter.start(r.name)()
	r.awaiter = nil
	return r.Reader.Read(p)
}
