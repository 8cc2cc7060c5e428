package shodantest

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// AddCapture adds the host of a file with a response of GET /shodan/host/{ip}. The REST API responds with exactly that
// response, and InternetDB's response is derived from it. It returns the host's address.
func (s *Simulator) AddCapture(t testing.TB, path string) netip.Addr {
	t.Helper()
	addrs, err := s.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if len(addrs) != 1 {
		t.Fatalf("%s has %d hosts, not one", path, len(addrs))
	}
	return addrs[0]
}

// Load adds the hosts of a file, or of all .json and .json.gz files in a folder, and returns their addresses. A file
// has responses of the REST API (responses of /shodan/host/{ip}, lists of them, or pages of a search), or one banner
// per line, like the files of `shodan download`.
func (s *Simulator) Load(path string) ([]netip.Addr, error) {
	files := []string{path}
	if info, err := os.Stat(path); err != nil {
		return nil, err
	} else if info.IsDir() {
		if files, err = captures(path); err != nil {
			return nil, err
		}
	}
	l := loader{banners: map[netip.Addr][]map[string]any{}}
	for _, file := range files {
		if err := l.file(s, file); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
	}
	for _, addr := range l.loose {
		s.AddHost(hostOf(addr, l.banners[addr]))
	}
	return append(l.whole, l.loose...), nil
}

// captures returns the files in a folder that may have hosts.
func captures(dir string) ([]string, error) {
	var files []string
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && (strings.HasSuffix(path, ".json") || strings.HasSuffix(path, ".json.gz")) {
			files = append(files, path)
		}
		return err
	})
	if err == nil && len(files) == 0 {
		err = fmt.Errorf("%s has no .json or .json.gz files", dir)
	}
	return files, err
}

// loader reads files.
type loader struct {
	whole   []netip.Addr // of complete hosts
	loose   []netip.Addr // of hosts with single banners
	banners map[netip.Addr][]map[string]any
}

func (l *loader) file(s *Simulator, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	var r io.Reader = f
	if strings.HasSuffix(path, ".gz") {
		if r, err = gzip.NewReader(f); err != nil {
			return err
		}
	}
	dec := json.NewDecoder(r)
	for {
		var raw json.RawMessage
		switch err := dec.Decode(&raw); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		if err := l.item(s, raw); err != nil {
			return err
		}
	}
}

// item reads one JSON text: a host, a list, a page of a search or a banner.
func (l *loader) item(s *Simulator, raw json.RawMessage) error {
	if bytes.HasPrefix(bytes.TrimSpace(raw), []byte("[")) {
		var items []json.RawMessage
		if err := json.Unmarshal(raw, &items); err != nil {
			return err
		}
		for _, item := range items {
			if err := l.item(s, item); err != nil {
				return err
			}
		}
		return nil
	}
	doc, err := decode(raw)
	if err != nil {
		return err
	}
	if matches, ok := doc["matches"].([]any); ok {
		for _, match := range matches {
			if err := l.banner(match); err != nil {
				return err
			}
		}
		return nil
	}
	if _, ok := doc["port"]; ok {
		return l.banner(doc)
	}
	addr, err := addrOf(doc)
	if err != nil {
		return err
	}
	s.AddHost(Host{IP: addr.String(), Raw: raw})
	l.whole = append(l.whole, addr)
	return nil
}

func (l *loader) banner(value any) error {
	banner, ok := value.(map[string]any)
	if !ok {
		return errors.New("a banner is not a JSON object")
	}
	addr, err := addrOf(banner)
	if err != nil {
		return err
	}
	if l.banners[addr] == nil {
		l.loose = append(l.loose, addr)
	}
	l.banners[addr] = append(l.banners[addr], banner)
	return nil
}

// addrOf returns the address of a host or a banner.
func addrOf(doc map[string]any) (netip.Addr, error) {
	text, _ := doc["ip_str"].(string)
	if text == "" {
		text, _ = doc["ipv6"].(string) // instead of the other in some banners
	}
	addr, err := netip.ParseAddr(text)
	if err != nil {
		return addr, fmt.Errorf(`neither a host nor a banner: "ip_str" is not an address: %w`, err)
	}
	return addr.Unmap(), nil
}

// hostOf makes a host from single banners, with the general facts of the first, which is the newest in Shodan's files.
func hostOf(addr netip.Addr, banners []map[string]any) Host {
	first := banners[0]
	place, _ := first["location"].(map[string]any)
	text := func(from map[string]any, key string) string {
		s, _ := from[key].(string)
		return s
	}
	return Host{
		IP: addr.String(), Banners: banners, Hostnames: texts(first["hostnames"]), Domains: texts(first["domains"]),
		Org: text(first, "org"), ISP: text(first, "isp"), ASN: text(first, "asn"), OS: text(first, "os"),
		City: text(place, "city"), RegionCode: text(place, "region_code"),
		CountryCode: text(place, "country_code"), CountryName: text(place, "country_name"),
	}
}
