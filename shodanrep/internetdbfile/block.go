package internetdbfile

import (
	"errors"
	"net/netip"
)

// denseBlock is from how many addresses of a block on they are read by their range.
const denseBlock = 128

// selectSpan selects the rows of addresses from one value to before another.
func (l *layout) selectSpan() string {
	return "SELECT " + l.columns + " FROM " + tableName + " WHERE " + l.ip + " >= ?1 AND " + l.ip + " < ?2"
}

// inOneBlock reports whether two addresses are in the same network of 256 IPv4 addresses, which is a range both of
// numbers and of texts.
func inOneBlock(a, b netip.Addr) bool {
	return a.Is4() && b.Is4() && numberOf(a)>>8 == numberOf(b)>>8
}

// hasSpans reports whether the addresses of a network are next to each other in the index.
func (l *layout) hasSpans() bool {
	for _, form := range l.forms {
		if form == decimalForm {
			return false
		}
	}
	return true
}

// readBlock looks up addresses of one block.
func (c *conn) readBlock(addrs []netip.Addr, indexes []int32, found *Rows) error {
	block := addrs[indexes[0]]
	first := block.As4()
	var numbers [256]int // by the last byte of the address, its number among the indexes, from 1 on
	for n, i := range indexes {
		numbers[addrs[i].As4()[3]] = n + 1
	}
	c.rows.reset(len(indexes))
	for _, form := range c.layout.forms {
		var err error
		if form == numberForm {
			from := numberOf(block) &^ 0xff
			err = errors.Join(c.span.BindInt64(1, from), c.span.BindInt64(2, from+256))
		} else {
			c.text = netip.AddrFrom4([4]byte{first[0], first[1], first[2], 0}).AppendTo(c.text[:0])
			dot := len(c.text) - 2
			err = c.span.BindRawText(1, c.text[:dot+1])
			c.text[dot]++
			err = errors.Join(err, c.span.BindRawText(2, c.text[:dot+1]))
		}
		if err != nil {
			return err
		}
		for c.span.Step() {
			addr, _, err := parseIP(c.span, 0)
			if err != nil || !inOneBlock(addr, block) {
				continue // a text that no lookup finds
			}
			if n := numbers[addr.As4()[3]]; n > 0 {
				c.rows.add(n-1, c.span)
			}
		}
		if err := finish(c.span); err != nil {
			return err
		}
	}
	found.add(&c.rows, indexes)
	return nil
}
