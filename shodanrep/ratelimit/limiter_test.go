package ratelimit

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// limited is a limiter like InternetDB's.
func limited(perSecond float64) *Limiter {
	return New(Limits{PerSecond: perSecond, Burst: 10, BannedAfter: 4, BanTime: time.Hour, Adaptive: true})
}

// begin lets a request go, which must be let.
func begin(t *testing.T, l *Limiter) *Slot {
	t.Helper()
	s, err := l.Acquire(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// openFile returns a file of shared rates in a folder of its own.
func openFile(t *testing.T) *File {
	t.Helper()
	file, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return file
}

func TestLimiter(t *testing.T) {
	for name, test := range map[string]func(t *testing.T, l *Limiter){
		"a refusal halves the pace": func(t *testing.T, l *Limiter) {
			begin(t, l).Refused(0)
			if l.Rate() != 10 {
				t.Errorf("%v a second, want 10", l.Rate())
			}
		},
		"refusals of requests that left before the last one count as one": func(t *testing.T, l *Limiter) {
			first, second, third := begin(t, l), begin(t, l), begin(t, l)
			time.Sleep(time.Second)
			for _, slot := range []*Slot{first, second, third} {
				if _, ban := slot.Refused(0); ban {
					t.Error("three refusals at once are taken for a ban")
				}
				time.Sleep(time.Millisecond)
			}
			if l.Refusals != 1 || l.Rate() != 10 {
				t.Errorf("%d refusals, %v a second", l.Refusals, l.Rate())
			}
		},
		"an answer to a request that left before a refusal does not end the caution": func(t *testing.T, l *Limiter) {
			refused, answered := begin(t, l), begin(t, l)
			refused.Refused(0)
			time.Sleep(100 * time.Millisecond)
			answered.Done()
			if l.Refusals != 1 {
				t.Error("what left before the refusal says nothing of what the service does since")
			}
			begin(t, l).Done()
			if l.Refusals != 0 {
				t.Error("an answer after the refusal does")
			}
		},
		"one request finds out whether the service answers again": func(t *testing.T, l *Limiter) {
			begin(t, l).Refused(0)
			slot := begin(t, l)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			if _, err := l.Acquire(ctx, nil); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%v: a second one went beside it", err)
			}
			slot.Done()
			begin(t, l).Done()
		},
		"the pause doubles with each refusal in a row": func(t *testing.T, l *Limiter) {
			for _, want := range []time.Duration{time.Second, 2 * time.Second, 4 * time.Second} {
				until, ban := begin(t, l).Refused(0)
				if pause := time.Until(until); pause != want || ban {
					t.Errorf("a pause of %v, ban %v; want %v", pause, ban, want)
				}
			}
			until, ban := begin(t, l).Refused(0)
			if !ban || time.Until(until) != time.Hour {
				t.Errorf("after the fourth: ban %v, for %v", ban, time.Until(until))
			}
			var banned *BannedError
			if _, err := l.Acquire(t.Context(), nil); !errors.As(err, &banned) || !banned.Until.Equal(until) {
				t.Errorf("%v, want the ban", err)
			}
		},
		"a pause that the service asks for is kept": func(t *testing.T, l *Limiter) {
			until, ban := begin(t, l).Refused(40 * time.Second)
			if ban || time.Until(until) != 40*time.Second {
				t.Errorf("ban %v, pause %v", ban, time.Until(until))
			}
		},
		"one that is too long is a ban": func(t *testing.T, l *Limiter) {
			until, ban := begin(t, l).Refused(10 * time.Minute)
			if !ban || time.Until(until) != 10*time.Minute {
				t.Errorf("ban %v, until %v", ban, time.Until(until))
			}
			time.Sleep(10*time.Minute + time.Second)
			begin(t, l).Done()
		},
		"a late refusal with a longer pause prolongs it": func(t *testing.T, l *Limiter) {
			first, second := begin(t, l), begin(t, l)
			time.Sleep(time.Second)
			first.Refused(0)
			until, _ := second.Refused(20 * time.Second)
			if time.Until(until) != 20*time.Second {
				t.Errorf("a pause of %v", time.Until(until))
			}
		},
		"a slowed pace recovers, but not to what was refused": func(t *testing.T, l *Limiter) {
			begin(t, l).Refused(0)
			time.Sleep(2 * time.Second)
			begin(t, l).Done()
			time.Sleep(5 * time.Minute)
			begin(t, l).Done()
			if l.Rate() != 15 {
				t.Errorf("%v a second, want three quarters of the 20 that were refused", l.Rate())
			}
			time.Sleep(10 * time.Minute)
			begin(t, l).Done()
			time.Sleep(10 * time.Second)
			begin(t, l).Done()
			if l.Rate() != 20 {
				t.Errorf("%v a second, want that 20 are tried again after a while", l.Rate())
			}
			// And after twice as long the next time.
			begin(t, l).Refused(0)
			for range 19 {
				time.Sleep(time.Minute)
				begin(t, l).Done()
			}
			if l.Rate() != 15 {
				t.Errorf("%v a second, want 15 for 20 minutes", l.Rate())
			}
		},
		"the pace never falls below a request in ten seconds": func(t *testing.T, l *Limiter) {
			for range 30 {
				begin(t, l).Refused(0)
				time.Sleep(time.Minute)
				begin(t, l).Done()
			}
			if l.Rate() < 0.1 {
				t.Errorf("%v a second", l.Rate())
			}
		},
		"a slower rate holds at once, and so does a faster one": func(t *testing.T, l *Limiter) {
			l.SetRate(5)
			if l.Rate() != 5 || l.limits.PerSecond != 5 || l.highest(time.Now()) != 5 {
				t.Errorf("%v a second, want 5", l.Rate())
			}
			l.SetRate(50)
			if l.Rate() != 50 || l.limits.PerSecond != 50 || l.highest(time.Now()) != 50 {
				t.Errorf("%v a second, want 50", l.Rate())
			}
		},
		"a faster rate does not undo what a refusal has lowered": func(t *testing.T, l *Limiter) {
			begin(t, l).Refused(0)
			lowered, ceiling := l.Rate(), l.highest(time.Now())
			l.SetRate(50)
			if l.Rate() != lowered || l.highest(time.Now()) != ceiling || l.limits.PerSecond != 50 {
				t.Errorf("%v a second up to %v, want %v up to %v", l.Rate(), l.highest(time.Now()), lowered, ceiling)
			}
			l.SetRate(4)
			if l.Rate() != 4 || l.highest(time.Now()) != 4 {
				t.Errorf("%v a second up to %v, want the slower 4", l.Rate(), l.highest(time.Now()))
			}
		},
		"a ban known from elsewhere is kept, and only ever prolonged": func(t *testing.T, l *Limiter) {
			until := time.Now().Add(time.Hour)
			l.Ban(until)
			l.Ban(time.Now().Add(time.Minute))
			var banned *BannedError
			if _, err := l.Acquire(t.Context(), nil); !errors.As(err, &banned) || !banned.Until.Equal(until) {
				t.Errorf("%v, want a ban until %v", err, until)
			}
		},
		"a service that is unavailable is said to be, unless it refuses for longer": func(t *testing.T, l *Limiter) {
			unavailable := func() bool {
				var banned *BannedError
				if _, err := l.Acquire(t.Context(), nil); !errors.As(err, &banned) {
					t.Fatalf("%v, want a ban", err)
				}
				return banned.Unavailable
			}
			l.Pause(time.Hour)
			if !unavailable() {
				t.Error("a pause is said to be a refusal")
			}
			l.Ban(time.Now().Add(2 * time.Hour))
			if unavailable() {
				t.Error("a ban is said to be an outage")
			}
			l.BanUnavailable(time.Now().Add(3 * time.Hour))
			if !unavailable() {
				t.Error("an outage that is known from elsewhere is said to be a refusal")
			}
		},
		"a ban says that the service refuses the client, unless it refuses for too many requests for longer": func(t *testing.T, l *Limiter) {
			isRefused := func() bool {
				var banned *BannedError
				if _, err := l.Acquire(t.Context(), nil); !errors.As(err, &banned) || banned.Unavailable {
					t.Fatalf("%v, want a ban", err)
				}
				return banned.ClientRefused
			}
			for range 3 {
				if _, banned := begin(t, l).ClientRefused(0); banned {
					t.Fatal("it is a ban before the fourth refusal")
				}
			}
			if until, banned := begin(t, l).ClientRefused(0); !banned || !until.Equal(time.Now().Add(time.Hour)) || !isRefused() {
				t.Errorf("a ban %v until %v, want one that says who is refused", banned, until)
			}
			l.Ban(time.Now().Add(2 * time.Hour))
			if isRefused() {
				t.Error("a ban for too many requests is said to be a refusal of the client")
			}
			l.BanClientRefused(time.Now().Add(3 * time.Hour))
			if !isRefused() {
				t.Error("a refusal of the client that is known from elsewhere is said to be for too many requests")
			}
		},
		"a ban ends the wait of those who wait": func(t *testing.T, l *Limiter) {
			begin(t, l).Refused(30 * time.Second)
			failed := make(chan error, 1)
			go func() {
				_, err := l.Acquire(t.Context(), nil)
				failed <- err
			}()
			synctest.Wait()
			l.Ban(time.Now().Add(time.Hour))
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
		"waiting ends with the context, and leaves the place to another": func(t *testing.T, l *Limiter) {
			l.SetRate(0.5)
			for range 10 {
				begin(t, l).Done() // the burst
			}
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(time.Millisecond, cancel)
			if _, err := l.Acquire(ctx, nil); !errors.Is(err, context.Canceled) {
				t.Errorf("%v", err)
			}
			if l.underWay != 0 {
				t.Errorf("%d requests under way", l.underWay)
			}
			begin(t, l).Done()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { test(t, limited(20)) })
		})
	}
}

func TestThePaceHoldsWhileItChanges(t *testing.T) {
	// Requests that queue while the pace rises must not go closer together than the pace that they go at.
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := limited(20)
		begin(t, l).Refused(0)
		begin(t, l).Refused(0)
		times := make(chan time.Time, 1000)
		for range 8 { // more than are let go at once
			go func() {
				for range 100 {
					slot, err := l.Acquire(t.Context(), nil)
					if err != nil {
						t.Error(err)
						return
					}
					times <- slot.begun
					slot.Done()
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
		l := limited(test.perSecond)
		l.Since = time.Now()
		l.latency = 200 * time.Millisecond
		if got := l.window(l.Since.Add(test.after)); got != test.want {
			t.Errorf("at %v a second, after %v, %d requests may be under way, want %d", test.perSecond, test.after, got, test.want)
		}
		l.limits.Adaptive = false
		if got := l.window(l.Since); got < 1e6 {
			t.Errorf("where nothing bans, %d may be", got)
		}
	}
}

func TestALateRefusalDoesNotSlowASteadyPaceForLong(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		adaptive bool
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
				l := New(Limits{PerSecond: 1, Burst: 1, BannedAfter: 6, BanTime: time.Minute, Adaptive: test.adaptive})
				for began := time.Now(); time.Since(began) < test.after; {
					begin(t, l).Done()
				}
				begin(t, l).Refused(0)
				for began := time.Now(); time.Since(began) < time.Minute; {
					begin(t, l).Done()
				}
				if l.Rate() != test.want {
					t.Errorf("%v a second, want %v", l.Rate(), test.want)
				}
			})
		})
	}
}
