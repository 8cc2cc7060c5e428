package upstream

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// bodies is a transport whose responses have so many bytes, and which counts how many are read at the moment beyond
// what is not counted.
type bodies struct {
	size, small    int
	unknown        bool // whether their length is
	large, largest atomic.Int64
}

func (b *bodies) RoundTrip(req *http.Request) (*http.Response, error) {
	length := int64(b.size)
	if b.unknown {
		length = -1
	}
	return &http.Response{StatusCode: 200, ContentLength: length, Body: &countedBody{all: b, left: bytes.NewReader(make([]byte, b.size))}, Request: req}, nil
}

type countedBody struct {
	all  *bodies
	left *bytes.Reader
	read int
}

func (c *countedBody) Read(p []byte) (int, error) {
	if c.read < c.all.small && c.read+len(p) >= c.all.small {
		p = p[:c.all.small-c.read]
	} else if c.read == c.all.small {
		c.all.largest.Store(max(c.all.largest.Load(), c.all.large.Add(1)))
	}
	time.Sleep(time.Millisecond)
	n, err := c.left.Read(p)
	c.read += n
	return n, err
}

func (c *countedBody) Close() error { return nil }

// fetch reads a response as a lookup does: within a share, which it has until it has parsed the response.
func fetch(ctx context.Context, all *bodies, b *budget) (int, error) {
	part := &share{clock: newStopwatch(100*time.Millisecond, func() {})}
	defer part.clock.stop()
	defer part.release()
	req, err := http.NewRequestWithContext(context.WithValue(ctx, shareKey{}, part), http.MethodGet, "http://example.com", nil)
	if err != nil {
		return 0, err
	}
	resp, err := budgeted{all, b}.RoundTrip(req)
	if err != nil {
		return 0, err
	}
	body, err := io.ReadAll(resp.Body)
	time.Sleep(10 * time.Millisecond) // to parse it
	if all.size > all.small {
		all.large.Add(-1)
	}
	return len(body), err
}

func TestLargeResponsesWaitForTheirShare(t *testing.T) {
	for name, test := range map[string]struct {
		size    int
		unknown bool
		most    int64 // at once
	}{
		"four in the budget":        {size: 2500, most: 4},
		"larger than the budget":    {size: 50_000, most: 1},
		"of a length that is said":  {size: 9999, most: 1},
		"of a length that is not":   {size: 2500, unknown: true, most: 1},
		"small ones are not bound":  {size: 900, most: 0},
		"exactly as large as small": {size: 1000, most: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				all, b := &bodies{size: test.size, small: 1000, unknown: test.unknown}, newBudget(10_000, 1000)
				var wg sync.WaitGroup
				for range 32 {
					wg.Go(func() {
						if n, err := fetch(t.Context(), all, b); n != test.size || err != nil {
							t.Errorf("%d bytes, %v", n, err)
						}
					})
				}
				wg.Wait()
				if n := all.largest.Load(); test.size > 1000 && n != test.most || test.size < 1000 && n != 0 {
					t.Errorf("%d large responses at once, want %d", n, test.most)
				}
				if !b.free.TryAcquire(10_000) {
					t.Error("something of the budget is not given back")
				}
			})
		})
	}
}

func TestAResponseThatWaitsForItsShareMayBeGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all, b := &bodies{size: 5000, small: 1000}, newBudget(10_000, 1000)
		if err := b.free.Acquire(t.Context(), 10_000); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := fetch(ctx, all, b); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
		b.free.Release(10_000)
		all.large.Store(0)
		if n, err := fetch(t.Context(), all, b); n != 5000 || err != nil {
			t.Errorf("%d bytes, %v", n, err)
		}
	})
}
