package history

import (
	"errors"
	"maps"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/postgrestest"
)

// failures reads the failures since a time, of addresses or of all, by their address and source.
func failures(t testing.TB, s *Store, since time.Time, addrs ...netip.Addr) map[string]Failure {
	t.Helper()
	found := map[string]Failure{}
	for f, err := range s.Failures(t.Context(), addrs, since) {
		if err != nil {
			t.Fatal(err)
		}
		name := f.Addr.String() + " " + f.Source
		f.Addr, f.Source = netip.Addr{}, ""
		found[name] = f
	}
	return found
}

func TestFailuresAreThoseSinceTheLastResponse(t *testing.T) {
	places(t, func(t *testing.T, open func(Options) *Store) {
		s := open(Options{})
		if got := failures(t, s, time.Time{}); len(got) != 0 {
			t.Errorf("a new store has %v", got)
		}
		record1(t, s, address(1), "internetdb", withPorts(t, 80), day(0))
		s.RecordFailure(address(1), "internetdb", "HTTP 500", day(1))
		s.RecordFailure(address(1), "internetdb", "HTTP 502", day(2))
		s.RecordFailure(address(2), "shodan", "refused", day(2))
		one := Failure{First: day(1), Last: day(2), Lookups: 2, Reason: "HTTP 502"}
		two := Failure{First: day(2), Last: day(2), Lookups: 1, Reason: "refused"}
		one1, two2 := address(1).String()+" internetdb", address(2).String()+" shodan"
		if got := failures(t, s, time.Time{}); !maps.Equal(got, map[string]Failure{one1: one, two2: two}) {
			t.Errorf("got %+v", got)
		}
		for _, test := range []struct {
			addrs []netip.Addr
			want  map[string]Failure
		}{
			{[]netip.Addr{address(2), netip.AddrFrom16(address(2).As16()), address(3)}, map[string]Failure{two2: two}},
			{[]netip.Addr{address(2), address(1)}, map[string]Failure{one1: one, two2: two}},
			{[]netip.Addr{address(3)}, map[string]Failure{}},
		} {
			if got := failures(t, s, time.Time{}, test.addrs...); !maps.Equal(got, test.want) {
				t.Errorf("of %v: %+v", test.addrs, got)
			}
		}
		// A later process adds to what is there.
		s.RecordFailure(address(1), "internetdb", "HTTP 503", day(3))
		one.Last, one.Lookups, one.Reason = day(3), 3, "HTTP 503"
		if got := failures(t, s, day(2.5)); !maps.Equal(got, map[string]Failure{one1: one}) {
			t.Errorf("since a time: %+v", got)
		}
		// A response ends the failures of its source only.
		record1(t, s, address(1), "internetdb", withPorts(t, 80), day(4))
		record1(t, s, address(2), "internetdb", nil, day(4))
		if got := failures(t, s, time.Time{}); !maps.Equal(got, map[string]Failure{two2: two}) {
			t.Errorf("after a response: %+v", got)
		}
		s.RecordFailure(address(1), "internetdb", "again", day(5))
		if got := failures(t, s, time.Time{})[one1]; got != (Failure{First: day(5), Last: day(5), Lookups: 1, Reason: "again"}) {
			t.Errorf("after a response the count begins again: %+v", got)
		}
	})
}

func TestFailuresDoNotFillAStore(t *testing.T) {
	places(t, func(t *testing.T, open func(Options) *Store) {
		var now clock
		now.set(day(0))
		s := open(Options{Keep: 10 * 24 * time.Hour, Now: now.now})
		s.RecordFailure(address(1), "internetdb", "long "+strings.Repeat("ä\x00", 1000), day(0))
		s.RecordFailure(address(2), "internetdb", "answered later", day(0))
		if got := failures(t, s, time.Time{})[address(1).String()+" internetdb"].Reason; len(got) > maxReason+len("…") || strings.Contains(got, "\x00") {
			t.Errorf("the reason is %d bytes", len(got))
		}
		for n := range 30 { // the time that decides moves in steps
			now.set(day(float64(n + 1)))
			record1(t, s, address(2), "internetdb", nil, now.now())
			if err := s.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if got := failures(t, s, time.Time{}); len(got) != 0 {
			t.Errorf("left: %v", got)
		}
	})
}

// TestPendingFailuresOutliveAFailedWrite has failures in memory added to those that come while a store cannot be written.
func TestPendingFailuresOutliveAFailedWrite(t *testing.T) {
	s := openTest(t, Options{Location: filepath.Join(t.TempDir(), "history.sqlite")})
	s.RecordFailure(address(1), "internetdb", "second", day(2))
	s.fail(errors.New("full"), nil, []Failure{{Addr: address(1), Source: "internetdb", First: day(1), Last: day(1), Lookups: 1, Reason: "first"}})
	got := failures(t, s, time.Time{})[address(1).String()+" internetdb"]
	if got != (Failure{First: day(1), Last: day(2), Lookups: 2, Reason: "second"}) {
		t.Errorf("got %+v", got)
	}
}

// TestAFailureLosesNoResponse writes as a role that may not make the table of failures.
func TestAFailureLosesNoResponse(t *testing.T) {
	t.Parallel()
	db := postgrestest.New(t)
	record1(t, openTest(t, Options{Location: db.URL()}), addrA, "internetdb", nil, day(0))
	guest := guestURL(db)
	var w warnings
	s := openTest(t, Options{Location: guest, Logger: w.logger()})
	for n := range 2 {
		s.RecordFailure(address(2), "internetdb", "HTTP 500", day(1))
		record1(t, s, addrA, "internetdb", nil, day(float64(n+1)))
	}
	if got := states(t, s, Filter{}); len(got) != 1 || got[0].Checks != 3 {
		t.Errorf("%v", shown(got))
	}
	w.wantOne(t, "failed lookups are not recorded", "permission denied")
}
