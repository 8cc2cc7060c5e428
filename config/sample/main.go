// Command sample writes the invented hosts and security-group rules that the demonstration, the documentation's
// examples and their tests run on. Run it from the root of the repository: go run ./config/sample
package main

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/internetdbfile/internetdbtest"
)

func main() {
	for name, content := range files() {
		if name == hostsFile {
			content = zip(content)
		}
		if err := os.WriteFile(filepath.Join("config", "sample", name), content, 0o644); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	if err := writeInternetDB(filepath.Join("config", "sample", internetDBFile)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// writeInternetDB writes the file of InternetDB, in place of an old one.
func writeInternetDB(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return internetdbtest.Write(path, slices.Values(internetDBRows()))
}

const (
	hostsFile      = "hosts.json.gz"
	internetDBFile = "internetdb.sqlite"
)

// files returns what is written, by name, the hosts not yet gzipped.
func files() map[string][]byte {
	return map[string][]byte{
		hostsFile:                  hostLines(),
		"security_group_rules.csv": ruleLines(),
		"README.md":                readme(),
	}
}

// zip compresses as gzip, without a time: the same content gives the same file.
func zip(content []byte) []byte {
	var buf bytes.Buffer
	w, err := gzip.NewWriterLevel(&buf, gzip.BestCompression)
	if err == nil {
		_, err = w.Write(content)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		panic(err) // nothing can go wrong in memory
	}
	return buf.Bytes()
}

// hostLines returns the hosts in Shodan's export format: a banner a line.
func hostLines() []byte {
	var buf bytes.Buffer
	for _, group := range sample {
		for _, h := range group.hosts {
			for _, line := range h.lines() {
				buf.Write(line)
				buf.WriteByte('\n')
			}
		}
	}
	return buf.Bytes()
}
