package filestate

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"
)

// A file that takes the place of another one of its length and time is another file.
func TestAReplacedFileHasAnotherState(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" && runtime.GOOS != "darwin" {
		t.Skip("the system does not say when a file was changed")
	}
	at := time.Date(2026, 1, 31, 6, 0, 0, 0, time.UTC)
	path := filepath.Join(t.TempDir(), "a")
	write := func(text string) State {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		return Of(info)
	}
	before := write("1")
	after := write("2")
	for deadline := time.Now().Add(10 * time.Second); after == before && time.Now().Before(deadline); {
		after = write("2") // the clock of the file system moves in steps
	}
	if after == before || after.Size != before.Size || after.Modified != before.Modified {
		t.Errorf("%+v and %+v", before, after)
	}
	info, err := os.Stat(path)
	if err != nil || Of(info) != after {
		t.Errorf("unchanged: %+v, %v, want %+v", Of(info), err, after)
	}
}
