package matrix

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/processtest"
	_ "github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/sdktest"
)

// TestMain keeps rate limits in this process: a folder below a file cannot be made. The hundreds of services of the
// test would otherwise share one file of rates, through which they would wait for one another.
func TestMain(m *testing.M) {
	os.Exit(processtest.RunInTempDir(func(dir string) int {
		file := filepath.Join(dir, "file")
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		os.Setenv("SHODANREP_CACHE_DIR", filepath.Join(file, "none"))
		os.Setenv("XDG_DATA_HOME", dir)
		return m.Run()
	}))
}
