package embedded

import (
	"context"
	"runtime"
	"sync"

	"github.com/ncruces/go-sqlite3"
)

const (
	// maxCalls is how many calls of one scan run in parallel: while the rows of one are read, the lookups of the next
	// ones are in progress. More calls would only hold more rows in memory, because each waits until its rows are read.
	maxCalls = 3

	// maxRows is how many rows wait to be read: one per value in progress. The SDK can lose an error while it waits to
	// send a row, so a table with one row per value should not make it wait.
	maxRows = maxCalls * batchSize
)

// A scan reads the rows of a request with a few calls in parallel. The rows come in no particular order.
type scan struct {
	db      *DB
	request *request
	// ctx is the context of the query. The plugin gets its values, and next ends with it.
	ctx  context.Context
	rows chan row

	// running is the context of the plugin's functions. It ends when no more rows are needed.
	running context.Context
	stop    context.CancelFunc

	read            func(*call) error
	batchSize, most int // the values of a call, and the calls in parallel

	mu  sync.Mutex
	err error
	// left is how many more rows a LIMIT allows.
	left int64
}

// startScan starts the first calls.
func startScan(db *DB, r *request) *scan {
	s := &scan{db: db, request: r, ctx: db.ctx, left: r.limit, rows: make(chan row, maxRows)}
	if db.listContext != nil && len(r.equals) > 0 {
		s.ctx = db.listContext(s.ctx, len(r.equals[0].values))
	}
	s.read, s.batchSize, s.most = db.server.execute, batchSize, maxCalls
	if readers := db.server.readersOf(r.table); readers != nil {
		// A reader makes its rows one after the other, so that it takes several to use all processors.
		s.batchSize, s.most = readerBatchSize, max(maxCalls, runtime.GOMAXPROCS(0)+1)
		s.read = func(c *call) error { return db.server.readDirectly(c, readers) }
	}
	s.running, s.stop = context.WithCancel(context.Background())
	db.scans.Go(s.run)
	return s
}

// run makes the calls, one per batch and at most s.most at a time.
func (s *scan) run() {
	defer close(s.rows)
	var calls sync.WaitGroup
	defer calls.Wait()

	slots := make(chan struct{}, s.most)
	if s.request.limit > 0 {
		// The next batch is only needed if this one has too few rows.
		slots = make(chan struct{}, 1)
	}
	batches := newBatches(s.request)
	for {
		select {
		case slots <- struct{}{}:
		case <-s.running.Done():
			return
		}
		limit, enough := s.remaining()
		if enough || s.running.Err() != nil {
			return
		}
		length := s.batchSize
		if limit > 0 {
			length = int(min(limit, int64(length)))
		}
		part, more := batches.next(length)
		if !more {
			return
		}
		calls.Go(func() {
			defer func() { <-slots }()
			send := func(r row) { s.send(part, r) }
			call := &call{ctx: context.WithoutCancel(s.ctx), running: s.running, batch: part, limit: limit, send: send}
			if err := s.read(call); err != nil {
				s.fail(err)
			}
		})
	}
}

// remaining returns how many more rows the query's LIMIT allows, 0 if it has none, and whether there are enough.
func (s *scan) remaining() (limit int64, enough bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.left, s.request.limit > 0 && s.left <= 0
}

// send passes a row of a call to next. It blocks until there is room, so that the SDK waits and rows do not pile up.
func (s *scan) send(part batch, r row) {
	if s.running.Err() != nil || !part.matches(r) {
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
	case s.rows <- r:
	case <-s.running.Done():
	}
}

// next returns the next row, and nil if there are no more.
func (s *scan) next() (row, error) {
	select {
	case r, ok := <-s.rows:
		if ok {
			return r, nil
		}
	case <-s.running.Done():
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
