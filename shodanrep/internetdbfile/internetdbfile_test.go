package internetdbfile_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/ncruces/go-sqlite3"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/internetdbfile"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/internetdbfile/internetdbtest"
	_ "github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/processtest" // waits as long as a busy machine needs
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

// row is a row of an address, with the lists of a response.
func row(ip any) internetdbtest.Row {
	return internetdbtest.Row{
		IP: ip, Ports: "443,22", Tags: "vpn,cloud", CPEs: "cpe:/a:openbsd:openssh:8.4,cpe:/a:f5:nginx", Vulns: "CVE-2021-44228,CVE-2019-0708",
		Hostnames: "a.example,b.example",
	}
}

// response is the response of the service with the same lists.
func response(t *testing.T, ip string) *shodan.Host {
	t.Helper()
	h, err := shodan.ParseInternetDB(fmt.Appendf(nil, `{"ip": %q, "ports": [443, 22], "tags": ["vpn", "cloud"],
		"cpes": ["cpe:/a:openbsd:openssh:8.4", "cpe:/a:f5:nginx"], "vulns": ["CVE-2021-44228", "CVE-2019-0708"],
		"hostnames": ["a.example", "b.example"]}`, ip))
	if err != nil {
		t.Fatal(err)
	}
	h.Raw = nil
	return h
}

var sameHost = cmp.Options{cmpopts.EquateComparable(netip.Addr{})}

// write writes a file of rows.
func write(t *testing.T, schema, index string, rows ...internetdbtest.Row) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "internetdb.sqlite")
	if err := internetdbtest.WriteAs(path, schema, index, slices.Values(rows)); err != nil {
		t.Fatal(err)
	}
	return path
}

// open makes a File that is closed at the end of the test.
func open(t *testing.T, path string) *internetdbfile.File {
	t.Helper()
	f := internetdbfile.New(internetdbfile.Options{Path: path, Dir: filepath.Join(filepath.Dir(path), "copies")})
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	return f
}

func parse(texts ...string) []netip.Addr {
	addrs := make([]netip.Addr, len(texts))
	for i, text := range texts {
		addrs[i] = netip.MustParseAddr(text)
	}
	return addrs
}

// hosts looks up addresses, none of which may fail.
func hosts(t *testing.T, f *internetdbfile.File, addrs ...netip.Addr) []*shodan.Host {
	t.Helper()
	results, at, err := f.Hosts(t.Context(), addrs)
	if err != nil {
		t.Fatal(err)
	}
	if at.IsZero() {
		t.Error("the file has no time")
	}
	found := make([]*shodan.Host, len(results))
	for i, r := range results {
		if r.Err != nil {
			t.Errorf("%s: %v", addrs[i], r.Err)
		}
		found[i] = r.Host
	}
	return found
}

const (
	number     = "CREATE TABLE data (ip INTEGER, ports TEXT, tags TEXT, cpes TEXT, vulns TEXT, hostnames TEXT)"
	noType     = "CREATE TABLE data (ip, ports, tags, cpes, vulns, hostnames)"
	primaryKey = "CREATE TABLE data (ip INTEGER PRIMARY KEY, ports, tags, cpes, vulns, hostnames)"
	withoutRow = "CREATE TABLE data (ip TEXT PRIMARY KEY, ports, tags, cpes, vulns, hostnames) WITHOUT ROWID"
	// Columns of which the statements of lookups use the names.
	otherColumns = `CREATE TABLE data (n, ip TEXT, ports TEXT, tags TEXT, cpes TEXT, vulns TEXT, hostnames TEXT, addr, wanted)`
	reordered    = `CREATE TABLE "DATA" (hostnames, "Vulns", extra DEFAULT 'x', cpes, tags, ports, "IP")`
)

func TestAddressesAreFoundInEveryForm(t *testing.T) {
	t.Parallel()
	v4, v6 := int64(11)<<24+5, "2606:4700::1111"
	for name, tt := range map[string]struct {
		schema, index string
		ip            any
		v6            any
	}{
		"text":                        {internetdbtest.Schema, internetdbtest.Index, "11.0.0.5", v6},
		"text without a type":         {noType, internetdbtest.Index, "11.0.0.5", v6},
		"text as the primary key":     {withoutRow, "", "11.0.0.5", v6},
		"text, columns reordered":     {reordered, internetdbtest.Index, "11.0.0.5", v6},
		"other columns":               {otherColumns, internetdbtest.Index, "11.0.0.5", v6},
		"numbers":                     {number, internetdbtest.Index, v4, nil},
		"numbers, text for IPv6":      {noType, internetdbtest.Index, v4, v6},
		"numbers as the primary key":  {primaryKey, "", v4, nil},
		"numbers in a column of text": {internetdbtest.Schema, internetdbtest.Index, v4, v6},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rows := []internetdbtest.Row{row(tt.ip)}
			if tt.v6 != nil {
				rows = append(rows, row(tt.v6))
			}
			f := open(t, write(t, tt.schema, tt.index, rows...))
			got := hosts(t, f, parse("11.0.0.5", "11.0.0.6", "11.0.0.50", v6, "2606:4700::1112")...)
			want := []*shodan.Host{response(t, "11.0.0.5"), nil, nil, nil, nil}
			if tt.v6 != nil {
				want[3] = response(t, v6)
			}
			if diff := cmp.Diff(want, got, sameHost); diff != "" {
				t.Errorf("want (-), got (+): %s", diff)
			}
			// The addresses of a network are read by their range.
			var network []netip.Addr
			for addr := netip.MustParseAddr("11.0.0.0"); len(network) < 300; addr = addr.Next() {
				network = append(network, addr)
			}
			for i, h := range hosts(t, f, network...) {
				if isIt := network[i].String() == "11.0.0.5"; isIt != (h != nil) {
					t.Errorf("%s: %+v", network[i], h)
				}
			}
			var listed []*shodan.Host
			for r, err := range f.All(t.Context()) {
				if err != nil || r.Err != nil || r.Time.IsZero() || r.Addr != r.Host.Addr {
					t.Fatalf("%+v, %v", r, err)
				}
				listed = append(listed, r.Host)
			}
			want = slices.DeleteFunc(want, func(h *shodan.Host) bool { return h == nil })
			slices.SortFunc(listed, func(a, b *shodan.Host) int { return a.Addr.Compare(b.Addr) })
			if diff := cmp.Diff(want, listed, sameHost); diff != "" {
				t.Errorf("listed, want (-), got (+): %s", diff)
			}
		})
	}
}

// TestLongLists compares the results of lists that are looked up in groups, by ranges, one after the other and with
// several connections, with what was written: addresses that are missing, repeated, in several rows, or IPv6.
func TestLongLists(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		schema string
		ip     func(netip.Addr) any
	}{
		"text": {internetdbtest.Schema, func(a netip.Addr) any { return a.String() }},
		"nocase": {strings.Replace(internetdbtest.Schema, "ip TEXT", "ip TEXT COLLATE NOCASE", 1), func(a netip.Addr) any {
			if a.Is6() && a.As16()[15]%4 == 3 { // in another way than a lookup writes it
				return strings.ToUpper(a.String())
			}
			return a.String()
		}},
		"numbers": {noType, func(a netip.Addr) any { return ipValue(a) }},
		"decimal": {internetdbtest.Schema, func(a netip.Addr) any { return ipValue(a) }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			addr := func(i int) netip.Addr {
				if i%7 == 0 {
					return netip.MustParseAddr(fmt.Sprintf("2606:4700::%x", i+1))
				}
				return netip.AddrFrom4([4]byte{11, byte(i >> 16), byte(i >> 8), byte(i)})
			}
			const addresses = 12_000
			rows := func(yield func(internetdbtest.Row) bool) {
				for i := range addresses {
					ports := fmt.Sprint(i + 1)
					for range 1 + i%5/4 { // two rows of every fifth
						if i%2 == 0 && !yield(internetdbtest.Row{IP: tt.ip(addr(i)), Ports: ports, Tags: "vpn"}) {
							return
						}
						ports = "1"
					}
				}
			}
			path := filepath.Join(t.TempDir(), "internetdb.sqlite")
			if err := internetdbtest.WriteAs(path, tt.schema, internetdbtest.Index, rows); err != nil {
				t.Fatal(err)
			}
			f := open(t, path)
			chance := rand.New(rand.NewPCG(1, 2))
			for _, length := range []int{1, 63, 64, 255, 256, 257, 1000, 20_000} {
				addrs, numbers := make([]netip.Addr, length), make([]int, length)
				for n := range addrs {
					numbers[n] = chance.IntN(addresses)
					if length == 1000 { // many of few networks
						numbers[n] %= 600
					}
					addrs[n] = addr(numbers[n])
				}
				for n, h := range hosts(t, f, addrs...) {
					i := numbers[n]
					var want []int
					if i%2 == 0 {
						want = []int{i + 1}
						if i%5 == 4 && i > 0 {
							want = []int{1, i + 1}
						}
					}
					if isThere := want != nil; isThere != (h != nil) || isThere && (h.Addr != addrs[n] || !slices.Equal(h.Ports, want) || !slices.Equal(h.Tags, []string{"vpn"})) {
						t.Fatalf("%d addresses: %s: %+v, want the ports %v", length, addrs[n], h, want)
					}
				}
			}
		})
	}
}

// ipValue returns the number of an IPv4 address, and the text of another.
func ipValue(a netip.Addr) any {
	if !a.Is4() {
		return a.String()
	}
	b := a.As4()
	return int64(b[0])<<24 | int64(b[1])<<16 | int64(b[2])<<8 | int64(b[3])
}

func TestRowsInOddForms(t *testing.T) {
	t.Parallel()
	path := write(t, internetdbtest.Schema, internetdbtest.Index,
		internetdbtest.Row{IP: "11.0.0.1"},
		internetdbtest.Row{IP: "11.0.0.2", Ports: " 80 , 22,,80,0", Tags: ",vpn,", CPEs: "cpe:2.3:a:x:a\\,b:1,cpe:/a:c", Vulns: "CVE-2021-44228,!CVE-2019-0708,nonsense", Hostnames: "a\x00b\xff.example"},
		internetdbtest.Row{IP: "11.0.0.3", Ports: "80"}, internetdbtest.Row{IP: "11.0.0.3", Ports: "22", Tags: "vpn"},
		internetdbtest.Row{IP: "11.0.0.4", Ports: "80,http"},
		internetdbtest.Row{IP: "11.0.0.5", Ports: "[80, 443]"},
		internetdbtest.Row{IP: "11.0.0.6", Ports: "70000"},
	)
	results, _, err := open(t, path).Hosts(t.Context(), parse("11.0.0.1", "11.0.0.2", "11.0.0.3", "11.0.0.4", "11.0.0.5", "11.0.0.6"))
	if err != nil {
		t.Fatal(err)
	}
	empty := results[0].Host
	if empty == nil || empty.Ports == nil || empty.Tags == nil || empty.Vulns == nil || empty.Hostnames == nil || empty.CPEs == nil || len(empty.Ports) != 0 {
		t.Errorf("an address without anything: %+v", empty)
	}
	if h := results[1].Host; h == nil || !slices.Equal(h.Ports, []int{22, 80}) || !slices.Equal(h.Tags, []string{"vpn"}) ||
		!slices.Equal(h.CPEs, []string{"cpe:2.3:a:x:a\\,b:1", "cpe:/a:c"}) || !slices.Equal(h.Vulns.IDs(), []string{"CVE-2021-44228"}) ||
		!slices.Equal(h.Hostnames, []string{"ab\uFFFD.example"}) {
		t.Errorf("odd lists: %+v", h)
	}
	if h := results[2].Host; h == nil || !slices.Equal(h.Ports, []int{22, 80}) || !slices.Equal(h.Tags, []string{"vpn"}) {
		t.Errorf("two rows of an address: %+v", h)
	}
	for _, r := range results[3:] {
		if r.Host != nil || r.Err == nil || !strings.Contains(r.Err.Error(), "is not a port") {
			t.Errorf("ports that cannot be read: %+v", r)
		}
	}
}

// TestBadFiles checks that a file that cannot be used is an error, and no address is taken for one without data.
func TestBadFiles(t *testing.T) {
	t.Parallel()
	good := write(t, internetdbtest.Schema, internetdbtest.Index, row("11.0.0.5"))
	content, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	of := func(content []byte) string {
		path := filepath.Join(t.TempDir(), "internetdb.sqlite")
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	damaged := slices.Clone(content)
	for i := 100; i < len(damaged); i++ {
		damaged[i] = 0xa5
	}
	journal := of(content)
	if err := os.WriteFile(journal+"-journal", []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	spaced := filepath.Join(t.TempDir(), "it's mine.sqlite")
	if err := internetdbtest.WriteAs(spaced, internetdbtest.Schema, "", slices.Values([]internetdbtest.Row{row("11.0.0.5")})); err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(t.TempDir(), "other.sqlite")
	execute(t, other, "CREATE TABLE hostnames (hostname); CREATE TABLE ip_hostname (ip)")
	columns := filepath.Join(t.TempDir(), "columns.sqlite")
	execute(t, columns, "CREATE TABLE data (ip, port, tags, hostnames)")
	nothing := filepath.Join(t.TempDir(), "nothing.sqlite")
	execute(t, nothing, "PRAGMA user_version = 1")
	for name, tt := range map[string]struct{ path, want string }{
		"missing":          {filepath.Join(t.TempDir(), "x.sqlite"), "there is no such file"},
		"a folder":         {t.TempDir(), "it is a folder: name the file"},
		"empty":            {of(nil), "it is empty"},
		"short":            {of([]byte("SQLite")), "it is no SQLite database"},
		"JSON":             {of([]byte(`{"ip": "11.0.0.5"}`)), "this is JSON, which the argument data_files reads"},
		"HTML":             {of([]byte("<html>")), "this is HTML or XML"},
		"ZIP":              {of([]byte("PK\x03\x04")), "this is a ZIP archive"},
		"incomplete":       {of(content[:len(content)-4096]), "it is not complete: it has 8192 of 12288 bytes"},
		"damaged":          {of(damaged), "it is damaged"},
		"being written":    {journal, "another program is writing it"},
		"other tables":     {other, `it has no table "data": it has the tables hostnames, ip_hostname`},
		"no table":         {nothing, `it has no table "data": it has no table`},
		"other columns":    {columns, `its table "data" has no column ports, cpes, vulns: it has the columns ip, port, tags, hostnames`},
		"no index":         {write(t, internetdbtest.Schema, "", row("11.0.0.5")), "it has no index on the column ip, without which a lookup reads the whole file: add one with: shodanrep dataset index /"},
		"another index":    {write(t, internetdbtest.Schema, "CREATE INDEX i ON data (ports, ip)", row("11.0.0.5")), "no index on the column ip"},
		"a path to quote":  {spaced, `dataset index '` + strings.ReplaceAll(spaced, "'", `'\''`) + "'"},
		"no rows":          {write(t, internetdbtest.Schema, internetdbtest.Index), `its table "data" has no row with an address`},
		"padded addresses": {write(t, internetdbtest.Schema, internetdbtest.Index, row("011.000.000.005")), `its column ip has the value "011.000.000.005"`},
		"long IPv6":        {write(t, internetdbtest.Schema, internetdbtest.Index, row("11.0.0.5"), row("2606:4700:0:0:0:0:0:1111")), `its column ip has the value "2606:4700:0:0:0:0:0:1111"`},
		"names":            {write(t, internetdbtest.Schema, internetdbtest.Index, row("www.example.com")), `its column ip has the value "www.example.com"`},
		"negative numbers": {write(t, number, internetdbtest.Index, row(int64(-5))), `its column ip has the value "-5"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := open(t, tt.path)
			results, _, err := f.Hosts(t.Context(), parse("11.0.0.5"))
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), fmt.Sprintf("%q", tt.path)) || results != nil {
				t.Errorf("%v, error %v, want %s", results, err, tt.want)
			}
			if _, err := f.Inspect(t.Context()); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Inspect: error %v, want %s", err, tt.want)
			}
			for _, err := range f.All(t.Context()) {
				if err == nil || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("All: error %v, want %s", err, tt.want)
				}
			}
		})
	}
}

// execute runs statements on a new file.
func execute(t *testing.T, path, statements string) {
	t.Helper()
	db, err := sqlite3.Open(path)
	if err == nil {
		err = errors.Join(db.Exec(statements), db.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestDamageThatIsFoundLaterIsAnError(t *testing.T) {
	t.Parallel()
	rows := func(yield func(internetdbtest.Row) bool) {
		for i := range 5000 {
			if !yield(row(fmt.Sprintf("11.0.%d.%d", i/256, i%256))) {
				return
			}
		}
	}
	path := filepath.Join(t.TempDir(), "internetdb.sqlite")
	if err := internetdbtest.Write(path, rows); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := 8192; i < len(content); i++ { // the pages after the schema and the root of the table
		content[i] = 0xa5
	}
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	results, _, err := open(t, path).Hosts(t.Context(), parse("11.0.0.5"))
	if err == nil || !strings.Contains(err.Error(), "it is damaged") || results != nil {
		t.Errorf("%v, error %v", results, err)
	}
}

func TestAReplacedFileIsNoticed(t *testing.T) {
	t.Parallel()
	path := write(t, internetdbtest.Schema, internetdbtest.Index, row("11.0.0.5"))
	f := open(t, path)
	if got := hosts(t, f, parse("11.0.0.5", "11.0.0.6")...); got[0] == nil || got[1] != nil {
		t.Fatalf("%+v", got)
	}
	next := write(t, number, internetdbtest.Index, row(int64(11)<<24+6))
	old := time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)
	if err := errors.Join(os.Chtimes(next, old, old), os.Rename(next, path)); err != nil {
		t.Fatal(err)
	}
	results, at, err := f.Hosts(t.Context(), parse("11.0.0.5", "11.0.0.6"))
	if err != nil || results[0].Host != nil || results[1].Host == nil || !at.Equal(old) {
		t.Errorf("after it was renamed: %+v of %v, %v", results, at, err)
	}
	content, err := os.ReadFile(write(t, internetdbtest.Schema, internetdbtest.Index, row("11.0.0.7")))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, content, 0o600); err != nil { // into the same file
		t.Fatal(err)
	}
	if got := hosts(t, f, parse("11.0.0.6", "11.0.0.7")...); got[0] != nil || got[1] == nil {
		t.Errorf("after it was written to: %+v", got)
	}
	if err := os.WriteFile(path, []byte("not yet complete"), 0o600); err != nil {
		t.Fatal(err)
	}
	if results, _, err := f.Hosts(t.Context(), parse("11.0.0.7")); err == nil || results != nil {
		t.Errorf("after it was overwritten by something else: %+v", results)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, _, err := f.Hosts(t.Context(), parse("11.0.0.7")); err == nil || !strings.Contains(err.Error(), "there is no such file") {
		t.Errorf("after it was removed: error %v", err)
	}
}

func TestCallsEndWithTheirContext(t *testing.T) {
	t.Parallel()
	path := write(t, internetdbtest.Schema, internetdbtest.Index, row("11.0.0.5"))
	f := open(t, path)
	hosts(t, f, parse("11.0.0.5")...)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := f.Hosts(ctx, parse("11.0.0.5")); !errors.Is(err, context.Canceled) {
		t.Errorf("Hosts: error %v", err)
	}
	for _, err := range f.All(ctx) {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("All: error %v", err)
		}
	}
	if got := hosts(t, f, parse("11.0.0.5")...); got[0] == nil {
		t.Error("a later call finds nothing")
	}
}

func TestAnIndexIsNotAddedToAFileThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	if os.Geteuid() <= 0 {
		t.Skip("every file can be written by this user")
	}
	path := write(t, internetdbtest.Schema, "", row("11.0.0.5"))
	if err := os.Chmod(path, 0o400); err != nil {
		t.Fatal(err)
	}
	if added, err := internetdbfile.AddIndex(t.Context(), path); added || err == nil || !errors.Is(err, fs.ErrPermission) || strings.Contains(err.Error(), "damaged") {
		t.Errorf("added %v, error %v", added, err)
	}
}

func TestAddIndex(t *testing.T) {
	t.Parallel()
	path := write(t, internetdbtest.Schema, "", row("11.0.0.5"), row("11.0.0.6"))
	for _, want := range []bool{true, false} {
		if added, err := internetdbfile.AddIndex(t.Context(), path); added != want || err != nil {
			t.Errorf("added %v, %v; want %v", added, err, want)
		}
	}
	if got := hosts(t, open(t, path), parse("11.0.0.6", "11.0.0.7")...); got[0] == nil || got[1] != nil {
		t.Errorf("%+v", got)
	}
	text := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(text, bytes.Repeat([]byte("text"), 1000), 0o600); err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(t.TempDir(), "other.sqlite")
	execute(t, other, "CREATE TABLE hostnames (hostname)")
	for path, want := range map[string]string{
		filepath.Join(t.TempDir(), "x"): "there is no such file",
		text:                            "it is no SQLite database",
		other:                           `it has no table "data": it has the table hostnames`,
		compressed(t, "gzip", "x"):      "it is compressed, and gets its index when it is unpacked",
	} {
		if added, err := internetdbfile.AddIndex(t.Context(), path); added || err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: added %v, error %v", path, added, err)
		}
	}
}
