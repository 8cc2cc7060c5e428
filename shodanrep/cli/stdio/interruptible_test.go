package stdio

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/waitlimit"
)

// A stalled is a stream whose reader waits until it is closed.
type stalled chan struct{}

func (s stalled) Write(p []byte) (int, error) {
	<-s
	return len(p), nil
}

func TestAnInterruptEndsAWriteThatNobodyReads(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		stream := make(stalled)
		ctx, cancel := context.WithCancel(t.Context())
		w := NewWriter(ctx, stream, "a pipe")
		began := time.Now()
		time.AfterFunc(time.Hour, cancel)
		if _, err := w.Write([]byte("x")); !errors.Is(err, context.Canceled) || time.Since(began) != time.Hour+waitlimit.Of(writeTimeout) {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		// Nothing may follow the part that was perhaps written.
		if _, err := w.Write([]byte("y")); !errors.Is(err, context.Canceled) || time.Since(began) != time.Hour+waitlimit.Of(writeTimeout) {
			t.Errorf("the next write: %v after %v", err, time.Since(began))
		}
		close(stream)
	})
}

func TestAnInterruptLeavesTimeForAWrite(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		stream := make(stalled)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		time.AfterFunc(writeTimeout/2, func() { close(stream) })
		if n, err := NewWriter(ctx, stream, "a pipe").Write([]byte("x")); n != 1 || err != nil {
			t.Errorf("%d, %v", n, err)
		}
	})
}
