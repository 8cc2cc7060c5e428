package dataset

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
)

// manyLines are banners of the size of real ones, some 4 KB with a certificate.
func manyLines(n int) []string {
	lines := make([]string, n)
	for i := range lines {
		addr := netip.AddrFrom4([4]byte{198, 51, byte(i >> 10), byte(i >> 2)}).String()
		hash := fmt.Sprintf("%064x", uint64(i)*0x9E3779B97F4A7C15)
		lines[i] = line(addr, 440+i%4, fmt.Sprintf("2026-01-02T03:04:05.%06d", i%1000000),
			"org", fmt.Sprintf("Example Hosting %d", i%500), "asn", fmt.Sprintf("AS%d", 64496+i%16), "isp", "Example Hosting",
			"data", "HTTP/1.1 200 OK\r\n"+strings.Repeat("Header: value of it\r\n", 20),
			"hash", int32(int64(i)*2654435761), "http", map[string]any{
				"html": strings.Repeat("<p>"+hash[48:]+"</p>", 60), "html_hash": int32(i * 40503), "favicon": map[string]any{"hash": i%100 + 1}, "status": 200, "title": "Example",
			},
			"ssl", map[string]any{
				"cert": map[string]any{"subject": map[string]any{"CN": "www" + hash[50:] + ".example"}, "fingerprint": map[string]any{"sha256": hash}, "serial": json.Number(fmt.Sprintf("4%038d", i))},
				"jarm": hash[:62], "ja3s": hash[:32], "chain": []string{strings.Repeat("TUlJRmh6Q0NBMitnQXdJQkFnSVFC\n", 50)},
			})
	}
	return lines
}

// BenchmarkIndex reads a gzipped file of banners into a new index.
func BenchmarkIndex(b *testing.B) {
	const banners = 20000
	lines := manyLines(banners)
	path := write(b, filepath.Join(b.TempDir(), "banners.json.gz"), lines...)
	size := 0
	for _, l := range lines {
		size += len(l)
	}
	b.SetBytes(int64(size))
	for b.Loop() {
		d, err := Open(b.Context(), Options{Files: []string{path}, Dir: b.TempDir()})
		if err != nil {
			b.Fatal(err)
		}
		if err := d.Close(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*banners/b.Elapsed().Seconds(), "banners/s")
}

// BenchmarkRefresh looks whether any of ten files has changed.
func BenchmarkRefresh(b *testing.B) {
	dir := b.TempDir()
	for i := range 10 {
		write(b, filepath.Join(dir, fmt.Sprintf("%d.json", i)), manyLines(1)...)
	}
	d := open(b, "", filepath.Join(dir, "*.json"))
	for b.Loop() {
		if err := d.Refresh(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkHosts looks up a batch of 1,000 addresses, half of which are in the files.
func BenchmarkHosts(b *testing.B) {
	d := open(b, "", write(b, filepath.Join(b.TempDir(), "a.json.gz"), manyLines(2000)...))
	addrs := make([]netip.Addr, 1000)
	for i := range addrs {
		addrs[i] = netip.AddrFrom4([4]byte{198, 51, byte(i >> 8), byte(i)})
	}
	for b.Loop() {
		if found, err := d.Hosts(b.Context(), addrs, false); err != nil || len(found) != 500 {
			b.Fatal(len(found), err)
		}
	}
	b.ReportMetric(b.Elapsed().Seconds()/float64(b.N)/float64(len(addrs))*1e6, "us/address")
}

// BenchmarkParse reads banners in each layout and compression, without an index.
func BenchmarkParse(b *testing.B) {
	lines := manyLines(5000)
	text := []byte(strings.Join(lines, "\n") + "\n")
	array := []byte("[" + strings.Join(lines, ",\n") + "]")
	for name, content := range map[string][]byte{"lines": text, "array": array, "gzip": zip(b, text), "zstd": packings(b, text)["zstd"]} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				n := 0
				err := parseEach(b.Context(), bytes.NewReader(content), func(parsed) error {
					n++
					return nil
				})
				if err != nil || n != len(lines) {
					b.Fatal(n, err)
				}
			}
		})
	}
}
