package dataset

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

func TestABlockCopiesOnlyWhatDoesNotFollow(t *testing.T) {
	t.Parallel()
	batch := []byte("first,second,third,after")
	part := func(from, to int) []byte { return batch[from:to] }
	for name, c := range map[string]struct {
		parts  [][]byte
		isCopy bool
	}{
		"in order":           {[][]byte{part(0, 6), part(6, 13), part(13, 19)}, false},
		"one left out":       {[][]byte{part(0, 6), part(13, 19)}, true},
		"one in other order": {[][]byte{part(6, 13), part(0, 6), part(13, 19)}, true},
		"one cleaned":        {[][]byte{part(0, 6), []byte("cleaned,"), part(6, 13), part(13, 19)}, true},
		"cleaned, the first": {[][]byte{[]byte("cleaned,"), part(0, 6)}, true},
		"alone":              {[][]byte{part(0, 6)}, false},
	} {
		var b block
		for _, p := range c.parts {
			b.append(p)
		}
		if got, want := string(b.text), string(bytes.Join(c.parts, nil)); got != want || b.isCopy != c.isCopy {
			t.Errorf("%s: %q, copied %v, want %q", name, got, b.isCopy, want)
		}
		if string(batch) != "first,second,third,after" {
			t.Fatalf("%s: the batch's text is %q now", name, batch)
		}
	}
}

// TestTheTextsOfAFileAreThoseInIt has records of each kind among each other: such that need cleaning, bad ones, responses,
// and empty lines.
func TestTheTextsOfAFileAreThoseInIt(t *testing.T) {
	t.Parallel()
	want, lines := map[netip.Addr]string{}, []string(nil)
	for i, text := range manyLines(600) {
		addr := netip.AddrFrom4([4]byte{192, 0, byte(i >> 8), byte(i)})
		var fields map[string]any
		if err := json.Unmarshal([]byte(text), &fields); err != nil {
			t.Fatal(err)
		}
		fields["ip_str"], fields["hash"], fields["data"] = addr.String(), i, fmt.Sprint("text ", i, strings.Repeat("\x00", max(0, i%7-5)))
		packed, err := json.Marshal(fields)
		if err != nil {
			t.Fatal(err)
		}
		switch want[addr] = string(shodan.Clean(packed)); i % 50 {
		case 10:
			lines = append(lines, "{damaged", "", "\r")
		case 20:
			packed = fmt.Appendf(nil, `{"matches": [%s], "total": 1}`, packed)
		}
		lines = append(lines, string(packed))
	}
	d := open(t, "", write(t, in(t.TempDir(), "a.json"), lines...))
	hosts := 0
	for h, err := range d.All(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if hosts++; len(h.Banners) != 1 || string(h.Banners[0].Raw) != want[h.Addr] {
			t.Errorf("%v: %d banners, %.200s, want %.200s", h.Addr, len(h.Banners), h.Banners[0].Raw, want[h.Addr])
		}
	}
	if hosts != len(want) || d.Stats().BadRecords != 12 {
		t.Errorf("%d hosts of %d, %d bad records", hosts, len(want), d.Stats().BadRecords)
	}
}
