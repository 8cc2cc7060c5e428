package stdio

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAFileThatCannotBeReplacedIsAnErrorBeforeTheWork(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	open, readOnly := filepath.Join(dir, "open.csv"), filepath.Join(dir, "read-only.csv")
	for _, name := range []string{open, readOnly} {
		if err := os.WriteFile(name, []byte("old"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	file, err := os.Open(open)
	if err := errors.Join(err, os.Chmod(readOnly, 0o400)); err != nil {
		t.Fatal(err)
	}
	defer os.Chmod(readOnly, 0o600)
	defer file.Close()
	for name, want := range map[string]string{
		open:     open + " cannot be written: it is open, in another program or as the input of this one: close it there, or name another file",
		readOnly: readOnly + " cannot be written: it is read-only: make it writable, or name another file",
	} {
		err := ReplaceFile(t.Context(), name, func(io.Writer) error { return errors.New("it was begun") })
		if err == nil || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 2 {
		t.Errorf("%d files, %v", len(entries), err)
	}
	// One that is opened meanwhile for a short time, as virus scanners do, only delays the result.
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	err = ReplaceFile(t.Context(), open, func(w io.Writer) error {
		if file, err = os.Open(open); err != nil {
			return err
		}
		_, err := io.Copy(w, strings.NewReader("new"))
		go file.Close()
		return err
	})
	if text, readErr := os.ReadFile(open); err != nil || string(text) != "new" {
		t.Errorf("%q, %v, %v", text, err, readErr)
	}
}
