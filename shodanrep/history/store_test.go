package history

import (
	"context"
	"fmt"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/postgrestest"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

var (
	start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	addrA = netip.MustParseAddr("192.0.2.1")
	addrB = netip.MustParseAddr("192.0.2.10") // after 192.0.2.9 only in the order of addresses
	addrC = netip.MustParseAddr("2001:db8::1")
)

// day returns the time of a day of the test.
func day(n float64) time.Time { return start.Add(time.Duration(n * 24 * float64(time.Hour))) }

// parsed returns a host of the REST API.
func parsed(t testing.TB, format string, args ...any) *shodan.Host {
	t.Helper()
	h, err := shodan.ParseHost([]byte(fmt.Sprintf(format, args...)))
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// A clock is the time of a test. A store reads it whenever it writes, on a slow machine beside the test.
type clock struct{ time atomic.Pointer[time.Time] }

func (c *clock) set(now time.Time) { c.time.Store(&now) }

func (c *clock) now() time.Time { return *c.time.Load() }

// withPorts returns a response of InternetDB.
func withPorts(t testing.TB, ports ...int) *shodan.Host {
	t.Helper()
	list := strings.Trim(strings.Join(strings.Fields(fmt.Sprint(ports)), ","), "[]")
	h, err := shodan.ParseInternetDB([]byte(`{"ip": "192.0.2.1", "ports": [` + list + `], "cpes": [], "hostnames": [], "tags": [], "vulns": []}`))
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// places are the kinds of stores that every test of what is stored runs with.
func places(t *testing.T, test func(t *testing.T, open func(Options) *Store)) {
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		path := filepath.Join(t.TempDir(), "history.sqlite")
		test(t, func(o Options) *Store {
			o.Location = path
			return openTest(t, o)
		})
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		db := postgrestest.New(t)
		test(t, func(o Options) *Store {
			o.Location = db.URL()
			return openTest(t, o)
		})
	})
}

func openTest(t testing.TB, o Options) *Store {
	t.Helper()
	if o.Now == nil {
		o.Now = func() time.Time { return day(300) }
	}
	s := Open(o)
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func record1(t testing.TB, s *Store, addr netip.Addr, source string, host *shodan.Host, at time.Time) {
	t.Helper()
	s.Record(Observation{Addr: addr, Source: source, Host: host, CheckedAt: at})
	if err := s.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func states(t testing.TB, s *Store, f Filter) (all []State) {
	t.Helper()
	for state, err := range s.States(t.Context(), f) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, state)
	}
	return all
}

// shown returns states as text: address, source, first and last day, checks and ports.
func shown(all []State) (lines []string) {
	for _, s := range all {
		facts := "not indexed"
		if s.Host != nil {
			facts = fmt.Sprint([]int(s.Host.Ports))
		}
		lines = append(lines, fmt.Sprintf("%s %s %.3g-%.3g x%d %s", s.Addr, s.Source, s.FirstChecked.Sub(start).Hours()/24,
			s.LastChecked.Sub(start).Hours()/24, s.Checks, facts))
	}
	return lines
}

func TestEqualObservationsAreOneState(t *testing.T) {
	t.Parallel()
	places(t, func(t *testing.T, open func(Options) *Store) {
		s := open(Options{})
		for i, ports := range [][]int{{80}, {80}, {80, 443}, {80, 443}, {80}} {
			record1(t, s, addrA, "internetdb", withPorts(t, ports...), day(float64(i)))
		}
		record1(t, s, addrA, "internetdb", nil, day(5))
		record1(t, s, addrA, "internetdb", nil, day(6))
		record1(t, s, addrA, "shodan", withPorts(t, 22), day(3))
		record1(t, s, addrC, "internetdb", nil, day(1))
		record1(t, s, addrB, "internetdb", withPorts(t), day(1))
		want := []string{
			"192.0.2.1 internetdb 0-1 x2 [80]", "192.0.2.1 internetdb 2-3 x2 [80 443]", "192.0.2.1 internetdb 4-4 x1 [80]",
			"192.0.2.1 internetdb 5-6 x2 not indexed", "192.0.2.1 shodan 3-3 x1 [22]", "192.0.2.10 internetdb 1-1 x1 []",
			"2001:db8::1 internetdb 1-1 x1 not indexed",
		}
		if diff := cmp.Diff(want, shown(states(t, s, Filter{}))); diff != "" {
			t.Error(diff)
		}
		s.Close()
		s = open(Options{})
		if diff := cmp.Diff(want, shown(states(t, s, Filter{}))); diff != "" {
			t.Errorf("opened again: %s", diff)
		}
		stats, err := s.Stats(t.Context())
		if err != nil || stats.States != 7 || stats.Addresses != 3 || stats.Bytes == 0 || !stats.Oldest.Equal(day(0)) || !stats.Newest.Equal(day(6)) {
			t.Errorf("%+v, %v", stats, err)
		}
	})
}

func TestFilters(t *testing.T) {
	t.Parallel()
	places(t, func(t *testing.T, open func(Options) *Store) {
		s := open(Options{})
		for i, ports := range [][]int{{1}, {2}, {3}, {4}} {
			s.Record(Observation{Addr: addrA, Source: "internetdb", Host: withPorts(t, ports...), CheckedAt: day(float64(2 * i))})
			s.Record(Observation{Addr: addrA, Source: "internetdb", Host: withPorts(t, ports...), CheckedAt: day(float64(2*i) + 1)})
		}
		s.Record(Observation{Addr: addrB, Source: "shodan", Host: withPorts(t, 9), CheckedAt: day(2)})
		s.Record(Observation{Addr: addrC, Source: "internetdb", CheckedAt: day(7)})
		tests := map[string]struct {
			Filter
			want []string
		}{
			"all":                     {Filter{}, []string{"1", "2", "3", "4", "9", "-"}},
			"one address":             {Filter{Addrs: []netip.Addr{addrC, addrB, addrB}}, []string{"9", "-"}},
			"a mapped address":        {Filter{Addrs: []netip.Addr{netip.MustParseAddr("::ffff:192.0.2.10")}}, []string{"9"}},
			"an address that is not":  {Filter{Addrs: []netip.Addr{netip.MustParseAddr("192.0.2.7")}}, nil},
			"wanted addresses":        {Filter{Wants: func(addr netip.Addr) bool { return addr != addrA }}, []string{"9", "-"}},
			"a source":                {Filter{Sources: []string{"shodan", "x"}}, []string{"9"}},
			"since, with one before":  {Filter{Since: day(5)}, []string{"2", "3", "4", "-"}},
			"since, of an address":    {Filter{Addrs: []netip.Addr{addrA, addrB}, Since: day(6.5)}, []string{"3", "4"}},
			"since, without it":       {Filter{Since: day(5), WithoutBefore: true}, []string{"3", "4", "-"}},
			"both, without it":        {Filter{Since: day(2.5), Until: day(3.5), WithoutBefore: true}, []string{"2"}},
			"an address, without it":  {Filter{Addrs: []netip.Addr{addrA, addrB}, Since: day(6.5), WithoutBefore: true}, []string{"4"}},
			"until":                   {Filter{Until: day(2)}, []string{"1", "2", "9"}},
			"both":                    {Filter{Since: day(2.5), Until: day(3.5)}, []string{"1", "2"}},
			"all of it, and a source": {Filter{Addrs: []netip.Addr{addrA}, Sources: []string{"internetdb"}, Since: day(2), Until: day(4)}, []string{"1", "2", "3"}},
			"nothing after":           {Filter{Since: day(8)}, nil},
		}
		for name, test := range tests {
			var got []string
			all := states(t, s, test.Filter)
			test.WithoutHosts = true
			unread := states(t, s, test.Filter)
			for _, state := range all {
				if state.Host == nil {
					got = append(got, "-")
				} else {
					got = append(got, fmt.Sprint(state.Host.Ports[0]))
				}
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("%s: %v, want %v", name, got, test.want)
			}
			for i := range all {
				all[i].Host, all[i].HostUnread = nil, all[i].Indexed()
			}
			if diff := cmp.Diff(all, unread, cmpopts.EquateEmpty(), cmpopts.EquateComparable(netip.Addr{})); diff != "" {
				t.Errorf("%s: the states with (-) and without hosts (+) differ: %s", name, diff)
			}
		}
		for state, err := range s.States(t.Context(), Filter{}) {
			if err != nil || state.Host.Ports[0] != 1 {
				t.Errorf("%+v, %v", state, err)
			}
			break // a caller may stop
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		for state, err := range s.States(ctx, Filter{}) {
			if err == nil {
				t.Errorf("%+v although the context has ended", state)
			}
		}
	})
}
