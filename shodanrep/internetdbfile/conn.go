package internetdbfile

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/ncruces/go-sqlite3"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/sqlitefile"
)

// A conn is a connection to a database, with its prepared statements.
type conn struct {
	*sqlitefile.Conn
	layout *layout
	group  *sqlite3.Stmt // selects the rows of a group of addresses
	span   *sqlite3.Stmt // selects the rows of addresses from one value to before another
	// Buffers for an address, and for the rows of a group.
	text    []byte
	readers [groupSize]rowReader
}

// cachePages is how many pages a connection keeps in memory: those of the index that most lookups read.
const cachePages = 2000

// connect makes a connection.
func (d *database) connect() (_ *conn, err error) {
	defer sqlitefile.CatchOutOfMemory(&err)
	db, err := sqlitefile.OpenImmutable(d.path)
	if err != nil {
		return nil, err
	}
	c := &conn{Conn: db, layout: &d.layout}
	err = c.Exec(fmt.Sprintf("PRAGMA cache_size = %d", cachePages))
	if err == nil {
		c.group, _, err = c.PrepareFlags(d.layout.selectGroup(), sqlite3.PREPARE_PERSISTENT)
	}
	if err == nil {
		c.span, _, err = c.PrepareFlags(d.layout.selectSpan(), sqlite3.PREPARE_PERSISTENT)
	}
	if err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

// selectSpan selects the rows of addresses from one value to before another.
func (l *layout) selectSpan() string {
	return "SELECT " + l.columns + " FROM " + tableName + " WHERE " + l.ip + " >= ?1 AND " + l.ip + " < ?2"
}

// close closes the connection, from which nothing was written.
func (c *conn) close() {
	for _, s := range []*sqlite3.Stmt{c.group, c.span} {
		if s != nil {
			_ = s.Close()
		}
	}
	_ = c.Discard()
}

// A Result is what the file has of an address. Host is nil if the file has no row of it, and Err says why its row
// cannot be read.
type Result struct {
	Host *shodan.Host
	Err  error
}

// read looks up addresses in the order of their numbers, which is nearly that of the file: neighbours are on the same
// pages. Addresses that share a network are read by its range, if they are many.
func (c *conn) read(ctx context.Context, addrs []netip.Addr, results []Result) (err error) {
	defer sqlitefile.CatchOutOfMemory(&err)
	c.SetInterrupt(ctx)
	defer c.SetInterrupt(context.Background())
	order := inOrder(addrs)
	single := make([]int32, 0, groupSize)
	for begin := 0; begin < len(order) && err == nil; {
		end := begin + 1
		for end < len(order) && inOneBlock(addrs[order[begin]], addrs[order[end]]) {
			end++
		}
		if end-begin >= denseBlock && c.layout.hasSpans() {
			err = c.readBlock(addrs, order[begin:end], results)
		} else {
			for _, i := range order[begin:end] {
				if single = append(single, i); len(single) == groupSize && err == nil {
					err = c.readGroup(addrs, single, results)
					single = single[:0]
				}
			}
		}
		begin = end
	}
	if len(single) > 0 && err == nil {
		err = c.readGroup(addrs, single, results)
	}
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// inOrder returns the indexes of addresses in the order of the addresses.
func inOrder(addrs []netip.Addr) []int32 {
	order := make([]int32, 0, len(addrs))
	keys := make([]uint64, 0, len(addrs)) // of IPv4 addresses: the number, then the index
	for i, addr := range addrs {
		if addr.Is4() {
			keys = append(keys, uint64(numberOf(addr))<<32|uint64(i))
		}
	}
	slices.Sort(keys)
	for _, key := range keys {
		order = append(order, int32(uint32(key)))
	}
	for i, addr := range addrs {
		if !addr.Is4() {
			order = append(order, int32(i))
		}
	}
	slices.SortFunc(order[len(keys):], func(a, b int32) int { return addrs[a].Compare(addrs[b]) })
	return order
}

// groupSize is how many addresses one statement looks up.
const groupSize = 64

// selectGroup selects the rows of a group of addresses, and after their columns the number of the address in the group.
func (l *layout) selectGroup() string {
	var b strings.Builder
	b.WriteString("WITH wanted (n, addr) AS (VALUES ")
	for n := range groupSize {
		if n > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "(%d, ?%d)", n, n+1)
	}
	fmt.Fprintf(&b, ") SELECT %s, n FROM wanted CROSS JOIN %s ON %s = addr", l.columns, tableName, l.ip)
	return b.String()
}

// columnNumber is the column of selectGroup after those of columnNames.
const columnNumber = columnHostnames + 1

// readGroup looks up a group of addresses.
func (c *conn) readGroup(addrs []netip.Addr, indexes []int32, results []Result) error {
	readers := c.readers[:len(indexes)]
	for n, i := range indexes {
		readers[n] = rowReader{addr: addrs[i]}
	}
	for _, form := range c.layout.forms {
		bound := 0
		for n := range groupSize {
			var err error
			switch {
			case n >= len(readers), form != textForm && !readers[n].addr.Is4():
				err = c.group.BindNull(n + 1)
			default:
				err = c.bind(c.group, n+1, readers[n].addr, form)
				bound++
			}
			if err != nil {
				return err
			}
		}
		if bound == 0 {
			continue
		}
		for c.group.Step() {
			readers[c.group.ColumnInt(columnNumber)].add(c.group)
		}
		if err := finish(c.group); err != nil {
			return err
		}
	}
	for n, i := range indexes {
		results[i] = readers[n].result()
	}
	return nil
}

// bind binds an address in a form.
func (c *conn) bind(s *sqlite3.Stmt, param int, addr netip.Addr, form form) error {
	switch form {
	case numberForm:
		return s.BindInt64(param, numberOf(addr))
	case decimalForm:
		c.text = strconv.AppendInt(c.text[:0], numberOf(addr), 10)
	default:
		c.text = addr.AppendTo(c.text[:0])
	}
	return s.BindRawText(param, c.text)
}

// denseBlock is from how many addresses of a block on they are read by their range.
const denseBlock = 16

// inOneBlock reports whether two addresses are in the same network of 256 IPv4 addresses, which is a range both of
// numbers and of texts.
func inOneBlock(a, b netip.Addr) bool {
	if !a.Is4() || !b.Is4() {
		return false
	}
	x, y := a.As4(), b.As4()
	return x[0] == y[0] && x[1] == y[1] && x[2] == y[2]
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
func (c *conn) readBlock(addrs []netip.Addr, indexes []int32, results []Result) error {
	block := addrs[indexes[0]]
	first := block.As4()
	readers := [256]*rowReader{}
	for _, i := range indexes {
		readers[addrs[i].As4()[3]] = &rowReader{addr: addrs[i]}
	}
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
			if r := readers[addr.As4()[3]]; r != nil {
				r.add(c.span)
			}
		}
		if err := finish(c.span); err != nil {
			return err
		}
	}
	for _, i := range indexes {
		results[i] = readers[addrs[i].As4()[3]].result()
	}
	return nil
}

// finish ends a statement after its last row.
func finish(s *sqlite3.Stmt) error {
	err := s.Err() // Reset forgets it
	if resetErr := s.Reset(); err == nil {
		err = resetErr
	}
	return err
}
