package lookup

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

func TestMachinesAreToldOfARequestThatIsWrittenLate(t *testing.T) {
	t.Parallel()
	for _, late := range []time.Duration{0, 150 * time.Millisecond} {
		synctest.Test(t, func(t *testing.T) {
			shared := newRedis()
			p := newPacer(limits{perSecond: 1, burst: 1, bannedAfter: 6, banTime: time.Minute, exact: true})
			d, err := p.start(t.Context(), turn{coordinator: shared, name: "rate"})
			if err != nil {
				t.Fatal(err)
			}
			if !d.departed() {
				t.Error("among machines the turn comes before the connection")
			}
			time.Sleep(late)
			d.tellLateness(t.Context())
			var want []time.Duration
			if late > 0 {
				want = []time.Duration{late}
			}
			if !slices.Equal(shared.delayed, want) {
				t.Errorf("delayed by %v, want %v", shared.delayed, want)
			}
			p.done(d.begun)
		})
	}
}

func TestWithoutRedisTheTurnComesWithTheConnectionAgain(t *testing.T) {
	t.Parallel()
	shared := newRedis()
	shared.leave()
	p := newPacer(limits{perSecond: 1, burst: 1, bannedAfter: 6, banTime: time.Minute, exact: true})
	d, err := p.start(t.Context(), turn{coordinator: shared, name: "rate"})
	if err != nil || d.departed() {
		t.Errorf("departed %v, %v; want it to wait for its connection", d.departed(), err)
	}
	if err := d.depart(t.Context()); err != nil || !d.departed() {
		t.Errorf("departed %v, %v", d.departed(), err)
	}
	d.end()
	p.done(d.begun)
}
