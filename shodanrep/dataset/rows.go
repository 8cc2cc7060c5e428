package dataset

import (
	"net/netip"
	"slices"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

// rows are the rows of the index for a batch. Their memory is used again for the next one.
type rows struct {
	blocks  [][]byte // compressed
	hosts   []hostRow
	pivots  []pivotEntry
	banners int64 // and summaries
	newest  int64 // Unix microseconds

	packed []byte             // has the blocks
	codec  codec              // has the items of the hosts
	lists  map[netip.Addr]int // where in items an address is
	items  []hostItems
}

// hostItems are the items of an address.
type hostItems struct {
	addr  netip.Addr
	items []item
}

// A hostRow has the items of one address in one batch.
type hostRow struct {
	addr  netip.Addr
	items []byte // encoded
}

func (r *rows) reset() {
	clear(r.lists)
	*r = rows{
		blocks: r.blocks[:0], hosts: r.hosts[:0], pivots: r.pivots[:0],
		packed: r.packed[:0], codec: codec{out: r.codec.out[:0], known: r.codec.known}, lists: r.lists, items: r.items[:0],
	}
}

func (r *rows) add(addr netip.Addr, it item) {
	if r.lists == nil {
		r.lists = map[netip.Addr]int{}
	}
	i, isKnown := r.lists[addr]
	if !isKnown {
		i = len(r.items)
		r.lists[addr] = i
		r.items = slices.Grow(r.items, 1)[:i+1] // an earlier batch has left the memory of a list there
		r.items[i].addr, r.items[i].items = addr, r.items[i].items[:0]
	}
	r.items[i].items = append(r.items[i].items, it)
	r.banners++
}

// pivots are all pivots.
var pivots = shodan.Pivots()

func (r *rows) addPivots(b *shodan.Banner) {
	for _, pivot := range pivots {
		if value := pivot.Value(b); value != "" {
			r.pivots = append(r.pivots, pivotEntry{pivotHash(pivot, value), b.Addr})
		}
	}
}
