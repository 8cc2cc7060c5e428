package textfile_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/textfile"
)

func TestRead(t *testing.T) {
	t.Parallel()
	for content, want := range map[string]string{
		"":                          "",
		"ä\r\n":                     "ä\r\n",
		"\ufeffä\n\ufeff":           "ä\n\ufeff",
		"\xff\xfe\xe4\x00\n\x00":    "ä\n",
		"\xfe\xff\x00\xe4\x00\n":    "ä\n",
		"\xff\xfea\x00\x00":         "a\ufffd",
		"\xe4 in Latin-1, \xff\xfe": "\xe4 in Latin-1, \xff\xfe",
	} {
		path := filepath.Join(t.TempDir(), "text")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := textfile.Read(path); err != nil || string(got) != want {
			t.Errorf("%q is read as %q, %v, want %q", content, got, err, want)
		}
	}
	if _, err := textfile.Read(filepath.Join(t.TempDir(), "missing")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
}
