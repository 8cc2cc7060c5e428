package history

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/ncruces/go-sqlite3"
)

// The facts of one address that a disk has changed are an error for who reads them, and keep nothing from being recorded.
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
