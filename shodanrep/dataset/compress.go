package dataset

import (
	"fmt"

	"github.com/klauspost/compress/zstd"
)

// The texts of a file's banners are compressed in blocks, with the beginning of the file as a dictionary: pages, icons and
// certificates repeat throughout a file, and within one banner hardly anything does. A block is decompressed as a whole to
// read one banner: blocks twice as large take an eighth less space, and nearly twice the time to read one. The encoder's fastest
// level makes an index a tenth larger than the next, in little more than half the time: most of what a level costs is to copy
// its tables of the dictionary for each block.
const (
	blockSize     = 256 << 10
	maxDictionary = 1 << 20
	// minDictionary is the shortest dictionary: in a small file the blocks suffice.
	minDictionary = 128 << 10
	// dictionaryID is the same in all files: each has its own encoder and decoder.
	dictionaryID = 1
)

// newEncoder returns an encoder of blocks. The dictionary may be nil.
func newEncoder(dictionary []byte, workers int) (*zstd.Encoder, error) {
	options := []zstd.EOption{
		zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(workers), zstd.WithEncoderCRC(false),
		zstd.WithWindowSize(2 * maxDictionary), zstd.WithLowerEncoderMem(true),
	}
	if dictionary != nil {
		options = append(options, zstd.WithEncoderDictRaw(dictionaryID, dictionary))
	}
	return zstd.NewWriter(nil, options...)
}

// newDecoder returns the decoder of blocks. It needs no Close: it has no goroutines.
func newDecoder(dictionary []byte) (*zstd.Decoder, error) {
	// A block with a single record may be as long as that.
	options := []zstd.DOption{zstd.WithDecoderConcurrency(0), zstd.WithDecoderMaxMemory(2 * maxRecord), zstd.WithDecoderMaxWindow(2 * maxRecord)}
	if dictionary != nil {
		options = append(options, zstd.WithDecoderDictRaw(dictionaryID, dictionary))
	}
	return zstd.NewReader(nil, options...)
}

// decompress decompresses a block.
func decompress(decoder *zstd.Decoder, block []byte) ([]byte, error) {
	text, err := decoder.DecodeAll(block, nil)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errDamagedRow, err)
	}
	return text, nil
}
