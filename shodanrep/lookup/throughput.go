package lookup

import (
	"sync"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/upstream"
)

const (
	// paceSeconds is how long a time the pace is measured over: what was before says little of what comes.
	paceSeconds = 10
	// paceAfter is how long it is measured at least before it is told.
	paceAfter = 3 * time.Second
	// burstTime is how long a burst is taken to last at most: another query may have used it up.
	burstTime = 3 * time.Second
	// burstTail is for the requests that become allowed while the burst is under way.
	burstTail = time.Second
)

// A throughput measures how many lookups a second the services answer. It leaves out the burst that InternetDB allows
// at the start, which tells nothing of the rest.
type throughput struct {
	mu      sync.Mutex
	burst   int           // responses of InternetDB that count as its burst
	first   time.Duration // when the first of them came
	began   time.Duration // when measuring began: after the burst, or the first of another service
	started bool
	seconds [paceSeconds + 1]int // answers by second, in a ring
	second  int                  // the newest in the ring
}

// add counts an answer at a time since the meter began.
func (t *throughput) add(source Source, at time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if source == InternetDB && !t.started {
		if t.burst++; t.burst == 1 {
			t.first = at
		}
		if t.burst == upstream.InternetDBBurst || at-t.first >= burstTime {
			t.start(at + burstTail)
		}
		return
	}
	if !t.started {
		t.start(at)
		return // the time before it is not measured
	}
	if at < t.began {
		return
	}
	t.advance(at)
	t.seconds[t.second%len(t.seconds)]++
}

func (t *throughput) start(at time.Duration) {
	t.started, t.began, t.second = true, at, int(at/time.Second)
}

// advance empties the seconds of the ring that have gone by without an answer.
func (t *throughput) advance(at time.Duration) {
	now := int(at / time.Second)
	for n := 0; t.second < now && n < len(t.seconds); n++ {
		t.second++
		t.seconds[t.second%len(t.seconds)] = 0
	}
	t.second = now
}

// perSecond returns the pace of the last ten seconds, or 0 where there is none yet.
func (t *throughput) perSecond(at time.Duration) float64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.started || at-t.began < paceAfter {
		return 0
	}
	t.advance(at)
	answers := 0
	for _, n := range t.seconds {
		answers += n
	}
	// The ring holds ten whole seconds and what has gone by of the newest.
	measured := min(at-t.began, paceSeconds*time.Second+at%time.Second)
	return float64(answers) / measured.Seconds()
}
