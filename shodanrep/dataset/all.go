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

// A hostGroup is some hosts of a list: enough to be cheap to pass on, few enough to take little memory.
type hostGroup struct {
	rows  [][]hostRows // by host; nil where the items have been read already
	items [][]item     // by host, with their texts; nil where no texts are needed
	bytes int          // in rows and texts
	hosts []*shodan.Host
	made  chan error // says that the hosts are there
}

// hostRows is a row of the index.
type hostRows struct {
	file  int64
	items string
}

const (
	groupHosts = 128
	groupBytes = 1 << 20
)

// all reads the index in one goroutine, since a connection can be used by one only, and makes the hosts in others.
func (d *Dataset) all(ctx context.Context, texts bool) iter.Seq2[*shodan.Host, error] {
	return func(yield func(*shodan.Host, error) bool) {
		// The transaction itself ends with ctx: it has to see why it is stopped.
		stop, cancel := context.WithCancelCause(ctx)
		defer cancel(nil)
		var reading, making errgroup.Group
		workers := runtime.GOMAXPROCS(0)
		todo, ordered := make(chan *hostGroup, workers), make(chan *hostGroup, workers)
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
		for range workers {
			making.Go(func() (err error) {
				for g := range todo {
					made := g.makeHosts()
					g.made <- made
					err = cmp.Or(err, made)
				}
				return err
			})
		}
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
	newGroup := func() *hostGroup { return &hostGroup{made: make(chan error, 1)} }
	g := newGroup()
	var addr []byte
	var rows []hostRows
	addHost := func() error {
		if len(rows) == 0 {
			return nil
		}
		if !texts {
			g.rows = append(g.rows, rows)
			for _, row := range rows {
				g.bytes += len(row.items)
			}
		} else {
			items, err := decodeRows(new(codec), nil, rows)
			if err == nil {
				err = s.loadTexts(items)
			}
			if err != nil {
				return err
			}
			g.items = append(g.items, items)
			for i := range items {
				g.bytes += len(items[i].raw)
			}
		}
		rows = nil
		if len(g.rows)+len(g.items) < groupHosts && g.bytes < groupBytes {
			return nil
		}
		full := g
		g = newGroup()
		return send(full)
	}
	// Without "indexed by" SQLite would sort all rows with their content.
	err := s.Rows("select file, addr, items from host indexed by host_addr order by addr, file, id", nil, func(row *sqlite3.Stmt) (bool, error) {
		file := row.ColumnInt64(0)
		if !s.files[file] {
			return true, nil
		}
		if key := row.ColumnRawBlob(1); !bytes.Equal(key, addr) {
			if err := addHost(); err != nil {
				return false, err
			}
			addr = append(addr[:0], key...)
		}
		rows = append(rows, hostRows{file, string(row.ColumnRawBlob(2))})
		return true, nil
	})
	if err == nil {
		err = addHost()
	}
	if err == nil {
		err = send(g)
	}
	return err
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

// makeHosts makes the hosts of a group.
func (g *hostGroup) makeHosts() error {
	c := codec{banners: make([]shodan.Banner, 0, 64)} // merge copies them
	var items []item
	for _, rows := range g.rows {
		var err error
		if items, err = decodeRows(&c, items, rows); err != nil {
			return err
		}
		g.hosts = append(g.hosts, merge(items))
		c.banners = c.banners[:0]
	}
	for _, items := range g.items {
		if err := parseTexts(items); err != nil {
			return err
		}
		g.hosts = append(g.hosts, merge(items))
	}
	g.rows, g.items = nil, nil
	return nil
}
