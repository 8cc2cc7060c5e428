package dataset

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"hash/fnv"
	"net/netip"
	"slices"

	"github.com/ncruces/go-sqlite3"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

// A pivotEntry says that a banner of an address has a value. The index has the entries of a file in runs, which are
// sorted, in pages: to insert each on its own would take longer than all the rest. A hash may be that of several values.
type pivotEntry struct {
	hash uint64
	addr netip.Addr
}

func (e pivotEntry) compare(other pivotEntry) int {
	if order := cmp.Compare(e.hash, other.hash); order != 0 {
		return order // without a look at the addresses: a file has millions of entries to sort
	}
	return e.addr.Compare(other.addr)
}

const (
	runEntries  = 1 << 19 // some 16 MB in memory
	pageEntries = 512
)

// pivotHash returns the hash of a value: 44 bits, so that their differences are short. Text is compared without case, as
// Shodan's search does.
func pivotHash(pivot shodan.Pivot, value string) uint64 {
	var buf [128]byte // on the stack: a file has millions of values
	text := append(append(buf[:0], pivot...), 0)
	text = append(text, value...)
	h := fnv.New64a()
	_, _ = h.Write(lowerASCII(text)) // it never fails
	return h.Sum64() >> 20
}

// lowerASCII puts small letters for the capital ones of ASCII.
func lowerASCII(lower []byte) []byte {
	for i, c := range lower {
		if c >= 'A' && c <= 'Z' {
			lower[i] = c + 'a' - 'A'
		}
	}
	return lower
}

// A pivotWriter writes the entries of a file.
type pivotWriter struct {
	conn    conn
	file    int64
	run     int64
	entries []pivotEntry
}

func (w *pivotWriter) add(entries []pivotEntry) error {
	w.entries = append(w.entries, entries...)
	if len(w.entries) < runEntries {
		return nil
	}
	return w.flush()
}

// flush writes a run.
func (w *pivotWriter) flush() error {
	slices.SortFunc(w.entries, pivotEntry.compare)
	page := int64(0)
	for entries := range slices.Chunk(slices.Compact(w.entries), pageEntries) {
		if err := w.conn.Run("insert into pivot (file, run, first, page, entries) values (?, ?, ?, ?, ?)",
			w.file, w.run, int64(entries[0].hash), page, encodePivots(entries)); err != nil {
			return err
		}
		page++
	}
	w.run++
	w.entries = w.entries[:0]
	return nil
}

func encodePivots(entries []pivotEntry) (page []byte) {
	last := entries[0].hash
	for _, e := range entries {
		page = binary.AppendUvarint(page, e.hash-last)
		page = append(page, addrKey(e.addr)...)
		last = e.hash
	}
	return page
}

// addrsOf returns the addresses in a page that belong to a hash.
func addrsOf(page []byte, first, hash uint64) (addrs []netip.Addr, err error) {
	for at := first; len(page) > 0; {
		delta, n := binary.Uvarint(page)
		if n <= 0 || len(page) <= n || len(page) < n+1+int(page[n]) {
			return nil, errDamagedRow
		}
		key := page[n : n+1+int(page[n])]
		page = page[n+len(key):]
		if at += delta; at > hash {
			break
		}
		if at == hash {
			addr, _ := netip.AddrFromSlice(key[1:])
			addrs = append(addrs, addr)
		}
	}
	return addrs, nil
}

// addrs returns the addresses of which a banner may have a value, in order.
func (s snapshot) addrs(pivot shodan.Pivot, value string) (found []netip.Addr, err error) {
	hash := pivotHash(pivot, value)
	for file := range s.files {
		runs, err := s.Number("select max(run) + 1 from pivot where file = ?", file)
		if err != nil {
			return nil, err
		}
		for run := range runs {
			// The pages with the hash are those that begin with it, and the one before them.
			err := s.Rows("select first, entries from pivot where file = ? and run = ? and first <= ? order by first desc, page desc",
				[]any{file, run, int64(hash)}, func(row *sqlite3.Stmt) (bool, error) {
					first := uint64(row.ColumnInt64(0))
					addrs, err := addrsOf(row.ColumnRawBlob(1), first, hash)
					found = append(found, addrs...)
					return first == hash, err
				})
			if err != nil {
				return nil, err
			}
		}
	}
	slices.SortFunc(found, netip.Addr.Compare)
	return slices.Compact(found), nil
}

// hasValue reports whether a banner has a value of a pivot.
func hasValue(b *shodan.Banner, pivot shodan.Pivot, value string) bool {
	own := pivot.Value(b)
	return own != "" && bytes.Equal(lowerASCII([]byte(own)), lowerASCII([]byte(value)))
}

// addrKey returns the form of an address in the index. Its order is that of netip.Addr.Compare, IPv4 before IPv6.
func addrKey(addr netip.Addr) []byte {
	key := addr.AsSlice()
	return append([]byte{byte(len(key))}, key...)
}
