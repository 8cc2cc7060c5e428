package dataset

import (
	"bytes"
	"cmp"
	"context"
	"iter"
	"runtime"
	"sync"

	"github.com/ncruces/go-sqlite3"
	"golang.org/x/sync/errgroup"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

// All returns all hosts, in order of address, as they are in the files when the loop begins.
func (d *Dataset) All(ctx context.Context) iter.Seq2[*shodan.Host, error] { return d.all(ctx, true) }

// AllSummaries is All without the long texts of the banners, see [shodan.Banner.Summary]. It takes a fraction of the time.
func (d *Dataset) AllSummaries(ctx context.Context) iter.Seq2[*shodan.Host, error] {
	return d.all(ctx, false)
}

// all reads the index in one goroutine, since a connection can be used by one only, and makes the hosts in others.
func (d *Dataset) all(ctx context.Context, texts bool) iter.Seq2[*shodan.Host, error] {
	return func(yield func(*shodan.Host, error) bool) {
		// The transaction itself ends with ctx: it has to see why it is stopped.
		stop, cancel := context.WithCancelCause(ctx)
		defer cancel(nil)
		var reading, making errgroup.Group
		workers := runtime.GOMAXPROCS(0)
		todo, ordered := make(chan *hostGroup, workers), make(chan *hostGroup, workers)
		for range workers { // before the reader, which waits for all of them
			making.Go(func() (err error) {
				for g := range todo {
					made := g.makeHosts()
					g.made <- made
					err = cmp.Or(err, made)
				}
				return err
			})
		}
		reading.Go(func() error {
			defer close(ordered)
			endGroups := sync.OnceFunc(func() { close(todo) })
			defer endGroups()
			send := func(g *hostGroup) error {
				for _, next := range []chan *hostGroup{ordered, todo} {
					select {
					case next <- g:
					case <-stop.Done():
						return context.Cause(stop)
					}
				}
				return nil
			}
			return d.snapshot(ctx, (*index).readLong, func(s snapshot) error {
				err := s.groups(texts, send)
				endGroups()
				// The transaction has to see that a row is damaged: the index is then made again.
				return cmp.Or(making.Wait(), err)
			})
		})
		stopped, err := yieldHosts(stop, ordered, yield)
		cancel(err)
		if readErr := reading.Wait(); readErr != nil {
			err = readErr
		}
		if err != nil && !stopped {
			yield(nil, err)
		}
	}
}

// yieldHosts yields the hosts of groups, and reports whether the caller has stopped that.
func yieldHosts(ctx context.Context, groups <-chan *hostGroup, yield func(*shodan.Host, error) bool) (stopped bool, err error) {
	for g := range groups {
		select {
		case err = <-g.made:
		case <-ctx.Done():
			err = ctx.Err()
		}
		if err != nil {
			return false, err
		}
		for _, host := range g.hosts {
			if err := ctx.Err(); err != nil {
				return false, err
			}
			if !yield(host, nil) {
				return true, nil
			}
		}
	}
	return false, nil
}

// groups sends all hosts, in order of address. Where their texts are needed it loads them.
func (s snapshot) groups(texts bool, send func(*hostGroup) error) error {
	g := &grouper{snapshot: s, texts: texts, send: send, group: newHostGroup()}
	var addr []byte
	// Without "indexed by" SQLite would sort all rows with their content.
	err := s.Rows("select file, addr, items from host indexed by host_addr order by addr, file, id", nil, func(row *sqlite3.Stmt) (bool, error) {
		file := row.ColumnInt64(0)
		if !s.files[file] {
			return true, nil
		}
		if key := row.ColumnRawBlob(1); !bytes.Equal(key, addr) {
			if err := g.endHost(); err != nil {
				return false, err
			}
			addr = append(addr[:0], key...)
		}
		g.rows = append(g.rows, hostRows{file, string(row.ColumnRawBlob(2))})
		return true, nil
	})
	if err == nil {
		err = g.endHost()
	}
	if err == nil {
		err = send(g.group)
	}
	return err
}

// A grouper collects the rows of hosts into groups.
type grouper struct {
	snapshot
	texts bool
	send  func(*hostGroup) error
	group *hostGroup // that is not full
	rows  []hostRows // of the host that is being read
}

// endHost adds the host whose rows were read to the group, and sends that if it is full.
func (g *grouper) endHost() error {
	rows := g.rows
	g.rows = nil
	switch {
	case len(rows) == 0:
		return nil
	case g.texts:
		items, err := decodeRows(new(codec), nil, rows)
		if err == nil {
			err = g.loadTexts(items)
		}
		if err != nil {
			return err
		}
		g.group.addItems(items)
	default:
		g.group.addRows(rows)
	}
	if !g.group.isFull() {
		return nil
	}
	full := g.group
	g.group = newHostGroup()
	return g.send(full)
}

// decodeRows returns the newest item of each service in the rows of a host. It uses the memory of a list again.
func decodeRows(c *codec, items []item, rows []hostRows) (_ []item, err error) {
	items = items[:0]
	for _, row := range rows {
		if items, err = c.decodeItems(items, row.file, row.items); err != nil {
			return nil, err
		}
	}
	sortItems(items)
	return newest(items), nil
}
