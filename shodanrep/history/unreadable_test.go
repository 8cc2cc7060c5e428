package history

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ncruces/go-sqlite3"
)

// The facts of one address that a disk has changed are a problem of that state only, and keep nothing from being recorded.
func TestUnreadableFactsOfOneAddressDoNotEndTheRecording(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "history.sqlite")
	s := openTest(t, Options{Location: path})
	full := parsed(t, `{"ip_str": "192.0.2.1", "ports": [22], "data": [{"ip_str": "192.0.2.1", "port": 22, "product": "x"}]}`)
	record1(t, s, addrA, "shodan", full, day(0))
	record1(t, s, addrA, "shodan", full, day(4))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	execute(t, path, `UPDATE history SET facts = x'00112233'`)

	s = openTest(t, Options{Location: path})
	minified := parsed(t, `{"ip_str": "192.0.2.1", "ports": [22, 80]}`)
	s.Record(Observation{Addr: addrA, Source: "shodan", Host: minified, CheckedAt: day(5)}) // after it
	s.Record(Observation{Addr: addrA, Source: "shodan", Host: minified, CheckedAt: day(2)}) // within it
	s.Record(Observation{Addr: addrB, Source: "shodan", Host: full, CheckedAt: day(5)})
	if err := s.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	var problems []string
	for _, state := range states(t, s, Filter{}) { // of the other states too, so that one does not hide them
		problems = append(problems, fmt.Sprint(state.Addr, " ", state.Host != nil, " ", strings.Contains(state.Problem, "the facts of 192.0.2.1, first checked at ")))
	}
	if want := []string{"192.0.2.1 false true", "192.0.2.1 true false", "192.0.2.1 false true", "192.0.2.1 true false", "192.0.2.10 true false"}; !slices.Equal(problems, want) {
		t.Errorf("got %q, want %q", problems, want)
	}
	want := []string{"192.0.2.1 shodan 2-2 x1 [22 80]", "192.0.2.1 shodan 5-5 x1 [22 80]", "192.0.2.10 shodan 5-5 x1 [22]"}
	execute(t, path, `DELETE FROM history WHERE facts = x'00112233'`)
	if got := shown(states(t, s, Filter{})); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// execute runs statements on a file beside its store.
func execute(t *testing.T, path, statements string) {
	t.Helper()
	c, err := sqlite3.Open("file:" + path)
	if err == nil {
		err = c.Exec(statements)
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
}
