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
