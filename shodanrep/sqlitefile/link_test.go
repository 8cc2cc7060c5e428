package sqlitefile_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/sqlitefile"
)

// A link stays, also if its file is not there yet, or is damaged: the files are those of the folder that it leads to.
func TestALinkIsFollowed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	link, target := filepath.Join(dir, "link.sqlite"), filepath.Join(dir, "disk", "c.sqlite")
	if err := os.Symlink(filepath.Join("disk", "c.sqlite"), link); err != nil {
		t.Skip(err)
	}
	if err := os.Mkdir(filepath.Dir(target), 0o700); err != nil {
		t.Fatal(err)
	}
	f := openFile(t, link, options())
	if err := f.Write(t.Context(), insert); err != nil {
		t.Fatal(err)
	}
	if n := f.LogSize(); n == 0 {
		t.Error("the log is not found")
	}
	byTarget := openFile(t, target, options())
	if n := count(t, byTarget); n != 1 {
		t.Errorf("%d rows by the other name", n)
	}
	if err := errors.Join(f.Close(), byTarget.Close(), os.WriteFile(target, bytes.Repeat([]byte("garbage "), 1000), 0o600)); err != nil {
		t.Fatal(err)
	}
	if n := count(t, openFile(t, link, options())); n != 0 {
		t.Errorf("%d rows in a new file", n)
	}
	for _, path := range []string{target, target + sqlitefile.DamagedSuffix} {
		if info, err := os.Lstat(path); err != nil || !info.Mode().IsRegular() {
			t.Errorf("%s: %v, %v", path, info, err)
		}
	}
	if got, err := os.Readlink(link); err != nil || got != filepath.Join("disk", "c.sqlite") {
		t.Errorf("the link leads to %q, %v", got, err)
	}
}
