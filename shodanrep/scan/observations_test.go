package scan

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/history"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation/policyfile"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// day returns the time of a day of the test.
func day(n int) time.Time { return start.AddDate(0, 0, n) }

// A fakeStore is a history store in memory.
type fakeStore struct {
	states   []history.State
	failures []history.Failure
	off      bool
	err      error // after the states
	reads    []history.Filter
}

func (s *fakeStore) Records() bool { return !s.off }

func (s *fakeStore) Failures(_ context.Context, addrs []netip.Addr, since time.Time) iter.Seq2[history.Failure, error] {
	return func(yield func(history.Failure, error) bool) {
		for _, f := range s.failures {
			if (len(addrs) == 0 || slices.Contains(addrs, f.Addr)) && !f.Last.Before(since) && !yield(f, nil) {
				return
			}
		}
	}
}

func (s *fakeStore) States(_ context.Context, f history.Filter) iter.Seq2[history.State, error] {
	s.reads = append(s.reads, f)
	sorted := slices.Clone(s.states)
	slices.SortStableFunc(sorted, func(a, b history.State) int {
		return cmp.Or(a.Addr.Compare(b.Addr), cmp.Compare(a.Source, b.Source), a.FirstChecked.Compare(b.FirstChecked))
	})
	return func(yield func(history.State, error) bool) {
		for i, state := range sorted {
			if len(f.Addrs) > 0 && !slices.Contains(f.Addrs, state.Addr) || f.Wants != nil && !f.Wants(state.Addr) {
				continue
			}
			// Of the states that ended before, the last one comes with the first one that did not.
			isBefore := i+1 < len(sorted) && sorted[i+1].Addr == state.Addr && sorted[i+1].Source == state.Source && !sorted[i+1].LastChecked.Before(f.Since)
			if state.LastChecked.Before(f.Since) && !isBefore {
				continue
			}
			if !yield(state, nil) {
				return
			}
		}
		if s.err != nil {
			yield(history.State{}, s.err)
		}
	}
}

// state makes a state of the days from first to last. Facts are the ports, each with a vulnerability if it is above
// 60000; "none" is a host that is not indexed, and "damaged" are facts that cannot be read.
func state(t *testing.T, ip, source, facts string, first, last int) history.State {
	t.Helper()
	s := history.State{Addr: netip.MustParseAddr(ip), Source: source, FirstChecked: day(first), LastChecked: day(last), Checks: int64(last - first + 1)}
	switch facts {
	case "none":
		return s
	case "damaged":
		s.Problem = "the facts are damaged"
		return s
	}
	var vulns []string
	for i, port := range strings.Split(facts, ", ") {
		if len(port) == 5 {
			for n := range 4 {
				vulns = append(vulns, fmt.Sprintf(`"CVE-20%d-%s%d"`, i+10, port, n))
			}
		}
	}
	host, err := shodan.ParseHost([]byte(fmt.Sprintf(`{"ip_str": %q, "ports": [%s], "vulns": [%s]}`, ip, facts, strings.Join(vulns, ", "))))
	if err != nil {
		t.Fatal(err)
	}
	s.Host = host
	return s
}

// observationsOf reads addresses, or without a list all since a time.
func observationsOf(t *testing.T, r *HistoryReader, list []netip.Addr, since time.Time) iter.Seq2[*Observations, error] {
	if list == nil {
		return r.AllObservations(t.Context(), since, nil)
	}
	return r.Observations(t.Context(), list)
}

// changesOf returns the changes of addresses as text, and the states that were read.
func changesOf(t *testing.T, store *fakeStore, addresses []string, since time.Time) []string {
	t.Helper()
	policy := policyfile.Baseline()
	r := &HistoryReader{store: store, settings: Settings{Policy: policy, Clock: func() time.Time { return day(100) }}}
	var list []netip.Addr
	for _, ip := range addresses {
		list = append(list, netip.MustParseAddr(ip))
	}
	var texts []string
	for o, err := range observationsOf(t, r, list, since) {
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range o.Changes(Since(since)) {
			direction := "="
			switch {
			case c.IsWorse() && c.IsBetter():
				direction = "both"
			case c.IsWorse():
				direction = "worse"
			case c.IsBetter():
				direction = "better"
			}
			texts = append(texts, fmt.Sprintf("%s %s day %d %s %q %q %s", c.IP(), c.Answer().Source, c.First.Sub(start)/(24*time.Hour), c.Kind, c.Old, c.New, direction))
		}
		for _, u := range o.Unreadable(Since(since)) {
			texts = append(texts, fmt.Sprintf("%s %s day %d %s %s", u.IP(), u.Answer().Source, u.At.Sub(start)/(24*time.Hour), u.Status(), u.Answer().Error))
		}
	}
	return texts
}

func TestChanges(t *testing.T) {
	t.Parallel()
	const a, b = "203.0.114.1", "203.0.114.2"
	const bad = "443, 60001, 60002, 60003" // 12 vulnerabilities, which the baseline calls high
	type list = []history.State
	for name, tt := range map[string]struct {
		states list
		since  int
		want   []string
	}{
		"a host that becomes bad": {list{state(t, a, "internetdb", "443", 0, 2), state(t, a, "internetdb", "443, 4444", 3, 9)}, 1, []string{
			`203.0.114.1 internetdb day 3 level "low" "medium" worse`, `203.0.114.1 internetdb day 3 port_opened "" "4444" worse`,
		}},
		"and was before the time": {list{state(t, a, "internetdb", "443", 0, 2), state(t, a, "internetdb", "443, 4444", 3, 9)}, 4, nil},
		"a host that becomes good": {list{state(t, a, "internetdb", "443, 4444", 0, 2), state(t, a, "internetdb", "443", 3, 9)}, 1, []string{
			`203.0.114.1 internetdb day 3 level "medium" "low" better`, `203.0.114.1 internetdb day 3 port_closed "4444" "" better`,
		}},
		"a bad host that is first checked": {list{state(t, a, "internetdb", bad, 3, 3)}, 1, []string{
			`203.0.114.1 internetdb day 3 level "" "high" worse`, `203.0.114.1 internetdb day 3 indexed "" "443, 60001, 60002, 60003" worse`,
		}},
		"a good host that is first checked":          {list{state(t, a, "internetdb", "443", 3, 3)}, 1, []string{`203.0.114.1 internetdb day 3 level "" "low" =`, `203.0.114.1 internetdb day 3 indexed "" "443" =`}},
		"one that is not indexed when first checked": {list{state(t, a, "internetdb", "none", 3, 3)}, 1, []string{`203.0.114.1 internetdb day 3 not_indexed "" "" =`}},
		"a bad host of which there is no data any more": {list{state(t, a, "internetdb", bad, 0, 2), state(t, a, "internetdb", "none", 3, 3)}, 1, []string{
			`203.0.114.1 internetdb day 3 level "high" "unknown" =`, `203.0.114.1 internetdb day 3 not_indexed "443, 60001, 60002, 60003" "" =`,
		}},
		"a bad host that there was no data of": {list{state(t, a, "internetdb", "none", 0, 2), state(t, a, "internetdb", bad, 3, 3)}, 1, []string{
			`203.0.114.1 internetdb day 3 level "unknown" "high" worse`, `203.0.114.1 internetdb day 3 indexed "" "443, 60001, 60002, 60003" worse`,
		}},
		"another source is not a change":                {list{state(t, a, "internetdb", "443", 0, 3), state(t, a, "shodan", bad, 4, 9)}, 1, nil},
		"nor long after the last response of the first": {list{state(t, a, "internetdb", "443", 0, 3), state(t, a, "shodan", bad, 20, 20)}, 19, nil},
		"nor if the first source comes later in order":  {list{state(t, a, "shodan", "443", 0, 3), state(t, a, "internetdb", bad, 20, 20)}, 19, nil},
		"each source is compared with itself": {list{
			state(t, a, "internetdb", "443", 0, 3), state(t, a, "shodan", bad, 1, 2), state(t, a, "shodan", "443", 5, 5), state(t, a, "internetdb", "443, 4444", 6, 6),
		}, 0, []string{
			`203.0.114.1 internetdb day 0 level "" "low" =`, `203.0.114.1 internetdb day 0 indexed "" "443" =`,
			`203.0.114.1 shodan day 5 level "high" "low" better`, `203.0.114.1 shodan day 5 port_closed "60001" "" better`,
			`203.0.114.1 shodan day 5 port_closed "60002" "" better`, `203.0.114.1 shodan day 5 port_closed "60003" "" better`,
			`203.0.114.1 internetdb day 6 level "low" "medium" worse`, `203.0.114.1 internetdb day 6 port_opened "" "4444" worse`,
		}},
		"several addresses": {list{state(t, b, "internetdb", "none", 2, 2), state(t, a, "internetdb", "none", 3, 3)}, 1, []string{
			`203.0.114.1 internetdb day 3 not_indexed "" "" =`, `203.0.114.2 internetdb day 2 not_indexed "" "" =`,
		}},
		"facts that cannot be read": {list{state(t, a, "internetdb", "damaged", 2, 3), state(t, b, "internetdb", "none", 3, 3)}, 1, []string{
			`203.0.114.1 internetdb day 2 error the facts are damaged`, `203.0.114.2 internetdb day 3 not_indexed "" "" =`,
		}},
		"between two that can": {list{state(t, a, "internetdb", "443", 0, 2), state(t, a, "internetdb", "damaged", 3, 3), state(t, a, "internetdb", "443, 4444", 4, 4)}, 0, []string{
			`203.0.114.1 internetdb day 0 level "" "low" =`, `203.0.114.1 internetdb day 0 indexed "" "443" =`,
			`203.0.114.1 internetdb day 4 level "low" "medium" worse`, `203.0.114.1 internetdb day 4 port_opened "" "4444" worse`,
			`203.0.114.1 internetdb day 3 error the facts are damaged`,
		}},
		"before a state since the time": {list{state(t, a, "internetdb", "damaged", 0, 2), state(t, a, "internetdb", "443", 3, 3)}, 3, []string{
			`203.0.114.1 internetdb day 3 error the facts are damaged`,
		}},
		"that have not changed since the time": {list{state(t, a, "internetdb", "damaged", 0, 9)}, 3, nil},
		"times that overlap, by clocks that differ": {list{state(t, a, "internetdb", "443", 0, 8), state(t, a, "internetdb", "443, 4444", 3, 3)}, 1, []string{
			`203.0.114.1 internetdb day 3 level "low" "medium" worse`, `203.0.114.1 internetdb day 3 port_opened "" "4444" worse`,
		}},
	} {
		for _, addresses := range [][]string{nil, {a, b}} {
			got := changesOf(t, &fakeStore{states: tt.states}, addresses, day(tt.since))
			// Vulnerabilities are tested with history.Compare.
			got = slices.DeleteFunc(got, func(text string) bool { return strings.Contains(text, " vulnerability_") })
			if diff := gocmp.Diff(tt.want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("%s, of %v: want (-), got (+): %s", name, addresses, diff)
			}
		}
	}
}

// TestTheStoreIsReadInBatches checks that many new addresses cost few reads, and that none is lost.
func TestTheStoreIsReadInBatches(t *testing.T) {
	t.Parallel()
	store := &fakeStore{}
	addr := netip.MustParseAddr("203.0.114.0")
	for range 2*completedAtOnce + 7 {
		store.states = append(store.states, history.State{Addr: addr, Source: "internetdb", FirstChecked: day(5), LastChecked: day(5), Checks: 1})
		addr = addr.Next()
	}
	if got := changesOf(t, store, nil, day(1)); len(got) != 2*completedAtOnce+7 || len(store.reads) != 4 {
		t.Errorf("%d changes with %d reads", len(got), len(store.reads))
	}
}

func TestABrokenStoreIsAnError(t *testing.T) {
	t.Parallel()
	broken := errors.New("the disk is on fire")
	for name, tt := range map[string]struct {
		store *fakeStore
		want  string
	}{
		"off":          {&fakeStore{off: true}, "the history store cannot be used"},
		"at once":      {&fakeStore{err: broken}, "the history store: the disk is on fire"},
		"in the midst": {&fakeStore{states: []history.State{state(t, "203.0.114.1", "internetdb", "443", 3, 3)}, err: broken}, "the history store: the disk is on fire"},
	} {
		for _, addresses := range [][]netip.Addr{nil, {netip.MustParseAddr("203.0.114.1")}} {
			r := &HistoryReader{store: tt.store, settings: Settings{Policy: policyfile.Baseline(), Clock: time.Now}}
			var last error
			for _, err := range observationsOf(t, r, addresses, day(1)) {
				last = err
			}
			if last == nil || !strings.Contains(last.Error(), tt.want) {
				t.Errorf("%s: got %v, want %q", name, last, tt.want)
			}
		}
	}
}

// TestTheLatestStateIsOfAnySource also checks that a score does not depend on the day on which it is computed.
func TestTheLatestStateIsOfAnySource(t *testing.T) {
	t.Parallel()
	store := &fakeStore{states: []history.State{
		state(t, "203.0.114.1", "internetdb", "443", 0, 9), state(t, "203.0.114.1", "shodan", "443", 1, 4), state(t, "203.0.114.1", "shodan", "4444", 5, 7),
	}}
	for source, want := range map[string]string{"": "internetdb low 2026-03-10", "shodan": "shodan medium 2026-03-08", "internetdb": "internetdb low 2026-03-10"} {
		r := &HistoryReader{store: store, settings: Settings{Policy: policyfile.Baseline(), Clock: time.Now}, source: lookup.Source(source)}
		for o, err := range observationsOf(t, r, []netip.Addr{netip.MustParseAddr("203.0.114.1")}, day(1)) {
			if err != nil {
				t.Fatal(err)
			}
			latest := o.Latest()
			if got := fmt.Sprintf("%s %s %s", latest.Answer().Source, latest.Level(), latest.Last.Format(time.DateOnly)); got != want {
				t.Errorf("of %q: got %s, want %s", source, got, want)
			}
		}
	}
}

// TestFailedLookupsAreThoseOfTheSourcesOfTheQuery is about addresses whose sources respond and fail at different times.
func TestFailedLookupsAreThoseOfTheSourcesOfTheQuery(t *testing.T) {
	t.Parallel()
	const known, never = "203.0.114.1", "203.0.114.2"
	failure := func(ip, source string, n int) history.Failure {
		return history.Failure{Addr: netip.MustParseAddr(ip), Source: source, First: day(n), Last: day(n), Lookups: 1, Reason: source + " failed"}
	}
	store := &fakeStore{
		states: []history.State{state(t, known, "internetdb", "443", 0, 4), state(t, known, "shodan", "443", 2, 6)},
		failures: []history.Failure{
			failure(known, "internetdb", 5), failure(known, "shodan", 8), failure(never, "shodan", 3), failure(never, "internetdb", 2),
		},
	}
	for _, tt := range []struct {
		source  string
		since   int
		named   bool
		failure string // of each address
		failing string
	}{
		{"", 0, false, "shodan failed, shodan failed", "shodan indexed, internetdb not_checked shodan not_checked"},
		{"", 0, true, "shodan failed, shodan failed", "shodan indexed, internetdb not_checked shodan not_checked"},
		{"internetdb", 0, true, "internetdb failed, internetdb failed", "internetdb indexed, internetdb not_checked"},
		{"shodan", 0, false, "shodan failed, shodan failed", "shodan indexed, shodan not_checked"},
		{"", 7, false, "shodan failed", "shodan indexed"},
		{"internetdb", 7, false, "", ""},
		{"", 7, true, "shodan failed, shodan failed", "shodan indexed, internetdb not_checked shodan not_checked"},
	} {
		r := &HistoryReader{store: store, settings: Settings{Policy: policyfile.Baseline(), Clock: time.Now}, source: lookup.Source(tt.source)}
		var list []netip.Addr
		if tt.named {
			list = []netip.Addr{netip.MustParseAddr(known), netip.MustParseAddr(never)}
		}
		var failures, failing []string
		for o, err := range observationsOf(t, r, list, day(tt.since)) {
			if err != nil {
				t.Fatal(err)
			}
			failures = append(failures, o.Failure().Reason)
			var texts []string
			for _, f := range o.Failing() {
				texts = append(texts, fmt.Sprintf("%s %s", f.Answer().Source, f.Status()))
				if f.Failure == nil || f.LastFailure() != f.Failure.Reason {
					t.Errorf("%+v: %s has the failure %+v", tt, texts, f.Failure)
				}
			}
			failing = append(failing, strings.Join(texts, " "))
		}
		if got := strings.Join(failures, ", "); got != tt.failure {
			t.Errorf("%+v: the failures are %s", tt, got)
		}
		if got := strings.Join(failing, ", "); got != tt.failing {
			t.Errorf("%+v: failing: %s", tt, got)
		}
	}
}
