//go:build unix

package main

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"time"

	"github.com/klauspost/compress/gzip"
)

// bannersPerHost is how many services a generated host has.
const bannersPerHost = 3

// A bulkFile is what the banners of a generated file are made of. Pages, icons and certificate chains repeat throughout a
// file, as those of real hosts do, but seldom within the 32 kB that gzip looks back; a certificate of its own hardly
// repeats anything.
type bulkFile struct {
	rng    *rand.Rand
	bodies []string
	chosen *rand.Zipf
}

// newBulkFile makes 128 bodies of about so many bytes: the index of a file in which less repeats is larger, see
// docs/performance.md.
func newBulkFile(bodyBytes int) *bulkFile {
	f := &bulkFile{rng: rand.New(rand.NewPCG(14, 0))}
	words := make([]string, 400)
	for i := range words {
		words[i] = strings.ToLower(f.noise(2 + f.rng.IntN(6)))
	}
	for range 128 {
		var body strings.Builder
		size := bodyBytes/2 + f.rng.IntN(bodyBytes)
		for body.Len() < size {
			if f.rng.IntN(3) == 0 {
				body.WriteString(f.noise(64))
			} else {
				fmt.Fprintf(&body, "<p class=\"%s\">%s %s</p>\n", words[f.rng.IntN(len(words))], words[f.rng.IntN(len(words))], words[f.rng.IntN(len(words))])
			}
		}
		f.bodies = append(f.bodies, body.String())
	}
	f.chosen = rand.NewZipf(f.rng, 1.1, 8, uint64(len(f.bodies)-1))
	return f
}

// noise is the base64 text of random bytes.
func (f *bulkFile) noise(bytes int) string {
	b := make([]byte, bytes)
	for i := range b {
		b[i] = byte(f.rng.Uint32())
	}
	return base64.StdEncoding.EncodeToString(b)
}

var (
	bulkPorts = [][bannersPerHost]int{{22, 80, 443}, {25, 80, 8443}, {21, 443, 3306}, {53, 123, 5900}, {22, 4444, 8080}, {80, 161, 9090}}
	bulkTags  = [][]string{{}, {}, {"cloud"}, {"self-signed"}, {"vpn", "cloud"}, {"database"}}
)

// banner is a banner of a host. Several of a host differ in their ports.
func (f *bulkFile) banner(n int, leafBytes int) map[string]any {
	host := n / bannersPerHost
	body := f.bodies[f.chosen.Uint64()]
	banner := map[string]any{
		"ip_str": fmt.Sprintf("11.%d.%d.%d", host>>16&0xff, host>>8&0xff, host&0xff), "ip": 11<<24 + host,
		"port": bulkPorts[host%len(bulkPorts)][n%bannersPerHost], "transport": "tcp",
		"timestamp": time.Date(2026, 1, 2, 0, 0, n%86400, n%1000*1000, time.UTC).Format("2006-01-02T15:04:05.000000"),
		"org":       fmt.Sprintf("Invented Network %d", host%500), "isp": fmt.Sprintf("Invented Network %d", host%500), "asn": fmt.Sprintf("AS%d", 64496+host%16),
		"hostnames": []string{fmt.Sprintf("host%d.example.net", host)}, "domains": []string{"example.net"}, "os": nil,
		"location": map[string]any{"city": "Springfield", "country_code": "US", "country_name": "United States", "latitude": 39.8, "longitude": -89.6},
		"tags":     bulkTags[host%len(bulkTags)], "hash": int32(f.rng.Uint32()), "product": "nginx", "cpe": []string{"cpe:/a:f5:nginx:1.18.0"},
		"_shodan": map[string]any{"id": fmt.Sprintf("%016x%016x", f.rng.Uint64(), f.rng.Uint64()), "module": "http", "crawler": fmt.Sprintf("%040x", n%40), "options": map[string]any{}},
		"data":    "HTTP/1.1 200 OK\r\nServer: nginx/1.18.0\r\nContent-Type: text/html\r\n\r\n",
		"http":    map[string]any{"html": body, "html_hash": int32(len(body)), "status": 200, "title": "Example", "host": "", "favicon": map[string]any{"hash": n % 100}},
	}
	if host%3 == 0 {
		vulns := map[string]any{}
		for i := range 1 + host%13 {
			vulns[fmt.Sprintf("CVE-%d-%d", 2012+i, 1000+host%5000)] = map[string]any{"cvss": 7.5, "verified": false, "summary": "Invented for a measurement."}
		}
		banner["vulns"] = vulns
	}
	if n%8 == 0 && leafBytes > 0 {
		serial := json.Number(fmt.Sprintf("4%020d", f.rng.Uint64()>>1))
		banner["ssl"] = map[string]any{
			"chain": []string{"-----BEGIN CERTIFICATE-----\n" + f.noise(leafBytes) + "\n-----END CERTIFICATE-----\n", body},
			"cert": map[string]any{
				"serial": serial, "expires": "20270119082400Z", "expired": false, "subject": map[string]string{"CN": fmt.Sprintf("host%d.example.net", host)},
				"issuer": map[string]string{"CN": "R3"}, "fingerprint": map[string]string{"sha256": fmt.Sprintf("%032x%032x", f.rng.Uint64(), n)},
			},
		}
	}
	return banner
}

// writeBulkFile writes a gzip file of banners, one per line, and returns its size.
func writeBulkFile(path string, banners, bodyBytes, leafBytes int) (size int64, err error) {
	file, err := os.Create(path)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	packed := gzip.NewWriter(file)
	out := bufio.NewWriterSize(packed, 1<<20)
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	f := newBulkFile(bodyBytes)
	for n := range banners {
		if err := encoder.Encode(f.banner(n, leafBytes)); err != nil {
			return 0, err
		}
	}
	if err := out.Flush(); err != nil {
		return 0, err
	}
	if err := packed.Close(); err != nil {
		return 0, err
	}
	info, err := file.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}
