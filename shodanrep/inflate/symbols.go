package inflate

import "encoding/binary"

// decodeSymbols decodes the symbols of a compressed block.
func (r *Reader) decodeSymbols() error {
	for r.end < outputEnd {
		if len(r.in)-r.pos > fastInput {
			if ended, err := r.decodeFast(); err != nil {
				return err
			} else if ended {
				return r.finishBlock()
			}
			continue
		}
		symbol, err := r.decodeSymbol(r.literals[:], literalRoot)
		switch {
		case err != nil:
			return err
		case symbol&isLiteral != 0:
			r.out[r.end] = byte(symbol >> valueShift)
			r.end++
		case symbol&isEnd != 0:
			return r.finishBlock()
		default:
			if err := r.copyMatch(symbol); err != nil {
				return err
			}
		}
	}
	return nil
}

// decodeSymbol decodes one symbol. It reads a byte only if the symbol needs it.
func (r *Reader) decodeSymbol(table []uint32, root uint) (uint32, error) {
	for {
		e := table[r.bits&(1<<root-1)]
		n := uint(e & codeMask)
		if e&isSubtable != 0 {
			e = table[uint64(e>>valueShift)+r.bits>>root&(1<<(e>>extraShift&extraMask)-1)]
			n += uint(e & codeMask)
		}
		if n <= r.bitsCount {
			r.bits >>= n
			r.bitsCount -= n
			if e&isInvalid != 0 {
				return 0, ErrDamaged
			}
			return e, nil
		}
		if err := r.readByte(); err != nil {
			return 0, err
		}
	}
}

// value returns the value of a symbol, with the bits that follow it.
func (r *Reader) value(symbol uint32) (int, error) {
	extra, err := r.take(uint(symbol >> extraShift & extraMask))
	return int(symbol>>valueShift) + extra, err
}

// copyMatch decodes the rest of a match, and copies it.
func (r *Reader) copyMatch(symbol uint32) error {
	length, err := r.value(symbol)
	if err != nil {
		return err
	}
	if symbol, err = r.decodeSymbol(r.distances[:], distanceRoot); err != nil {
		return err
	}
	distance, err := r.value(symbol)
	if err != nil {
		return err
	}
	if r.end-distance < r.oldest {
		return ErrDamaged
	}
	for range length {
		r.out[r.end] = r.out[r.end-distance]
		r.end++
	}
	return nil
}

// fastInput is how many bytes decodeFast reads at most for a symbol: two words, of which all but a byte may be left.
const fastInput = 16

// maxLength is how many bits a length has at most: those of its code, and 5 that follow it.
const maxLength = maxCode + 5

// longMatch is from how many bytes on to call copy takes less than to copy words.
const longMatch = 32

// decodeFast decodes symbols as long as there is enough input and output for any. It reports whether the block has ended.
//
// The bits are filled up with a word of eight bytes. Of these it counts as read only as many as make 56 to 63 bits; the rest
// of the word stays in the bits, and the next word repeats it. That suffices for literals until fewer than maxLength bits are
// left, or for a distance.
func (r *Reader) decodeFast() (ended bool, err error) {
	literals, distances := &r.literals, &r.distances
	bits, count := r.bits, r.bitsCount
	in, pos := r.in, r.pos
	out, end, oldest := r.out, r.end, r.oldest
symbols:
	for inEnd := len(in) - fastInput; pos < inEnd && end < outputEnd; {
		bits |= binary.LittleEndian.Uint64(in[pos:]) << (count & 63)
		pos += int((63 - count) >> 3)
		count |= 56
		var e uint32
		for {
			e = literals[bits&(1<<literalRoot-1)]
			if e&isSubtable != 0 {
				bits >>= literalRoot
				count -= literalRoot
				e = literals[(uint64(e>>valueShift)+bits&(1<<(e>>extraShift&extraMask)-1))%literalTableSize]
			}
			if e&isLiteral == 0 {
				break
			}
			bits >>= e & codeMask
			count -= uint(e & codeMask)
			out[end] = byte(e >> valueShift)
			end++
			if count < maxLength {
				continue symbols
			}
		}
		if e&isInvalid != 0 {
			err = ErrDamaged
			break
		}
		if e&isEnd != 0 {
			bits >>= e & codeMask
			count -= uint(e & codeMask)
			ended = true
			break
		}
		bits >>= e & codeMask
		extra := e >> extraShift & extraMask
		length := int(e>>valueShift) + int(bits&(1<<extra-1))
		bits >>= extra
		count -= uint(e&codeMask + extra)

		bits |= binary.LittleEndian.Uint64(in[pos:]) << (count & 63)
		pos += int((63 - count) >> 3)
		count |= 56
		e = distances[bits&(1<<distanceRoot-1)]
		if e&isSubtable != 0 {
			bits >>= distanceRoot
			count -= distanceRoot
			e = distances[(uint64(e>>valueShift)+bits&(1<<(e>>extraShift&extraMask)-1))%distanceTableSize]
		}
		bits >>= e & codeMask
		extra = e >> extraShift & extraMask
		from := end - int(e>>valueShift) - int(bits&(1<<extra-1))
		bits >>= extra
		count -= uint(e&codeMask + extra)
		if e&isInvalid != 0 || from < oldest {
			err = ErrDamaged
			break
		}
		to := end + length
		switch distance := end - from; {
		case distance < 8:
			for ; end < to; from, end = from+1, end+1 {
				out[end] = out[from]
			}
		case length > longMatch && distance >= length:
			copy(out[end:to], out[from:])
		default:
			for ; end < to; from, end = from+8, end+8 {
				binary.LittleEndian.PutUint64(out[end:], binary.LittleEndian.Uint64(out[from:]))
			}
		}
		end = to
	}
	// Whole bytes go back.
	r.pos = pos - int(count>>3)
	r.bitsCount = count & 7
	r.bits = bits & (1<<r.bitsCount - 1)
	r.end = end
	return ended, err
}
