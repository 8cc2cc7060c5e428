package dataset

import (
	"net/netip"
	"runtime"

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

// rows are the rows of the index for a batch.
type rows struct {
	blocks  [][]byte // compressed
	hosts   []hostRow
	pivots  []pivotEntry
	banners int64 // and summaries
	newest  int64 // Unix microseconds
}

// A hostRow has the items of one address in one batch.
type hostRow struct {
	addr  netip.Addr
	items []byte // encoded
}

// pack makes the rows for a batch. Of what was parsed it leaves only the bad records.
func (p *packer) pack(b *batch) {
	r := rows{}
	items := map[netip.Addr][]item{}
	var order []netip.Addr
	var block []byte
	flush := func() {
		if len(block) > 0 {
			r.blocks = append(r.blocks, p.encoder.EncodeAll(block, nil))
			block = block[:0]
		}
	}
	bad := b.parsed[:0]
	for _, record := range b.parsed {
		var it item
		var addr netip.Addr
		switch {
		case record.err != nil:
			bad = append(bad, record)
			continue
		case record.host != nil:
			it, addr = p.summary(record), record.host.Addr
		default:
			raw := record.banner.Raw
			if len(block)+len(raw) > blockSize && len(r.blocks) < maxBlocks-1 {
				flush()
			}
			it, addr = bannerItem(record.banner), record.banner.Addr
			it.text = textRef{block: blockNumber(b.number, len(r.blocks)), start: uint64(len(block)), length: uint64(len(raw))}
			block = append(block, raw...)
			for _, pivot := range shodan.Pivots() {
				if value := pivot.Value(record.banner); value != "" {
					r.pivots = append(r.pivots, pivotEntry{pivotHash(pivot, value), addr})
				}
			}
		}
		if items[addr] == nil {
			order = append(order, addr)
		}
		items[addr] = append(items[addr], it)
		r.banners++
		if it.seen <= p.latest {
			r.newest = max(r.newest, it.seen)
		}
	}
	flush()
	for _, addr := range order {
		r.hosts = append(r.hosts, hostRow{addr, encodeItems(items[addr])})
	}
	clear(b.parsed[len(bad):])
	b.parsed, b.rows = bad, r
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
