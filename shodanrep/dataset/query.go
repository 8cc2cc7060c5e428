package dataset

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/netip"
	"slices"

	"github.com/ncruces/go-sqlite3"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/sqlitefile"
)

// addrKey returns the form of an address in the index. Its order is that of netip.Addr.Compare, IPv4 before IPv6.
func addrKey(addr netip.Addr) []byte {
	bytes := addr.AsSlice()
	return append([]byte{byte(len(bytes))}, bytes...)
}

// snapshot is one state of the index, and the files that belong to the Dataset.
type snapshot struct {
	conn
	files map[int64]bool
}

// reader is how a snapshot is read: (*index).read or (*index).readLong.
type reader func(*index, context.Context, func(conn) error) error

// snapshot runs f on one state of the index.
func (d *Dataset) snapshot(ctx context.Context, read reader, f func(snapshot) error) error {
	err := d.snapshotOnce(ctx, read, f)
	switch {
	case isReplaced(err): // f did not run
		if err := d.Refresh(ctx); err != nil {
			return err
		}
		return d.snapshotOnce(ctx, read, f)
	case sqlitefile.IsDamaged(err): // now, because the next process may not notice the damage at once
		err = errors.Join(err, d.Refresh(ctx))
	}
	return err
}

func (d *Dataset) snapshotOnce(ctx context.Context, read reader, f func(snapshot) error) error {
	current := d.current.Load()
	return read(current.index, ctx, func(c conn) error {
		s := snapshot{conn: c, files: map[int64]bool{}}
		// The ids are those of this moment: another process may have replaced a file since.
		err := c.Rows("select id, path from file", nil, func(row *sqlite3.Stmt) (bool, error) {
			if current.paths[row.ColumnText(1)] {
				s.files[row.ColumnInt64(0)] = true
			}
			return true, nil
		})
		if err != nil {
			return err
		}
		return f(s)
	})
}

// query runs f on one state of the index, and once more where that was damaged.
func (d *Dataset) query(ctx context.Context, f func(snapshot) error) error {
	old := d.current.Load().index
	err := d.snapshot(ctx, (*index).read, f)
	if sqlitefile.IsDamaged(err) && d.current.Load().index != old { // there is a new one
		err = d.snapshot(ctx, (*index).read, f)
	}
	return err
}

// Hosts returns the hosts of the addresses that are in the files. They have the newest banner of each service, or, with
// history, all banners in the files, newest first.
func (d *Dataset) Hosts(ctx context.Context, addrs []netip.Addr, history bool) (map[netip.Addr]*shodan.Host, error) {
	found := make(map[netip.Addr]*shodan.Host)
	err := d.query(ctx, func(s snapshot) error {
		for _, addr := range addrs {
			if _, done := found[addr]; done || !addr.IsValid() {
				continue
			}
			var newest newestOnly
			var rows hostRows
			err := s.Rows(`select file, port, transport, name, raw from banner where addr = ? order by port, transport, name, seen desc, file, id`,
				[]any{addrKey(addr.Unmap())}, func(row *sqlite3.Stmt) (bool, error) {
					if !s.files[row.ColumnInt64(0)] || !newest.is(addr, row.ColumnInt64(1), row.ColumnRawText(2), row.ColumnRawText(3)) && !history {
						return true, nil
					}
					if history && row.ColumnInt64(1) == summaryPort {
						return true, nil
					}
					return true, rows.add(row.ColumnInt64(1), row.ColumnText(2), row.ColumnRawBlob(4))
				})
			if err != nil {
				return err
			}
			if host := rows.merge(); host != nil {
				found[addr] = host
				if history {
					// The same sighting may be in several files.
					banners := slices.CompactFunc(rows.banners, func(a, b shodan.Banner) bool {
						return a.Port == b.Port && a.Transport == b.Transport && a.VirtualHost() == b.VirtualHost() && a.Timestamp == b.Timestamp
					})
					slices.SortStableFunc(banners, func(a, b shodan.Banner) int { return b.Timestamp.Compare(a.Timestamp.Time) })
					found[addr].Banners = banners
				}
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}

// newestOnly selects the first banner of each service, where banners are ordered by service.
type newestOnly struct {
	addr      netip.Addr
	port      int64
	transport string
	name      string
}

func (n *newestOnly) is(addr netip.Addr, port int64, transport, name []byte) bool {
	if n.addr == addr && n.port == port && n.transport == string(transport) && n.name == string(name) {
		return false
	}
	*n = newestOnly{addr: addr, port: port, transport: string(transport), name: string(name)}
	return true
}

// All returns all hosts, in order of address, as they are in the files when the loop begins.
func (d *Dataset) All(ctx context.Context) iter.Seq2[*shodan.Host, error] {
	return func(yield func(*shodan.Host, error) bool) {
		stopped := false
		err := d.snapshot(ctx, (*index).readLong, func(s snapshot) error {
			var newest newestOnly
			var rows hostRows
			send := func() {
				if host := rows.merge(); host != nil {
					stopped = !yield(host, nil)
				}
				rows = hostRows{}
			}
			// Without "indexed by" SQLite would sort all rows with their content.
			err := s.Rows(`select file, addr, port, transport, name, raw from banner indexed by banner_endpoint
				order by addr, port, transport, name, seen desc, file, id`, nil, func(row *sqlite3.Stmt) (bool, error) {
				if !s.files[row.ColumnInt64(0)] {
					return true, nil
				}
				addr, _ := netip.AddrFromSlice(row.ColumnRawBlob(1)[1:])
				if addr != newest.addr {
					send()
				}
				if stopped {
					return false, nil
				}
				if !newest.is(addr, row.ColumnInt64(2), row.ColumnRawText(3), row.ColumnRawText(4)) {
					return true, nil
				}
				return true, rows.add(row.ColumnInt64(2), row.ColumnText(3), row.ColumnRawBlob(5))
			})
			if err == nil && !stopped {
				send()
			}
			return err
		})
		if err != nil && !stopped {
			yield(nil, err)
		}
	}
}

// Related returns the services that have a value, in order of address and port, without those of the address except: at
// most limit, or all where limit is 0. Only the newest banner of a service counts: a replaced certificate relates nothing.
func (d *Dataset) Related(ctx context.Context, pivot shodan.Pivot, value string, except netip.Addr, limit int) ([]shodan.Banner, error) {
	query, ok := relatedQueries[pivot]
	if !ok {
		return nil, fmt.Errorf("%q is not a pivot: use one of %v", pivot, shodan.Pivots())
	}
	var found []shodan.Banner
	err := d.query(ctx, func(s snapshot) error {
		found = nil
		return s.Rows(query, []any{value}, func(row *sqlite3.Stmt) (bool, error) {
			key := row.ColumnBlob(2, nil)
			addr, _ := netip.AddrFromSlice(key[1:])
			port, transport, name := row.ColumnInt64(3), row.ColumnText(4), row.ColumnText(5)
			if !s.files[row.ColumnInt64(1)] || addr == except.Unmap() {
				return true, nil
			}
			id, err := s.newest(key, port, transport, name)
			if err != nil || id != row.ColumnInt64(0) {
				return true, err
			}
			b, err := s.banner(id)
			if err != nil {
				return false, err
			}
			found = append(found, *b)
			return len(found) != limit, nil
		})
	})
	return found, err
}

// relatedQueries has a query for each pivot: SQL has no parameter for a column.
var relatedQueries = func() map[shodan.Pivot]string {
	queries := map[shodan.Pivot]string{}
	for _, pivot := range shodan.Pivots() {
		queries[pivot] = fmt.Sprintf(`select id, file, addr, port, transport, name from banner indexed by banner_%[1]s
			where %[1]s = ? order by addr, port, transport`, pivot)
	}
	return queries
}()

// newest returns the ID of a service's newest banner.
func (s snapshot) newest(key []byte, port int64, transport, name string) (id int64, err error) {
	err = s.Rows(`select id, file from banner where addr = ? and port = ? and transport = ? and name = ? order by seen desc, file, id`,
		[]any{key, port, transport, name}, func(row *sqlite3.Stmt) (bool, error) {
			if !s.files[row.ColumnInt64(1)] {
				return true, nil
			}
			id = row.ColumnInt64(0)
			return false, nil
		})
	return id, err
}

// banner returns the banner with an ID.
func (s snapshot) banner(id int64) (b *shodan.Banner, err error) {
	err = s.Rows("select raw from banner where id = ?", []any{id}, func(row *sqlite3.Stmt) (bool, error) {
		b, err = unpack(row.ColumnRawBlob(0))
		return false, err
	})
	return b, err
}
