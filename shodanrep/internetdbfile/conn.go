package internetdbfile

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strconv"

	"github.com/ncruces/go-sqlite3"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/sqlitefile"
)

// A conn is a connection to a database, with its prepared statements.
type conn struct {
	*sqlitefile.Conn
	layout *layout
	one    *sqlite3.Stmt // selects the row of one address
	span   *sqlite3.Stmt // selects the rows of addresses from one value to before another
	text   []byte        // a buffer for an address
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
		c.one, _, err = c.PrepareFlags(d.layout.selectOne(), sqlite3.PREPARE_PERSISTENT)
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
	for _, s := range []*sqlite3.Stmt{c.one, c.span} {
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

// read looks up addresses that share a network if they are many, and others each by itself.
func (c *conn) read(ctx context.Context, addrs []netip.Addr, results []Result) (err error) {
	defer sqlitefile.CatchOutOfMemory(&err)
	c.SetInterrupt(ctx)
	defer c.SetInterrupt(context.Background())
	for begin := 0; begin < len(addrs) && err == nil; {
		end := begin + 1
		for end < len(addrs) && inOneBlock(addrs[begin], addrs[end]) && addrs[end-1].Less(addrs[end]) {
			end++
		}
		if end-begin >= denseBlock && c.layout.hasSpans() {
			err = c.readBlock(addrs[begin:end], results[begin:end])
		} else {
			for i := begin; i < end && err == nil; i++ {
				results[i], err = c.readOne(addrs[i])
			}
		}
		begin = end
	}
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// denseBlock is how many addresses of a block are looked up one after the other; more are read by their range.
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

// readOne looks up an address.
func (c *conn) readOne(addr netip.Addr) (Result, error) {
	r := rowReader{addr: addr}
	for _, form := range c.layout.forms {
		var err error
		switch {
		case form == textForm:
			c.text = addr.AppendTo(c.text[:0])
			err = c.one.BindRawText(1, c.text)
		case !addr.Is4():
			continue
		case form == numberForm:
			err = c.one.BindInt64(1, numberOf(addr))
		default:
			c.text = strconv.AppendInt(c.text[:0], numberOf(addr), 10)
			err = c.one.BindRawText(1, c.text)
		}
		if err != nil {
			return Result{}, err
		}
		for c.one.Step() {
			r.add(c.one)
		}
		if err := finish(c.one); err != nil {
			return Result{}, err
		}
	}
	return r.result(), nil
}

// readBlock looks up addresses of one block, in ascending order.
func (c *conn) readBlock(addrs []netip.Addr, results []Result) error {
	first := addrs[0].As4()
	readers := [256]*rowReader{}
	for _, addr := range addrs {
		readers[addr.As4()[3]] = &rowReader{addr: addr}
	}
	for _, form := range c.layout.forms {
		var err error
		if form == numberForm {
			from := numberOf(addrs[0]) &^ 0xff
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
			if err != nil || !inOneBlock(addr, addrs[0]) {
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
	for i, addr := range addrs {
		results[i] = readers[addr.As4()[3]].result()
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
