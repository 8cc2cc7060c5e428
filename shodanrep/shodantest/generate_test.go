package shodantest_test

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"runtime"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

func TestGeneratedHostsAreTheSameAlways(t *testing.T) {
	t.Parallel()
	first, second := shodantest.NewHandler(), shodantest.NewHandler()
	addrs := first.Generate(200)
	second.Generate(10)
	second.Generate(200)
	second.Generate(5) // knows no fewer
	if addrs[0] != netip.MustParseAddr("11.0.0.1") || addrs[199] != netip.MustParseAddr("11.0.0.200") {
		t.Errorf("they are from %v to %v", addrs[0], addrs[199])
	}
	different := map[string]bool{}
	for _, addr := range addrs {
		for _, path := range []string{"/shodan/host/%s?{key}", "/shodan/host/%s?minify=true&{key}", "/internetdb/%s"} {
			path = fmt.Sprintf(path, addr)
			resp, body := getPath(t, first, path)
			if resp.StatusCode != 200 {
				t.Fatalf("%s: %d", path, resp.StatusCode)
			}
			if _, again := getPath(t, second, path); again != body {
				t.Errorf("%s is not always the same", path)
			}
		}
		_, brief := getPath(t, first, "/internetdb/"+addr.String())
		doc := object(t, brief)
		delete(doc, "ip")
		different[fmt.Sprint(doc)] = true
	}
	if len(different) < 100 {
		t.Errorf("of 200 hosts only %d are different", len(different))
	}
	for _, address := range []string{"11.0.0.201", "11.0.0.0", "10.255.255.255", "12.0.0.0", "::ffff:11.0.0.201", "2001:db8::1"} {
		if resp, _ := getPath(t, first, "/internetdb/"+address); resp.StatusCode != 404 {
			t.Errorf("%s is answered %d", address, resp.StatusCode)
		}
	}
}

// TestGeneratedHostsAreTheSameAtBothServices also compares the short way of making a response to the long one.
func TestGeneratedHostsAreTheSameAtBothServices(t *testing.T) {
	t.Parallel()
	sim, kept := shodantest.NewHandler(), shodantest.NewHandler()
	for _, addr := range sim.Generate(300) {
		kept.AddHost(shodantest.GeneratedHost(addr))
		for _, path := range []string{"/internetdb/%s", "/shodan/host/%s?{key}", "/shodan/host/%s?minify=true&{key}"} {
			_, made := getPath(t, sim, fmt.Sprintf(path, addr))
			if _, added := getPath(t, kept, fmt.Sprintf(path, addr)); made != added {
				t.Fatalf("made when asked for it is %s, added it is %s", made, added)
			}
		}
		_, body := getPath(t, sim, "/shodan/host/"+addr.String()+"?{key}")
		whole := object(t, body)
		_, body = getPath(t, sim, "/internetdb/"+addr.String())
		brief := object(t, body)
		if whole["vulns"] == nil {
			whole["vulns"] = []any{}
		}
		for _, key := range []string{"ports", "tags", "vulns", "hostnames"} {
			if diff := cmp.Diff(whole[key], brief[key]); diff != "" {
				t.Errorf("%v: %s: %s", addr, key, diff)
			}
		}
	}
	_, body := getPath(t, sim, "/dns/reverse?ips=11.0.0.2&{key}")
	var names map[string][]string
	if err := json.Unmarshal([]byte(body), &names); err != nil || !slices.Equal(names["11.0.0.2"], shodantest.GeneratedHost(netip.MustParseAddr("11.0.0.2")).Hostnames) {
		t.Errorf("the names are %s", body)
	}
}

func TestGeneratedHostsTakeNoMemory(t *testing.T) {
	sim := shodantest.NewHandler()
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	addrs := sim.Generate(100_000)
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 4<<20 {
		t.Errorf("a hundred thousand hosts take %d KB", grown>>10)
	}
	if len(addrs) != 100_000 || addrs[99_999] != netip.MustParseAddr("11.1.134.160") {
		t.Errorf("the last is %v", addrs[len(addrs)-1])
	}
}

func BenchmarkInternetDB(b *testing.B) {
	sim := shodantest.NewHandler()
	addrs := sim.Generate(10_000)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		getPath(b, sim, "/internetdb/"+addrs[i%len(addrs)].String())
	}
}

func BenchmarkHost(b *testing.B) {
	sim := shodantest.NewHandler()
	addrs := sim.Generate(10_000)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		getPath(b, sim, "/shodan/host/"+addrs[i%len(addrs)].String()+"?{key}")
	}
}
