package dataset

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/netip"
	"runtime"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

// parsed is a banner of a file, the summary of a host, or the reason why a record is neither.
type parsed struct {
	number int64 // of the record's line, from 1
	banner *shodan.Banner
	host   *shodan.Host
	kind   string // of the response that has the host
	err    error
	more   int64        // how many further errors the record has
	addrs  []netip.Addr // that a record with an error is about, as far as they are known
}

// record is a part of a batch's text, or the reason why there is none.
type record struct {
	number int64 // of its line, from 1
	end    int
	err    error
}

// batch is a group of records: large enough to be cheap to pass on, small enough to take little memory.
type batch struct {
	number  int // in the file, from 1
	text    []byte
	records []record
	parsed  []parsed
	rows    rows
	done    chan struct{} // closed when the rows are made
}

const (
	batchRecords = 4096
	batchBytes   = 1 << 20
)

var errTooLarge = errors.New("it is too large: divide it")

// parse calls f for each batch of a file, in order. A damaged end of the file counts as a bad record.
//
// Reading, parsing and f run in parallel. A packer makes the rows of the batches; without one f gets the records.
func parse(ctx context.Context, r io.Reader, p *packer, f func(*batch) error) error {
	group, ctx := errgroup.WithContext(ctx)
	workers := runtime.GOMAXPROCS(0)
	todo, ordered := make(chan *batch, workers), make(chan *batch, workers)
	group.Go(func() error {
		defer close(todo)
		defer close(ordered)
		err := readFile(ctx, r, p, func(b *batch) error {
			for _, next := range []chan *batch{ordered, todo} {
				select {
				case next <- b:
				case <-ctx.Done():
					return ctx.Err()
				}
			}
			return nil
		})
		if errors.Is(err, errBroken) { // at its very start
			return f(&batch{parsed: []parsed{{number: 1, err: err}}})
		}
		return err
	})
	for range workers {
		group.Go(func() error {
			for b := range todo {
				b.parse()
				if p != nil {
					p.pack(b)
				}
				close(b.done)
			}
			return nil
		})
	}
	group.Go(func() error {
		for b := range ordered {
			select {
			case <-b.done:
			case <-ctx.Done():
				return ctx.Err()
			}
			if err := f(b); err != nil {
				return err
			}
			b.free()
		}
		return ctx.Err()
	})
	return group.Wait()
}

// readFile sends the batches of a file. It fails with errBroken if not even the beginning can be decompressed.
func readFile(ctx context.Context, r io.Reader, p *packer, send func(*batch) error) error {
	t, err := newText(ctx, r)
	if err != nil {
		return err
	}
	defer t.close()
	number := 0
	return readBatches(newRecords(t), func(b *batch) error {
		if number++; number == maxBatches {
			return errTooLarge
		}
		if b.number = number; number == 1 && p != nil {
			if err := p.begin(b.text); err != nil {
				return err
			}
		}
		return send(b)
	})
}

// readBatches sends the batches of the records of a file, to its end.
func readBatches(records records, send func(*batch) error) error {
	b := newBatch()
	for {
		var err error
		start := len(b.text)
		b.text, err = records.next(b.text)
		next := record{number: records.line()}
		switch {
		case err == io.EOF:
			return send(b)
		case errors.Is(err, errBroken) || isBadRecord(err):
			next.err = err
		case err != nil:
			return err
		case len(bytes.TrimSpace(b.text[start:])) == 0:
			b.text = b.text[:start]
			continue
		}
		next.end = len(b.text)
		b.records = append(b.records, next)
		if errors.Is(err, errBroken) {
			return send(b)
		}
		if len(b.records) == batchRecords || len(b.text) >= batchBytes {
			if err := send(b); err != nil {
				return err
			}
			b = newBatch()
		}
	}
}

func (b *batch) parse() {
	start := 0
	for _, r := range b.records {
		bad := -1 // where in b.parsed the record's first error is: a hostile record can have millions
		add := func(p parsed) {
			p.number = r.number
			switch {
			case p.err != nil && bad >= 0:
				b.parsed[bad].more++
				return
			case p.err != nil:
				bad = len(b.parsed)
				p.addrs = addressesIn(b.text[start:r.end])
			}
			b.parsed = append(b.parsed, p)
		}
		if r.err != nil {
			add(parsed{err: r.err})
		} else {
			parseRecord(b.text[start:r.end], add)
		}
		start = r.end
	}
}

// batches are reused: a file of gigabytes must not make gigabytes of garbage.
var batches = sync.Pool{New: func() any { return &batch{text: make([]byte, 0, batchBytes+batchBytes/4)} }}

func newBatch() *batch {
	b := batches.Get().(*batch)
	b.done = make(chan struct{})
	return b
}

// free returns a batch to the pool, unless a very long record made it large.
func (b *batch) free() {
	if cap(b.text) <= 4*batchBytes {
		clear(b.parsed)
		b.text, b.records, b.parsed = b.text[:0], b.records[:0], b.parsed[:0]
		b.rows.reset()
		batches.Put(b)
	}
}
