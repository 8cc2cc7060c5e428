package lookup

import (
	"sync"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/upstream"
)

const (
	// rateSeconds is the time over which the rate is measured: what was before says little of what comes.
	rateSeconds = 10
	// rateAfter is how long it is measured at least before it is used.
	rateAfter = 3 * time.Second
	// burstTime is how long a burst lasts at most: another query may have used it up.
	burstTime = 3 * time.Second
	// burstTail is for the requests that become allowed during the burst.
	burstTail = time.Second
)

// A throughput measures how many lookups a second the services answer. It leaves out the burst that InternetDB allows
// at the start, which says nothing of the rest.
type throughput struct {
	mu      sync.Mutex
	burst   int           // responses of InternetDB that count as its burst
	first   time.Duration // when the first of them came
	began   time.Duration // when measuring began: after the burst, or the first of another service
	started bool
	seconds [rateSeconds + 1]int // responses by second, in a ring
	second  int                  // the newest in the ring
}

// add counts a response at a time since the start.
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

// advance empties the seconds of the ring that have gone by without a response.
func (t *throughput) advance(at time.Duration) {
	now := int(at / time.Second)
	for n := 0; t.second < now && n < len(t.seconds); n++ {
		t.second++
		t.seconds[t.second%len(t.seconds)] = 0
	}
	t.second = now
}

// perSecond returns the rate of the last ten seconds, or 0 if it is not known yet.
func (t *throughput) perSecond(at time.Duration) float64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.started || at-t.began < rateAfter {
		return 0
	}
	t.advance(at)
	answers := 0
	for _, n := range t.seconds {
		answers += n
	}
	// The ring holds ten whole seconds and what has gone by of the newest.
	measured := min(at-t.began, rateSeconds*time.Second+at%time.Second)
	return float64(answers) / measured.Seconds()
}
