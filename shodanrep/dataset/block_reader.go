package dataset

import (
	"fmt"

	"github.com/hashicorp/golang-lru/v2/simplelru"
	"github.com/klauspost/compress/zstd"
	"github.com/ncruces/go-sqlite3"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

const (
	// cachedBlocks is how many blocks a query keeps: banners of one host are often close to each other.
	cachedBlocks = 32
	// cachedDecoders is how many files' dictionaries an index keeps in memory, some 2 MB each.
	cachedDecoders = 32
)

// A blockReader reads blocks of an index during a transaction.
type blockReader struct {
	conn  conn
	index *index
	cache *simplelru.LRU[int64, []byte] // decompressed, by their keys; made when needed
}

func newBlockReader(c conn, x *index) *blockReader { return &blockReader{conn: c, index: x} }

// block returns a block, decompressed.
func (r *blockReader) block(file int64, number uint64) ([]byte, error) {
	id := blockID(file, number)
	if r.cache == nil {
		r.cache, _ = simplelru.NewLRU[int64, []byte](cachedBlocks, nil) // the size is valid
	}
	if text, ok := r.cache.Get(id); ok {
		return text, nil
	}
	decoder, err := r.decoder(file)
	if err != nil {
		return nil, err
	}
	text, err := r.read(id, decoder)
	if err == nil && text == nil {
		err = errDamagedRow
	}
	if err == nil && len(text) <= 2*blockSize {
		r.cache.Add(id, text)
	}
	return text, err
}

// read returns the block with a key, or nil if there is none.
func (r *blockReader) read(id int64, decoder *zstd.Decoder) (text []byte, err error) {
	err = r.conn.Rows("select text from block where id = ?", []any{id}, func(row *sqlite3.Stmt) (bool, error) {
		text, err = decompress(decoder, row.ColumnRawBlob(0))
		return false, err
	})
	return text, err
}

// decoder returns the decoder of a file's blocks.
func (r *blockReader) decoder(file int64) (*zstd.Decoder, error) {
	if decoder, ok := r.index.decoders.Get(file); ok {
		return decoder, nil
	}
	plain, err := newDecoder(nil)
	if err != nil {
		return nil, err
	}
	dictionary, err := r.read(blockID(file, 0), plain)
	if err != nil {
		return nil, err
	}
	decoder, err := newDecoder(dictionary)
	if err != nil {
		return nil, err
	}
	r.index.decoders.Add(file, decoder)
	return decoder, nil
}

// loadTexts reads the texts of banners.
func (s snapshot) loadTexts(items []item) error {
	for i := range items {
		it := &items[i]
		if it.host != nil {
			continue
		}
		block, err := s.blocks.block(it.file, it.text.block)
		if err != nil {
			return err
		}
		start, length := it.text.start, it.text.length
		if start > uint64(len(block)) || length > uint64(len(block))-start {
			return errDamagedRow
		}
		it.raw = block[start : start+length]
	}
	return nil
}

// parseTexts parses the texts of banners.
func parseTexts(items []item) error {
	for i := range items {
		it := &items[i]
		if it.host != nil {
			continue
		}
		b, err := shodan.ParseBanner(it.raw)
		if err != nil {
			return fmt.Errorf("%w: %w", errDamagedRow, err)
		}
		it.banner, it.raw = b, nil
	}
	return nil
}
