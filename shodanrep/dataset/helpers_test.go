package dataset

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/klauspost/compress/zstd"
	"github.com/ncruces/go-sqlite3"
)

// line is a banner as it stands in a data file. More are further keys, each with its value.
func line(addr string, port int, seen string, more ...any) string {
	banner := map[string]any{"ip_str": addr, "port": port, "transport": "tcp", "timestamp": seen, "data": "hello", "hash": -1}
	for i := 0; i < len(more); i += 2 {
		banner[more[i].(string)] = more[i+1]
	}
	text, err := json.Marshal(banner)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// tls is the ssl key of a banner.
func tls(cn, fingerprint, jarm, ja3s string) map[string]any {
	return map[string]any{
		"cert": map[string]any{"subject": map[string]any{"CN": cn}, "fingerprint": map[string]any{"sha256": fingerprint}},
		"jarm": jarm, "ja3s": ja3s,
	}
}

// write makes a data file of lines, gzipped where its name says so.
func write(t testing.TB, path string, lines ...string) string {
	t.Helper()
	content := []byte(strings.Join(lines, "\n") + "\n")
	if strings.HasSuffix(path, ".gz") {
		content = zip(t, content)
	}
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func zip(t testing.TB, content []byte) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := gzip.NewWriter(&buf)
	if _, err := w.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// packings returns a content as it is, and compressed in each way that Go can write.
func packings(t testing.TB, content []byte) map[string][]byte {
	t.Helper()
	encoder, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer encoder.Close()
	return map[string][]byte{"plain": content, "gzip": zip(t, content), "zstd": encoder.EncodeAll(content, nil)}
}

// open opens a Dataset of files, and closes it with the test.
func open(t testing.TB, dir string, files ...string) *Dataset {
	t.Helper()
	d, err := Open(t.Context(), Options{Files: files, Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

// logged is what a Dataset wrote to its log.
func logged() (hclog.Logger, *bytes.Buffer) {
	var buf bytes.Buffer
	return hclog.New(&hclog.LoggerOptions{Level: hclog.Warn, Output: &buf, DisableTime: true}), &buf
}

// hosts returns hosts by address as "port/transport data" of each banner.
func hosts(t testing.TB, d *Dataset, addrs ...string) map[string][]string {
	t.Helper()
	list := make([]netip.Addr, len(addrs))
	for i, addr := range addrs {
		list[i] = netip.MustParseAddr(addr)
	}
	found, err := d.Hosts(t.Context(), list, false)
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string][]string{}
	for addr, h := range found {
		for _, b := range h.Banners {
			texts[addr.String()] = append(texts[addr.String()], fmt.Sprintf("%d/%s %s", b.Port.V, b.Transport, b.Data))
		}
	}
	return texts
}

// touch gives a file a time of change that differs from all before.
func touch(t testing.TB, path string, by time.Duration) {
	t.Helper()
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Add(by)
	if err := os.Chtimes(path, at, at); err != nil {
		t.Fatal(err)
	}
}

func in(dir string, names ...string) string { return filepath.Join(append([]string{dir}, names...)...) }

// parseEach calls f for each record of a file, in order.
func parseEach(ctx context.Context, r io.Reader, f func(parsed) error) error {
	return parse(ctx, r, nil, func(b *batch) error {
		for _, p := range b.parsed {
			if err := f(p); err != nil {
				return err
			}
		}
		return nil
	})
}

// countItems returns how many banners and summaries the index has, by its rows.
func (c conn) countItems() (n int64, err error) {
	err = c.Rows("select items from host", nil, func(row *sqlite3.Stmt) (bool, error) {
		items, err := decodeItems(nil, 1, string(row.ColumnRawBlob(0)))
		n += int64(len(items))
		return true, err
	})
	return n, err
}
