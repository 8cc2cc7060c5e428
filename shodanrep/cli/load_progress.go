package cli

import (
	"context"
	"iter"
	"net/netip"
	"sync"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/scan"
)

// A loadProgress counts the lookups of a load. Each claim has a Progress of its own, because a Progress keeps each of
// its addresses.
type loadProgress struct {
	shown  *lookup.Progress // of the bar: shows the unpacking of a file
	mu     sync.Mutex
	active map[*lookup.Progress]bool // of claims that are being looked up
	ended  lookup.Summary            // of all other claims
	done   lookup.ProgressState      // of them

	// How much is left is known from counts of the queue, which other processes shorten as well.
	total      int64
	firstLeft  int64
	firstCount time.Time
}

func newLoadProgress() *loadProgress {
	return &loadProgress{shown: lookup.NewProgress(), active: map[*lookup.Progress]bool{}}
}

// checkWith returns a function that looks up addresses with a checker and counts them.
func (p *loadProgress) checkWith(checker *scan.Checker) func(context.Context, []netip.Addr, int) iter.Seq2[*scan.Verdict, error] {
	return func(ctx context.Context, addrs []netip.Addr, size int) iter.Seq2[*scan.Verdict, error] {
		return func(yield func(*scan.Verdict, error) bool) {
			claim := lookup.NewProgress()
			claim.ShowUnpackingIn(p.shown)
			p.begin(claim)
			defer p.end(claim)
			for v, err := range checker.Check(lookup.WithProgress(ctx, claim), prefixesOf(addrs), size) {
				if !yield(v, err) {
					return
				}
			}
		}
	}
}

func prefixesOf(addrs []netip.Addr) iter.Seq[netip.Prefix] {
	return func(yield func(netip.Prefix) bool) {
		for _, addr := range addrs {
			if !yield(netip.PrefixFrom(addr, addr.BitLen())) {
				return
			}
		}
	}
}

func (p *loadProgress) begin(claim *lookup.Progress) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.active[claim] = true
}

func (p *loadProgress) end(claim *lookup.Progress) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.active, claim)
	p.ended = merged(p.ended, claim.Summary())
	p.done = addStates(p.done, claim.State())
}

// setLeft notes how many addresses are in the queue. Those that are being looked up are.
func (p *loadProgress) setLeft(left int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.total = p.done.Done + left
	if p.firstCount.IsZero() {
		p.firstLeft, p.firstCount = left, time.Now()
	}
}

// state returns how far the load is.
func (p *loadProgress) state() lookup.ProgressState {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.done
	for claim := range p.active {
		s = addStates(s, claim.State())
	}
	s.Total = max(p.total, s.Done)
	left, took := s.Total-s.Done, time.Since(p.firstCount)
	if did := p.firstLeft - left; did > 0 && left > 0 {
		s.Left = lookup.TimeLeft(took.Seconds() * float64(left) / float64(did))
	}
	if p.total == 0 {
		s.Total = 0 // the bar is not shown before the first count
	}
	return s
}

// summary returns the summary of the lookups so far.
func (p *loadProgress) summary() lookup.Summary {
	p.mu.Lock()
	defer p.mu.Unlock()
	sum := p.ended
	for claim := range p.active {
		sum = merged(sum, claim.Summary())
	}
	return sum
}

func addStates(a, b lookup.ProgressState) lookup.ProgressState {
	return lookup.ProgressState{Done: a.Done + b.Done, Failed: a.Failed + b.Failed, FromCache: a.FromCache + b.FromCache}
}
