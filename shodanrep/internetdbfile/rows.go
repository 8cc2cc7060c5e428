package internetdbfile

import (
	"encoding/binary"
	"net/netip"
	"sync"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

// Rows are what the file has of some addresses, in the compact form of the file: a host takes ten times the memory.
type Rows struct {
	// Time is that of the file.
	Time time.Time
	// places are by address where the first of its rows is.
	places []place
	// missingErr says why it is not known that the file does not have the addresses without a row.
	missingErr error
	mu         sync.Mutex // guards blocks while rows are added
	blocks     []string
}

// A place is that of a row. The block is the index in blocks, from 1 on; it is 0 if there is no row.
type place struct{ block, at uint32 }

// A Result is what the file has of an address. Host is nil if no row of it was found. Err says why its row cannot be
// read, or, if IsMissing, why the file may have it all the same.
type Result struct {
	Host      *shodan.Host
	Err       error
	IsMissing bool
}

func (r *Rows) isMissing(i int32) bool { return r.places[i].block == 0 }

// Result returns the result of the address with an index. Its host is in m.
func (r *Rows) Result(i int, addr netip.Addr, m *Memory) Result {
	place := r.places[i]
	if r.isMissing(int32(i)) {
		return Result{IsMissing: true, Err: r.missingErr}
	}
	reader := rowReader{addr: addr, memory: m}
	block := r.blocks[place.block-1]
	for at := place.at; at != noRow; {
		var row fields
		row, at = rowAt(block, at)
		reader.add(row)
	}
	return reader.result()
}

// noRow is in place of the next row where there is none.
const noRow = 1<<32 - 1

// rowHeader is how long what a row begins with is: where the next row of the address is, and the lengths of its fields.
const rowHeader = uint32(4 * (1 + len(fields{})))

// rowAt returns a row of a block and where the next of its address is. The fields share the memory of the block.
func rowAt(block string, at uint32) (row fields, next uint32) {
	header, text := block[at:at+rowHeader], block[at+rowHeader:]
	next, header = uint32At(header)
	for i := range row {
		var n uint32
		n, header = uint32At(header)
		row[i], text = text[:n], text[n:]
	}
	return row, next
}

// uint32At returns the number that a text begins with, and the rest.
func uint32At(text string) (n uint32, rest string) {
	return uint32(text[0]) | uint32(text[1])<<8 | uint32(text[2])<<16 | uint32(text[3])<<24, text[4:]
}

// A rowBuffer collects the rows of a group of addresses.
type rowBuffer struct {
	data        []byte
	first, last []uint32 // by the number of the address in the group
}

// reset begins a group of n addresses.
func (b *rowBuffer) reset(n int) {
	b.data, b.first, b.last = b.data[:0], b.first[:0], b.last[:0]
	for range n {
		b.first, b.last = append(b.first, noRow), append(b.last, noRow)
	}
}

// add adds the row that a statement is at to those of an address.
func (b *rowBuffer) add(n int, row *sqlite3.Stmt) {
	at := uint32(len(b.data))
	if last := b.last[n]; last == noRow {
		b.first[n] = at
	} else {
		binary.LittleEndian.PutUint32(b.data[last:], at)
	}
	b.last[n] = at
	var header [rowHeader]byte
	binary.LittleEndian.PutUint32(header[:], noRow)
	b.data = append(b.data, header[:]...)
	for i := range len(fields{}) {
		text := row.ColumnRawText(columnPorts + i)
		binary.LittleEndian.PutUint32(b.data[int(at)+4*(i+1):], uint32(len(text)))
		b.data = append(b.data, text...)
	}
}

// add adds the rows of a group. It may be called concurrently, for other addresses each time.
func (r *Rows) add(b *rowBuffer, indexes []int32) {
	if len(b.data) == 0 {
		return
	}
	r.mu.Lock()
	r.blocks = append(r.blocks, string(b.data))
	block := uint32(len(r.blocks))
	r.mu.Unlock()
	for n, i := range indexes {
		if at := b.first[n]; at != noRow {
			r.places[i] = place{block, at}
		}
	}
}
