package stdio

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"sync"
	"sync/atomic"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/waitlimit"
)

// writeTimeout is how long a write in progress may still take after an interrupt. A write only takes long if the other
// end of a pipe does not read.
const writeTimeout = time.Second

// Within calls f and returns its result, or the context's error if the context ends first. f then continues in the
// background, because a read from a pipe cannot be cancelled.
func Within[T any](ctx context.Context, f func() (T, error)) (T, error) {
	type outcome struct {
		value T
		err   error
	}
	ended := make(chan outcome, 1)
	go func() {
		value, err := f()
		ended <- outcome{value, err}
	}()
	select {
	case o := <-ended:
		return o.value, o.err
	case <-ctx.Done():
		var none T
		return none, context.Cause(ctx)
	}
}

// A Reader reads from a stream until the context ends, even if the stream blocks.
type Reader struct {
	io.Reader
	Context context.Context
}

// Read reads from the stream. When the context ends it returns the cause at once, see [Within].
func (r Reader) Read(p []byte) (int, error) {
	read, err := Within(r.Context, func() ([]byte, error) {
		buffer := make([]byte, len(p)) // the caller owns p again if this read is abandoned
		n, err := r.Reader.Read(buffer)
		return buffer[:n], err
	})
	return copy(p, read), err
}

// Fd returns the descriptor of the wrapped stream, so that [IsTerminal] recognizes a terminal.
func (r Reader) Fd() uintptr { return Fd(r.Reader) }

// Stat describes the file that the stream is. It fails if the stream is none.
func (r Reader) Stat() (fs.FileInfo, error) {
	if file, ok := r.Reader.(interface{ Stat() (fs.FileInfo, error) }); ok {
		return file.Stat()
	}
	return nil, errors.ErrUnsupported
}

// writeBuffers are buffers for what is being written.
var writeBuffers = sync.Pool{New: func() any { return new([]byte) }}

// A Writer writes to a stream until the context ends, even if the stream blocks.
type Writer struct {
	io.Writer
	ctx   context.Context
	name  string       // in errors of the system
	stuck *atomic.Bool // a write was abandoned; a later one could end up in the middle of it
	err   *atomic.Pointer[error]
	// isFile says that the user named a file. That its reader has gone is then a failure as any other.
	isFile bool
}

// NewWriter returns a Writer. The errors of a file have the given name.
func NewWriter(ctx context.Context, w io.Writer, name string) Writer {
	return Writer{Writer: w, ctx: ctx, name: name, stuck: new(atomic.Bool), err: new(atomic.Pointer[error])}
}

// Write writes to the stream. When the context ends, a write in progress has writeTimeout to finish. After one that did
// not, no other begins.
func (w Writer) Write(p []byte) (int, error) {
	if w.stuck.Load() {
		return 0, context.Cause(w.ctx)
	}
	type outcome struct {
		n   int
		err error
	}
	ended := make(chan outcome, 1)
	buffer := writeBuffers.Get().(*[]byte)
	*buffer = append((*buffer)[:0], p...) // the caller owns p again if this write is abandoned
	go func() {
		n, err := w.Writer.Write(*buffer)
		if err != nil {
			if path := (*fs.PathError)(nil); errors.As(err, &path) {
				err = writeError(w.name, err)
			}
			if isBrokenPipe(err) && !w.isFile {
				err = brokenPipe{err}
			}
			w.err.CompareAndSwap(nil, &err)
		}
		ended <- outcome{n, err}
	}()
	select {
	case o := <-ended:
		writeBuffers.Put(buffer)
		return o.n, o.err
	case <-w.ctx.Done():
	}
	select {
	case o := <-ended:
		return o.n, o.err
	case <-time.After(waitlimit.Of(writeTimeout)):
		w.stuck.Store(true)
		return 0, context.Cause(w.ctx)
	}
}

// Err returns the error of the first write that failed, even if the caller ignored it.
func (w Writer) Err() error {
	if err := w.err.Load(); err != nil {
		return *err
	}
	return nil
}

// Fd returns the descriptor of the wrapped stream, so that [IsTerminal] recognizes a terminal.
func (w Writer) Fd() uintptr { return Fd(w.Writer) }
