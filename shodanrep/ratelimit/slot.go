package ratelimit

import (
	"context"
	"crypto/tls"
	"errors"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"
)

// A Slot is one request's place in the rate limit.
type Slot struct {
	limiter     *Limiter
	machines    Coordinator // nil where machines share nothing
	coordinated bool        // the place is one among all machines
	begun       time.Time   // when the request might be sent
	written     atomic.Bool // the request was, where it went through a Transport

	// Under the limiter's lock.
	acquiring bool // it is the one in Limiter.acquiring
	counted   bool // that the request was written
}

type slotKey struct{}

// WithSlot returns a context for the slot's request.
func WithSlot(ctx context.Context, s *Slot) context.Context {
	return context.WithValue(ctx, slotKey{}, s)
}

// errWrittenBefore says that net/http would have written a request a second time.
var errWrittenBefore = errors.New("the connection ended before the response")

// lateAfter is how much later than planned a request may be written without the other machines being told.
const lateAfter = 10 * time.Millisecond

// A Transport tells the slot of a request when the request is written. Every exact limiter needs one.
type Transport struct{ Next http.RoundTripper }

// RoundTrip implements http.RoundTripper. It lets a request be written once only: net/http would send it again at once
// where a connection that was used before ends, and that is one more request.
func (t Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	s, _ := req.Context().Value(slotKey{}).(*Slot)
	if s == nil {
		return t.Next.RoundTrip(req)
	}
	ctx, cancel := context.WithCancelCause(req.Context())
	trace := &httptrace.ClientTrace{
		GetConn: func(string) {
			if s.written.Load() {
				cancel(errWrittenBefore)
			}
		},
		GotConn: func(conn httptrace.GotConnInfo) {
			// HTTP/2 looks at the context before it writes. HTTP/1 does not, but has the connection for itself.
			if ctx.Err() != nil && !isHTTP2(conn) {
				conn.Conn.Close()
			}
		},
		// HTTP/1 passes the request on to the network when this function returns, so it must not wait for anything.
		WroteRequest: func(httptrace.WroteRequestInfo) {
			s.written.Store(true)
			go s.count(context.WithoutCancel(ctx))
		},
	}
	resp, err := t.Next.RoundTrip(req.WithContext(httptrace.WithClientTrace(ctx, trace)))
	if err == nil {
		s.written.Store(true) // also where the transport of a test has no trace
		s.count(ctx)
	} else if context.Cause(ctx) == errWrittenBefore {
		err = errWrittenBefore
	}
	s.release()
	return resp, err
}

func isHTTP2(conn httptrace.GotConnInfo) bool {
	c, ok := conn.Conn.(interface{ ConnectionState() tls.ConnectionState })
	return ok && c.ConnectionState().NegotiatedProtocol == "h2"
}

// count counts the interval to the next request from now, when this one was written.
func (s *Slot) count(ctx context.Context) {
	l := s.limiter
	l.mu.Lock()
	first := !s.counted
	s.counted = true
	if first && s.acquiring {
		l.update(func(now time.Time) {
			l.setTokens(0, now)
			l.writing = false
		})
	}
	l.mu.Unlock()
	if late := time.Since(s.begun); first && s.coordinated && late > lateAfter {
		// Setting the connection up took so long.
		s.machines.Delay(ctx, l.name, late)
	}
	s.release()
}

// release lets the next request acquire its slot.
func (s *Slot) release() {
	l := s.limiter
	l.mu.Lock()
	defer l.mu.Unlock()
	if !s.acquiring {
		return
	}
	if l.writing || !l.waiting.IsZero() { // it was not written, or the wait was given up
		l.writing, l.waiting = false, time.Time{}
		l.update(func(time.Time) {})
	}
	s.acquiring = false
	<-l.acquiring
}

// recordLatency notes how long the response took.
func (s *Slot) recordLatency() {
	l := s.limiter
	l.mu.Lock()
	defer l.mu.Unlock()
	took := time.Since(s.begun)
	if l.latency == 0 {
		l.latency = took
	}
	l.latency += (took - l.latency) / 8 // the weight of TCP's smoothed round-trip time (RFC 6298)
}

// Done reports that the request was answered, with any response, or failed.
func (s *Slot) Done() {
	if s.limiter.limits.Exact && !s.written.Load() {
		s.Abandon() // it found no connection, which says nothing of how fast the service answers
		return
	}
	s.recordLatency()
	s.end(false, func(time.Time) {
		if s.begun.After(s.limiter.Refusal) { // one that began before says nothing of whether the service answers again
			s.limiter.Refusals = 0
		}
	})
}

// Refused reports that the service refused the request as one too many, and for how long it wants no further request, 0
// where it does not say. It returns the moment before which no request is sent, and whether that is a ban.
func (s *Slot) Refused(retryAfter time.Duration) (until time.Time, banned bool) {
	return s.refused(s.limiter.applyRefusal, retryAfter)
}

// ClientRefused is Refused for a response that refuses this client and does not say that it is for the number of
// requests.
func (s *Slot) ClientRefused(retryAfter time.Duration) (until time.Time, banned bool) {
	return s.refused(s.limiter.applyClientRefusal, retryAfter)
}

func (s *Slot) refused(apply func(now, begun time.Time, retryAfter time.Duration), retryAfter time.Duration) (until time.Time, banned bool) {
	l := s.limiter
	s.recordLatency()
	s.end(true, func(now time.Time) {
		apply(now, s.begun, retryAfter)
		until, banned = l.Paused, now.Before(l.Banned)
		if banned {
			until = l.Banned
		}
	})
	return until, banned
}

// Abandon reports that the request was given up, which says nothing of the service.
func (s *Slot) Abandon() { s.end(false, func(time.Time) {}) }

// end ends the slot, and changes the limiter's state for it. Where the rate is high only urgent changes go into the
// file.
func (s *Slot) end(urgent bool, change func(now time.Time)) {
	s.release()
	l := s.limiter
	l.mu.Lock()
	defer l.mu.Unlock()
	l.underWay--
	if urgent {
		l.localTokens = 0
	}
	if urgent || !l.fast() {
		l.update(change)
	}
	l.wake()
}
