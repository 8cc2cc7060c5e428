package embedded

import (
	"context"
	"sync"

	"github.com/ncruces/go-sqlite3"
	"github.com/turbot/steampipe-plugin-sdk/v5/grpc/proto"
)

const (
	// callsAhead is how many calls of one scan run at once: while the rows of one are read, the look-ups of the next
	// ones are under way. More would only hold more rows in memory, since every call waits until its rows are read.
	callsAhead = 3

	// rowsAhead is how many rows wait to be read: one of every value under way. While the SDK waits to hand over a row
	// it can lose an error, so a table with one row a value should not make it wait.
	rowsAhead = callsAhead * sliceValues
)

// scan is one run through a table's rows: a few calls side by side, whose rows come in no order.
type scan struct {
	db      *DB
	request *request
	// ctx is the query's: its values go along to the plugin, its end is noticed by next.
	ctx  context.Context
	rows chan *proto.Row

	// wanted ends when no more rows are wanted. The plugin's functions run until then.
	wanted context.Context
	stop   context.CancelFunc

	mu  sync.Mutex
	err error
	// left counts down the rows that a LIMIT still allows.
	left int64
}

// startScan begins to ask the plugin.
func (db *DB) startScan(r *request) *scan {
	s := &scan{db: db, request: r, ctx: db.ctx, left: r.limit, rows: make(chan *proto.Row, rowsAhead)}
	if db.listContext != nil && len(r.asked) > 0 {
		s.ctx = db.listContext(s.ctx, len(r.asked[0].text))
	}
	s.wanted, s.stop = context.WithCancel(context.Background())
	db.running.Go(s.run)
	return s
}

// run makes the calls, one slice after the other, callsAhead at a time.
func (s *scan) run() {
	defer close(s.rows)
	var calls sync.WaitGroup
	defer calls.Wait()

	slots := make(chan struct{}, callsAhead)
	if s.request.limit > 0 {
		// The next slice is needed only if this one turns out to have too few rows.
		slots = make(chan struct{}, 1)
	}
	cut := s.request.cutter()
	for {
		select {
		case slots <- struct{}{}:
		case <-s.wanted.Done():
			return
		}
		limit, enough := s.remaining()
		if enough || s.wanted.Err() != nil {
			return
		}
		length := sliceValues
		if limit > 0 {
			length = int(min(limit, sliceValues))
		}
		part, more := cut.next(length)
		if !more {
			return
		}
		calls.Go(func() {
			defer func() { <-slots }()
			call := &call{ctx: context.WithoutCancel(s.ctx), stop: s.wanted, send: func(row *proto.Row) { s.send(part, row) }}
			if err := s.db.server.execute(call, s.request.table, part.query(), limit); err != nil {
				s.fail(err)
			}
		})
	}
}

// remaining returns how many more rows the query's LIMIT allows, 0 where it has none, and whether that many have come.
func (s *scan) remaining() (limit int64, enough bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.left, s.request.limit > 0 && s.left <= 0
}

// send passes a row of a call on to next. It waits until there is room: so the SDK waits, and nothing piles up.
func (s *scan) send(part slice, row *proto.Row) {
	if s.wanted.Err() != nil || !part.wanted(row) {
		return
	}
	if s.request.limit > 0 {
		s.mu.Lock()
		enough := s.left <= 0
		s.left--
		s.mu.Unlock()
		if enough {
			return
		}
	}
	select {
	case s.rows <- row:
	case <-s.wanted.Done():
	}
}

// next returns the next row, and nil when there are no more.
func (s *scan) next() (*proto.Row, error) {
	select {
	case row, ok := <-s.rows:
		if ok {
			return row, nil
		}
	case <-s.wanted.Done():
	case <-s.ctx.Done():
		return nil, sqlite3.INTERRUPT
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return nil, s.err
}

// fail ends the scan with an error.
func (s *scan) fail(err error) {
	s.mu.Lock()
	if s.err == nil {
		s.err = err
	}
	s.mu.Unlock()
	s.stop()
}
