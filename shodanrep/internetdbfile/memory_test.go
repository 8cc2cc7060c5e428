package internetdbfile

import (
	"fmt"
	"net/netip"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"weak"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/internetdbfile/internetdbtest"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

// TestMemoryThatIsUsedAgainHasNothingOfBefore reads hosts of very different lengths into memory of its own and into memory
// that other hosts had before.
func TestMemoryThatIsUsedAgainHasNothingOfBefore(t *testing.T) {
	t.Parallel()
	var rows []internetdbtest.Row
	var addrs []netip.Addr
	list := func(n int, form string) string {
		var texts []string
		for i := range n {
			texts = append(texts, fmt.Sprintf(form, i))
		}
		return strings.Join(texts, ",")
	}
	for i := range 400 {
		addr := netip.AddrFrom4([4]byte{11, 0, byte(i >> 8), byte(i)})
		addrs = append(addrs, addr)
		if i%5 == 4 {
			continue // the file does not have it
		}
		rows = append(rows, internetdbtest.Row{
			IP: addr.String(), Ports: list(1+i%slabLength*2, "%d"), Tags: list(i%3, "tag%d"), CPEs: list(i%7, "cpe:/a:vendor:product%d"),
			Vulns: list(i%4*i%9, "CVE-2024-1%03d"), Hostnames: list(i%slabLength*3, "host%d.example.net"),
		})
	}
	path := filepath.Join(t.TempDir(), "internetdb.sqlite")
	if err := internetdbtest.Write(path, slices.Values(rows)); err != nil {
		t.Fatal(err)
	}
	f := New(Options{Path: path, Dir: t.TempDir()})
	t.Cleanup(func() { _ = f.Close() })
	read, err := f.Rows(t.Context(), addrs)
	if err != nil {
		t.Fatal(err)
	}
	var again Memory
	for begin := range len(addrs) - 50 {
		if begin%17 != 0 {
			continue
		}
		again.Reset()
		var used []Result
		for i := begin; i < begin+50; i++ {
			used = append(used, read.Result(i, addrs[i], &again))
		}
		for n, got := range used { // after all of them were read
			want := read.Result(begin+n, addrs[begin+n], new(Memory))
			if diff := cmp.Diff(want, got, cmpopts.EquateErrors(), cmpopts.IgnoreUnexported(shodan.Host{}), cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
				t.Fatalf("%v after others: (-want +got)\n%s", addrs[begin+n], diff)
			}
		}
	}
	if len(again.hosts.blocks) != 1 {
		t.Errorf("40 hosts at a time have %d blocks of %d, want one", len(again.hosts.blocks), slabLength)
	}
}

// TestAListDoesNotKeepItsHosts looks, after some hosts more, whether the first one is still in memory.
func TestAListDoesNotKeepItsHosts(t *testing.T) {
	t.Parallel()
	var rows []internetdbtest.Row
	for i := range 4 * slabLength {
		rows = append(rows, internetdbtest.Row{IP: fmt.Sprintf("11.0.%d.%d", i/256, i%256), Ports: "80", Tags: "vpn"})
	}
	path := filepath.Join(t.TempDir(), "internetdb.sqlite")
	if err := internetdbtest.Write(path, slices.Values(rows)); err != nil {
		t.Fatal(err)
	}
	f := New(Options{Path: path})
	t.Cleanup(func() { _ = f.Close() })
	var first weak.Pointer[shodan.Host]
	read := 0
	for row, err := range f.All(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if read++; read == 1 {
			first = weak.Make(row.Host)
		}
		if read == len(rows) {
			if runtime.GC(); first.Value() != nil {
				t.Error("the first host is kept until the end of the list")
			}
		}
	}
	if read != len(rows) {
		t.Errorf("%d rows of %d", read, len(rows))
	}
}
