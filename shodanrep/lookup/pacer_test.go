package lookup

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// paced is a pacer like InternetDB's.
func paced(perSecond float64) *pacer {
	return newPacer(limits{perSecond: perSecond, burst: 10, bannedAfter: 4, banTime: time.Hour, windowed: true})
}

// begin lets a request go, which must be let.
func begin(t *testing.T, p *pacer) time.Time {
	t.Helper()
	d, err := p.start(t.Context(), turn{})
	if err != nil {
		t.Fatal(err)
	}
	return d.begun
}

func TestPacer(t *testing.T) {
	for name, test := range map[string]func(t *testing.T, p *pacer){
		"a refusal halves the pace": func(t *testing.T, p *pacer) {
			p.refused(begin(t, p), 0)
			if p.rate() != 10 {
				t.Errorf("%v a second, want 10", p.rate())
			}
		},
		"refusals of requests that left before the last one count as one": func(t *testing.T, p *pacer) {
			first, second, third := begin(t, p), begin(t, p), begin(t, p)
			time.Sleep(time.Second)
			for _, begun := range []time.Time{first, second, third} {
				if _, ban := p.refused(begun, 0); ban {
					t.Error("three refusals at once are taken for a ban")
				}
				time.Sleep(time.Millisecond)
			}
			if p.Refusals != 1 || p.rate() != 10 {
				t.Errorf("%d refusals, %v a second", p.Refusals, p.rate())
			}
		},
		"an answer to a request that left before a refusal does not end the caution": func(t *testing.T, p *pacer) {
			refused, answered := begin(t, p), begin(t, p)
			p.refused(refused, 0)
			time.Sleep(100 * time.Millisecond)
			p.done(answered)
			if p.Refusals != 1 {
				t.Error("what left before the refusal says nothing of what the service does since")
			}
			p.done(begin(t, p))
			if p.Refusals != 0 {
				t.Error("an answer after the refusal does")
			}
		},
		"one request finds out whether the service answers again": func(t *testing.T, p *pacer) {
			p.refused(begin(t, p), 0)
			begun := begin(t, p)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			if _, err := p.start(ctx, turn{}); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%v: a second one went beside it", err)
			}
			p.done(begun)
			p.done(begin(t, p))
		},
		"the pause doubles with each refusal in a row": func(t *testing.T, p *pacer) {
			for _, want := range []time.Duration{time.Second, 2 * time.Second, 4 * time.Second} {
				begun := begin(t, p)
				until, ban := p.refused(begun, 0)
				if pause := time.Until(until); pause != want || ban {
					t.Errorf("a pause of %v, ban %v; want %v", pause, ban, want)
				}
			}
			until, ban := p.refused(begin(t, p), 0)
			if !ban || time.Until(until) != time.Hour {
				t.Errorf("after the fourth: ban %v, for %v", ban, time.Until(until))
			}
			var banned *BannedError
			if _, err := p.start(t.Context(), turn{}); !errors.As(err, &banned) || !banned.Until.Equal(until) {
				t.Errorf("%v, want the ban", err)
			}
		},
		"a pause that the service asks for is kept": func(t *testing.T, p *pacer) {
			until, ban := p.refused(begin(t, p), 40*time.Second)
			if ban || time.Until(until) != 40*time.Second {
				t.Errorf("ban %v, pause %v", ban, time.Until(until))
			}
		},
		"one that is too long is a ban": func(t *testing.T, p *pacer) {
			until, ban := p.refused(begin(t, p), 10*time.Minute)
			if !ban || time.Until(until) != 10*time.Minute {
				t.Errorf("ban %v, until %v", ban, time.Until(until))
			}
			time.Sleep(10*time.Minute + time.Second)
			p.done(begin(t, p))
		},
		"a late refusal with a longer pause prolongs it": func(t *testing.T, p *pacer) {
			first, second := begin(t, p), begin(t, p)
			time.Sleep(time.Second)
			p.refused(first, 0)
			until, _ := p.refused(second, 20*time.Second)
			if time.Until(until) != 20*time.Second {
				t.Errorf("a pause of %v", time.Until(until))
			}
		},
		"a slowed pace recovers, but not to what was refused": func(t *testing.T, p *pacer) {
			p.refused(begin(t, p), 0)
			time.Sleep(2 * time.Second)
			p.done(begin(t, p))
			time.Sleep(5 * time.Minute)
			p.done(begin(t, p))
			if p.rate() != 15 {
				t.Errorf("%v a second, want three quarters of the 20 that were refused", p.rate())
			}
			time.Sleep(10 * time.Minute)
			p.done(begin(t, p))
			time.Sleep(10 * time.Second)
			p.done(begin(t, p))
			if p.rate() != 20 {
				t.Errorf("%v a second, want that 20 are tried again after a while", p.rate())
			}
			// And after twice as long the next time.
			p.refused(begin(t, p), 0)
			for range 19 {
				time.Sleep(time.Minute)
				p.done(begin(t, p))
			}
			if p.rate() != 15 {
				t.Errorf("%v a second, want 15 for 20 minutes", p.rate())
			}
		},
		"the pace never falls below a request in ten seconds": func(t *testing.T, p *pacer) {
			for range 30 {
				p.refused(begin(t, p), 0)
				time.Sleep(time.Minute)
				p.done(begin(t, p))
			}
			if p.rate() < 0.1 {
				t.Errorf("%v a second", p.rate())
			}
		},
		"a slower rate holds at once, and so does a faster one": func(t *testing.T, p *pacer) {
			p.configure(5)
			if p.rate() != 5 || p.perSecond != 5 || p.highest() != 5 {
				t.Errorf("%v a second, want 5", p.rate())
			}
			p.configure(50)
			if p.rate() != 50 || p.perSecond != 50 || p.highest() != 50 {
				t.Errorf("%v a second, want 50", p.rate())
			}
		},
		"a faster rate does not undo what a refusal has lowered": func(t *testing.T, p *pacer) {
			p.refused(begin(t, p), 0)
			lowered, ceiling := p.rate(), p.highest()
			p.configure(50)
			if p.rate() != lowered || p.highest() != ceiling || p.perSecond != 50 {
				t.Errorf("%v a second up to %v, want %v up to %v", p.rate(), p.highest(), lowered, ceiling)
			}
			p.configure(4)
			if p.rate() != 4 || p.highest() != 4 {
				t.Errorf("%v a second up to %v, want the slower 4", p.rate(), p.highest())
			}
		},
		"a ban known from elsewhere is kept, and only ever prolonged": func(t *testing.T, p *pacer) {
			until := time.Now().Add(time.Hour)
			p.ban(until)
			p.ban(time.Now().Add(time.Minute))
			var banned *BannedError
			if _, err := p.start(t.Context(), turn{}); !errors.As(err, &banned) || !banned.Until.Equal(until) {
				t.Errorf("%v, want a ban until %v", err, until)
			}
		},
		"a ban ends the wait of those who wait": func(t *testing.T, p *pacer) {
			p.refused(begin(t, p), 30*time.Second)
			failed := make(chan error, 1)
			go func() {
				_, err := p.start(t.Context(), turn{})
				failed <- err
			}()
			synctest.Wait()
			p.ban(time.Now().Add(time.Hour))
			synctest.Wait()
			var banned *BannedError
			select {
			case err := <-failed:
				if !errors.As(err, &banned) {
					t.Errorf("%v", err)
				}
			default:
				t.Error("it goes on waiting")
				<-failed
			}
		},
		"waiting ends with the context, and leaves the place to another": func(t *testing.T, p *pacer) {
			p.configure(0.5)
			for range 10 {
				p.done(begin(t, p)) // the burst
			}
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(time.Millisecond, cancel)
			if _, err := p.start(ctx, turn{}); !errors.Is(err, context.Canceled) {
				t.Errorf("%v", err)
			}
			if p.underWay != 0 {
				t.Errorf("%d requests under way", p.underWay)
			}
			p.done(begin(t, p))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { test(t, paced(20)) })
		})
	}
}

func TestThePaceHoldsWhileItChanges(t *testing.T) {
	// Requests that queue while the pace rises must not go closer together than the pace that they go at.
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := paced(20)
		p.refused(begin(t, p), 0)
		p.refused(begin(t, p), 0)
		times := make(chan time.Time, 1000)
		for range 8 { // more than are let go at once
			go func() {
				for range 100 {
					d, err := p.start(t.Context(), turn{})
					if err != nil {
						t.Error(err)
						return
					}
					times <- d.begun
					p.done(d.begun)
				}
			}()
		}
		synctest.Wait()
		var last time.Time
		for range 800 {
			begun := <-times
			if gap := begun.Sub(last); !last.IsZero() && gap < time.Second/20 {
				t.Errorf("%v between two requests", gap)
			}
			last = begun
		}
	})
}

func TestHowManyRequestsMayBeUnderWay(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		perSecond float64
		after     time.Duration // since the first request
		want      int
	}{
		{100, 0, 4}, {100, 2 * time.Second, 5}, {100, 5 * time.Second, 7}, {100, 10 * time.Second, 8}, {100, time.Minute, 12}, {100, time.Hour, 25},
		{10, time.Hour, 4},
		{1000, 0, 250}, // a pace that somebody has set on purpose
	} {
		p := paced(test.perSecond)
		p.Since = time.Now()
		p.Latency = 200 * time.Millisecond
		if got := p.window(p.Since.Add(test.after)); got != test.want {
			t.Errorf("at %v a second, after %v, %d requests may be under way, want %d", test.perSecond, test.after, got, test.want)
		}
		p.windowed = false
		if got := p.window(p.Since); got < 1e6 {
			t.Errorf("where nothing bans, %d may be", got)
		}
	}
}

func TestALateRefusalDoesNotSlowASteadyPaceForLong(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		windowed bool
		after    time.Duration // of asking without a refusal
		want     float64       // a minute later
	}{
		"at a service that does not ban":                 {false, 2 * time.Minute, 1},
		"at one that does not ban, soon after the start": {false, 30 * time.Second, 0.75},
		"at one that bans":                               {true, 2 * time.Minute, 0.75},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := newPacer(limits{perSecond: 1, burst: 1, bannedAfter: 6, banTime: time.Minute, windowed: test.windowed})
				for began := time.Now(); time.Since(began) < test.after; {
					p.done(begin(t, p))
				}
				p.refused(begin(t, p), 0)
				for began := time.Now(); time.Since(began) < time.Minute; {
					p.done(begin(t, p))
				}
				if p.rate() != test.want {
					t.Errorf("%v a second, want %v", p.rate(), test.want)
				}
			})
		})
	}
}
