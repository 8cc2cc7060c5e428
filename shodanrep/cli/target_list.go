package cli

import (
	"bytes"
	"encoding/binary"
	"hash/maphash"
	"io"
	"iter"
	"net/netip"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/iptext"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/scan"
)

// A targetList is the addresses and networks of the inputs, each once and in the order in which they were found. It
// takes 24 bytes per IPv4 address, and a few more until it is complete.
type targetList struct {
	// blocks have blockLength entries each, but for the last: a list that grows by being copied takes twice its memory.
	blocks [][]targetEntry
	length int
	// others are what is no IPv4 address.
	others []netip.Prefix
	// slots are a hash table of the entries. It has a power of two of them, and its collisions are in the slots that
	// follow. Go's maps take several times the memory.
	slots []targetSlot
	seed  maphash.Seed
	// networks is how many entries are networks, and countable how many count towards api_lookup_limit.
	networks, countable int
	// inputs are the inputs that have been read, see targetEntry.input.
	inputs []string
	// malformed are the lines of the inputs that are malformed.
	malformed malformedLines
}

// A targetEntry is an address or a network, with how often and where it was found. It has no pointers, so that the
// garbage collector does not have to follow millions of them.
type targetEntry struct {
	hits  int64
	line  int64  // 0 if it is an argument
	addr  uint32 // an IPv4 address, or the index in others
	input uint32 // twice the index in inputs of the input with the line, and 1 more for an entry in others
}

// A targetSlot is a slot of a targetList: the number of an entry, from 1 on, and its hash, so that entries are rarely read
// to be compared. That the memory of an entry has to be fetched takes longer than all else.
type targetSlot struct{ number, hash uint32 }

// blockLength is how many entries a block of a targetList has.
const blockLength = 8192

func newTargetList() *targetList { return &targetList{seed: maphash.MakeSeed()} }

func (l *targetList) len() int { return l.length }

// entry returns the entry with a number, from 0 on.
func (l *targetList) entry(i int) *targetEntry { return &l.blocks[i/blockLength][i%blockLength] }

// complete frees what only add needs.
func (l *targetList) complete() { l.slots = nil }

// inputOf returns the input that has the line of an entry, and "" for an argument.
func (l *targetList) inputOf(e *targetEntry) string {
	if e.line == 0 {
		return ""
	}
	return l.inputs[e.input/2]
}

// add counts an address or a network, which is masked.
func (l *targetList) add(p netip.Prefix, hits, line int64, input int) {
	if 4*l.length >= 3*len(l.slots) {
		l.grow()
	}
	e := targetEntry{hits: hits, line: line, input: uint32(2 * input)}
	is4 := p.IsSingleIP() && p.Addr().Is4()
	if is4 {
		e.addr = numberOf(p.Addr())
	} else {
		e.addr, e.input = uint32(len(l.others)), e.input+1
	}
	slot, hash := l.slot(p)
	if slot.number != 0 {
		l.entry(int(slot.number - 1)).hits += hits
		return
	}
	if l.length%blockLength == 0 {
		l.blocks = append(l.blocks, make([]targetEntry, 0, blockLength))
	}
	last := &l.blocks[len(l.blocks)-1]
	*last = append(*last, e)
	l.length++
	*slot = targetSlot{uint32(l.length), hash}
	if !is4 {
		l.others = append(l.others, p)
	}
	if !p.IsSingleIP() {
		l.networks++
	}
	if scan.Countable(p) {
		l.countable++
	}
}

// slot returns the slot of an address or a network, or the one that it would take, and its hash.
func (l *targetList) slot(p netip.Prefix) (*targetSlot, uint32) {
	hash := l.hash(p)
	for i := hash; ; i++ {
		slot := &l.slots[i&uint32(len(l.slots)-1)]
		if slot.number == 0 || slot.hash == hash && l.prefix(l.entry(int(slot.number-1))) == p {
			return slot, hash
		}
	}
}

// hash returns a hash of an address or a network, which nobody who writes a list can foresee.
func (l *targetList) hash(p netip.Prefix) uint32 {
	if p.IsSingleIP() && p.Addr().Is4() {
		return uint32(maphash.Comparable(l.seed, numberOf(p.Addr())))
	}
	addr := p.Addr().As16()
	return uint32(maphash.Bytes(l.seed, append(addr[:], byte(p.Bits()))))
}

// grow doubles the hash table.
func (l *targetList) grow() {
	old := l.slots
	l.slots = make([]targetSlot, max(1024, 2*len(old)))
	for _, slot := range old {
		if slot.number == 0 {
			continue
		}
		i, last := slot.hash, uint32(len(l.slots)-1)
		for l.slots[i&last].number != 0 { // all entries are different, so they need not be compared
			i++
		}
		l.slots[i&last] = slot
	}
}

// numberOf returns the number of an IPv4 address.
func numberOf(addr netip.Addr) uint32 {
	b := addr.As4()
	return binary.BigEndian.Uint32(b[:])
}

// prefix returns the address or the network of an entry.
func (l *targetList) prefix(e *targetEntry) netip.Prefix {
	if e.input%2 == 1 {
		return l.others[e.addr]
	}
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], e.addr)
	addr := netip.AddrFrom4(b)
	return netip.PrefixFrom(addr, addr.BitLen())
}

// all returns the targets in order.
func (l *targetList) all() iter.Seq[netip.Prefix] {
	return func(yield func(netip.Prefix) bool) {
		for _, block := range l.blocks {
			for i := range block {
				if !yield(l.prefix(&block[i])) {
					return
				}
			}
		}
	}
}

// csv returns the targets as a CSV file with the column ip.
func (l *targetList) csv() io.Reader {
	b := append(make([]byte, 0, len("ip\n")+16*l.length), "ip\n"...)
	for p := range l.all() {
		if p.IsSingleIP() {
			b = p.Addr().AppendTo(b)
		} else {
			b = p.AppendTo(b)
		}
		b = append(b, '\n')
	}
	return bytes.NewReader(b)
}

// expanded returns the list with networks of up to limit addresses replaced by their addresses.
func (l *targetList) expanded(limit int) *targetList {
	if l.networks == 0 {
		return l
	}
	all := newTargetList()
	all.inputs, all.malformed = l.inputs, l.malformed
	for i := range l.length {
		e := l.entry(i)
		p, input := l.prefix(e), int(e.input/2)
		if p.IsSingleIP() || !scan.Fits(p, limit) {
			all.add(p, e.hits, e.line, input)
			continue
		}
		for addr := p.Addr(); addr.IsValid() && p.Contains(addr); addr = addr.Next() {
			all.add(netip.PrefixFrom(addr, addr.BitLen()), e.hits, e.line, input)
		}
	}
	return all
}

// A foundTarget is an address or a network, and the line in which it was found.
type foundTarget struct {
	netip.Prefix
	line int64
}

// read adds the addresses of an input. Finding them takes as long as adding them, so one processor does each.
func (l *targetList) read(source io.Reader, name string) error {
	text, err := iptext.NewTextReader(source)
	if err != nil {
		return err
	}
	defer text.Close()
	number := len(l.inputs)
	l.inputs = append(l.inputs, name)
	parts := make(chan []foundTarget, 4)
	go func() {
		defer close(parts)
		part := make([]foundTarget, 0, partLength)
		for m, scanErr := range iptext.NewScanner(l.malformed.reader(text, name)).All() {
			if scanErr != nil {
				err = scanErr
				break
			}
			if part = append(part, foundTarget{m.Prefix, m.Line}); len(part) == partLength {
				parts <- part
				part = make([]foundTarget, 0, partLength)
			}
		}
		parts <- part
	}()
	for part := range parts {
		for _, target := range part {
			l.add(target.Prefix, 1, target.line, number)
		}
	}
	return err
}
