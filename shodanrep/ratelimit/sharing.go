package ratelimit

import (
	"bytes"
	"encoding/json"
	"maps"
	"time"
)

const (
	// pollEvery is how often a process that waits reads what others have changed, and one with requests says that it is
	// alive. pollOften is how often it does where another's request may end at any moment. An update of the file takes
	// some 20 µs, see BenchmarkUpdate.
	pollEvery = 250 * time.Millisecond
	pollOften = 50 * time.Millisecond
	// memberTimeout is how long a process counts as one with requests after it last said so: three times pollEvery, and
	// less than the second of TestAProcessThatIsKilledBlocksNobodyForMoreThanASecond.
	memberTimeout = 900 * time.Millisecond
	// localTime bounds the requests that a process may send without a look into the file, where the rate is above
	// maxRamped: figure 1 sends 2,000 a second, and a look for each would slow it down.
	localTime = 200 * time.Millisecond
	// grace is how long a process lets another that has waited for longer go first, in intervals of the rate. Without
	// it the process that is faster to wake up would get every token.
	grace = 0.05
)

// sharing is how a limiter shares its state with other processes and machines.
type sharing struct {
	file *File  // nil where processes share nothing
	name string // of the record in the file, and of the rate among machines
	id   string // this process's among the members

	away  bool // the file was out of reach the last time
	peers int  // how many processes shared the rate through the file when it was last known
	// machinePeers is how many processes shared it through the machines' Coordinator.
	machinePeers int

	saved       time.Time // when the state was last written to the file, or was there already
	seen        time.Time // when the file was last told that this process is alive
	beating     bool      // a heartbeat is to come
	waiting     time.Time // since when a request waits to be sent, zero where none does
	writing     bool      // a request has a slot and is not yet written, where the limiter is exact
	tokensAt    time.Time // when this process last set the tokens, with the monotonic clock that no file has
	localTokens int       // requests that may be sent without a look into the file
	localUntil  time.Time
}

// update changes the state: in the file, where processes share one, while none of the others does. Where the file
// cannot be used this process goes on with its share of the rate. The caller holds the lock.
func (l *Limiter) update(change func(now time.Time)) {
	changed := false
	if l.file != nil {
		err := l.file.Update(l.name, func(record []byte, cleared time.Time) []byte {
			now := time.Now()
			// The file was damaged, and perhaps written again by now, where it lacks what this process has written.
			l.away = l.away || len(record) == 0 && l.saved.After(cleared)
			l.load(record, now)
			change(now)
			changed, l.saved = true, now
			return l.save(record, now)
		})
		l.away = err != nil
	}
	if !changed {
		l.Members = nil
		change(time.Now())
	}
}

// load replaces the state by that of the file. Where the file was out of reach or damaged it lacks what this process has
// learned meanwhile.
func (l *Limiter) load(record []byte, now time.Time) {
	own := l.state
	l.state = readState(record, now)
	delete(l.Members, l.id)
	if l.TokensAt.Equal(l.tokensAt) {
		l.TokensAt = l.tokensAt
	}
	if l.away {
		l.away = false
		l.Paused, l.Banned = later(own.Paused, l.Paused), later(own.Banned, l.Banned)
		l.Unavailable, l.ClientRefused = later(own.Unavailable, l.Unavailable), later(own.ClientRefused, l.ClientRefused)
		if own.TokensAt.After(l.TokensAt) {
			l.Tokens, l.TokensAt = own.Tokens, own.TokensAt
		}
		if own.Refusal.After(l.Refusal) {
			l.Lowered, l.Ceiling, l.CeilingTTL = own.Lowered, own.Ceiling, own.CeilingTTL
			l.Refusal, l.Refusals, l.Since = own.Refusal, own.Refusals, own.Since
		}
	}
}

// setTokens sets the tokens as of now. As long as no other process sets them, this process counts from then with the
// monotonic clock: a clock that is set forward would let one request go at once. After a request of another process it
// has only the time in the file: a clock that is set forward between the two lets one request go early.
func (l *Limiter) setTokens(tokens float64, now time.Time) {
	l.Tokens, l.TokensAt, l.tokensAt = tokens, now, now
}

// save returns the state for the file, or nil where it is the file's already. This process is a member of it for as
// long as it has requests.
func (l *Limiter) save(record []byte, now time.Time) []byte {
	l.peers = 1 + len(l.Members)
	s := l.state
	if l.active() {
		if now.Sub(l.seen) >= pollEvery {
			l.seen = now
		}
		s.Members = map[string]member{l.id: {
			Seen: l.seen, UnderWay: l.underWay, PerSecond: l.limits.PerSecond, Waiting: l.waiting, Writing: l.writing,
		}}
		maps.Copy(s.Members, l.Members)
		l.keepBeating()
	}
	saved, err := json.Marshal(s)
	switch {
	case err != nil: // a number that JSON has no form for
		l.state = newState()
		saved, _ = json.Marshal(l.state)
	case bytes.Equal(saved, record):
		return nil
	}
	return saved
}

// active reports whether this process has requests. The caller holds the lock.
func (l *Limiter) active() bool { return l.underWay > 0 || !l.waiting.IsZero() }

// keepBeating has the file say now and then that this process is alive. The caller holds the lock.
func (l *Limiter) keepBeating() {
	if l.beating {
		return
	}
	l.beating = true
	time.AfterFunc(pollEvery, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.beating = false
		if l.active() {
			l.update(func(time.Time) {})
		}
	})
}

// others returns how many requests of other processes are under way, whether another process has waited for longer, and
// whether a request of another has its slot and is not yet written. The caller holds the lock.
func (l *Limiter) others() (underWay int, waitLonger, writing bool) {
	for _, m := range l.Members {
		underWay += m.UnderWay
		waitLonger = waitLonger || !m.Waiting.IsZero() && (l.waiting.IsZero() || m.Waiting.Before(l.waiting))
		writing = writing || m.Writing
	}
	return underWay, waitLonger, writing
}

// fast reports whether the rate is so high that a look into the file for each request would slow this process down. The
// caller holds the lock.
func (l *Limiter) fast() bool {
	return l.file != nil && !l.limits.Exact && l.Refusals == 0 && l.rate(time.Now()) > maxRamped
}

// takeLocal takes tokens for further requests, which then need no look into the file. The caller holds the lock.
func (l *Limiter) takeLocal(now time.Time) {
	l.localTokens = 0
	if l.fast() {
		l.localTokens = int(max(0, min(l.Tokens, l.rate(now)*localTime.Seconds()/float64(1+len(l.Members)))))
		l.localUntil = now.Add(localTime)
		l.Tokens -= float64(l.localTokens)
	}
}

// spendLocal takes one of the requests that need no look into the file. The caller holds the lock.
func (l *Limiter) spendLocal() bool {
	now := time.Now()
	others, _, _ := l.others()
	if l.localTokens == 0 || now.After(l.localUntil) || now.Before(l.Paused) || now.Before(l.Banned) ||
		l.underWay+others >= l.window(now) {
		return false
	}
	l.localTokens--
	return true
}
