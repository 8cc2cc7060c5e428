package stdio

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// names returns the names of the files in a folder.
func names(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}

// A killed process leaves its file. The next one that writes the same result removes it, and no other file.
func TestAbandonedFilesAreRemoved(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	result := filepath.Join(dir, "a.csv")
	old := time.Now().Add(-2 * minAbandoned)
	for _, name := range []string{
		".a.csv.shodanrep-new-123", ".a.csv.shodanrep-new-12x", ".a.csv.shodanrep-new-", ".a.csv.123", ".b.csv.shodanrep-new-123", "a.csv.shodanrep-new-123",
	} {
		file := filepath.Join(dir, name)
		if err := errors.Join(os.WriteFile(file, nil, 0o600), os.Chtimes(file, old, old)); err != nil {
			t.Fatal(err)
		}
	}
	young := filepath.Join(dir, ".a.csv.shodanrep-new-7")
	if err := os.WriteFile(young, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	write := func(w io.Writer) error {
		_, err := io.WriteString(w, "x")
		return err
	}
	if err := ReplaceFile(t.Context(), result, write); err != nil {
		t.Fatal(err)
	}
	want := []string{
		".a.csv.123", ".a.csv.shodanrep-new-", ".a.csv.shodanrep-new-12x", ".a.csv.shodanrep-new-7", ".b.csv.shodanrep-new-123", "a.csv", "a.csv.shodanrep-new-123",
	}
	if got := names(t, dir); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A file that another process writes stays, however long it takes, and both results are complete.
func TestAFileThatIsBeingWrittenStays(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	result := filepath.Join(dir, "a.csv")
	err := ReplaceFile(t.Context(), result, func(w io.Writer) error {
		old := time.Now().Add(-2 * minAbandoned)
		for _, name := range names(t, dir) {
			if err := os.Chtimes(filepath.Join(dir, name), old, old); err != nil {
				return err
			}
		}
		if err := ReplaceFile(t.Context(), result, func(io.Writer) error { return nil }); err != nil {
			return err
		}
		_, err := io.WriteString(w, "slow")
		return err
	})
	content, readErr := os.ReadFile(result)
	if err := errors.Join(err, readErr); err != nil || string(content) != "slow" || len(names(t, dir)) != 1 {
		t.Errorf("%q, %q: %v", content, names(t, dir), err)
	}
}

func TestResultsWithLongNames(t *testing.T) {
	t.Parallel()
	for _, name := range []string{strings.Repeat("a", 255), strings.Repeat("é", 127), "a" + strings.Repeat("é", 127)} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Skip(err)
		}
		if err := ReplaceFile(t.Context(), filepath.Join(dir, name), func(io.Writer) error { return nil }); err != nil || len(names(t, dir)) != 1 {
			t.Errorf("%d bytes: %q, %v", len(name), names(t, dir), err)
		}
	}
}

// A link such as latest.csv stays, also before the file that it names exists.
func TestALinkStays(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "deep", "est"), 0o700); err != nil {
		t.Fatal(err)
	}
	for link, target := range map[string]string{
		"latest.csv": "1.csv", "2.csv": "latest.csv", "short": filepath.Join("deep", "est"), "deep/est/up.csv": "../3.csv", "loop.csv": "loop.csv",
	} {
		if err := os.Symlink(target, filepath.Join(dir, link)); err != nil {
			t.Skip(err)
		}
	}
	for _, test := range []struct{ name, target string }{
		{"latest.csv", "1.csv"}, {"2.csv", "1.csv"}, {"latest.csv", "1.csv"}, {"short/up.csv", "deep/3.csv"}, {"loop.csv", "loop.csv"},
	} {
		target := filepath.Join(dir, test.target)
		err := ReplaceFile(t.Context(), filepath.Join(dir, test.name), func(w io.Writer) error {
			_, err := io.WriteString(w, test.name)
			return err
		})
		info, statErr := os.Lstat(target)
		content, readErr := os.ReadFile(filepath.Join(dir, test.name))
		if err := errors.Join(err, statErr, readErr); err != nil || !info.Mode().IsRegular() || string(content) != test.name {
			t.Errorf("%s: %v, %q", test.name, err, content)
			continue
		}
		if info, err := os.Lstat(filepath.Join(dir, test.name)); test.name != test.target && (err != nil || info.Mode().IsRegular()) {
			t.Errorf("%s is no link: %v", test.name, err)
		}
	}
}

// The error of a write has the name of the result, not that of the file which would replace it.
func TestErrorsNameTheResult(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	result := filepath.Join(dir, "a.csv")
	err := ReplaceFile(t.Context(), result, func(w io.Writer) error {
		if err := w.(io.Closer).Close(); err != nil {
			return err
		}
		_, err := io.WriteString(w, "x")
		if _, copied := io.Copy(w, strings.NewReader("x")); copied == nil || copied.Error() != err.Error() {
			t.Errorf("copying: %v", copied)
		}
		return err
	})
	if want := result + " cannot be written: file already closed"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if err := ReplaceFile(t.Context(), dir, nil); err == nil || !strings.HasPrefix(err.Error(), dir+" cannot be written: ") || strings.Count(err.Error(), dir) != 1 {
		t.Errorf("a folder: %v", err)
	}
}
