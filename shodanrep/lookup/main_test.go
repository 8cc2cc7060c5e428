package lookup_test

import (
	"os"
	"testing"
)

// No test shares a cache or rate limits with processes of the developer's own.
func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "shodanrep-test-")
	if err != nil {
		panic(err)
	}
	os.Setenv("SHODANREP_CACHE_DIR", dir)
	status := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(status)
}
