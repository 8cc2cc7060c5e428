package internetdbfile

import (
	"bytes"
	"cmp"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/ncruces/go-sqlite3"
)

// groupSize is how many addresses one statement looks up. Fewer than smallGroup are looked up one after the other, which
// takes less than a list that is mostly empty.
const groupSize, smallGroup = 256, 64

// selectGroup selects the rows of a group of addresses.
func (l *layout) selectGroup() string {
	var b strings.Builder
	b.WriteString("SELECT " + l.columns + " FROM " + tableName + " WHERE " + l.ip + " IN (?1")
	for n := 2; n <= groupSize; n++ {
		b.WriteString(", ?" + strconv.Itoa(n))
	}
	b.WriteString(")")
	return b.String()
}

// A wanted is the value of an address of a group in one form.
type wanted struct {
	n      int // the number of the address in the group
	number int64
	text   []byte // nil in numberForm
}

// readGroup looks up a group of addresses.
func (c *conn) readGroup(addrs []netip.Addr, indexes []int32, found *Rows) error {
	c.rows.reset(len(indexes))
	for _, form := range c.layout.forms {
		c.want(addrs, indexes, form)
		if len(c.wanted) == 0 {
			continue
		}
		for param := range groupSize {
			var err error
			switch {
			case param >= len(c.wanted):
				err = c.group.BindNull(param + 1)
			case form == numberForm:
				err = c.group.BindInt64(param+1, c.wanted[param].number)
			default:
				err = c.group.BindRawText(param+1, c.wanted[param].text)
			}
			if err != nil {
				return err
			}
		}
		// SQLite looks up the values of a list in their order, so the rows come in that order too.
		rest := c.wanted
		for c.group.Step() {
			var n int
			if n, rest = c.wantedBy(rest, form); n >= 0 {
				c.rows.add(n, c.group)
			}
		}
		if err := finish(c.group); err != nil {
			return err
		}
	}
	found.add(&c.rows, indexes)
	return nil
}

// want sets what is wanted to the values that a form has of addresses, in order.
func (c *conn) want(addrs []netip.Addr, indexes []int32, form form) {
	c.wanted, c.text = c.wanted[:0], c.text[:0]
	for n, i := range indexes {
		switch {
		case form == numberForm && addrs[i].Is4():
			c.wanted = append(c.wanted, wanted{n: n, number: numberOf(addrs[i])})
		case form == textForm, form == decimalForm && addrs[i].Is4():
			begin := len(c.text)
			c.text = appendText(c.text, addrs[i], form)
			c.wanted = append(c.wanted, wanted{n: n, text: c.text[begin:]})
		}
	}
	byValue := func(a, b wanted) int { return cmp.Or(cmp.Compare(a.number, b.number), bytes.Compare(a.text, b.text)) }
	if !slices.IsSortedFunc(c.wanted, byValue) {
		slices.SortFunc(c.wanted, byValue)
	}
}

// wantedBy returns the number of the address whose row the statement is at, and what is wanted from there on. The number
// is -1 if the row is of none.
func (c *conn) wantedBy(rest []wanted, form form) (int, []wanted) {
	var number int64
	var text []byte
	if form == numberForm {
		number = c.group.ColumnInt64(0)
	} else {
		text = c.group.ColumnRawText(0)
	}
	for i, w := range rest {
		if w.number == number && bytes.Equal(w.text, text) {
			return w.n, rest[i:]
		}
	}
	// The rows came in another order, or the column finds texts that are written in another way.
	for _, w := range c.wanted {
		if w.number == number && bytes.EqualFold(w.text, bytes.TrimRight(text, " ")) {
			return w.n, rest
		}
	}
	return -1, rest
}

// finish ends a statement after its last row.
func finish(s *sqlite3.Stmt) error {
	err := s.Err() // Reset forgets it
	if resetErr := s.Reset(); err == nil {
		err = resetErr
	}
	return err
}
