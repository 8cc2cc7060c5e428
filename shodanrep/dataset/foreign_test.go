package dataset

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestAForeignFileTakesNothingAway has a file that is no data file beside others, in a pattern and in a folder.
func TestAForeignFileTakesNothingAway(t *testing.T) {
	for name, content := range map[string][]byte{
		"a readme":               []byte("How we download the data\n"),
		"a page of an error":     []byte("<html>502 Bad Gateway</html>\n"),
		"other JSON":             []byte("{\"name\": \"shodan\"}\n"),
		"the start of a gzip":    zip(t, []byte(strings.Repeat(line("192.0.2.9", 80, "2026-01-09T00:00:00")+"\n", 2)))[:12],
		"the start of a record":  []byte(`{"ip_str": "192.0.2.9", "po`),
		"an archive":             []byte("PK\x03\x04 and so on"),
		"a database":             []byte("SQLite format 3\x00 and so on"),
		"no text in compression": zip(t, nil),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			write(t, in(dir, "1.json"), line("192.0.2.1", 80, "2026-01-01T00:00:00"))
			write(t, in(dir, "2.json"), line("192.0.2.2", 80, "2026-01-02T00:00:00"))
			foreign := in(dir, "3.json")
			if err := os.WriteFile(foreign, content, 0o600); err != nil {
				t.Fatal(err)
			}
			touch(t, foreign, 100*24*time.Hour) // its time is not that of a banner: it pushes nothing out of the window
			for _, files := range []string{dir, in(dir, "*.json")} {
				logger, log := logged()
				d := openWindow(t, t.TempDir(), 30*24*time.Hour, logger, files)
				if got := hosts(t, d, "192.0.2.1", "192.0.2.2", "192.0.2.9"); len(got) != 2 {
					t.Errorf("%s: %v", files, got)
				}
				if o := d.Omissions().Foreign; len(o) != 1 || !strings.Contains(o[0], foreign) || d.Stats().Files != 2 {
					t.Errorf("%s: left out %q, %+v", files, o, d.Stats())
				}
				if text := log.String(); strings.Count(text, "a file without a banner is left out") != 1 || !strings.Contains(text, "3.json") {
					t.Errorf("%s: the log says %q", files, text)
				}
				// When it is complete it is read.
				write(t, foreign, line("192.0.2.9", 80, "2026-01-09T00:00:00"))
				if err := d.Refresh(t.Context()); err != nil {
					t.Fatal(err)
				}
				if got := hosts(t, d, "192.0.2.1", "192.0.2.9"); len(got) != 2 || len(d.Omissions().Foreign) != 0 {
					t.Errorf("%s, complete: %v, %v", files, got, d.Omissions())
				}
				if err := os.WriteFile(foreign, content, 0o600); err != nil {
					t.Fatal(err)
				}
				touch(t, foreign, 100*24*time.Hour)
			}
			for _, files := range [][]string{{foreign}, {in(dir, "*.json"), foreign}, {in(dir, "3*")}, {dir, in(dir, "[3]*.json"), foreign}} {
				if _, err := Open(context.Background(), Options{Files: files, Dir: t.TempDir()}); err == nil || !strings.Contains(err.Error(), "3.json") {
					t.Errorf("%v: a file that is named, or alone in a pattern: %v", files, err)
				}
			}
		})
	}
}

// TestADownloadUnderWay has the records before the end of an unfinished file, and all when it has grown.
func TestADownloadUnderWay(t *testing.T) {
	var lines []string
	for range 3000 {
		lines = append(lines, line("192.0.2.1", 80, "2026-01-01T00:00:00"))
	}
	lines = append(lines, line("192.0.2.2", 443, "2026-01-02T00:00:00"))
	for packing, content := range packings(t, []byte(strings.Join(lines, "\n")+"\n")) {
		t.Run(packing, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "download.json")
			if err := os.WriteFile(path, content[:len(content)-8], 0o600); err != nil {
				t.Fatal(err)
			}
			logger, log := logged()
			d := openWindow(t, t.TempDir(), 0, logger, dir)
			if got := hosts(t, d, "192.0.2.1"); len(got) != 1 {
				t.Errorf("the start: %v", got)
			}
			if !strings.Contains(log.String(), "records that cannot be read") || d.Stats().BadRecords == 0 {
				t.Errorf("%+v, the log says %q", d.Stats(), log)
			}
			if err := os.WriteFile(path, content, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := d.Refresh(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := hosts(t, d, "192.0.2.1", "192.0.2.2"); len(got) != 2 || d.Stats().BadRecords != 0 {
				t.Errorf("the whole: %v, %+v", got, d.Stats())
			}
		})
	}
}
