package lookup

import (
	"context"
	"errors"
	"net/netip"
	"sync"
)

// A TextSummary counts the results of looking up host names, domains or CVE ids, each once.
type TextSummary struct {
	Count int
	// Failed is how many could not be looked up, or not completely, and Failures why, the most frequent reason first.
	Failed   int
	Failures []Reason
}

// A textTally counts results by text.
type textTally struct {
	mu       sync.Mutex
	failed   map[string]bool
	failures reasons
}

// count counts the result for a text: the first failure, if there is one.
func (t *textTally) count(text string, failure error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.failed == nil {
		t.failed = map[string]bool{}
	}
	if failure != nil && !t.failed[text] {
		t.failures.count(t.failures.number(reasonOf(failure)))
	}
	t.failed[text] = t.failed[text] || failure != nil
}

func (t *textTally) summary() TextSummary {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := TextSummary{Count: len(t.failed), Failures: t.failures.sorted()}
	for _, failure := range s.Failures {
		s.Failed += failure.Addresses
	}
	return s
}

// CountAddress counts the result for an address that no Batch looks up, in the Progress of a context. The failure is nil
// if it was looked up.
func CountAddress(ctx context.Context, addr netip.Addr, failure error) {
	if p := readProgress(ctx, failure); p != nil {
		p.tally.countAnswer(addr, failure, "", false)
	}
}

// CountName counts the result for a host name or a domain, as CountAddress does.
func CountName(ctx context.Context, name string, failure error) {
	if p := readProgress(ctx, failure); p != nil {
		p.names.count(name, failure)
	}
}

// CountDetails counts whether CVEDB had the details of a vulnerability that its source lacks, as CountAddress does.
func CountDetails(ctx context.Context, cve string, failure error) {
	if p := readProgress(ctx, failure); p != nil {
		p.details.count(cve, failure)
	}
}

// readProgress returns the Progress of a context if somebody reads its summary. A lookup that was interrupted is no result.
func readProgress(ctx context.Context, failure error) *Progress {
	p := ProgressFrom(ctx)
	if p == nil || p.log != nil || errors.Is(failure, context.Canceled) {
		return nil
	}
	return p
}
