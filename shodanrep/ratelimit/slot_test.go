package ratelimit

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// exact returns a limiter like the REST API's.
func exact() *Limiter {
	return New(Limits{PerSecond: 1, Burst: 1, BannedAfter: 6, BanTime: time.Minute, Exact: true})
}

// machines is a Coordinator that admits every request at once.
type machines struct {
	Coordinator // nil: there are no leases
	away        bool
	delayed     []time.Duration
}

func (m *machines) Take(context.Context, string, float64, int) (int, error) {
	if m.away {
		return 1, ErrAway
	}
	return 1, nil
}

func (m *machines) Delay(_ context.Context, _ string, d time.Duration) {
	m.delayed = append(m.delayed, d)
}

// connecting is a transport whose connections take a while to set up.
type connecting time.Duration

func (c connecting) RoundTrip(req *http.Request) (*http.Response, error) {
	time.Sleep(time.Duration(c))
	httptrace.ContextClientTrace(req.Context()).WroteRequest(httptrace.WroteRequestInfo{})
	return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody}, nil
}

// send sends the slot's request.
func send(t *testing.T, slot *Slot, next http.RoundTripper, url string) error {
	t.Helper()
	req, err := http.NewRequestWithContext(WithSlot(t.Context(), slot), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := Transport{Next: next}.RoundTrip(req)
	if err == nil {
		resp.Body.Close()
	}
	slot.Done()
	return err
}

func TestMachinesAreToldOfARequestThatIsWrittenLate(t *testing.T) {
	t.Parallel()
	for _, late := range []time.Duration{0, 150 * time.Millisecond} {
		synctest.Test(t, func(t *testing.T) {
			shared := &machines{}
			slot, err := exact().Acquire(t.Context(), shared)
			if err != nil {
				t.Fatal(err)
			}
			if err := send(t, slot, connecting(late), "http://service.test"); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			var want []time.Duration
			if late > 0 {
				want = []time.Duration{late}
			}
			if !slices.Equal(shared.delayed, want) {
				t.Errorf("delayed by %v, want %v", shared.delayed, want)
			}
		})
	}
}

func TestTheIntervalCountsFromTheWrite(t *testing.T) {
	t.Parallel()
	for name, shared := range map[string]Coordinator{"alone": nil, "while Redis is away": &machines{away: true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				l := exact()
				var written time.Time
				for range 3 {
					slot, err := l.Acquire(t.Context(), shared)
					if err != nil {
						t.Fatal(err)
					}
					if gap := time.Since(written); !written.IsZero() && gap < time.Second {
						t.Errorf("a request %v after the one before was written", gap)
					}
					if err := send(t, slot, connecting(3*time.Second), "http://service.test"); err != nil {
						t.Fatal(err)
					}
					written = time.Now()
				}
			})
		})
	}
}

func TestNoOtherProcessSendsWhileARequestIsNotYetWritten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		file := openFile(t)
		one, other := exact(), exact()
		one.ShareThrough(file, "rate")
		other.ShareThrough(file, "rate")
		slot := begin(t, one)
		began := time.Now()
		go func() {
			if err := send(t, slot, connecting(3*time.Second), "http://service.test"); err != nil {
				t.Error(err)
			}
		}()
		begin(t, other).Abandon()
		if took := time.Since(began); took < 4*time.Second || took > 4500*time.Millisecond {
			t.Errorf("the other process may send after %v, want a second after the request that took 3 s to be written", took)
		}
	})
}

func TestNetHTTPDoesNotSendARequestTwice(t *testing.T) {
	t.Parallel()
	var requests atomic.Int64
	var used sync.Map // the connections that a request came on
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		if _, again := used.LoadOrStore(r.RemoteAddr, true); again {
			panic(http.ErrAbortHandler)
		}
		w.WriteHeader(http.StatusOK)
	}))
	defer server.Close()
	l, transport := New(Limits{PerSecond: 1000, Burst: 1, BannedAfter: 6, BanTime: time.Minute, Exact: true}), &http.Transport{}
	defer transport.CloseIdleConnections()
	// On a busy machine net/http does not use a connection again, and then it would not send the request twice either.
	sent, err := int64(0), error(nil)
	for ; sent < 1000 && err == nil; sent++ {
		err = send(t, begin(t, l), transport, server.URL)
	}
	if !errors.Is(err, errWrittenBefore) {
		t.Errorf("request %d: %v, want %v", sent, err, errWrittenBefore)
	}
	if err := send(t, begin(t, l), transport, server.URL); err != nil {
		t.Errorf("the request after it: %v", err)
	}
	if n := requests.Load(); n != sent+1 {
		t.Errorf("the service got %d requests, want %d", n, sent+1)
	}
}

// slowMachines are machines that are told of a late request for as long as the service does not have it.
type slowMachines struct {
	machines
	received chan struct{}
	blocked  atomic.Bool
}

func (m *slowMachines) Delay(context.Context, string, time.Duration) {
	select {
	case <-m.received:
	case <-time.After(time.Minute): // long after the request has arrived, also on a busy machine
		m.blocked.Store(true)
	}
}

func TestCountingARequestDoesNotHoldItUp(t *testing.T) {
	t.Parallel()
	shared := &slowMachines{received: make(chan struct{})}
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { close(shared.received) }))
	defer server.Close()
	transport := &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		time.Sleep(2 * lateAfter)
		return new(net.Dialer).DialContext(ctx, network, address)
	}}
	defer transport.CloseIdleConnections()
	slot, err := exact().Acquire(t.Context(), shared)
	if err != nil {
		t.Fatal(err)
	}
	if err := send(t, slot, transport, server.URL); err != nil {
		t.Fatal(err)
	}
	if shared.blocked.Load() {
		t.Error("the request was not sent before the other machines had been told of it")
	}
}
