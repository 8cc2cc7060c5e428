package lookup

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/internetdbfile"
)

// A ProgressState is how far lookups have come.
type ProgressState struct {
	Total     int64 // addresses to look up
	Done      int64 // of them, with any answer
	Failed    int64 // of them, which could not be checked
	FromCache int64
	Elapsed   time.Duration
	// Left is how long the rest will take at the rate of the last ten seconds, 0 if that is not known yet. See TimeLeft.
	Left time.Duration
}

// A Progress counts lookups as they are answered. It may be read at any time.
type Progress struct {
	began                       time.Time
	total, done, failed, cached atomic.Int64
	tally                       tally
	names, details              textTally
	searches                    searchTally
	throughput                  throughput
	unpacking                   atomic.Pointer[internetdbfile.Unpacking]
	onUnpacking                 func(internetdbfile.Unpacking)
	log                         hclog.Logger // nil if somebody reads the progress
	logged                      atomic.Int64 // when, in nanoseconds
}

// logEvery is how often a long query logs how far it is.
const logEvery = 5 * time.Second

// NewProgress makes a Progress that begins now.
func NewProgress() *Progress { return &Progress{began: time.Now()} }

// newLoggedProgress makes a Progress that writes to the log.
func newLoggedProgress(log hclog.Logger, total int) *Progress {
	p := NewProgress()
	p.total.Store(int64(total))
	p.log = log
	p.logged.Store(p.began.UnixNano())
	return p
}

// AddTotal adds addresses to the total.
func (p *Progress) AddTotal(addresses int) { p.total.Add(int64(addresses)) }

// State returns how far the lookups have come.
func (p *Progress) State() ProgressState {
	s := ProgressState{Total: p.total.Load(), Done: p.done.Load(), Failed: p.failed.Load(), FromCache: p.cached.Load(), Elapsed: time.Since(p.began)}
	if perSecond := p.throughput.perSecond(time.Since(p.began)); perSecond > 0 && s.Total > s.Done {
		s.Left = TimeLeft(float64(s.Total-s.Done) / perSecond)
	}
	return s
}

// TimeLeft returns an estimate in whole seconds, or 0, as if it were not known, for one of more than a hundred years: it says
// nothing, and what Go makes of a number that no time.Duration holds depends on the processor.
func TimeLeft(seconds float64) time.Duration {
	const longest = 100 * 365 * 24 * time.Hour
	if !(seconds >= 0 && seconds <= longest.Seconds()) {
		return 0
	}
	return time.Duration(seconds * float64(time.Second)).Round(time.Second)
}

// Unpacking returns how far the unpacking of a compressed file of InternetDB is, nil if none is unpacked.
func (p *Progress) Unpacking() *internetdbfile.Unpacking { return p.unpacking.Load() }

// OnUnpacking says what to call while a compressed file of InternetDB is unpacked. It must be called before the lookups.
func (p *Progress) OnUnpacking(f func(internetdbfile.Unpacking)) { p.onUnpacking = f }

// ShowUnpackingIn has another Progress show the unpacking as well. It must be called before the lookups.
func (p *Progress) ShowUnpackingIn(other *Progress) { p.onUnpacking = other.setUnpacking }

func (p *Progress) setUnpacking(u internetdbfile.Unpacking) {
	if u.Ended {
		p.unpacking.Store(nil)
	} else {
		p.unpacking.Store(&u)
	}
	if p.onUnpacking != nil {
		p.onUnpacking(u)
	}
}

// Summary counts the results so far.
func (p *Progress) Summary() Summary {
	s := p.tally.summary()
	s.Names, s.Details = p.names.summary(), p.details.summary()
	return s
}

// CountInvalid counts a text that is not an address: it cannot be checked.
func (p *Progress) CountInvalid(text string) {
	if p.log == nil {
		p.tally.countInvalid(text)
	}
}

// count counts the answer to a question of a batch.
func (p *Progress) count(b *Batch, q Question, answer Answer) {
	if p.log == nil { // else nobody reads the summary
		cached := !answer.FreshUntil.IsZero() && b.engine.cache.IsPersistent()
		p.tally.countAnswer(q.Addr, answer.failure, b.fallback(q, answer.Source), cached)
	}
	p.done.Add(1)
	if answer.Source != "" && answer.Source != Dataset && !answer.fromCache && !answer.fromFile {
		p.throughput.add(answer.Source, time.Since(p.began))
	}
	if answer.Status == Failed {
		p.failed.Add(1)
	}
	if p.log == nil {
		return
	}
	last, now := p.logged.Load(), time.Now()
	if now.UnixNano()-last < int64(logEvery) || !p.logged.CompareAndSwap(last, now.UnixNano()) {
		return
	}
	s := p.State()
	p.log.Info("looking addresses up", "done", s.Done, "total", s.Total, "failed", s.Failed, "from_cache", s.FromCache, "left", s.Left)
}

// countAll counts the answers to questions that were answered together, without remembering their addresses.
func (p *Progress) countAll(b *Batch, questions []Question, answers []Answer) {
	if p.log != nil {
		for i, q := range questions {
			p.count(b, q, answers[i])
		}
		return
	}
	plain := 0
	fallbacks := map[string]int{}
	for i, q := range questions {
		q = q.canonical()
		if answers[i].failure != nil {
			p.tally.countAnswer(q.Addr, answers[i].failure, b.fallback(q, answers[i].Source), false)
			p.failed.Add(1)
			continue
		}
		plain++
		if fallback := b.fallback(q, answers[i].Source); fallback != "" {
			fallbacks[fallback]++
		}
	}
	p.tally.countPlain(plain, fallbacks)
	p.done.Add(int64(len(questions)))
}

type progressKey struct{}

// WithProgress returns a context whose lookups are counted in a Progress.
func WithProgress(ctx context.Context, p *Progress) context.Context {
	return context.WithValue(ctx, progressKey{}, p)
}

// ProgressFrom returns the Progress of a context, or nil.
func ProgressFrom(ctx context.Context) *Progress {
	p, _ := ctx.Value(progressKey{}).(*Progress)
	return p
}
