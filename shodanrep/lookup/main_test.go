package lookup_test

import (
	"os"
	"testing"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/processtest"
)

func TestMain(m *testing.M) {
	os.Exit(processtest.RunInTempDir(func(dir string) int {
		// No test shares a cache or rate limits with processes of the developer's own.
		os.Setenv("SHODANREP_CACHE_DIR", dir)
		return m.Run()
	}))
}
