package ratelimit

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"
)

func TestWithoutTheFileAProcessKeepsItsShareOfTheRateAndWhatItLearns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		file := openFile(t)
		one, other := exact(), exact()
		one.ShareThrough(file, "rate")
		other.ShareThrough(file, "rate")
		slot := begin(t, one) // while it is under way there are two processes
		slot.count(t.Context())
		begin(t, other).Done()
		slot.Done()
		if err := errors.Join(os.Remove(file.Path()), os.Mkdir(file.Path(), 0o700)); err != nil {
			t.Fatal(err)
		}
		begin(t, other).Done()
		began := time.Now()
		begin(t, other).Done()
		if gap := time.Since(began); gap < 2*time.Second || gap > 2500*time.Millisecond {
			t.Errorf("%v between two requests, want half the rate of one a second", gap)
		}
		other.BanUnavailable(time.Now().Add(time.Hour))
		if err := os.Remove(file.Path()); err != nil {
			t.Fatal(err)
		}
		for _, l := range []*Limiter{other, one} {
			var banned *BannedError
			if _, err := l.Acquire(t.Context(), nil); !errors.As(err, &banned) || !banned.Unavailable {
				t.Errorf("%v, want the ban that was learned without the file", err)
			}
		}
	})
}

// TestAProcessCountsFromItsLastRequestWithTheMonotonicClock reads the time of the tokens from the file, which has only the
// clock of the day: a clock that is set forward would let a request go early. The clock of synctest is not monotonic.
func TestAProcessCountsFromItsLastRequestWithTheMonotonicClock(t *testing.T) {
	t.Parallel()
	file := openFile(t)
	one, other := New(Limits{PerSecond: 1e6, Burst: 1, Exact: true}), New(Limits{PerSecond: 1e6, Burst: 1, Exact: true})
	one.ShareThrough(file, "rate")
	other.ShareThrough(file, "rate")
	isMonotonic := func(l *Limiter) bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.update(func(time.Time) {})
		return l.TokensAt != l.TokensAt.Round(0) // which removes the reading of the monotonic clock
	}
	for _, l := range []*Limiter{one, other} {
		begin(t, l).Done()
		if got := isMonotonic(one); got != (l == one) {
			t.Errorf("the first process counts with the monotonic clock: %v", got)
		}
		if got := isMonotonic(other); got != (l == other) {
			t.Errorf("the second process counts with the monotonic clock: %v", got)
		}
	}
}

// A ban that began while the file was out of reach is still known, with its reason, when the file is back.
func TestABanThatIsLearnedWithoutTheFileKeepsItsReason(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		ban  func(*Limiter, time.Time)
		want BannedError
	}{
		"too many requests":           {(*Limiter).Ban, BannedError{}},
		"a service that is down":      {(*Limiter).BanUnavailable, BannedError{Unavailable: true}},
		"a client that is not wanted": {(*Limiter).BanClientRefused, BannedError{ClientRefused: true}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				file := openFile(t)
				l := exact()
				l.ShareThrough(file, "rate")
				begin(t, l).Done()
				if err := errors.Join(os.Remove(file.Path()), os.Mkdir(file.Path(), 0o700)); err != nil {
					t.Fatal(err)
				}
				begin(t, l).Done() // it cannot be written
				test.want.Until = time.Now().Add(time.Hour)
				test.ban(l, test.want.Until)
				if err := os.Remove(file.Path()); err != nil {
					t.Fatal(err)
				}
				var banned *BannedError
				if _, err := l.Acquire(t.Context(), nil); !errors.As(err, &banned) || *banned != test.want {
					t.Errorf("got %+v, want %+v", banned, test.want)
				}
			})
		})
	}
}

// A file that cannot be read must not make a process forget its last request, its bans and what was refused.
func TestADamagedFileDoesNotMakeAProcessForget(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func(path string) error{
		"damaged": func(path string) error { return os.WriteFile(path, []byte(`{"records":{"ra`), 0o600) },
		"emptied": func(path string) error { return os.Truncate(path, 0) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				file := openFile(t)
				rest, internetDB := exact(), limited(20)
				rest.ShareThrough(file, "rest")
				internetDB.ShareThrough(file, "internetdb")
				begin(t, rest).Done()
				began := time.Now()
				begin(t, internetDB).Refused(0)
				if err := damage(file.Path()); err != nil {
					t.Fatal(err)
				}
				begin(t, rest).Done()
				if gap := time.Since(began); gap < time.Second {
					t.Errorf("%v between two requests, want a second", gap)
				}
				begin(t, internetDB).Done()
				if rate := internetDB.Rate(); rate > 11 {
					t.Errorf("%v a second after a refusal, want half of 20", rate)
				}
				internetDB.Ban(time.Now().Add(time.Hour))
				if err := damage(file.Path()); err != nil {
					t.Fatal(err)
				}
				var banned *BannedError
				if _, err := internetDB.Acquire(t.Context(), nil); !errors.As(err, &banned) {
					t.Errorf("%v, want the ban", err)
				}
			})
		})
	}
}

func TestARefusalThatIsLearnedWithoutTheFileStillLowersTheRate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		file := openFile(t)
		l := limited(20)
		l.ShareThrough(file, "rate")
		begin(t, l).Done()
		if err := errors.Join(os.Remove(file.Path()), os.Mkdir(file.Path(), 0o700)); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			begin(t, l).Refused(0)
		}
		if err := os.Remove(file.Path()); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(filepath.Dir(file.Path())); err != nil { // another process makes it again
			t.Fatal(err)
		}
		slot := begin(t, l)
		if l.Refusals != 2 || l.Rate() > 6 {
			t.Errorf("%d refusals and %v a second, want 2, and a quarter of 20", l.Refusals, l.Rate())
		}
		slot.Done()
	})
}

func TestABanThatIsClearedDoesNotComeBackFromAProcess(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		file := openFile(t)
		l := limited(20)
		l.ShareThrough(file, "rate")
		l.Ban(time.Now().Add(time.Hour))
		time.Sleep(time.Second)
		if err := file.Clear(); err != nil {
			t.Fatal(err)
		}
		begin(t, l).Done()
	})
}

// awayMachines is a Coordinator that is out of reach, of a rate that so many processes share.
type awayMachines struct {
	Coordinator // nil: there are no leases
	processes   int
}

func (m awayMachines) Take(context.Context, string, float64, int) (int, error) {
	return m.processes, ErrAway
}

// A process can share a rate both with others through the file and with machines, if its connections have different caches.
func TestWithoutTheMachinesAProcessKeepsItsShareAlsoWhereItHasTheFile(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		file := openFile(t)
		l := exact()
		l.ShareThrough(file, "rate")
		acquire := func() {
			slot, err := l.Acquire(t.Context(), awayMachines{processes: 4})
			if err != nil {
				t.Fatal(err)
			}
			slot.Done()
		}
		acquire()
		began := time.Now()
		acquire()
		if gap := time.Since(began); gap < 4*time.Second || gap > 4500*time.Millisecond {
			t.Errorf("%v between two requests, want a quarter of the rate of one a second", gap)
		}
	})
}

func TestAVeryLowRateIsKeptHoweverLongNothingIsSent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		file := openFile(t)
		l := New(Limits{PerSecond: 0.001, Burst: 1, BannedAfter: 6, BanTime: time.Minute})
		l.ShareThrough(file, "rate")
		begin(t, l).Done()
		began := time.Now()
		time.Sleep(15 * time.Minute) // the wait for the rest is in steps, each of which reads the file
		begin(t, l).Done()
		if gap := time.Since(began); gap < 1000*time.Second {
			t.Errorf("%v between two requests, want 1,000 s", gap)
		}
	})
}
