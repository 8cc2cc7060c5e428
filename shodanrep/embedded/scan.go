package embedded

import (
	"context"
	"sync"
	"time"

	"github.com/ncruces/go-sqlite3"
	"github.com/turbot/steampipe-plugin-sdk/v5/grpc/proto"
)

const (
	// callsAhead is how many calls of one scan run at once: while the rows of one are read, the look-ups of the next
	// ones are under way. More would only hold more rows in memory, since every call waits until its rows are read.
	callsAhead = 3

	// rowsAhead is how many rows wait to be read.
	rowsAhead = 64

	// settle is how long a call is left alone before its context is cancelled. A call that is cancelled while the SDK
	// still sets it up leaves goroutines behind for ever: they wait on channels that nobody reads any more. After that,
	// every row of it is waiting on the plugin's own functions, which do end.
	settle = 50 * time.Millisecond
)

// scan is one run through a table's rows: a few calls side by side, whose rows come in no order.
type scan struct {
	db      *DB
	request *request
	// ctx is the query's: its values go along to the plugin, its end is noticed by next.
	ctx  context.Context
	rows chan *proto.Row

	// stopped is closed when no more rows are wanted, by next or because err is set.
	stopped chan struct{}
	mu      sync.Mutex
	err     error
	// left counts down the rows that a LIMIT still allows.
	left  int64
	calls map[*running]struct{}
}

// running is a call under way.
type running struct {
	started time.Time
	ctx     context.Context
	cancel  context.CancelFunc
}

// startScan begins to ask the plugin.
func (db *DB) startScan(r *request) *scan {
	s := &scan{
		db: db, request: r, ctx: db.ctx, left: r.limit, calls: make(map[*running]struct{}),
		rows: make(chan *proto.Row, rowsAhead), stopped: make(chan struct{}),
	}
	if db.listContext != nil && len(r.asked) > 0 && len(r.asked[0].text) > 1 {
		s.ctx = db.listContext(s.ctx, len(r.asked[0].text))
	}
	db.running.Add(1)
	go s.run()
	return s
}

// run makes the calls, one slice after the other, callsAhead at a time.
func (s *scan) run() {
	defer s.db.running.Done()
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
		case <-s.stopped:
			return
		}
		limit, enough := s.remaining()
		if enough {
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
		call := s.begin()
		if call == nil {
			return
		}
		calls.Go(func() {
			err := s.db.server.execute(call.ctx, s.request.table, part.query(), limit, func(row *proto.Row) { s.send(part, row) })
			s.end(call)
			if err != nil {
				s.fail(err)
			}
			<-slots
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
	if !part.wanted(row) {
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
	case <-s.stopped:
	}
}

// next returns the next row, and nil when there are no more.
func (s *scan) next() (*proto.Row, error) {
	select {
	case row, ok := <-s.rows:
		if ok {
			return row, nil
		}
	case <-s.stopped:
	case <-s.ctx.Done():
		return nil, sqlite3.INTERRUPT
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return nil, s.err
}

func (s *scan) begin() *running {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.halted() {
		return nil
	}
	call := &running{started: time.Now()}
	call.ctx, call.cancel = context.WithCancel(context.WithoutCancel(s.ctx))
	s.calls[call] = struct{}{}
	return call
}

func (s *scan) end(call *running) {
	call.cancel()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.calls, call)
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

// stop ends the scan, and the calls that are under way.
func (s *scan) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.halted() {
		return
	}
	close(s.stopped)
	for call := range s.calls {
		time.AfterFunc(settle-time.Since(call.started), call.cancel)
	}
}

func (s *scan) halted() bool {
	select {
	case <-s.stopped:
		return true
	default:
		return false
	}
}
