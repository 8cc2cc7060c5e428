package history

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestClocksThatJump records observations whose times are not in the order in which they come.
func TestClocksThatJump(t *testing.T) {
	t.Parallel()
	type seen struct {
		day  float64
		port int // 0: not indexed
	}
	tests := map[string]struct {
		seen []seen
		want []string
	}{
		"late, and the same as before": {
			[]seen{{0, 1}, {2, 1}, {1, 1}},
			[]string{"192.0.2.1 internetdb 0-2 x3 [1]"},
		},
		"late, between two states": {
			[]seen{{0, 1}, {4, 2}, {2, 3}},
			[]string{"192.0.2.1 internetdb 0-0 x1 [1]", "192.0.2.1 internetdb 2-2 x1 [3]", "192.0.2.1 internetdb 4-4 x1 [2]"},
		},
		"late, and the same as the state after it": {
			[]seen{{0, 1}, {4, 2}, {2, 2}},
			[]string{"192.0.2.1 internetdb 0-0 x1 [1]", "192.0.2.1 internetdb 2-4 x2 [2]"},
		},
		"late, and longer than the state before it": {
			[]seen{{0, 1}, {4, 2}, {2, 1}},
			[]string{"192.0.2.1 internetdb 0-2 x2 [1]", "192.0.2.1 internetdb 4-4 x1 [2]"},
		},
		"late, and it contradicts a state": {
			[]seen{{0, 1}, {3, 1}, {4, 1}, {2, 2}},
			[]string{"192.0.2.1 internetdb 0-0 x2 [1]", "192.0.2.1 internetdb 2-2 x1 [2]", "192.0.2.1 internetdb 4-4 x1 [1]"},
		},
		"before all": {
			[]seen{{0, 1}, {-9000, 2}, {1, 1}},
			[]string{"192.0.2.1 internetdb -9e+03--9e+03 x1 [2]", "192.0.2.1 internetdb 0-1 x2 [1]"},
		},
		"two at the same time": {
			[]seen{{0, 1}, {0, 2}, {0, 1}, {1, 1}},
			[]string{"192.0.2.1 internetdb 0-0 x1 [1]", "192.0.2.1 internetdb 0-0 x1 [2]", "192.0.2.1 internetdb 0-1 x2 [1]"},
		},
		// Years ahead for a moment: the present goes on as if it had not been, and the future is not shown.
		"ahead, with other facts": {
			[]seen{{0, 1}, {9000, 2}, {1, 1}, {2, 2}, {3, 3}},
			[]string{"192.0.2.1 internetdb 0-1 x2 [1]", "192.0.2.1 internetdb 2-2 x2 [2]", "192.0.2.1 internetdb 3-3 x1 [3]"},
		},
		"ahead, with the same facts": {
			[]seen{{0, 1}, {9000, 1}, {1, 1}, {2, 2}, {3, 2}},
			[]string{"192.0.2.1 internetdb 0-1 x3 [1]", "192.0.2.1 internetdb 2-3 x2 [2]"},
		},
		// That is no check which a report may count: the address would look as if it had just been checked, for years.
		"ahead at last": {
			[]seen{{0, 1}, {1, 1}, {9000, 1}},
			[]string{"192.0.2.1 internetdb 0-0 x3 [1]"},
		},
		"ahead at last, and then right": {
			[]seen{{0, 1}, {1, 1}, {9000, 1}, {2, 1}},
			[]string{"192.0.2.1 internetdb 0-2 x4 [1]"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			places(t, func(t *testing.T, open func(Options) *Store) {
				s := open(Options{})
				for _, o := range test.seen {
					record1(t, s, addrA, "internetdb", withPorts(t, o.port), day(o.day))
				}
				if diff := cmp.Diff(test.want, shown(states(t, s, Filter{}))); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}

// TestStatesAreInOrderWhateverComesWhen records random observations in random order, and in batches of random size. The
// states of an address must not overlap, no two in a row may be equal but where a third was between them, and each
// observation must count.
func TestStatesAreInOrderWhateverComesWhen(t *testing.T) {
	t.Parallel()
	for seed := range uint64(30) {
		rng := rand.New(rand.NewPCG(seed, 1))
		s := openTest(t, Options{Location: t.TempDir() + "/history.sqlite"})
		const observations = 60
		times := rng.Perm(observations)
		for some := range slices.Chunk(times, 1+int(seed%7)) { // that come in order
			slices.Sort(some)
		}
		for _, n := range times {
			at := n / (1 + int(seed%2)) // some are at the same time
			s.Record(Observation{Addr: addrA, Source: "internetdb", Host: withPorts(t, 1+rng.IntN(3)), CheckedAt: day(float64(at))})
			if rng.IntN(4) == 0 {
				if err := s.Flush(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
		}
		got := states(t, s, Filter{})
		var checks int64
		for i, state := range got {
			checks += state.Checks
			if state.LastChecked.Before(state.FirstChecked) {
				t.Errorf("seed %d: state %d ends before it begins", seed, i)
			}
			if i > 0 && state.FirstChecked.Before(got[i-1].LastChecked) {
				t.Fatalf("seed %d: states %d and %d overlap: %v", seed, i-1, i, shown(got[i-1:i+1]))
			}
		}
		if checks != observations {
			t.Errorf("seed %d: %d checks, want %d", seed, checks, observations)
		}
	}
}

func TestRetentionIgnoresAClockThatJumps(t *testing.T) {
	t.Parallel()
	r := retention{ran: day(0), until: day(0)}
	steps := []struct {
		now, until float64
		due        bool
	}{
		{0.5, 0, false}, {1, 1, true}, {5, 5, true}, {9000, 12, true}, {9000.5, 12, false}, {6, 6, true}, {7, 7, true},
		{70, 14, true}, {71, 21, true}, {-500, 14, true}, {72, 21, true}, {19, 19, true},
	}
	for _, step := range steps {
		next, due := r.next(day(step.now))
		if due != step.due || !next.until.Equal(day(step.until)) {
			t.Errorf("day %v: until %v, %v, want day %v, %v", step.now, next.until, due, step.until, step.due)
		}
		if before := next.before(time.Hour); before.After(day(step.now).Add(-time.Hour)) || before.After(next.until) {
			t.Errorf("day %v: states from before %v are too old", step.now, before)
		}
		r = next
	}
}

// TestWhatIsTooOldIsDeleted writes on days that follow one another.
func TestWhatIsTooOldIsDeleted(t *testing.T) {
	t.Parallel()
	places(t, func(t *testing.T, open func(Options) *Store) {
		var now clock
		now.set(day(0))
		s := open(Options{Keep: 10 * 24 * time.Hour, Now: now.now})
		for n := range 30 {
			now.set(day(float64(n)))
			record1(t, s, addrA, "internetdb", withPorts(t, n+1), now.now())
			record1(t, s, addrB, "internetdb", withPorts(t, 7), now.now())
		}
		got := states(t, s, Filter{Addrs: []netip.Addr{addrA}})
		if len(got) < 10 || len(got) > 12 || got[0].FirstChecked.Before(day(18)) {
			t.Errorf("%d states, the first of %v", len(got), got[0].FirstChecked)
		}
		if got := states(t, s, Filter{Addrs: []netip.Addr{addrB}}); len(got) != 1 || got[0].Checks != 30 {
			t.Errorf("%v, want the state that is still checked", shown(got))
		}
	})
}
