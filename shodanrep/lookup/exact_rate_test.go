package lookup_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

// connecting serves the simulator over connections within the process, each of which takes a while to set up, as one
// with TLS does.
func connecting(t *testing.T, sim http.Handler, setUp time.Duration) *http.Transport {
	t.Helper()
	l := &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
	server := &http.Server{Handler: sim, ReadHeaderTimeout: 5 * time.Second} // it closes what nothing comes on for longer
	go func() { _ = server.Serve(l) }()
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		time.Sleep(setUp)
		own, others := net.Pipe()
		select {
		case l.conns <- others:
			return own, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	return transport
}

// pipes is a listener whose connections come from connecting.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.conns:
		return conn, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { close(p.closed); return nil }
func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipes"} }

func TestThePaceCountsFromWhenARequestIsWritten(t *testing.T) {
	for _, setUp := range []time.Duration{0, 150 * time.Millisecond, 900 * time.Millisecond, 3 * time.Second} {
		for name, options := range map[string][]shodantest.Option{
			"many addresses a request": {shodantest.WithPlan("corp"), shodantest.WithLatency(200 * time.Millisecond)},
			"one address a request":    {shodantest.WithLatency(200 * time.Millisecond)},
			"slow answers":             {shodantest.WithLatency(4 * time.Second)},
		} {
			t.Run(fmt.Sprintf("connections take %v, %s", setUp, name), func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					sim := shodantest.NewHandler(append(options, shodantest.WithRateLimit(shodantest.Shodan, 1, 1))...)
					cfg := withKey(sim)
					cfg.Source, cfg.Transport = lookup.Shodan, connecting(t, sim, setUp)
					got := tally(lookUp(t.Context(), t, start(t, cfg), questions(sim.Generate(30))...))
					if got[lookup.Indexed] != 30 || statuses(sim, shodantest.Shodan)[429] > 0 {
						t.Errorf("%v, %v", got, statuses(sim, shodantest.Shodan))
					}
					if peak := sim.PeakPerSecond(shodantest.Shodan); peak > 1 {
						t.Errorf("%d requests in one second", peak)
					}
				})
			})
		}
	}
}

func TestTheWaitForATurnIsNoPartOfTheTimeout(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := shodantest.NewHandler(shodantest.WithLatency(500 * time.Millisecond))
		cfg := withKey(sim)
		cfg.Source, cfg.Transport = lookup.Shodan, connecting(t, sim, 100*time.Millisecond)
		cfg.RequestsPerSecond, cfg.Timeout, cfg.BulkLookup = 0.1, time.Second, "off"
		if got := tally(lookUp(t.Context(), t, start(t, cfg), questions(sim.Generate(5))...)); got[lookup.Indexed] != 5 {
			t.Errorf("%v, %v", got, statuses(sim, shodantest.Shodan))
		}
	})
}

func TestAServiceThatDoesNotAnswerRunsIntoTheTimeout(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := shodantest.NewHandler()
		sim.Fault(shodantest.Fault{Kind: shodantest.Hang})
		cfg := withKey(sim)
		cfg.Source, cfg.Transport, cfg.Timeout = lookup.Shodan, connecting(t, sim, 100*time.Millisecond), 2*time.Second
		began := time.Now()
		a := lookUp(t.Context(), t, start(t, cfg), questions(sim.Generate(1))...)[0]
		if took := time.Since(began); a.Status != lookup.Failed || a.Error != "Shodan sent no usable response (no response within 2s)" || took > 3*time.Second {
			t.Errorf("%+v after %v", a, took)
		}
	})
}

func TestARefusalHoldsTheRequestThatWaitsForItsTurn(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := shodantest.NewHandler(shodantest.WithLatency(1500 * time.Millisecond))
		cfg := withKey(sim)
		cfg.Source, cfg.Transport, cfg.BulkLookup = lookup.Shodan, connecting(t, sim, 50*time.Millisecond), "off"
		e := start(t, cfg)
		lookUp(t.Context(), t, e, questions(sim.Generate(1))...) // what the key may do is known from then on
		sim.Fault(shodantest.Fault{Status: 429, Times: 1, Header: http.Header{"Retry-After": {"20"}}})
		got := tally(lookUp(t.Context(), t, e, questions(sim.Generate(6)[1:])...))
		if got[lookup.Indexed] != 5 {
			t.Errorf("%v", got)
		}
		var refused time.Time
		for _, r := range sim.Requests() {
			if r.Status == 429 {
				refused = r.Time.Add(1500 * time.Millisecond)
			} else if gap := r.Time.Sub(refused); !refused.IsZero() && gap > 0 && gap < 20*time.Second {
				t.Errorf("a request came %v after the refusal, which asked for 20 s", gap)
			}
		}
		if refused.IsZero() {
			t.Error("nothing was refused")
		}
		synctest.Wait()
	})
}
