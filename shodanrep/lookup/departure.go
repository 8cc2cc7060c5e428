package lookup

import (
	"context"
	"net/http"
	"net/http/httptrace"
	"time"
)

// A departure is one request that a pacer lets go.
type departure struct {
	pacer  *pacer
	turn   turn
	clock  *stopwatch // of what the request may take, which the wait for its turn is no part of; may be nil
	inLine bool       // it has the line's place; under the pacer's lock
	begun  time.Time  // when its turn came, zero before
}

// line waits for the line's place, unless the departure has it.
func (d *departure) line(ctx context.Context) error {
	d.pacer.mu.Lock()
	inLine := d.inLine
	d.pacer.mu.Unlock()
	if inLine {
		return nil
	}
	select {
	case d.pacer.line <- struct{}{}:
		d.pacer.mu.Lock()
		d.inLine = true
		d.pacer.mu.Unlock()
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// depart waits for the request's turn. It returns errHeld where the service refused another request meanwhile: the
// pause after that is for this one too.
func (d *departure) depart(ctx context.Context) error {
	d.clock.stop()
	defer d.clock.start()
	if err := d.line(ctx); err != nil { // a transport may write a request once more, over another connection
		return err
	}
	if err := d.wait(ctx); err != nil {
		return err
	}
	d.pacer.mu.Lock()
	defer d.pacer.mu.Unlock()
	now := time.Now()
	if d.pacer.held(now) {
		return errHeld
	}
	d.begun = now
	return nil
}

// end lets the next one into the line: the request has been written, or will not be.
func (d *departure) end() {
	d.pacer.mu.Lock()
	defer d.pacer.mu.Unlock()
	if !d.inLine {
		return
	}
	p := d.pacer
	if now := time.Now(); p.exact && !d.begun.IsZero() && now.After(p.Written) {
		if p.file == nil || now.Sub(p.Written) > noticeable {
			p.update(func(now time.Time) { p.Written = now })
		}
	}
	d.inLine, p.waiting = false, time.Time{}
	<-d.pacer.line
}

// noticeable is how much later than its turn a request may be written without the other processes being told.
const noticeable = 2 * time.Millisecond

// lateness is how much later than its turn a request may be written without the other machines being told.
const lateness = 10 * time.Millisecond

// tellLateness makes the other machines' turns come later where setting a connection up made this one's request late.
// A turn among machines can be long in coming, and a connection would not wait for it.
func (d *departure) tellLateness(ctx context.Context) {
	if late := time.Since(d.begun); late > lateness {
		d.turn.coordinator.Delay(ctx, d.turn.name, late)
	}
}

// departed reports whether the request's turn came, so that it may have reached the service.
func (d *departure) departed() bool { return !d.begun.IsZero() }

type departureKey struct{}

// departures makes requests wait for their turn when their connection is ready. Only then is what one second has of
// them also what arrives in it. Where machines share the pace the turn comes first, see tellLateness.
type departures struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (t departures) RoundTrip(req *http.Request) (*http.Response, error) {
	d, _ := req.Context().Value(departureKey{}).(*departure)
	if d == nil {
		return t.next.RoundTrip(req)
	}
	if d.departed() { // among machines
		trace := &httptrace.ClientTrace{WroteRequest: func(httptrace.WroteRequestInfo) { d.tellLateness(req.Context()) }}
		return t.next.RoundTrip(req.WithContext(httptrace.WithClientTrace(req.Context(), trace)))
	}
	if _, connects := t.next.(*http.Transport); !connects { // of a test
		if err := d.depart(req.Context()); err != nil {
			return nil, err
		}
		d.end()
		return t.next.RoundTrip(req)
	}
	ctx, cancel := context.WithCancelCause(req.Context())
	var held error
	trace := &httptrace.ClientTrace{
		GotConn: func(conn httptrace.GotConnInfo) {
			if held = d.depart(ctx); held != nil {
				// The transport does not ask whether it should go on: it must not be able to.
				cancel(held)
				conn.Conn.Close()
			}
		},
		WroteRequest: func(httptrace.WroteRequestInfo) { d.end() },
	}
	resp, err := t.next.RoundTrip(req.WithContext(httptrace.WithClientTrace(ctx, trace)))
	if err != nil && held != nil {
		return nil, held
	}
	return resp, err
}

// A stopwatch calls a function when it has run for so long, the time aside in which it was stopped. The nil stopwatch
// does nothing.
type stopwatch struct {
	timer *time.Timer
	left  time.Duration
	since time.Time // when it was last started
	used  time.Duration
}

func newStopwatch(d time.Duration, f func()) *stopwatch {
	return &stopwatch{timer: time.AfterFunc(d, f), left: d, since: time.Now()}
}

func (s *stopwatch) stop() {
	if s != nil {
		s.timer.Stop()
		s.used += time.Since(s.since)
	}
}

func (s *stopwatch) start() {
	if s != nil {
		s.since = time.Now()
		s.timer.Reset(max(0, s.left-s.used))
	}
}
