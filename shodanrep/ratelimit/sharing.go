package ratelimit

import (
	"crypto/rand"
	"encoding/json"
	"time"
)

const (
	// fileRetry is how long a process goes on by itself after the file could not be used.
	fileRetry = 2 * time.Second
	// creditTime and creditSize bound the requests that a process may send without a look into the file, where the rate is
	// so high that a look for each would slow it down.
	creditTime = 200 * time.Millisecond
	creditSize = 100
	// maxGrace bounds how long a process lets another that has waited for longer go first.
	maxGrace = 20 * time.Millisecond
)

// sharing is how a limiter shares its state with other processes. They have no part in it where file is nil.
type sharing struct {
	file *File
	name string // of the record in the file, and of the rate among machines
	id   string // this process's among the members

	retry time.Time // when the file is tried again
	away  bool      // it could not be used the last time
	found int       // members when it could last

	waiting      time.Time // since when a request waits to be sent, zero where none does
	credit       int       // requests that may be sent without the file
	creditUntil  time.Time
	writing      bool // a request has a slot and is not yet written, where the limiter is exact
	latencyAhead bool // the latency is newer than the file's
	beating      bool // a heartbeat is to come
}

// update changes the state: in the file, where processes share one, while none of the others does. Where the file cannot
// be used this process goes on with its share of the rate. The caller holds the lock.
func (l *Limiter) update(change func(now time.Time)) {
	l.look(func(now time.Time) bool {
		change(now)
		return true
	})
}

// look is update for a change that may turn out to be none: change reports whether there is something to tell the other
// processes. Where there is not, and this process has said lately that it is alive, the file is only read.
func (l *Limiter) look(change func(now time.Time) bool) {
	if l.file == nil {
		change(time.Now())
		return
	}
	changed := false
	if !time.Now().Before(l.retry) {
		err := l.file.Update(l.name, func(record []byte) []byte {
			now := time.Now()
			news := l.away || l.latencyAhead
			known := l.load(record, now)
			news = change(now) || news
			changed = true
			if !news && now.Sub(known.Seen) < heartbeat && known.Waiting.Equal(l.waiting) && known.UnderWay == l.underWay && known.Writing == l.writing {
				l.found = len(l.Members)
				return nil
			}
			return l.save(now)
		})
		l.away = err != nil
		if l.away {
			l.retry = time.Now().Add(fileRetry)
		}
	}
	if !changed {
		l.Members = nil
		l.peers = max(l.peers, l.found)
		change(time.Now())
	}
}

// load replaces the state by that of the file. It returns what the file had of this process.
func (l *Limiter) load(record []byte, now time.Time) (known member) {
	own := l.state
	l.state = readState(record, now)
	if l.latencyAhead {
		l.Latency, l.latencyAhead = own.Latency, false
	}
	if l.away { // what was learned meanwhile is not in the file
		l.Refusals = max(l.Refusals, own.Refusals)
		if own.TokensAt.After(l.TokensAt) {
			l.Tokens, l.TokensAt = own.Tokens, own.TokensAt
		}
		for _, t := range []struct {
			to  *time.Time
			own time.Time
		}{{&l.Paused, own.Paused}, {&l.Banned, own.Banned}, {&l.Refusal, own.Refusal}} {
			if t.own.After(*t.to) {
				*t.to = t.own
			}
		}
	}
	if l.id == "" {
		l.id = rand.Text()
	}
	if l.Members == nil {
		l.Members = map[string]member{}
	}
	known = l.Members[l.id]
	l.join(now)
	return known
}

// join makes this process a member.
func (l *Limiter) join(now time.Time) {
	l.Members[l.id] = member{Seen: now, UnderWay: l.underWay, PerSecond: l.limits.PerSecond, Waiting: l.waiting, Writing: l.writing}
}

// save returns the state for the file. This process is a member of it for as long as it has requests.
func (l *Limiter) save(now time.Time) []byte {
	l.Updated = now
	l.found = len(l.Members)
	l.join(now)
	if l.active() {
		l.keepBeating()
	} else {
		delete(l.Members, l.id)
	}
	record, err := json.Marshal(l.state)
	if err != nil { // a number that JSON has no form for
		l.state = newState()
		record, _ = json.Marshal(l.state)
	}
	return record
}

// active reports whether this process has requests.
func (l *Limiter) active() bool { return l.underWay > 0 || !l.waiting.IsZero() }

// keepBeating has the file say now and then that this process is alive. The caller holds the lock.
func (l *Limiter) keepBeating() {
	if l.beating {
		return
	}
	l.beating = true
	time.AfterFunc(heartbeat, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.beating = false
		if l.active() {
			l.look(func(time.Time) bool { return false })
		}
	})
}

// othersWrite reports whether a request of another process has its slot and is not yet written. The caller holds the
// lock.
func (l *Limiter) othersWrite() bool {
	for id, m := range l.Members {
		if id != l.id && m.Writing {
			return true
		}
	}
	return false
}

// earlier is how many other processes have waited for longer. The caller holds the lock.
func (l *Limiter) earlier() (n int) {
	for id, m := range l.Members {
		if id != l.id && !m.Waiting.IsZero() && (l.waiting.IsZero() || m.Waiting.Before(l.waiting)) {
			n++
		}
	}
	return n
}

// grace is how long a process that has waited for longer has to take its turn. The caller holds the lock.
func (l *Limiter) grace(now time.Time) time.Duration {
	interval := time.Duration(float64(time.Second) / l.limit(now))
	// Of many each lets those before it go first.
	return min(maxGrace, interval/20)
}

// othersUnderWay is how many requests of other processes are under way. The caller holds the lock.
func (l *Limiter) othersUnderWay() (n int) {
	for id, m := range l.Members {
		if id != l.id {
			n += m.UnderWay
		}
	}
	return n
}

// block is how many further requests may be sent without a look into the file. The caller holds the lock.
func (l *Limiter) block() int {
	if !l.fast() {
		return 0
	}
	// Where the burst is nothing beside the rate, as where the limits are lifted, it need not be counted.
	if share := l.rate() * creditTime.Seconds() / float64(max(1, len(l.Members))); share >= 10*creditSize {
		return int(share)
	}
	return max(0, min(creditSize, int(l.Tokens), int(l.rate()*creditTime.Seconds())))
}

// fast reports whether the rate is so high that a look into the file for each request would slow this process down. The
// caller holds the lock.
func (l *Limiter) fast() bool {
	return l.file != nil && !l.limits.Exact && l.Refusals == 0 && l.rate() > rampedPace
}

// creditLeft reports whether the file need not be looked into. The caller holds the lock.
func (l *Limiter) creditLeft() bool { return l.credit > 0 && time.Now().Before(l.creditUntil) }

// spendCredit takes one of the requests that may be sent without a look into the file. The caller holds the lock.
func (l *Limiter) spendCredit() bool {
	now := time.Now()
	if !l.creditLeft() || l.paused(now) || l.underWay+l.othersUnderWay() >= l.window(now) {
		return false
	}
	l.credit--
	return true
}
