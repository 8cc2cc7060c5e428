package history

import (
	"context"
	"iter"
	"net/netip"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	// maxReason is how many bytes of the reason of a failure are stored.
	maxReason = 500
	// maxPendingFailures bounds the failures that wait to be written: while a service is down, lookups fail fast.
	maxPendingFailures = 100_000
	// failureShare is which part of the size of a store its failures may take up, and failureBytes the size of one.
	failureShare = 10
	failureBytes = 300
)

// A Failure is the lookups of an address by a source that have failed since the source last responded about it.
type Failure struct {
	Addr   netip.Addr
	Source string
	// First and Last are when the first and the last lookup failed, and Lookups how many did.
	First, Last time.Time
	Lookups     int64
	Reason      string // of the last one
}

// RecordFailure records soon that a lookup of an address failed, and returns at once.
func (s *Store) RecordFailure(addr netip.Addr, source, reason string, at time.Time) {
	if !s.Records() || !addr.IsValid() || at.IsZero() {
		return
	}
	addr, at = addr.Unmap().WithZone(""), at.UTC().Truncate(time.Microsecond)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	if s.addFailure(Failure{Addr: addr, Source: source, First: at, Last: at, Lookups: 1, Reason: shortReason(reason)}) {
		s.scheduleFlush(len(s.failures) >= flushAt)
	}
}

// addFailure adds a failure to those that are pending, and reports whether there is room for it. The caller holds the lock.
func (s *Store) addFailure(f Failure) bool {
	if s.failures == nil {
		s.failures = map[key]Failure{}
	}
	k := key{f.Addr, f.Source}
	known, isKnown := s.failures[k]
	switch {
	case isKnown:
		f = known.merge(f)
	case len(s.failures) >= maxPendingFailures:
		s.leaveOut()
		return false
	}
	s.failures[k] = f
	return true
}

// merge returns the failures of both.
func (f Failure) merge(other Failure) Failure {
	f.Lookups += other.Lookups
	if other.First.Before(f.First) {
		f.First = other.First
	}
	if !other.Last.Before(f.Last) {
		f.Last, f.Reason = other.Last, other.Reason
	}
	return f
}

// shortReason returns a reason as it is stored: PostgreSQL stores no NUL and nothing that is not UTF-8.
func shortReason(reason string) string {
	reason = strings.ReplaceAll(strings.ToValidUTF8(reason, "\uFFFD"), "\x00", "")
	if len(reason) <= maxReason {
		return reason
	}
	end := maxReason
	for !utf8.RuneStart(reason[end]) {
		end--
	}
	return reason[:end] + "…"
}

// Failures yields the failures of addresses, or of all if there are none, whose last lookup was not before a time, with
// what is pending, in no order. A failure after which the source has responded is none. It ends with the first error.
func (s *Store) Failures(ctx context.Context, addrs []netip.Addr, since time.Time) iter.Seq2[Failure, error] {
	return stored(ctx, s, func(yield func(Failure) bool) error { return s.backend.failures(ctx, addrs, since, yield) })
}
