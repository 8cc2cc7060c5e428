package internetdbfile

import (
	"compress/gzip"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/internetdbfile/internetdbtest"
)

// writeCompressed writes a compressed file with one address.
func writeCompressed(t *testing.T, path, ip string) {
	t.Helper()
	plain := filepath.Join(t.TempDir(), "internetdb.sqlite")
	if err := internetdbtest.Write(plain, slices.Values([]internetdbtest.Row{{IP: ip, Ports: "22"}})); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(plain)
	if err != nil {
		t.Fatal(err)
	}
	temporary := path + ".new"
	file, err := os.Create(temporary)
	if err != nil {
		t.Fatal(err)
	}
	w := gzip.NewWriter(file)
	_, err = w.Write(content)
	if err := errors.Join(err, w.Close(), file.Close(), os.Rename(temporary, path)); err != nil {
		t.Fatal(err)
	}
}

func TestANewVersionIsUnpackedWhenThereIsRoomAgain(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "internetdb.sqlite.gz")
	writeCompressed(t, path, "11.0.0.5")
	f := New(Options{Path: path, Dir: t.TempDir()})
	defer f.Close()
	first, second := netip.MustParseAddr("11.0.0.5"), netip.MustParseAddr("11.0.0.6")
	if found, _, err := f.Hosts(t.Context(), []netip.Addr{first}); err != nil || found[0].Host == nil {
		t.Fatalf("%+v, %v", found, err)
	}
	writeCompressed(t, path, "11.0.0.6")
	v, err := f.stat()
	if err != nil {
		t.Fatal(err)
	}
	full := fmt.Errorf("it cannot be unpacked: %w", syscall.ENOSPC)
	f.failed.Store(newFailure(v, full, 0))
	for range 2 {
		if _, _, err := f.Hosts(t.Context(), []netip.Addr{second}); !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "make room on its disk") {
			t.Errorf("a moment after the disk was full: %v", err)
		}
	}
	f.failed.Store(&failure{source: v, err: full, retryAt: time.Now()})
	for {
		found, _, err := f.Hosts(t.Context(), []netip.Addr{second})
		if err != nil || t.Context().Err() != nil {
			t.Fatalf("there is room again: %v", err)
		}
		if found[0].Host != nil {
			return
		}
	}
}

func TestOnlyAFullDiskIsTriedAgain(t *testing.T) {
	t.Parallel()
	if f := newFailure(version{}, errors.New("the compressed data is damaged"), time.Hour); !f.retryAt.IsZero() || f.isOver() {
		t.Errorf("got %+v", f)
	}
	for took, want := range map[time.Duration]time.Duration{0: time.Minute, 2 * time.Minute: 8 * time.Minute, time.Hour: time.Hour} {
		f := newFailure(version{}, syscall.ENOSPC, took)
		if wait := time.Until(f.retryAt); wait > want || wait < want-30*time.Second || f.isOver() {
			t.Errorf("after an attempt of %s: %s, want %s", took, wait, want)
		}
	}
}
