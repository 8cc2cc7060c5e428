package internetdbfile_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/internetdbfile"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/internetdbfile/internetdbtest"
)

// compressed writes a content compressed, and returns the path.
func compressed(t *testing.T, by, content string) string {
	t.Helper()
	var buf bytes.Buffer
	var w io.WriteCloser
	switch by {
	case "gzip":
		w = gzip.NewWriter(&buf)
	case "zstd":
		encoder, err := zstd.NewWriter(&buf)
		if err != nil {
			t.Fatal(err)
		}
		w = encoder
	case "bzip2":
		program, err := exec.LookPath("bzip2")
		if err != nil {
			t.Skip("there is no program bzip2, and Go's library only reads the format")
		}
		cmd := exec.Command(program)
		cmd.Stdin, cmd.Stdout = strings.NewReader(content), &buf
		if err := cmd.Run(); err != nil {
			t.Fatal(err)
		}
	}
	if w != nil {
		if _, err := io.WriteString(w, content); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(t.TempDir(), "internetdb.sqlite."+by)
	if err := os.WriteFile(path, buf.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// fileOf returns the content of a file without an index.
func fileOf(t *testing.T, rows ...internetdbtest.Row) string {
	t.Helper()
	content, err := os.ReadFile(write(t, internetdbtest.Schema, "", rows...))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// copies returns the copies in the folder of the copies of a file.
func copies(t *testing.T, path string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(filepath.Dir(path), "copies"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if !strings.HasSuffix(entry.Name(), ".lock") && !strings.HasSuffix(entry.Name(), ".checked") {
			names = append(names, entry.Name())
		}
	}
	return names
}

func TestACompressedFileIsUnpackedOnce(t *testing.T) {
	t.Parallel()
	content := fileOf(t, row("11.0.0.5"))
	for _, by := range []string{"gzip", "zstd", "bzip2"} {
		t.Run(by, func(t *testing.T) {
			t.Parallel()
			path := compressed(t, by, content)
			at := time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)
			if err := os.Chtimes(path, at, at); err != nil {
				t.Fatal(err)
			}
			f := open(t, path)
			info, err := f.Inspect(t.Context())
			if err != nil || info.Size != 0 || info.Copy == "" || len(copies(t, path)) != 0 {
				t.Errorf("before a lookup: %+v, %v", info, err)
			}
			results, time, err := f.Hosts(t.Context(), parse("11.0.0.5", "11.0.0.6"))
			if err != nil || results[0].Host == nil || results[1].Host != nil || !time.Equal(at) {
				t.Errorf("%+v of %v, %v", results, time, err)
			}
			if info, err = f.Inspect(t.Context()); err != nil || info.Size == 0 {
				t.Errorf("after a lookup: %+v, %v", info, err)
			}
			before, err := os.Stat(info.Copy)
			if err != nil {
				t.Fatal(err)
			}
			hosts(t, open(t, path), parse("11.0.0.5")...)
			if after, err := os.Stat(info.Copy); err != nil || !os.SameFile(before, after) || len(copies(t, path)) != 1 {
				t.Errorf("another File does not use the same copy: %v, %v", copies(t, path), err)
			}
		})
	}
}

func TestAnotherFileOfTheSameSizeAndTimeHasACopyOfItsOwn(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)
	write := func(ip string) string {
		path := compressed(t, "gzip", fileOf(t, row(ip)))
		padded, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		padded = append(padded, make([]byte, 4096-len(padded))...) // gzip ignores zeros at the end
		if err := errors.Join(os.WriteFile(path, padded, 0o600), os.Chtimes(path, at, at)); err != nil {
			t.Fatal(err)
		}
		return path
	}
	path := write("11.0.0.5")
	f := open(t, path)
	if got := hosts(t, f, parse("11.0.0.5", "11.0.0.6")...); got[0] == nil || got[1] != nil {
		t.Fatalf("%+v", got)
	}
	if err := os.Rename(write("11.0.0.6"), path); err != nil {
		t.Fatal(err)
	}
	if got := hosts(t, open(t, path), parse("11.0.0.5", "11.0.0.6")...); got[0] != nil || got[1] == nil {
		t.Errorf("another process has the copy of the former file: %+v", got)
	}
}

func TestACopyThatIsNotCompleteIsMadeAgain(t *testing.T) {
	t.Parallel()
	path := compressed(t, "gzip", fileOf(t, row("11.0.0.5")))
	for size := range int64(3) {
		f := open(t, path)
		if got := hosts(t, f, parse("11.0.0.5", "11.0.0.6")...); got[0] == nil || got[1] != nil {
			t.Errorf("%+v", got)
		}
		info, err := f.Inspect(t.Context())
		if err == nil {
			err = f.Close()
		}
		if err == nil {
			err = os.Truncate(info.Copy, size*1024) // also to nothing
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if info, err := open(t, path).Inspect(t.Context()); err != nil || info.Size != 0 {
		t.Errorf("before it is made again: %+v, %v", info, err)
	}
}

func TestWhatAKilledProcessUnpackedIsRemoved(t *testing.T) {
	t.Parallel()
	path := compressed(t, "gzip", fileOf(t, row("11.0.0.5")))
	info, err := open(t, path).Inspect(t.Context())
	if err == nil {
		err = os.MkdirAll(filepath.Dir(info.Copy), 0o700)
	}
	// An older version was unpacked, and this one got its index.
	older := info.Copy[:strings.LastIndexByte(info.Copy, '-')] + "-1.sqlite"
	for _, left := range []string{older + ".partial", info.Copy + ".partial", info.Copy + ".partial-journal"} {
		if err == nil {
			err = os.WriteFile(left, []byte("what was written before"), 0o600)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	if got := hosts(t, open(t, path), parse("11.0.0.5")...); got[0] == nil {
		t.Errorf("%+v", got)
	}
	if left := copies(t, path); len(left) != 1 || left[0] != filepath.Base(info.Copy) {
		t.Errorf("there are %v", left)
	}
}

// TestManyUnpackOneFileAtOnce is about processes: each File has its own lock, as processes have.
func TestManyUnpackOneFileAtOnce(t *testing.T) {
	t.Parallel()
	path := compressed(t, "zstd", fileOf(t, row("11.0.0.5")))
	var unpacked sync.Map
	var running sync.WaitGroup
	for i := range 8 {
		f := internetdbfile.New(internetdbfile.Options{
			Path: path, Dir: filepath.Join(filepath.Dir(path), "copies"),
			OnUnpack: func(_ context.Context, u internetdbfile.Unpacking) {
				if u.Done > 0 {
					unpacked.Store(i, true)
				}
			},
		})
		running.Go(func() {
			defer f.Close()
			if results, _, err := f.Hosts(t.Context(), parse("11.0.0.5")); err != nil || results[0].Host == nil {
				t.Errorf("%+v, %v", results, err)
			}
		})
	}
	running.Wait()
	n := 0
	unpacked.Range(func(any, any) bool { n++; return true })
	if n != 1 || len(copies(t, path)) != 1 {
		t.Errorf("%d unpacked it, to %v", n, copies(t, path))
	}
}

func TestTheOldCopyIsUsedUntilTheNewOneIsComplete(t *testing.T) {
	t.Parallel()
	path := compressed(t, "gzip", fileOf(t, row("11.0.0.5")))
	reports := make(chan internetdbfile.Unpacking, 1000)
	f := internetdbfile.New(internetdbfile.Options{
		Path: path, Dir: filepath.Join(filepath.Dir(path), "copies"),
		OnUnpack: func(_ context.Context, u internetdbfile.Unpacking) { reports <- u },
	})
	defer f.Close()
	wait := func() {
		for u := range reports {
			if u.Ended {
				return
			}
		}
	}
	hosts(t, f, parse("11.0.0.5", "11.0.0.9")...) // the old copy is checked: it could be replaced meanwhile
	wait()
	if err := os.Rename(compressed(t, "gzip", fileOf(t, row("11.0.0.6"), row("11.0.0.7"))), path); err != nil {
		t.Fatal(err)
	}
	if got := hosts(t, f, parse("11.0.0.5", "11.0.0.6")...); got[0] == nil || got[1] != nil {
		t.Errorf("at first: %+v", got)
	}
	wait()
	// The copy is complete, and the next calls find it at the latest when the call that unpacked has opened it.
	for got := hosts(t, f, parse("11.0.0.6")...); got[0] == nil; got = hosts(t, f, parse("11.0.0.6")...) {
		if t.Context().Err() != nil {
			t.Fatal("the new copy is not used")
		}
	}
	if n := len(copies(t, path)); n != 1 {
		t.Errorf("%d copies", n)
	}
	if err := os.WriteFile(path, []byte("\x1f\x8b\x08 no gzip"), 0o600); err != nil {
		t.Fatal(err)
	}
	for {
		_, _, err := f.Hosts(t.Context(), parse("11.0.0.6"))
		if err != nil {
			if !strings.Contains(err.Error(), "it cannot be unpacked") {
				t.Error(err)
			}
			break
		}
	}
}

func TestWhatCannotBeUnpackedIsAnError(t *testing.T) {
	t.Parallel()
	whole := fileOf(t, row("11.0.0.5"))
	incomplete := compressed(t, "gzip", whole)
	content, err := os.ReadFile(incomplete)
	if err == nil {
		err = os.WriteFile(incomplete, content[:len(content)/2], 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(t.TempDir(), "other.sqlite")
	execute(t, other, "CREATE TABLE hostnames (hostname)")
	dns, err := os.ReadFile(other)
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct{ path, want string }{
		"incomplete":    {incomplete, "gzip: unexpected EOF"},
		"no database":   {compressed(t, "zstd", `{"ip": "11.0.0.5"}`), "what is compressed is no SQLite database: internetdb_file is Shodan's internetdb.sqlite; this is JSON"},
		"other tables":  {compressed(t, "gzip", string(dns)), `it has no table "data": it has the table hostnames`},
		"nothing in it": {compressed(t, "gzip", ""), "what is compressed is no SQLite database"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			results, _, err := open(t, tt.path).Hosts(t.Context(), parse("11.0.0.5"))
			if err == nil || !strings.Contains(err.Error(), tt.want) || results != nil {
				t.Errorf("%+v, error %v, want %s", results, err, tt.want)
			}
			if left := copies(t, tt.path); len(left) != 0 {
				t.Errorf("%v is left", left)
			}
		})
	}
	f := internetdbfile.New(internetdbfile.Options{Path: compressed(t, "gzip", whole)})
	defer f.Close()
	if _, _, err := f.Hosts(t.Context(), parse("11.0.0.5")); err == nil || !strings.Contains(err.Error(), "there is no folder to unpack it to") {
		t.Errorf("without a folder: error %v", err)
	}
}

func TestUnpackingEndsWithItsContext(t *testing.T) {
	t.Parallel()
	path := compressed(t, "gzip", fileOf(t, row("11.0.0.5")))
	ctx, cancel := context.WithCancel(t.Context())
	f := internetdbfile.New(internetdbfile.Options{
		Path: path, Dir: filepath.Join(filepath.Dir(path), "copies"),
		OnUnpack: func(context.Context, internetdbfile.Unpacking) { cancel() },
	})
	defer f.Close()
	if _, _, err := f.Hosts(ctx, parse("11.0.0.5")); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if left := copies(t, path); len(left) != 0 {
		t.Errorf("%v is left", left)
	}
}
