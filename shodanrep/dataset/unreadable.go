package dataset

import (
	"bytes"
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strconv"

	"github.com/ncruces/go-sqlite3"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

// addressesIn returns the addresses that a record which cannot be read is about, as far as it names them. It looks for
// the keys of an address only: the record need not be JSON.
func addressesIn(record []byte) []netip.Addr {
	var found []netip.Addr
	for _, key := range []string{`"ip_str"`, `"ip"`, `"ipv6"`} { // the second also is in other places of a banner
		for rest := record; ; {
			_, after, ok := bytes.Cut(rest, []byte(key))
			if !ok {
				break
			}
			rest = after
			if value, ok := bytes.CutPrefix(bytes.TrimLeft(after, " \t\r\n"), []byte{':'}); ok {
				if addr := addressAtStart(bytes.TrimLeft(value, " \t\r\n")); addr.IsValid() && !slices.Contains(found, addr) {
					found = append(found, addr)
				}
			}
			if len(found) == maxUnreadable {
				return found
			}
		}
		if len(found) > 0 {
			break
		}
	}
	return found
}

// maxUnreadable is how many addresses are noted of one record: a response for a search has a hundred.
const maxUnreadable = 1000

// addressAtStart reads an address that a JSON value is, a text or the number of an IPv4 address. It returns the zero Addr
// if there is none.
func addressAtStart(value []byte) (addr netip.Addr) {
	if text, ok := bytes.CutPrefix(value, []byte{'"'}); ok {
		text, _, _ = bytes.Cut(text, []byte{'"'})
		if len(text) > 64 { // no address is so long
			return addr
		}
		addr, _ = netip.ParseAddr(string(text))
		return addr.Unmap().WithZone("")
	}
	end := bytes.IndexFunc(value, func(r rune) bool { return r < '0' || r > '9' })
	if end < 0 {
		end = len(value)
	}
	number, err := strconv.ParseInt(string(value[:end]), 10, 64)
	if err != nil || number == 0 {
		return addr
	}
	return shodan.AddrFromNumber(number)
}

// insertUnreadable inserts the addresses of a record that cannot be read.
func (c conn) insertUnreadable(file int64, p parsed) error {
	for _, addr := range p.addrs {
		err := c.Run("insert or ignore into unreadable values (?, ?, ?, ?)", addrKey(addr), file, p.number, p.err.Error())
		if err != nil {
			return err
		}
	}
	return nil
}

// Unreadable returns why a record of each address cannot be read, for the addresses of which the files have such a
// record. They may have others of the same address, which can be read.
func (d *Dataset) Unreadable(ctx context.Context, addrs []netip.Addr) (map[netip.Addr]string, error) {
	found := map[netip.Addr]string{}
	if s := d.current.Load(); s.stats.BadRecords == 0 && len(s.omissions.Foreign) == 0 {
		return found, nil
	}
	err := d.query(ctx, func(s snapshot) error {
		clear(found)
		for _, addr := range addrs {
			err := s.Rows(`select file, line, reason, path from unreadable join file on file.id = file where addr = ? order by file`,
				[]any{addrKey(addr.Unmap())}, func(row *sqlite3.Stmt) (bool, error) {
					if !s.files[row.ColumnInt64(0)] {
						return true, nil
					}
					found[addr] = fmt.Sprintf("the record of the address in %s, line %d, cannot be read: %s",
						row.ColumnText(3), row.ColumnInt64(1), row.ColumnText(2))
					return false, nil
				})
			if err != nil {
				return err
			}
		}
		return nil
	})
	return found, err
}
