package lookup

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"
)

// ProgressState is how far look-ups have come.
type ProgressState struct {
	Total     int64 // addresses to answer for
	Done      int64 // of which are answered, whatever the answer
	Failed    int64 // of which could not be checked
	FromCache int64
	Elapsed   time.Duration
	// Left is how long the rest will take at the pace of the last ten seconds, 0 where that cannot be said yet.
	Left time.Duration
}

// A Progress counts look-ups as they are answered. It may be read at any time.
type Progress struct {
	began                       time.Time
	total, done, failed, cached atomic.Int64
	tally                       tally
	searches                    searchTally
	pace                        throughput
	log                         hclog.Logger // nil where somebody reads the meter
	logged                      atomic.Int64 // when, in nanoseconds
}

// logEvery is how often a long query says in the log how far it is.
const logEvery = 5 * time.Second

// NewProgress makes a meter that begins now.
func NewProgress() *Progress { return &Progress{began: time.Now()} }

// newLoggedProgress makes a meter that writes to the log by itself.
func newLoggedProgress(log hclog.Logger, total int) *Progress {
	m := NewProgress()
	m.total.Store(int64(total))
	m.log = log
	m.logged.Store(m.began.UnixNano())
	return m
}

// AddTotal adds addresses to the total.
func (m *Progress) AddTotal(addresses int) { m.total.Add(int64(addresses)) }

// State reads the meter.
func (m *Progress) State() ProgressState {
	p := ProgressState{Total: m.total.Load(), Done: m.done.Load(), Failed: m.failed.Load(), FromCache: m.cached.Load(), Elapsed: time.Since(m.began)}
	if perSecond := m.pace.perSecond(time.Since(m.began)); perSecond > 0 && p.Total > p.Done {
		p.Left = time.Duration(float64(p.Total-p.Done) / perSecond * float64(time.Second)).Round(time.Second)
	}
	return p
}

// Summary tells what came of the addresses so far.
func (m *Progress) Summary() Summary { return m.tally.summary() }

// CountInvalid counts a text that was asked for as an address and is none: it cannot be checked.
func (m *Progress) CountInvalid(text string) {
	if m.log == nil {
		m.tally.countInvalid(text)
	}
}

// count counts the answer to a question of a batch.
func (m *Progress) count(b *Batch, q Question, answer Answer) {
	if m.log == nil { // nobody would read it
		m.tally.countAnswer(q.Addr, answer.failure, b.fallback(q, answer.Source), b.engine.isCached(answer))
	}
	m.done.Add(1)
	if answer.Source != "" && answer.Source != Dataset && !answer.fromCache {
		m.pace.add(answer.Source, time.Since(m.began))
	}
	if answer.Status == Failed {
		m.failed.Add(1)
	}
	if m.log == nil {
		return
	}
	last, now := m.logged.Load(), time.Now()
	if now.UnixNano()-last < int64(logEvery) || !m.logged.CompareAndSwap(last, now.UnixNano()) {
		return
	}
	p := m.State()
	m.log.Info("looking addresses up", "done", p.Done, "total", p.Total, "failed", p.Failed, "from_cache", p.FromCache, "left", p.Left)
}

type meterKey struct{}

// WithProgress makes the look-ups of a context count on a meter.
func WithProgress(ctx context.Context, m *Progress) context.Context {
	return context.WithValue(ctx, meterKey{}, m)
}

// ProgressFrom returns the meter of a context, or nil.
func ProgressFrom(ctx context.Context) *Progress {
	m, _ := ctx.Value(meterKey{}).(*Progress)
	return m
}
