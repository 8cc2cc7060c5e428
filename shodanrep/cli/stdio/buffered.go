package stdio

import (
	"bufio"
	"io"
	"sync"
	"time"
)

const (
	bufferSize = 64 << 10
	// flushAfter is how long a result may wait in the buffer.
	flushAfter = 100 * time.Millisecond
)

// A BufferedWriter buffers results and flushes them after a short delay: fast results are written together, slow ones
// as they come.
type BufferedWriter struct {
	dst   io.Writer
	mu    sync.Mutex
	out   *bufio.Writer
	timer *time.Timer
	err   error
}

// NewBufferedWriter returns a BufferedWriter. The caller must call Stop.
func NewBufferedWriter(dst io.Writer) *BufferedWriter {
	w := &BufferedWriter{dst: dst, out: bufio.NewWriterSize(dst, bufferSize)}
	w.timer = time.AfterFunc(time.Hour, func() { w.Flush() })
	w.timer.Stop()
	return w
}

// Write adds to the buffer.
func (w *BufferedWriter) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err != nil {
		return 0, w.err
	}
	if w.out.Buffered() == 0 {
		w.timer.Reset(flushAfter)
	}
	n, err := w.out.Write(b)
	w.err = err
	return n, err
}

// Flush writes what is buffered, and returns the first error of all writes.
func (w *BufferedWriter) Flush() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.out.Flush(); w.err == nil {
		w.err = err
	}
	return w.err
}

// WriteBuffered writes through a BufferedWriter. What was written before an error is flushed too.
func WriteBuffered(dst io.Writer, write func(io.Writer) error) error {
	w := NewBufferedWriter(dst)
	defer w.Stop()
	err := write(w)
	if flushed := w.Flush(); err == nil {
		err = flushed
	}
	return err
}

// Stop ends the delayed flushes.
func (w *BufferedWriter) Stop() { w.timer.Stop() }

// Fd returns the descriptor of the wrapped stream, so that [IsTerminal] recognizes a terminal.
func (w *BufferedWriter) Fd() uintptr { return Fd(w.dst) }
