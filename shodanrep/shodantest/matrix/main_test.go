package matrix

import (
	"os"
	"path/filepath"
	"testing"
)

// TestMain keeps rate limits in this process: a folder below a file cannot be made. The hundreds of services of the
// test would otherwise share one file of rates, through which they would wait for one another.
func TestMain(m *testing.M) {
	file, err := os.CreateTemp("", "shodanrep-matrix-")
	if err != nil {
		panic(err)
	}
	file.Close()
	os.Setenv("SHODANREP_CACHE_DIR", filepath.Join(file.Name(), "none"))
	dir, err := os.MkdirTemp("", "shodanrep-matrix-")
	if err != nil {
		panic(err)
	}
	os.Setenv("XDG_DATA_HOME", dir)
	status := m.Run()
	_ = os.RemoveAll(dir)
	_ = os.Remove(file.Name())
	os.Exit(status)
}
