package ratelimit

import (
	"errors"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

func TestWithoutTheFileAProcessKeepsItsShareOfTheRateAndWhatItLearns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		file, err := Open(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
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
				file, err := Open(t.TempDir())
				if err != nil {
					t.Fatal(err)
				}
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
