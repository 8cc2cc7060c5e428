package dataset

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// TestTheAddressOfARecordThatCannotBeReadIsKnown has an address of which the files have only such a record.
func TestTheAddressOfARecordThatCannotBeReadIsKnown(t *testing.T) {
	good := line("192.0.2.1", 80, "2026-01-01T00:00:00")
	for name, record := range map[string]string{
		"no port":                `{"ip_str": "192.0.2.9", "transport": "tcp"}`,
		"a port of another type": `{"ip_str":"192.0.2.9","port":{"number":80}}`,
		"an address as a number": `{"ip": 3221225993, "port": "many"}`,
		"no end":                 `{"ip_str":"192.0.2.9","port":80,"data":"x`,
		"not JSON":               `{"ip_str": "::ffff:192.0.2.9", port: 80}`,
		"a list with one bad":    `{"matches":[` + good + `,{"ip_str":"192.0.2.9"}]}`,
		"a bad host response":    `{"ip_str":"192.0.2.9","data":{}}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, index := t.TempDir(), t.TempDir()
			path := write(t, in(dir, "1.json"), good, record)
			if err := os.Mkdir(in(dir, "bad"), 0o700); err != nil {
				t.Fatal(err)
			}
			d := open(t, index, path)
			addr := netip.MustParseAddr("192.0.2.9")
			addrs := []netip.Addr{netip.MustParseAddr("192.0.2.1"), addr, netip.MustParseAddr("192.0.2.2")}
			found, err := d.Unreadable(t.Context(), addrs)
			if err != nil {
				t.Fatal(err)
			}
			if reason := found[addr]; !strings.HasPrefix(reason, fmt.Sprintf("the record of the address in %s, line 2, cannot be read: ", path)) {
				t.Errorf("got %q", found)
			}
			if found[addrs[2]] != "" {
				t.Errorf("of another address: %q", found)
			}
			// In a file without a banner too.
			bad := open(t, index, write(t, in(dir, "bad", "0.json"), good), in(dir, "bad", "*"), write(t, in(dir, "bad", "1.json"), record, good))
			if err := os.WriteFile(in(dir, "bad", "2.json"), []byte(strings.ReplaceAll(record, good, "{}")), 0o600); err != nil {
				t.Fatal(err)
			}
			write(t, in(dir, "bad", "1.json"), good)
			if err := bad.Refresh(t.Context()); err != nil {
				t.Fatal(err)
			}
			if found, err := bad.Unreadable(t.Context(), addrs); err != nil || found[addr] == "" {
				t.Errorf("in a file without a banner: %q, %v", found, err)
			}
			// When the file is mended it is forgotten, and so it is with a Dataset of other files.
			other := open(t, index, write(t, in(dir, "2.json"), good))
			if found, err := other.Unreadable(t.Context(), addrs); err != nil || len(found) != 0 {
				t.Errorf("of other files: %q, %v", found, err)
			}
			write(t, path, good)
			if err := d.Refresh(t.Context()); err != nil {
				t.Fatal(err)
			}
			if found, err := d.Unreadable(t.Context(), addrs); err != nil || len(found) != 0 {
				t.Errorf("mended: %q, %v", found, err)
			}
		})
	}
}

// TestTheAddressOfADamagedObjectIsKnown has files that are not a record per line, or that break off.
func TestTheAddressOfADamagedObjectIsKnown(t *testing.T) {
	t.Parallel()
	good := line("192.0.2.1", 80, "2026-01-01T00:00:00")
	packed := zip(t, []byte(good+"\n{\"ip_str\": \"192.0.2.9\", \"port\": 80, \"data\": \""+strings.Repeat("x", 1000)))
	for name, content := range map[string]string{
		"the end of an array":                   "[" + good + ",\n{\n  \"ip_str\": \"192.0.2.9\",\n  \"port\": 80,\n  \"data\": \"x",
		"the end of a pretty-printed object":    good + "\n{\n  \"ip_str\": \"192.0.2.9\",\n  \"port\": 80",
		"a damage before the address":           "[" + good + ",\n{\n  \"port\": 80],\n  \"ip_str\": \"192.0.2.9\"\n},\n" + good + "]",
		"a damage after the address":            "[" + good + ",\n{\n  \"ip_str\": \"192.0.2.9\",\n  \"port\": 80]\n},\n" + good + "]",
		"the end of compressed data in a line":  string(packed[:len(packed)-8]),
		"an object whose beginning is missing":  "[" + good + ",\n \"port\": 80, \"ip_str\": \"192.0.2.9\"},\n" + good + "]",
		"the end of compressed data in a value": string(zip(t, []byte("["+good+",\n{\n\"ip_str\": \"192.0.2.9\",\n\"data\": \"")))[:130],
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			path := in(dir, "1.json")
			if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			addr := netip.MustParseAddr("192.0.2.9")
			d := open(t, dir, path)
			if found, err := d.Unreadable(t.Context(), []netip.Addr{addr}); err != nil || found[addr] == "" {
				t.Errorf("%q, %v", found, err)
			}
			if got := hosts(t, d, "192.0.2.1"); len(got) != 1 {
				t.Errorf("got %v", got)
			}
		})
	}
}

// TestTheAddressOfATooLongRecordIsKnown reads records that are longer than what is kept of one.
func TestTheAddressOfATooLongRecordIsKnown(t *testing.T) {
	t.Parallel()
	record := `{"ip_str": "192.0.2.9", "data": "` + strings.Repeat("x", 1000) + `"}`
	for name, read := range map[string]func(*text) ([]byte, error){
		"a line": func(text *text) ([]byte, error) { return (&lineReader{text: text, long: 100}).next([]byte("kept")) },
		"a value": func(text *text) ([]byte, error) {
			v := newValueReader(text)
			v.long = 100
			return v.next([]byte("kept"))
		},
		"a string": func(text *text) ([]byte, error) {
			v := newValueReader(text)
			v.long = 25
			return v.next([]byte("kept"))
		},
	} {
		text, err := newText(t.Context(), iotest.OneByteReader(strings.NewReader(record)))
		if err != nil {
			t.Fatal(err)
		}
		got, err := read(text)
		if !errors.Is(err, errTooLong) || len(addressesIn(got)) != 1 || len(got) > 104 {
			t.Errorf("%s: %q, %v", name, got, err)
		}
		if err := text.close(); err != nil {
			t.Error(err)
		}
	}
}

func TestAddressesInRecords(t *testing.T) {
	for record, want := range map[string]string{
		``:                                 "",
		`nothing`:                          "",
		`{"ip_str":`:                       "",
		`{"ip_str":"`:                      "",
		`{"ip_str": "1.1.1.1`:              "1.1.1.1",
		`{"ip_str": "1.1.1.1.1"}`:          "",
		`{"ip_str": null, "ip": 16843009}`: "1.1.1.1",
		`{"ip": 99999999999}`:              "",
		`{"ip": 0, "ipv6": "2001:db8::1"}`: "2001:db8::1",
		`{"ip": "1.1.1.1"`:                 "1.1.1.1",
		`{"data": "\"ip_str\": \"2.2.2.2\"", "ip_str":"1.1.1.1"`:              "1.1.1.1",
		`[{"ip_str":"1.1.1.1"}, {"ip_str":"1.1.1.1"}, {"ip_str" : "2.2.2.2"}`: "1.1.1.1 2.2.2.2",
	} {
		var got []string
		for _, addr := range addressesIn([]byte(record)) {
			got = append(got, addr.String())
		}
		if !slices.Equal(got, strings.Fields(want)) {
			t.Errorf("%s: %v, want %s", record, got, want)
		}
	}
}

func FuzzAddressesIn(f *testing.F) {
	f.Add([]byte(`{"ip_str": "1.1.1.1", "ip": 16843009}`))
	f.Fuzz(func(t *testing.T, record []byte) {
		for _, addr := range addressesIn(record) {
			if !addr.IsValid() || addr.Zone() != "" {
				t.Errorf("%v", addr)
			}
		}
	})
}
