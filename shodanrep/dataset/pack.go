package dataset

import (
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
