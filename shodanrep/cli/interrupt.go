package cli

import (
	"context"
	"io"
	"slices"
	"sync/atomic"
	"time"
)

// writeTime is how long a write that is under way at an interrupt may take: it ends at once unless nobody reads.
const writeTime = time.Second

// within calls f and returns its result, or the context's error where that ends first. Then f goes on by itself: what
// waits for a pipe cannot be stopped.
func within[T any](ctx context.Context, f func() (T, error)) (T, error) {
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

// A stoppableReader is a stream that is no longer waited for when its context ends.
type stoppableReader struct {
	io.Reader
	ctx context.Context
}

func (r stoppableReader) Read(p []byte) (int, error) {
	read, err := within(r.ctx, func() ([]byte, error) {
		own := make([]byte, len(p)) // p is the caller's again if this is given up
		n, err := r.Reader.Read(own)
		return own[:n], err
	})
	return copy(p, read), err
}

// Fd returns the descriptor behind the stream, so that a terminal is still known for one.
func (r stoppableReader) Fd() uintptr { return descriptorOf(r.Reader) }

// A stoppableWriter is a stream that is no longer waited for when its context has ended.
type stoppableWriter struct {
	io.Writer
	ctx   context.Context
	stuck *atomic.Bool // a write was given up, and others must not come in between
}

func newStoppableWriter(ctx context.Context, w io.Writer) stoppableWriter {
	return stoppableWriter{w, ctx, new(atomic.Bool)}
}

func (w stoppableWriter) Write(p []byte) (int, error) {
	if w.stuck.Load() {
		return 0, context.Cause(w.ctx)
	}
	type outcome struct {
		n   int
		err error
	}
	ended := make(chan outcome, 1)
	own := slices.Clone(p)
	go func() {
		n, err := w.Writer.Write(own)
		ended <- outcome{n, err}
	}()
	select {
	case o := <-ended:
		return o.n, o.err
	case <-w.ctx.Done():
	}
	select {
	case o := <-ended:
		return o.n, o.err
	case <-time.After(writeTime):
		w.stuck.Store(true)
		return 0, context.Cause(w.ctx)
	}
}

// Fd returns the descriptor behind the stream, so that a terminal is still known for one.
func (w stoppableWriter) Fd() uintptr { return descriptorOf(w.Writer) }

// descriptorOf returns the descriptor of a stream, or one that no file has.
func descriptorOf(stream any) uintptr {
	if file, ok := stream.(descriptor); ok {
		return file.Fd()
	}
	return ^uintptr(0)
}
