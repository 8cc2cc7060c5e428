package dataset

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"testing"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"

	"github.com/google/go-cmp/cmp"
)

func TestHostsAreMergedOfTheNewestBannerOfAService(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, in(dir, "a.json.gz"),
		line("192.0.2.1", 80, "2026-01-02T00:00:00.000002", "data", "newest"),
		line("192.0.2.1", 80, "2026-01-02T00:00:00.000001", "data", "older"),
		line("192.0.2.1", 53, "2026-01-01T00:00:00", "data", "tcp"),
		line("192.0.2.1", 53, "2025-01-01T00:00:00", "data", "udp", "transport", "udp"),
		line("::ffff:192.0.2.2", 22, "2026-01-01T00:00:00", "data", "mapped"),
		line("2001:DB8::1", 443, "2026-01-01T00:00:00", "data", "six"))
	write(t, in(dir, "b.json"),
		line("192.0.2.1", 80, "2025-12-31T00:00:00", "data", "of the other file"),
		line("192.0.2.1", 8080, "2026-01-03T00:00:00", "data", "of the other file", "org", "Example Hosting"))
	d := open(t, "", in(dir, "*.json.gz"), in(dir, "*.json"))

	want := map[string][]string{
		"192.0.2.1":   {"53/tcp tcp", "53/udp udp", "80/tcp newest", "8080/tcp of the other file"},
		"192.0.2.2":   {"22/tcp mapped"},
		"2001:db8::1": {"443/tcp six"},
	}
	if diff := cmp.Diff(want, hosts(t, d, "192.0.2.1", "192.0.2.1", "192.0.2.2", "192.0.2.3", "2001:db8::1")); diff != "" {
		t.Error(diff)
	}
	found, err := d.Hosts(t.Context(), []netip.Addr{netip.MustParseAddr("::ffff:192.0.2.1"), {}}, false)
	if err != nil {
		t.Fatal(err)
	}
	h := found[netip.MustParseAddr("::ffff:192.0.2.1")]
	if len(found) != 1 || h == nil || h.Addr.String() != "192.0.2.1" || h.Organization != "Example Hosting" {
		t.Errorf("asked for an IPv4-mapped address and one that is none: %+v", found)
	}
	if got := d.Stats(); got.Files != 2 || got.Banners != 8 || got.Hosts != 3 || got.BadRecords != 0 || got.ReadTime <= 0 {
		t.Errorf("stats: %+v", got)
	}
}

func TestHostsTakesThousandsOfAddresses(t *testing.T) {
	t.Parallel()
	const many = 5000
	lines := make([]string, many)
	addrs := make([]netip.Addr, 2*many)
	for i := range 2 * many {
		addrs[i] = netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)})
		if i < many {
			lines[i] = line(addrs[i].String(), 22, "2026-01-01T00:00:00")
		}
	}
	d := open(t, "", write(t, in(t.TempDir(), "many.json"), lines...))
	found, err := d.Hosts(t.Context(), addrs, false)
	if err != nil || len(found) != many || found[addrs[many-1]] == nil {
		t.Errorf("found %d of %d: %v", len(found), many, err)
	}
}

func TestAll(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, in(dir, "a.json"),
		line("2001:db8::1", 1, "2026-01-01T00:00:00"),
		line("203.0.113.1", 1, "2026-01-01T00:00:00"), line("203.0.113.1", 2, "2026-01-01T00:00:00"),
		line("192.0.2.10", 1, "2026-01-01T00:00:00"), line("192.0.2.9", 1, "2026-01-01T00:00:00"))
	write(t, in(dir, "b.json"), line("203.0.113.1", 1, "2026-01-02T00:00:00"), line("203.0.113.1", 3, "2026-01-02T00:00:00"))
	d := open(t, "", in(dir, "*.json"))
	every := []string{"192.0.2.9 [1]", "192.0.2.10 [1]", "203.0.113.1 [1 2 3]", "2001:db8::1 [1]"}

	t.Run("lists the hosts in order of address", func(t *testing.T) {
		var got []string
		for h, err := range d.All(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, fmt.Sprint(h.Addr, h.Ports))
			// Asking in between must neither wait for the loop nor disturb it.
			if found := hosts(t, d, h.Addr.String()); len(found) != 1 {
				t.Errorf("%s is listed but not found", h.Addr)
			}
		}
		if diff := cmp.Diff(every, got); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("can be left at every host", func(t *testing.T) {
		for stop := 1; stop <= len(every); stop++ {
			n := 0
			for _, err := range d.All(t.Context()) {
				if err != nil {
					t.Fatal(err)
				}
				if n++; n == stop {
					break
				}
			}
			if n != stop {
				t.Errorf("saw %d hosts, not %d", n, stop)
			}
		}
	})
	t.Run("ends with the context's error", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var last error
		n := 0
		for _, err := range d.All(ctx) {
			cancel()
			last = err
			n++
		}
		if n != 2 || !errors.Is(last, context.Canceled) {
			t.Errorf("saw %d, the last with error %v", n, last)
		}
	})
}

func TestRelated(t *testing.T) {
	t.Parallel()
	cert := tls("www.example.com", "ab12", "29d2", "ec74")
	d := open(t, "", write(t, in(t.TempDir(), "a.json"),
		line("203.0.113.2", 443, "2026-01-01T00:00:00", "ssl", cert, "org", "Example Hosting", "asn", "AS64496"),
		line("192.0.2.1", 8443, "2026-01-01T00:00:00", "ssl", cert, "org", "Example Hosting"),
		line("192.0.2.1", 443, "2026-01-01T00:00:00", "ssl", cert, "org", "Other"),
		line("2001:db8::1", 443, "2026-01-01T00:00:00", "ssl", tls("WWW.example.com", "cd34", "29d2", "")),
		// The certificate of this one has been replaced.
		line("192.0.2.3", 443, "2025-01-01T00:00:00", "ssl", cert),
		line("192.0.2.3", 443, "2026-01-01T00:00:00", "ssl", tls("new.example.com", "ef56", "", ""))))
	var none netip.Addr
	tests := []struct {
		name   string
		pivot  shodan.Pivot
		value  string
		except netip.Addr
		limit  int
		want   []string
	}{
		{"by subject, whatever its case", shodan.SubjectCN, "www.example.com", none, 100, []string{"192.0.2.1:443", "192.0.2.1:8443", "203.0.113.2:443", "[2001:db8::1]:443"}},
		{"by fingerprint", shodan.FingerprintSHA256, "AB12", none, 100, []string{"192.0.2.1:443", "192.0.2.1:8443", "203.0.113.2:443"}},
		{"by JARM", shodan.JARM, "29d2", none, 100, []string{"192.0.2.1:443", "192.0.2.1:8443", "203.0.113.2:443", "[2001:db8::1]:443"}},
		{"by JA3S", shodan.JA3S, "ec74", none, 100, []string{"192.0.2.1:443", "192.0.2.1:8443", "203.0.113.2:443"}},
		{"by organization", shodan.Organization, "Example Hosting", none, 100, []string{"192.0.2.1:8443", "203.0.113.2:443"}},
		{"by ASN", shodan.ASN, "AS64496", none, 100, []string{"203.0.113.2:443"}},
		{"without the address itself", shodan.JARM, "29d2", netip.MustParseAddr("192.0.2.1"), 100, []string{"203.0.113.2:443", "[2001:db8::1]:443"}},
		{"without it as IPv4-mapped", shodan.JARM, "29d2", netip.MustParseAddr("::ffff:192.0.2.1"), 1, []string{"203.0.113.2:443"}},
		{"no more than the limit", shodan.JARM, "29d2", none, 2, []string{"192.0.2.1:443", "192.0.2.1:8443"}},
		{"nothing for a limit of 0", shodan.JARM, "29d2", none, 0, nil},
		{"nothing by the name in a replaced certificate", shodan.SubjectCN, "new.example.com", netip.MustParseAddr("192.0.2.3"), 100, nil},
		{"nothing by an empty value", shodan.SubjectCN, "", none, 100, nil},
		{"nothing by part of a value", shodan.Organization, "Example", none, 100, nil},
		{"a value that would end a quoted text", shodan.Organization, `' or ''='`, none, 100, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			banners, err := d.Related(t.Context(), tt.pivot, tt.value, tt.except, tt.limit)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, b := range banners {
				got = append(got, netip.AddrPortFrom(b.Addr, uint16(b.Port.V)).String())
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	t.Run("an unknown pivot is an error", func(t *testing.T) {
		t.Parallel()
		if _, err := d.Related(t.Context(), "serial", "1", none, 0); err == nil || !strings.Contains(err.Error(), `"serial" is not a pivot`) {
			t.Errorf("got %v", err)
		}
	})
}

func TestBadLinesAreCountedAndTheRestIsKept(t *testing.T) {
	t.Parallel()
	good := line("192.0.2.1", 80, "2026-01-01T00:00:00")
	content := strings.Join([]string{good, "", "  \r", "no JSON", `{"port": 80}`, `{"ip_str": "192.0.2.2"}`, `[]`, `{"ip_str": "192.0.2.2", "port"`,
		strings.Replace(good, ".1\"", ".5\"", 1)}, "\n")
	whole := zip(t, []byte(good+"\n"+strings.Repeat(line("192.0.2.9", 81, "2026-01-01T00:00:00"), 50)))
	tests := []struct {
		name     string
		content  []byte
		hosts    int64
		bad      int64
		logged   string
		unlogged string
	}{
		{"lines that are no banners", []byte(content), 2, 5, `line=4 reason="the response is not a JSON object"`, ""},
		{"a byte order mark and Windows line ends", []byte("\uFEFF" + good + "\r\n" + good + "\r\n"), 1, 0, "", "WARN"},
		{"gzip data without its end", whole[:len(whole)-5], 1, 1, `line=2 reason="the file breaks off`, ""},
		{"gzip data with a wrong checksum", append(whole[:len(whole)-8:len(whole)-8], 1, 2, 3, 4, 5, 6, 7, 8), 1, 1, `reason="the file breaks off`, ""},
		{"gzip data followed by something else", append(zip(t, []byte(good+"\n")), "something else"...), 1, 1, `line=2 reason="the file breaks off`, ""},
		{"gzip data followed by zeros, as on a tape", append(zip(t, []byte(good+"\n")), make([]byte, 1000)...), 1, 0, "", "WARN"},
		{"two gzip files one after the other", append(zip(t, []byte(good+"\n")), zip(t, []byte(good+"\n"))...), 1, 0, "", "WARN"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			path := in(t.TempDir(), "data.json")
			if err := os.WriteFile(path, tt.content, 0o600); err != nil {
				t.Fatal(err)
			}
			logger, text := logged()
			d, err := Open(t.Context(), Options{Files: []string{path}, Logger: logger})
			if err != nil {
				t.Fatal(err)
			}
			defer d.Close()
			if got := d.Stats(); got.Hosts != tt.hosts || got.BadRecords != tt.bad {
				t.Errorf("stats: %+v", got)
			}
			if !strings.Contains(text.String(), tt.logged) || tt.unlogged != "" && strings.Contains(text.String(), tt.unlogged) {
				t.Errorf("the log is %s", text)
			}
			if tt.logged != "" && !strings.Contains(text.String(), path) {
				t.Errorf("the log does not name the file: %s", text)
			}
		})
	}
}

func TestLongAndOddBanners(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("0123456789", 500_000)
	d := open(t, "", write(t, in(t.TempDir(), "a.json.gz"),
		line("192.0.2.1", 80, "2026-01-01T00:00:00", "data", long),
		line("192.0.2.2", 80, "2026-01-01T00:00:00", "data", "a\x00b", "org", "Nul\x00 Hosting", "transport", "t\x00cp"),
		`{"ip": 3221225987, "port": "443"}`))
	got := hosts(t, d, "192.0.2.1", "192.0.2.2", "192.0.2.3")
	want := map[string][]string{"192.0.2.1": {"80/tcp " + long}, "192.0.2.2": {"80/tcp ab"}, "192.0.2.3": {"443/ "}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%.500s", diff)
	}
	related, err := d.Related(t.Context(), shodan.Organization, "Nul Hosting", netip.Addr{}, 100)
	if err != nil || len(related) != 1 {
		t.Errorf("related: %d %v", len(related), err)
	}
}

func TestAFileWhoseNameLooksLikeAPatternIsFound(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for i, name := range []string{"a[1].json", "[x.json"} {
		addr := fmt.Sprintf("192.0.2.%d", i+1)
		write(t, in(dir, name), line(addr, 80, "2026-01-02T00:00:00"))
		d := open(t, t.TempDir(), in(dir, name))
		if got, want := all(t, d), addr+" [80] [] [] 1\n"; got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

func TestAFolderThatCannotBeReadIsAnError(t *testing.T) {
	t.Parallel()
	if os.Geteuid() <= 0 {
		t.Skip("every folder can be read by this user")
	}
	dir := t.TempDir()
	for _, folder := range []string{"a", "b"} {
		if err := os.Mkdir(in(dir, folder), 0o700); err != nil {
			t.Fatal(err)
		}
		write(t, in(dir, folder, "x.json"), line("192.0.2.1", 80, "2026-01-02T00:00:00"))
	}
	if err := os.Chmod(in(dir, "b"), 0); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(in(dir, "b"), 0o700) })
	for glob, want := range map[string]string{
		in(dir, "*", "*.json"): fmt.Sprintf("folder %q: permission denied", in(dir, "b")),
		in(dir, "*", "x.json"): fmt.Sprintf("folder %q: permission denied", in(dir, "b")),
		in(dir, "b", "*.json"): fmt.Sprintf("folder %q: permission denied", in(dir, "b")),
		in(dir, "b", "x.json"): "permission denied",
	} {
		if _, err := Open(t.Context(), Options{Files: []string{glob}}); err == nil || err.Error() != fmt.Sprintf("data files %q: %s", glob, want) {
			t.Errorf("%s: %v", glob, err)
		}
	}
}

func TestOpenSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, in(dir, "a.json"), line("192.0.2.1", 80, "2026-01-02T00:00:00"))
	if err := os.Mkdir(in(dir, "folder"), 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, in(dir, "folder", "README.txt"), "no data")
	if err := os.Symlink(in(dir, "nowhere"), in(dir, "dangling.json")); err != nil {
		t.Skip("no symbolic links here:", err)
	}
	tests := []struct {
		name  string
		files []string
		want  string
	}{
		{"no files", nil, "no data files are named"},
		{"an empty path", []string{""}, `data files "": name a file, a pattern or a folder`},
		{"a device", []string{os.DevNull}, fmt.Sprintf("data file %q is not a file", os.DevNull)},
		{"a glob that matches nothing", []string{in(dir, "a.json"), in(dir, "*.gz")}, fmt.Sprintf("data files %q: there is no such file", in(dir, "*.gz"))},
		{"a glob that is none", []string{in(dir, "[")}, fmt.Sprintf("data files %q: syntax error in pattern", in(dir, "["))},
		{"a folder in a pattern", []string{in(dir, "f*")}, fmt.Sprintf("data file %q is a folder: name the files in it, such as %q", in(dir, "folder"), in(dir, "folder", "*.json.gz"))},
		{"a folder without data files", []string{in(dir, "folder")}, fmt.Sprintf("data files %q: the folder has no file whose name ends in .json, .jsonl or .ndjson, or in one of these and .gz, .zst or .bz2", in(dir, "folder"))},
		{"a file that cannot be opened", []string{in(dir, "d*.json")}, fmt.Sprintf("data file %q: no such file or directory", in(dir, "dangling.json"))},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if _, err := Open(t.Context(), Options{Files: tt.files}); err == nil || err.Error() != tt.want {
				t.Errorf("got  %v\nwant %s", err, tt.want)
			}
		})
	}
	t.Run("a cancelled context", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := Open(ctx, Options{Files: []string{in(dir, "a.json")}, Dir: t.TempDir()}); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
}

func TestHomeDirectoryIsExpanded(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("USERPROFILE", home)
	write(t, in(home, "a.json"), line("192.0.2.1", 80, "2026-01-02T00:00:00"))
	d := open(t, "", "~/*.json")
	if got := d.Stats().Hosts; got != 1 {
		t.Errorf("%d hosts", got)
	}
}
