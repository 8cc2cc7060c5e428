package internetdbfile

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strconv"

	"github.com/ncruces/go-sqlite3"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/sqlitefile"
)

// A conn is a connection to a database, with its prepared statements.
type conn struct {
	*sqlitefile.Conn
	layout *layout
	one    *sqlite3.Stmt // selects the rows of an address
	group  *sqlite3.Stmt // selects the rows of a group of addresses
	span   *sqlite3.Stmt // selects the rows of addresses from one value to before another
	// Buffers for an address, and for the rows of a group.
	text   []byte
	wanted []wanted
	rows   rowBuffer
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
	for _, s := range []struct {
		to   **sqlite3.Stmt
		text string
	}{{&c.one, d.layout.selectOne()}, {&c.group, d.layout.selectGroup()}, {&c.span, d.layout.selectSpan()}} {
		if err == nil {
			*s.to, _, err = c.PrepareFlags(s.text, sqlite3.PREPARE_PERSISTENT)
		}
	}
	if err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

// close closes the connection, from which nothing was written.
func (c *conn) close() {
	for _, s := range []*sqlite3.Stmt{c.one, c.group, c.span} {
		if s != nil {
			_ = s.Close()
		}
	}
	_ = c.Discard()
}

// read reads the rows of addresses, which are in order: neighbours are on the same pages. Addresses that share a network
// are read by its range, if they are many.
func (c *conn) read(ctx context.Context, addrs []netip.Addr, order []int32, found *Rows) (err error) {
	defer sqlitefile.CatchOutOfMemory(&err)
	c.SetInterrupt(ctx)
	defer c.SetInterrupt(context.Background())
	var single []int32 // those that no range has
	for begin := 0; begin < len(order) && err == nil; {
		end := begin + 1
		for end < len(order) && inOneBlock(addrs[order[begin]], addrs[order[end]]) {
			end++
		}
		if end-begin >= denseBlock && c.layout.hasSpans() {
			err = c.readBlock(addrs, order[begin:end], found)
		} else {
			single = append(single, order[begin:end]...)
		}
		begin = end
	}
	for part := range slices.Chunk(single, groupSize) {
		switch {
		case err != nil:
		case len(part) < smallGroup:
			err = c.readSingle(addrs, part, found)
		default:
			err = c.readGroup(addrs, part, found)
		}
	}
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// readSingle looks up addresses one after the other.
func (c *conn) readSingle(addrs []netip.Addr, indexes []int32, found *Rows) error {
	c.rows.reset(len(indexes))
	for n, i := range indexes {
		for _, form := range c.layout.forms {
			if form != textForm && !addrs[i].Is4() {
				continue
			}
			var err error
			if form == numberForm {
				err = c.one.BindInt64(1, numberOf(addrs[i]))
			} else {
				c.text = appendText(c.text[:0], addrs[i], form)
				err = c.one.BindRawText(1, c.text)
			}
			if err != nil {
				return err
			}
			for c.one.Step() {
				c.rows.add(n, c.one)
			}
			if err := finish(c.one); err != nil {
				return err
			}
		}
	}
	found.add(&c.rows, indexes)
	return nil
}

// appendText appends an address in a form that is a text.
func appendText(text []byte, addr netip.Addr, form form) []byte {
	if form == decimalForm {
		return strconv.AppendInt(text, numberOf(addr), 10)
	}
	return addr.AppendTo(text)
}
