package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

// output is what a command writes, which a test reads meanwhile.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// start runs the command until the test ends, and returns what it prints first and what it logs.
func start(t *testing.T, args ...string) (stdout, stderr *output) {
	t.Helper()
	stdout, stderr = &output{}, &output{}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, args, stdout, stderr) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("it ended with %v", err)
		}
	})
	for !strings.Contains(stdout.String(), "hosts ") {
		select {
		case err := <-ended:
			ended <- nil
			t.Fatalf("it ended at once: %v", err)
		case <-time.After(time.Millisecond):
		}
	}
	return stdout, stderr
}

// address is what the command says of one of its services.
func address(t *testing.T, stdout *output, service string) string {
	t.Helper()
	found := regexp.MustCompile(service + ` +(http\S+)\n`).FindStringSubmatch(stdout.String())
	if found == nil {
		t.Fatalf("it does not say where %s is: %s", service, stdout)
	}
	return found[1]
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

func TestItServesAFolderOfHosts(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	host := `{"ip_str": "192.0.2.1", "ports": [22], "data": []}`
	if err := os.WriteFile(filepath.Join(dir, "host.json"), []byte(host), 0o600); err != nil {
		t.Fatal(err)
	}
	stdout, stderr := start(t, "-hosts", dir, "-generate", "3", "-rate", "0.001", "-burst", "2", "-internetdb-rate", "0.001", "-cvedb-rate", "0.001", "-retry-after", "7s")
	api, free, cves := address(t, stdout, "REST API"), address(t, stdout, "InternetDB"), address(t, stdout, "CVEDB")
	if !strings.Contains(stdout.String(), shodantest.Key) || !strings.Contains(stdout.String(), "1 from files, 3 invented") {
		t.Errorf("it says\n%s", stdout)
	}
	for _, test := range []struct {
		url    string
		status int
	}{
		{api + "/shodan/host/192.0.2.1?key=" + shodantest.Key, 200},
		{api + "/shodan/host/11.0.0.3?key=" + shodantest.Key, 200},
		{api + "/shodan/host/11.0.0.4?key=" + shodantest.Key, 429},
		{api + "/shodan/host/11.0.0.4?key=wrong", 401},
		{free + "/192.0.2.1", 200},
		{free + "/192.0.2.1", 429},
		{cves + "/cve/CVE-2021-44228", 200},
		{cves + "/cve/CVE-2021-44228", 429},
	} {
		if status, body := get(t, test.url); status != test.status {
			t.Errorf("%s: %d %s, want %d", test.url, status, body, test.status)
		}
	}
	if log := stderr.String(); strings.Count(log, "\n") != 8 || strings.Contains(log, shodantest.Key) {
		t.Errorf("it logs\n%s", log)
	}
}

func TestItCanFail(t *testing.T) {
	t.Parallel()
	stdout, stderr := start(t, "-fail", "1", "-quiet", "-plan", "corp", "-key", "a-key-of-ones-own")
	if status, body := get(t, address(t, stdout, "InternetDB")+"/192.0.2.1"); status != 502 || !strings.HasPrefix(body, "<html>") {
		t.Errorf("it answers %d %s", status, body)
	}
	if strings.Contains(stdout.String()+stderr.String(), "a-key-of-ones-own") {
		t.Error("it prints a key that may be real")
	}
	if stderr.String() != "" {
		t.Errorf("told to be quiet it logs %s", stderr)
	}
}

func TestWrongArgumentsAreRefused(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"folder"}, `unexpected argument "folder"; -hosts takes the folder of hosts`},
		{[]string{"-plan", "gold"}, "-plan gold: must be one of oss, dev, plus, corp"},
		{[]string{"-rate", "-1"}, "-rate, -internetdb-rate and -cvedb-rate must not be below 0"},
		{[]string{"-fail", "2"}, "-fail 2: must be from 0 to 1"},
		{[]string{"-latency", "5"}, `invalid value "5" for flag -latency: parse error`},
		{[]string{"-hosts", "/does/not/exist"}, "stat /does/not/exist: no such file or directory"},
		{[]string{"-addr", "127.0.0.1:-1"}, "listen tcp: address -1: invalid port"},
	} {
		if err := run(t.Context(), test.args, io.Discard, io.Discard); err == nil || err.Error() != test.want {
			t.Errorf("%v: %v, want %s", test.args, err, test.want)
		}
	}
	var help output
	if err := run(t.Context(), []string{"-h"}, io.Discard, &help); !errors.Is(err, flag.ErrHelp) || !strings.Contains(help.String(), "-internetdb-rate requests") {
		t.Errorf("help is %v\n%s", err, &help)
	}
}
