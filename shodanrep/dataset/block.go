package dataset

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
