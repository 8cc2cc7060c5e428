package dataset

import (
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
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
			// Of a text that is one unfinished record nothing is kept.
			if found, err := bad.Unreadable(t.Context(), addrs); err != nil || found[addr] == "" && name != "no end" {
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
