package dataset

import (
	"fmt"
	"net/netip"
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
