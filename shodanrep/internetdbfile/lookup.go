package internetdbfile

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"net/netip"
	"slices"
	"time"

	"github.com/ncruces/go-sqlite3"
	"golang.org/x/sync/errgroup"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/sqlitefile"
)

// Hosts looks up addresses, and returns the results in their order and the time of the file. It opens the file if it is
// not open or was replaced. An error is about all addresses.
func (f *File) Hosts(ctx context.Context, addrs []netip.Addr) ([]Result, time.Time, error) {
	rows, err := f.Rows(ctx, addrs)
	if err != nil {
		return nil, time.Time{}, err
	}
	results := make([]Result, len(addrs))
	var memory Memory
	for i := range results {
		results[i] = rows.Result(i, addrs[i], &memory)
	}
	return results, rows.Time, nil
}

// Rows is [File.Hosts] for long lists: the more addresses are looked up at a time, the more of them are on the same
// pages of the file.
func (f *File) Rows(ctx context.Context, addrs []netip.Addr) (*Rows, error) {
	isRepeated := func(a, b int32) bool { return addrs[a] == addrs[b] }
	for attempt := 1; ; attempt++ {
		d, err := f.database(ctx)
		if err != nil {
			return nil, err
		}
		order := d.layout.order(addrs)
		unique := slices.CompactFunc(slices.Clone(order), isRepeated)
		rows := &Rows{Time: d.source.time(), places: make([]place, len(addrs))}
		err = d.read(ctx, addrs, unique, rows)
		if err == nil && slices.ContainsFunc(unique, rows.isMissing) {
			if err = f.ensureFindable(ctx, d); errors.As(err, &valueError{}) {
				rows.missingErr, err = f.wrapError(err), nil
			}
		}
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case errors.Is(err, errRetired):
			if f.open.Err() != nil {
				return nil, f.wrapError(errClosed)
			}
		case !d.isUnchanged():
			// What was read may be half of the old and half of the new content.
			if attempt >= maxAttempts {
				return nil, f.wrapError(errChanging)
			}
		case err != nil:
			return nil, f.wrapError(withAdvice(err))
		default:
			for i := 1; i < len(order) && len(unique) < len(order); i++ {
				if isRepeated(order[i-1], order[i]) {
					rows.places[order[i]] = rows.places[order[i-1]]
				}
			}
			return rows, nil
		}
	}
}

// partSize is how many addresses a connection looks up before other calls may use it.
const partSize = 8192

// errRetired says that another version took the place of a database.
var errRetired = errors.New("it was replaced")

// read reads the rows of addresses, whose order is given, with several connections.
func (d *database) read(ctx context.Context, addrs []netip.Addr, order []int32, rows *Rows) error {
	if len(order) <= partSize {
		return d.readPart(ctx, addrs, order, rows)
	}
	reading, ctx := errgroup.WithContext(ctx)
	reading.SetLimit(cap(d.idle))
	for part := range slices.Chunk(order, partSize) {
		reading.Go(func() error { return d.readPart(ctx, addrs, part, rows) })
	}
	return reading.Wait()
}

// readPart reads the rows of addresses with one connection.
func (d *database) readPart(ctx context.Context, addrs []netip.Addr, order []int32, rows *Rows) error {
	c, err := d.take(ctx)
	if err != nil {
		return err
	}
	defer d.put(c)
	return c.read(ctx, addrs, order, rows)
}

// errChanging says that the file is written to while it is read.
var errChanging = fmt.Errorf("it is being written to: wait for that, and replace it by renaming a complete file to its name")

// A Row is a row of the file.
type Row struct {
	Result
	Addr netip.Addr // invalid if the value of ip is none
	Time time.Time  // of the file
}

// checkEvery is how many rows are read before the file is checked for changes.
const checkEvery = 10_000

// All yields every row, in the order of the file. An error is the last element. A row that cannot be read is one with an
// Err.
func (f *File) All(ctx context.Context) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		d, c, err := f.connect(ctx)
		if err != nil {
			yield(Row{}, err)
			return
		}
		defer func() { _ = c.Discard() }()
		if err := d.listAll(ctx, c, yield); err != nil {
			yield(Row{}, err)
		}
	}
}

// connect makes a connection of its own for a loop over the rows: one that was taken would be missing to lookups as long
// as the loop takes.
func (f *File) connect(ctx context.Context) (*database, *sqlitefile.Conn, error) {
	for attempt := 1; ; attempt++ {
		d, err := f.database(ctx)
		if err != nil {
			return nil, nil, err
		}
		c, err := sqlitefile.OpenImmutable(d.path)
		now, statErr := statFile(d.path)
		if err == nil && statErr == nil && now.same(d.version) {
			return d, c, nil
		}
		if c != nil {
			_ = c.Discard()
		}
		if attempt == maxAttempts { // else another version took the place of this one
			return nil, nil, f.wrapError(cmp.Or(withAdvice(err), statErr, errChanging))
		}
	}
}

// listAll yields every row. It returns why the file cannot be read to its end.
func (d *database) listAll(ctx context.Context, c *sqlitefile.Conn, yield func(Row, error) bool) (err error) {
	c.SetInterrupt(ctx)
	read := 0
	var memory Memory // of slabLength hosts: it keeps what is in it, and the file has hundreds of millions
	check := func() error {
		if !d.isUnchanged() {
			return fmt.Errorf("%q: %w", d.path, errChanging)
		}
		return nil
	}
	stopped := false
	err = c.Rows("SELECT "+d.layout.columns+" FROM "+tableName, nil, func(row *sqlite3.Stmt) (bool, error) {
		if read%checkEvery == 0 {
			if err := check(); err != nil {
				return false, err
			}
		}
		if read%slabLength == 0 {
			memory = Memory{}
		}
		read++
		next := Row{Time: d.source.time()}
		addr, form, err := parseIP(row, 0)
		if err == nil && !slices.Contains(d.layout.forms, form) {
			err = fmt.Errorf("its column ip has the value %q, in another form than the others", row.ColumnText(0))
		}
		if err != nil {
			next.Err = err
		} else {
			next.Addr = addr
			r := rowReader{addr: addr, memory: &memory}
			r.add(fieldsOf(row))
			next.Result = r.result()
		}
		stopped = !yield(next, nil)
		return !stopped, nil
	})
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case stopped:
		return nil
	case err != nil:
		return fmt.Errorf("%q: %w", d.path, withAdvice(err))
	}
	return check()
}
