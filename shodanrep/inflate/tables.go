package inflate

import "math/bits"

// A table decodes the codes of a block. The next bits are its index: as many as it has for all codes, its root. A code that is
// longer has another table behind the root, for the bits after the root's.
//
// An entry has, from the lowest bit:
//
//	0-5    how many bits the code has; behind the root, how many of them are not the root's
//	8-11   how many bits follow the code and are added to the value; of a further table, how many bits are its index
//	12-15  what it is
//	16-31  the value: a literal, the length or the distance of a match, or where a further table begins
const (
	codeMask   = 1<<6 - 1
	extraShift = 8
	extraMask  = 1<<4 - 1
	valueShift = 16

	isEnd      = 1 << 12 // of the block
	isSubtable = 1 << 13
	isLiteral  = 1 << 14
	isInvalid  = 1 << 15 // no code, or one without a meaning
)

const (
	maxCode      = 15
	maxLiterals  = 288
	maxDistances = 32

	// The root has most codes and fits into the processor's cache. The sizes are powers of two. What such codes need at most is
	// 2,342 and 402 entries, as zlib's program enough.c finds.
	literalRoot       = 11
	literalTableSize  = 4096
	distanceRoot      = 8
	distanceTableSize = 512
	lengthRoot        = 7 // of the code lengths, which have at most so many bits
)

var (
	literalEntries  = makeLiteralEntries()
	distanceEntries = makeDistanceEntries()
	lengthEntries   = makeLengthEntries()
)

// makeLiteralEntries returns what the symbols of literals and lengths mean: RFC 1951, section 3.2.5.
func makeLiteralEntries() (entries [maxLiterals]uint32) {
	const end, first, last = 256, 257, 285
	for symbol := range entries {
		entries[symbol] = isInvalid
		if symbol < end {
			entries[symbol] = isLiteral | uint32(symbol)<<valueShift
		}
	}
	entries[end] = isEnd
	length := uint32(3)
	for symbol := first; symbol < last; symbol++ {
		extra := uint32(max(symbol-first-4, 0) / 4)
		entries[symbol] = length<<valueShift | extra<<extraShift
		length += 1 << extra
	}
	entries[last] = maxMatch << valueShift
	return entries
}

// makeDistanceEntries returns what the symbols of distances mean.
func makeDistanceEntries() (entries [maxDistances]uint32) {
	const valid = 30
	distance := uint32(1)
	for symbol := range entries {
		entries[symbol] = isInvalid
		if symbol < valid {
			extra := uint32(max(symbol-2, 0) / 2)
			entries[symbol] = distance<<valueShift | extra<<extraShift
			distance += 1 << extra
		}
	}
	return entries
}

// makeLengthEntries returns the symbols of code lengths as they are.
func makeLengthEntries() (entries [19]uint32) {
	for symbol := range entries {
		entries[symbol] = uint32(symbol) << valueShift
	}
	return entries
}

// makeTable makes the table for codes of the given lengths: 0 is no code. The codes are in order of their length, and of their
// symbol. It reports false for lengths that make no code.
func makeTable(table []uint32, root uint, lengths []uint8, entries []uint32) bool {
	var counts [maxCode + 1]int // by length
	for _, length := range lengths {
		counts[length]++
	}
	codes := len(lengths) - counts[0]
	counts[0] = 0
	var next, place [maxCode + 2]int // the first code of a length, and where in sorted its first symbol is
	used := 0                        // of all codes of 15 bits
	for length := 1; length <= maxCode; length++ {
		next[length] = (next[length-1] + counts[length-1]) << 1
		place[length+1] = place[length] + counts[length]
		used += counts[length] << (maxCode - length)
	}
	switch {
	case codes == 0 || codes == 1 && counts[1] == 1:
		// Where there is no code at all, no bit that follows could make one: the data is damaged, also where it breaks off here.
		for i := range table[:1<<root] {
			table[i] = isInvalid | uint32(codes)
		}
	case used != 1<<maxCode:
		return false
	}
	var sorted [maxLiterals]uint16
	free := place
	for symbol, length := range lengths {
		if length > 0 {
			sorted[free[length]] = uint16(symbol)
			free[length]++
		}
	}
	// The longest codes come first, so that the first code in a further table says how large it is.
	tableEnd := 1 << root
	var subtables [1 << literalRoot]bool // begun, by the bits of the root
	for length := uint(maxCode); length > 0; length-- {
		for i, symbol := range sorted[place[length]:place[length+1]] {
			code := int(bits.Reverse16(uint16(next[length]+i)) >> (16 - length))
			entry := entries[symbol]
			if length <= root {
				for ; code < 1<<root; code += 1 << length {
					table[code] = entry | uint32(length)
				}
				continue
			}
			index, rest := code&(1<<root-1), length-root
			if !subtables[index] {
				subtables[index] = true
				table[index] = isSubtable | uint32(tableEnd)<<valueShift | uint32(rest)<<extraShift | uint32(root)
				tableEnd += 1 << rest
			}
			subtable, size := int(table[index]>>valueShift), 1<<(table[index]>>extraShift&extraMask)
			for code >>= root; code < size; code += 1 << rest {
				table[subtable+code] = entry | uint32(rest)
			}
		}
	}
	return true
}

// makeFixedTables makes the tables of a block without tables of its own.
func (r *Reader) makeFixedTables() error {
	lengths := r.lengths[:maxLiterals]
	for symbol := range lengths {
		switch {
		case symbol < 144:
			lengths[symbol] = 8
		case symbol < 256:
			lengths[symbol] = 9
		case symbol < 280:
			lengths[symbol] = 7
		default:
			lengths[symbol] = 8
		}
	}
	distances := r.lengths[maxLiterals:]
	for symbol := range distances {
		distances[symbol] = 5
	}
	return r.makeTables(lengths, distances)
}

// makeTables makes the tables of a block.
func (r *Reader) makeTables(literals, distances []uint8) error {
	if !makeTable(r.literals[:], literalRoot, literals, literalEntries[:]) ||
		!makeTable(r.distances[:], distanceRoot, distances, distanceEntries[:]) {
		return ErrDamaged
	}
	return nil
}

// lengthOrder is in what order a block has the lengths of the codes of code lengths.
var lengthOrder = [len(lengthEntries)]uint8{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}

// readTables reads the tables of a block: RFC 1951, section 3.2.7.
func (r *Reader) readTables() error {
	counts, err := r.take(14)
	if err != nil {
		return err
	}
	literals, distances, codes := counts&31+257, counts>>5&31+1, counts>>10+4
	if literals > 286 || distances > 30 {
		return ErrDamaged
	}
	var lengths [len(lengthEntries)]uint8
	for _, symbol := range lengthOrder[:codes] {
		length, err := r.take(3)
		if err != nil {
			return err
		}
		lengths[symbol] = uint8(length)
	}
	table := r.distances[:1<<lengthRoot] // not in use yet
	if !makeTable(table, lengthRoot, lengths[:], lengthEntries[:]) {
		return ErrDamaged
	}
	all := r.lengths[:literals+distances]
	for i := 0; i < len(all); {
		symbol, err := r.decodeSymbol(table, lengthRoot)
		if err != nil {
			return err
		}
		length, repeat := uint8(symbol>>valueShift), 1
		switch length {
		case 16:
			if i == 0 {
				return ErrDamaged
			}
			length = all[i-1]
			repeat, err = r.take(2)
			repeat += 3
		case 17:
			length = 0
			repeat, err = r.take(3)
			repeat += 3
		case 18:
			length = 0
			repeat, err = r.take(7)
			repeat += 11
		}
		if err != nil {
			return err
		}
		if i+repeat > len(all) {
			return ErrDamaged
		}
		for ; repeat > 0; repeat-- {
			all[i] = length
			i++
		}
	}
	return r.makeTables(all[:literals], all[literals:])
}
