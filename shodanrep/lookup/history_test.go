package lookup_test

import (
	"fmt"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/history"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

// recorded returns the states of an engine's history: the address, the source, the number of checks and the ports.
func recorded(t *testing.T, e *lookup.Engine) []string {
	t.Helper()
	lines := []string{}
	for state, err := range e.History().States(t.Context(), history.Filter{}) {
		if err != nil {
			t.Fatal(err)
		}
		what := "not indexed"
		if state.Host != nil {
			what = fmt.Sprint([]int(state.Host.Ports))
		}
		lines = append(lines, fmt.Sprintf("%v %s x%d %s", state.Addr, state.Source, state.Checks, what))
	}
	return lines
}

// withHistory records in a file of the test.
func withHistory(t *testing.T, cfg lookup.Config) lookup.Config {
	cfg.HistoryStore = filepath.Join(t.TempDir(), "history.sqlite")
	return cfg
}

// TestResponsesOfTheServicesAreRecorded looks addresses up in InternetDB while they change.
func TestResponsesOfTheServicesAreRecorded(t *testing.T) {
	t.Parallel()
	sim := shodantest.NewHandler()
	host := shodantest.Host{IP: "12.0.0.7", Ports: []int{80}}
	sim.AddHost(host)
	cfg := withHistory(t, config(sim))
	e := start(t, cfg)
	asked := []lookup.Question{{Addr: netip.MustParseAddr("12.0.0.7")}, {Addr: netip.MustParseAddr("12.0.0.8")}, {Addr: netip.MustParseAddr("10.0.0.1")}}
	lookUp(t.Context(), t, e, asked...)
	lookUp(t.Context(), t, e, asked...) // from the cache
	want := []string{"12.0.0.7 internetdb x1 [80]", "12.0.0.8 internetdb x1 not indexed"}
	if diff := cmp.Diff(want, recorded(t, e)); diff != "" {
		t.Fatal(diff)
	}

	host.Ports = []int{80, 443}
	sim.AddHost(host)
	cfg.Cache = "off"
	if err := e.Close(); err != nil { // what it recorded is read by the next process
		t.Fatal(err)
	}
	e = start(t, cfg)
	lookUp(t.Context(), t, e, asked...)
	sim.Fault(shodantest.Fault{Kind: shodantest.Respond, Status: http.StatusBadRequest, Body: `{"detail": "no"}`})
	lookUp(t.Context(), t, e, asked...) // a failure is no observation
	want = []string{"12.0.0.7 internetdb x1 [80]", "12.0.0.7 internetdb x1 [80 443]", "12.0.0.8 internetdb x2 not indexed"}
	if diff := cmp.Diff(want, recorded(t, e)); diff != "" {
		t.Error(diff)
	}
}

// TestEveryFormOfARequestRecordsTheSameState looks one host up in the REST API in each form, and many at once.
func TestEveryFormOfARequestRecordsTheSameState(t *testing.T) {
	t.Parallel()
	sim := shodantest.NewHandler(shodantest.WithPlan("corp"), shodantest.WithBulk(true))
	addrs := sim.Generate(30)
	absent := netip.MustParseAddr("12.0.0.8")
	cfg := withHistory(t, withKey(sim))
	cfg.Cache, cfg.RequestsPerSecond = "off", 1e6
	e := start(t, cfg)
	forms := []lookup.Question{{}, {Banners: true}, {History: true}, {Raw: true}, {Banners: true, History: true}}
	for _, q := range slices.Concat(forms, forms) {
		var list []lookup.Question
		for _, addr := range append(addrs, absent) {
			q.Addr = addr
			list = append(list, q)
		}
		lookUp(t.Context(), t, e, list...)
	}
	got := map[netip.Addr]int{}
	for state, err := range e.History().States(t.Context(), history.Filter{}) {
		if err != nil {
			t.Fatal(err)
		}
		got[state.Addr]++
		if state.Checks != int64(2*len(forms)) || state.Source != "shodan" || (state.Host == nil) != (state.Addr == absent) {
			t.Errorf("%v, %s: %d checks", state.Addr, state.Source, state.Checks)
		}
		if state.Host != nil && len(state.Host.Ports) > 0 && len(state.Host.Banners) == 0 {
			t.Errorf("%v has no services", state.Addr)
		}
	}
	for _, addr := range append(addrs, absent) {
		if got[addr] != 1 {
			t.Errorf("%v has %d states, want 1", addr, got[addr])
		}
	}
}

// TestNothingIsRecordedWhereItIsOff also has the value that tests with a Transport of their own have.
func TestNothingIsRecordedWhereItIsOff(t *testing.T) {
	data := t.TempDir()
	t.Setenv("XDG_DATA_HOME", data)
	sim := shodantest.NewHandler()
	for _, place := range []string{"", "off"} {
		cfg := config(sim)
		cfg.HistoryStore = place
		e := start(t, cfg)
		lookUp(t.Context(), t, e, questions(sim.Generate(3))...)
		if e.History().Records() || len(recorded(t, e)) != 0 {
			t.Errorf("%q records", place)
		}
	}
	if files, err := os.ReadDir(data); err != nil || len(files) > 0 {
		t.Errorf("%v, %v", files, err)
	}
}

// TestEnginesShareAHistory makes two engines with one location.
func TestEnginesShareAHistory(t *testing.T) {
	cfg := withHistory(t, config(shodantest.New(t)))
	cfg.Transport = nil
	a, b := start(t, cfg), start(t, cfg)
	if a.History() == nil || a.History() != b.History() {
		t.Error("each has a history of its own")
	}
	lookup.Shutdown()
	c := start(t, cfg)
	if c.History() == a.History() {
		t.Error("the history was not closed")
	}
	lookup.Shutdown()
}
