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
		e := &Engine{cfg: Config{Cache: location, NoCache: noCache, Logger: hclog.NewNullLogger()}}
		file := e.rateLimits()
		if file == nil || filepath.Dir(file.Path()) != filepath.Dir(location) {
			t.Errorf("without the cache %t: rates are shared in %v", noCache, file)
		}
	}
}
