package lookup

import (
	"path/filepath"
	"testing"

	"github.com/hashicorp/go-hclog"
)

// Processes with one configuration share rates and bans whether they use the cache or not.
func TestRatesAreSharedBesideACacheThatIsNotUsed(t *testing.T) {
	t.Parallel()
	location := filepath.Join(t.TempDir(), "cache.sqlite")
	for _, noCache := range []bool{false, true} {
		file := rateLimits(Config{Cache: location, NoCache: noCache, Logger: hclog.NewNullLogger()})
		if file == nil || filepath.Dir(file.Path()) != filepath.Dir(location) {
			t.Errorf("without the cache %t: rates are shared in %v", noCache, file)
		}
	}
}

// A cache that takes long to open must not hold up the connections that have another.
func TestWhatIsMadeSlowlyHoldsUpOnlyWhoNeedsIt(t *testing.T) {
	t.Parallel()
	values := map[string]func() int{}
	begun, end, made := make(chan struct{}), make(chan struct{}), make(chan int)
	slow := func() int {
		close(begun)
		<-end
		return 1
	}
	for range 2 {
		go func() { made <- sharedValue(&values, "slow", slow) }()
	}
	<-begun
	if got := sharedValue(&values, "fast", func() int { return 2 }); got != 2 {
		t.Errorf("got %d", got)
	}
	close(end)
	if first, second := <-made, <-made; first != 1 || second != 1 {
		t.Errorf("got %d and %d", first, second)
	}
}
