package dataset

import (
	"net/netip"
	"runtime"
	"slices"

	"github.com/klauspost/compress/zstd"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

// A packer makes the rows of the index for the batches of one file.
type packer struct {
	mtime      int64 // of the file, in nanoseconds
	latest     int64 // Unix microseconds: no banner is newer, whatever it says
	dictionary []byte
	encoder    *zstd.Encoder
}

// begin gets the text of the first batch of a file, before any is packed.
func (p *packer) begin(first []byte) (err error) {
	if len(first) >= minDictionary {
		p.dictionary = append([]byte(nil), first[:min(len(first), maxDictionary)]...)
	}
	p.encoder, err = newEncoder(p.dictionary, runtime.GOMAXPROCS(0))
	return err
}

func (p *packer) close() {
	if p.encoder != nil {
		_ = p.encoder.Close() // it writes nothing
	}
}

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

// pack makes the rows for a batch. Of what was parsed it leaves only the bad records.
func (p *packer) pack(b *batch) {
	r := &b.rows
	var texts block
	flush := func() {
		start := len(r.packed)
		r.packed = p.encoder.EncodeAll(texts.text, r.packed)
		r.blocks = append(r.blocks, r.packed[start:])
		texts = block{}
	}
	bad := b.parsed[:0]
	for _, record := range b.parsed {
		var it item
		switch {
		case record.err != nil:
			bad = append(bad, record)
			continue
		case record.host != nil:
			it = p.summary(record)
			r.add(record.host.Addr, it)
		default:
			raw := record.banner.Raw
			if length := len(texts.text); length > 0 && length+len(raw) > blockSize && len(r.blocks) < maxBlocks-1 {
				flush()
			}
			it = bannerItem(record.banner)
			it.text = textRef{block: blockNumber(b.number, len(r.blocks)), start: uint64(len(texts.text)), length: uint64(len(raw))}
			texts.append(raw)
			r.addPivots(record.banner)
			r.add(record.banner.Addr, it)
		}
		if it.seen <= p.latest {
			r.newest = max(r.newest, it.seen)
		}
	}
	if len(texts.text) > 0 {
		flush()
	}
	for _, host := range r.items {
		r.hosts = append(r.hosts, hostRow{host.addr, r.codec.encodeItems(host.items)})
		clear(host.items)
	}
	clear(b.parsed[len(bad):])
	b.parsed = bad
}

// A block is the texts of some banners of a batch, one after the other.
type block struct {
	text   []byte
	isCopy bool // else it is a part of the batch's text
}

// append appends a text. It copies nothing while the texts follow each other in memory, as those of a batch do unless a
// record is bad, was cleaned, or is a response.
func (b *block) append(raw []byte) {
	n := len(b.text)
	switch {
	case n == 0:
		b.text = raw
	case !b.isCopy && cap(b.text)-n >= len(raw) && &b.text[:n+1][n] == &raw[0]:
		b.text = b.text[:n+len(raw)]
	case !b.isCopy:
		b.isCopy = true
		b.text = append(make([]byte, 0, blockSize), b.text...)
		fallthrough
	default:
		b.text = append(b.text, raw...)
	}
}

// bannerItem makes the item of a banner, without its text.
func bannerItem(b *shodan.Banner) item {
	return item{seen: b.Timestamp.UnixMicro(), name: b.VirtualHost(), banner: b}
}

// summary makes the item of a response. One without a time is as old as its file.
func (p *packer) summary(record parsed) item {
	it := item{kind: record.kind, seen: p.mtime / 1000, host: record.host}
	if !record.host.LastUpdate.IsZero() {
		it.seen = record.host.LastUpdate.UnixMicro()
	}
	return it
}

// maxBlocks is how many blocks a batch has at most, and maxBatches how many batches a file has: a terabyte.
const (
	maxBlocks  = 1 << 12
	maxBatches = 1 << 20
)

// blockNumber is the number of a batch's block within its file. 0 is the dictionary: batches count from 1.
func blockNumber(batch, block int) uint64 { return uint64(batch*maxBlocks + block) }

// blockID is the key of a block in the index.
func blockID(file int64, number uint64) int64 { return file*maxBatches*maxBlocks + int64(number) }

// A textRef is where the text of a banner is in its file's blocks.
type textRef struct{ block, start, length uint64 }
