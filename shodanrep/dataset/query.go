package dataset

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"github.com/ncruces/go-sqlite3"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/sqlitefile"
)

// snapshot is one state of the index, and the files that belong to the Dataset.
type snapshot struct {
	conn
	files  map[int64]bool
	blocks *blockReader
}

// reader is how a snapshot is read: (*index).read or (*index).readLong.
type reader func(*index, context.Context, func(conn) error) error

// snapshot runs f on one state of the index.
func (d *Dataset) snapshot(ctx context.Context, read reader, f func(snapshot) error) error {
	err := d.snapshotOnce(ctx, read, f)
	switch {
	case isReplaced(err), errors.Is(err, errRowsDeleted): // f did not run
		if err := d.Refresh(ctx); err != nil {
			return err
		}
		return d.snapshotOnce(ctx, read, f)
	case sqlitefile.IsDamaged(err): // now, because the next process may not notice the damage at once
		err = errors.Join(err, d.Refresh(ctx))
	}
	return err
}

// errRowsDeleted says that the index lacks rows of files that count, because another Dataset has deleted them as unused: the
// clock of this process may have stood still while the machine slept. The next Refresh reads the files again.
var errRowsDeleted = errors.New("another process has deleted rows of the data files from their index: run the query again")

func (d *Dataset) snapshotOnce(ctx context.Context, read reader, f func(snapshot) error) error {
	current := d.current.Load()
	return read(current.index, ctx, func(c conn) error {
		s := snapshot{conn: c, files: map[int64]bool{}, blocks: newBlockReader(c, current.index)}
		// The ids are those of this moment: another process may have replaced a file since.
		err := c.Rows("select id, path from file where stored", nil, func(row *sqlite3.Stmt) (bool, error) {
			if current.paths[row.ColumnText(1)] {
				s.files[row.ColumnInt64(0)] = true
			}
			return true, nil
		})
		if err == nil && len(s.files) < len(current.paths) {
			current.lacksRows.Store(true)
			err = errRowsDeleted
		}
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
	return d.hosts(ctx, addrs, func(s snapshot, items []item) (*shodan.Host, error) {
		if !history {
			items = newest(items)
		}
		if err := s.loadTexts(items); err != nil {
			return nil, err
		}
		if err := parseTexts(items); err != nil {
			return nil, err
		}
		if history {
			return mergeHistory(items), nil
		}
		return merge(items), nil
	})
}

// Summaries is Hosts without the long texts of the banners, see [shodan.Banner.Summary]. It takes a fraction of the time.
func (d *Dataset) Summaries(ctx context.Context, addrs []netip.Addr) (map[netip.Addr]*shodan.Host, error) {
	return d.hosts(ctx, addrs, func(_ snapshot, items []item) (*shodan.Host, error) { return merge(newest(items)), nil })
}

// hosts returns the hosts that host makes of the sorted items of each address, without those for which it returns nil.
func (d *Dataset) hosts(ctx context.Context, addrs []netip.Addr, host func(snapshot, []item) (*shodan.Host, error)) (map[netip.Addr]*shodan.Host, error) {
	found := make(map[netip.Addr]*shodan.Host)
	err := d.query(ctx, func(s snapshot) error {
		clear(found)
		for _, addr := range addrs {
			if _, done := found[addr]; done || !addr.IsValid() {
				continue
			}
			items, err := s.items(addr)
			if err != nil {
				return err
			}
			h, err := host(s, items)
			if err != nil {
				return err
			}
			if h != nil {
				found[addr] = h
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}

// items returns the items of an address, sorted.
func (s snapshot) items(addr netip.Addr) (items []item, err error) {
	err = s.Rows("select file, items from host where addr = ? order by file, id", []any{addrKey(addr.Unmap())}, func(row *sqlite3.Stmt) (bool, error) {
		if file := row.ColumnInt64(0); s.files[file] {
			items, err = decodeItems(items, file, string(row.ColumnRawBlob(1)))
		}
		return true, err
	})
	sortItems(items)
	return items, err
}

// Related returns the services that have a value, in order of address and port, without those of the address except: at
// most limit. Only the newest banner of a service counts: a replaced certificate relates nothing.
func (d *Dataset) Related(ctx context.Context, pivot shodan.Pivot, value string, except netip.Addr, limit int) ([]shodan.Banner, error) {
	if !slices.Contains(shodan.Pivots(), pivot) {
		return nil, fmt.Errorf("%q is not a pivot: use one of %v", pivot, shodan.Pivots())
	}
	if limit <= 0 { // a LIMIT of 0, for which nothing must be read
		return nil, nil
	}
	var found []shodan.Banner
	err := d.query(ctx, func(s snapshot) error {
		found = nil
		addrs, err := s.addrs(pivot, value)
		for _, addr := range addrs {
			if addr == except.Unmap() {
				continue
			}
			items, err := s.items(addr)
			if err != nil {
				return err
			}
			for _, it := range newest(items) {
				if it.host != nil || !hasValue(it.banner, pivot, value) {
					continue
				}
				own := []item{it}
				if err := s.loadTexts(own); err != nil {
					return err
				}
				if err := parseTexts(own); err != nil {
					return err
				}
				if found = append(found, *own[0].banner); len(found) == limit {
					return nil
				}
			}
		}
		return err
	})
	return found, err
}
