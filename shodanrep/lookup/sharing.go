package lookup

import (
	"crypto/rand"
	"encoding/json"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/ratelimit"
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

// sharing is how a pacer shares its state with other processes. They have no part in it where file is nil.
type sharing struct {
	file   *ratelimit.File
	record string // its name in the file
	id     string // this process's among the members

	retry time.Time // when the file is tried again
	away  bool      // it could not be used the last time
	found int       // members when it could last

	waiting      time.Time // since when a request waits to be sent, zero where none does
	credit       int       // requests that may be sent without the file
	creditUntil  time.Time
	latencyAhead bool // the latency is newer than the file's
	beating      bool // a heartbeat is to come
}

// shared reports whether other processes change the state. The caller holds the lock.
func (p *pacer) shared() bool { return p.file != nil }

// update changes the state: in the file, where processes share one, while none of the others does. Where the file cannot
// be used this process goes on with its share of the rate. The caller holds the lock.
func (p *pacer) update(change func(now time.Time)) {
	p.look(func(now time.Time) bool {
		change(now)
		return true
	})
}

// look is update for a change that may turn out to be none: change reports whether there is something to tell the other
// processes. Where there is not, and this process has said lately that it is alive, the file is only read.
func (p *pacer) look(change func(now time.Time) bool) {
	if p.file == nil {
		change(time.Now())
		return
	}
	changed := false
	if !time.Now().Before(p.retry) {
		err := p.file.Update(p.record, func(record []byte) []byte {
			now := time.Now()
			news := p.away || p.latencyAhead
			known := p.load(record, now)
			news = change(now) || news
			changed = true
			if !news && now.Sub(known.Seen) < heartbeat && known.Waiting.Equal(p.waiting) && known.UnderWay == p.underWay {
				p.found = len(p.Members)
				return nil
			}
			return p.save(now)
		})
		p.away = err != nil
		if p.away {
			p.retry = time.Now().Add(fileRetry)
		}
	}
	if !changed {
		p.Members = nil
		p.peers = max(p.peers, p.found)
		change(time.Now())
	}
}

// load replaces the state by that of the file. It returns what the file had of this process.
func (p *pacer) load(record []byte, now time.Time) (known member) {
	own := p.rateState
	p.rateState = readRateState(record, now)
	if p.latencyAhead {
		p.Latency, p.latencyAhead = own.Latency, false
	}
	if p.away { // what was learned meanwhile is not in the file
		p.Refusals = max(p.Refusals, own.Refusals)
		for _, t := range []struct {
			to  *time.Time
			own time.Time
		}{{&p.Paused, own.Paused}, {&p.Banned, own.Banned}, {&p.Refusal, own.Refusal}, {&p.Written, own.Written}} {
			if t.own.After(*t.to) {
				*t.to = t.own
			}
		}
	}
	if p.id == "" {
		p.id = rand.Text()
	}
	if p.Members == nil {
		p.Members = map[string]member{}
	}
	known = p.Members[p.id]
	p.join(now)
	return known
}

// join makes this process a member.
func (p *pacer) join(now time.Time) {
	p.Members[p.id] = member{Seen: now, UnderWay: p.underWay, PerSecond: p.perSecond, Waiting: p.waiting}
}

// save returns the state for the file. This process is a member of it for as long as it has requests.
func (p *pacer) save(now time.Time) []byte {
	p.Updated = now
	p.found = len(p.Members)
	p.join(now)
	if p.active() {
		p.keepBeating()
	} else {
		delete(p.Members, p.id)
	}
	record, err := json.Marshal(p.rateState)
	if err != nil { // a number that JSON has no form for
		p.rateState = newRateState()
		record, _ = json.Marshal(p.rateState)
	}
	return record
}

// active reports whether this process has requests.
func (p *pacer) active() bool { return p.underWay > 0 || !p.waiting.IsZero() }

// keepBeating has the file say now and then that this process is alive. The caller holds the lock.
func (p *pacer) keepBeating() {
	if p.beating {
		return
	}
	p.beating = true
	time.AfterFunc(heartbeat, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.beating = false
		if p.active() {
			p.look(func(time.Time) bool { return false })
		}
	})
}

// wait notes that a request of this process waits. The caller holds the lock.
func (p *pacer) wait(now time.Time) {
	if p.waiting.IsZero() {
		p.waiting = now
	}
}

// earlier is how many other processes have waited for longer. The caller holds the lock.
func (p *pacer) earlier() (n int) {
	for id, m := range p.Members {
		if id != p.id && !m.Waiting.IsZero() && (p.waiting.IsZero() || m.Waiting.Before(p.waiting)) {
			n++
		}
	}
	return n
}

// grace is how long a process that has waited for longer has to take its turn. The caller holds the lock.
func (p *pacer) grace(now time.Time) time.Duration {
	interval := time.Duration(float64(time.Second) / p.limit(now))
	// Of many each lets those before it go first.
	return min(maxGrace, interval/20)
}

// othersUnderWay is how many requests of other processes are under way. The caller holds the lock.
func (p *pacer) othersUnderWay() (n int) {
	for id, m := range p.Members {
		if id != p.id {
			n += m.UnderWay
		}
	}
	return n
}

// block is how many further requests may be sent without a look into the file. The caller holds the lock.
func (p *pacer) block() int {
	if !p.fast() {
		return 0
	}
	// Where the burst is nothing beside the rate, as where the limits are lifted, it need not be counted.
	if share := p.rate() * creditTime.Seconds() / float64(max(1, len(p.Members))); share >= 10*creditSize {
		return int(share)
	}
	return max(0, min(creditSize, int(p.Tokens), int(p.rate()*creditTime.Seconds())))
}

// fast reports whether the rate is so high that a look into the file for each request would slow this process down. The
// caller holds the lock.
func (p *pacer) fast() bool {
	return p.file != nil && !p.exact && p.Refusals == 0 && p.rate() > rampedPace
}

// creditLeft reports whether the file need not be looked into. The caller holds the lock.
func (p *pacer) creditLeft() bool { return p.credit > 0 && time.Now().Before(p.creditUntil) }

// spendCredit takes one of the requests that may be sent without a look into the file. The caller holds the lock.
func (p *pacer) spendCredit() bool {
	now := time.Now()
	if !p.creditLeft() || p.held(now) || p.underWay+p.othersUnderWay() >= p.window(now) {
		return false
	}
	p.credit--
	return true
}
