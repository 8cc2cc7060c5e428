package internetdbfile

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/internetdbfile/internetdbtest"
)

// A copy is removed while calls still use it, and another file can be at its path.
func TestTheDatabaseIsCheckedThatIsOpen(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "internetdb.sqlite")
	var rows []internetdbtest.Row
	// The value in capitals is not at an end of the index, which is read when the file is opened.
	for _, ip := range []string{"1.0.0.1", "11.0.0.1", "192.0.2.1", "2606:4700::1", "2606:4700::AB", "2606:4700::ffff", "99.0.0.1", "fd00::1"} {
		rows = append(rows, internetdbtest.Row{IP: ip})
	}
	if err := internetdbtest.Write(path, slices.Values(rows)); err != nil {
		t.Fatal(err)
	}
	v, err := statFile(path)
	if err != nil {
		t.Fatal(err)
	}
	d, err := openDatabase(path, v)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(path); err != nil {
		t.Skip("an open file cannot be removed:", err)
	}
	if err := checkValues(t.Context(), d); !errors.As(err, &valueError{}) {
		t.Errorf("a removed file: %v", err)
	}
	if err := internetdbtest.Write(path, slices.Values(rows[:1])); err != nil {
		t.Fatal(err)
	}
	if err := checkValues(t.Context(), d); !errors.As(err, &valueError{}) {
		t.Errorf("a file that was replaced: %v", err)
	}
	d.retire()
	if err := checkValues(t.Context(), d); !errors.Is(err, errRetired) {
		t.Errorf("a database that was replaced: %v", err)
	}
}
