package lookup_test

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/internetdbfile/internetdbtest"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

// writeInternetDB writes a file of InternetDB with addresses, each with port 22.
func writeInternetDB(t *testing.T, addrs ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "internetdb.sqlite")
	err := internetdbtest.Write(path, func(yield func(internetdbtest.Row) bool) {
		for _, addr := range addrs {
			if !yield(internetdbtest.Row{IP: addr, Ports: "22"}) {
				return
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// fromFile answers questions from the file of InternetDB, as is done for a long list.
func fromFile(t *testing.T, b *lookup.Batch, questions []lookup.Question) ([]lookup.Answer, error) {
	addrs := make([]netip.Addr, len(questions))
	for i, q := range questions {
		addrs[i] = q.Addr
	}
	rows, err := b.ReadFile(t.Context(), addrs)
	if err != nil {
		return nil, err
	}
	return rows.Answers(0, questions, new(lookup.FileMemory)), nil
}

func TestTheFileOfInternetDBAnswersWithoutRequests(t *testing.T) {
	t.Parallel()
	sim := shodantest.NewHandler()
	cfg := config(sim)
	cfg.InternetDBFile = writeInternetDB(t, "11.0.0.1", "198.51.100.66", "2606:4700::1111")
	at := time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)
	if err := os.Chtimes(cfg.InternetDBFile, at, at); err != nil {
		t.Fatal(err)
	}
	e := start(t, cfg)
	want := map[string]lookup.Status{
		"11.0.0.1": lookup.Indexed, "11.0.0.2": lookup.NotIndexed, "2606:4700::1111": lookup.Indexed,
		"198.51.100.66": lookup.Indexed, // reserved, but the file has it
		"198.51.100.67": lookup.Reserved, "10.0.0.1": lookup.Reserved,
	}
	check := func(addr string, a lookup.Answer) {
		t.Helper()
		if a.Status != want[addr] || (a.Host != nil) != (a.Status == lookup.Indexed) || !a.FreshUntil.IsZero() {
			t.Errorf("%s: %+v", addr, a)
		}
		if isAnswered := a.Status != lookup.Reserved; isAnswered != (a.Source == lookup.InternetDB) || isAnswered != a.CheckedAt.Equal(at) {
			t.Errorf("%s: source %q, checked at %v", addr, a.Source, a.CheckedAt)
		}
	}
	b := e.Batch(t.Context(), len(want))
	var list []lookup.Question
	for addr := range want {
		q := lookup.Question{Addr: netip.MustParseAddr(addr), Banners: true}
		list = append(list, q)
		if !b.UsesFile(q) {
			t.Errorf("%s is not looked up in the file", addr)
		}
	}
	b.Add(list...)
	for _, q := range list {
		a, err := b.Answer(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		check(q.Addr.String(), a)
	}
	answers, err := fromFile(t, b, list)
	if err != nil {
		t.Fatal(err)
	}
	for i, a := range answers {
		check(list[i].Addr.String(), a)
	}
	var listed []string
	for l, err := range e.ListInternetDB(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		check(l.Addr.String(), l.Answer)
		listed = append(listed, l.Addr.String())
	}
	if !slices.Equal(listed, []string{"11.0.0.1", "198.51.100.66", "2606:4700::1111"}) {
		t.Errorf("listed %v", listed)
	}
	if n := sim.Count(""); n != 0 {
		t.Errorf("%d requests", n)
	}
}

func TestReadFileLeavesTheAddressesOfItsCallerUnchanged(t *testing.T) {
	t.Parallel()
	cfg := config(shodantest.NewHandler())
	cfg.InternetDBFile = writeInternetDB(t, "11.0.0.1", "11.0.0.2")
	given := []netip.Addr{netip.MustParseAddr("11.0.0.1"), netip.MustParseAddr("::ffff:11.0.0.2"), netip.MustParseAddr("fe80::1%eth0")}
	want := slices.Clone(given)
	b := start(t, cfg).Batch(t.Context(), len(given))
	rows, err := b.ReadFile(t.Context(), given)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(given, want) {
		t.Errorf("they are %v now", given)
	}
	for i, a := range rows.Answers(0, questions(given), new(lookup.FileMemory)) {
		if isIndexed := a.Status == lookup.Indexed; isIndexed != (i < 2) {
			t.Errorf("%v: %v", given[i], a.Status)
		}
	}
}

func TestTheFileTakesThePlaceOfInternetDBOnly(t *testing.T) {
	t.Parallel()
	sim := shodantest.NewHandler()
	cfg := config(sim)
	cfg.APIKey, cfg.APILookupLimit = shodantest.Key, 2
	cfg.InternetDBFile = writeInternetDB(t, "11.0.0.1", "11.0.0.2", "11.0.0.3")
	e := start(t, cfg)
	addrs := sim.Generate(3)
	for size, source := range map[int]lookup.Source{1: lookup.Shodan, 3: lookup.InternetDB} {
		b := e.Batch(t.Context(), size)
		q := lookup.Question{Addr: addrs[0]}
		if a, err := b.Answer(t.Context(), q); err != nil || a.Source != source || a.Status != lookup.Indexed {
			t.Errorf("a list of %d: %+v, %v", size, a, err)
		}
		if uses := source == lookup.InternetDB; b.UsesFile(q) != uses {
			t.Errorf("a list of %d uses the file: %v", size, !uses)
		}
	}
	if n := sim.Count(shodantest.EndpointInternetDB); n != 0 {
		t.Errorf("%d requests to InternetDB", n)
	}
}

// TestAKeyThatIsRefusedLeadsToTheFile is about a plan that allows no lookups.
func TestAKeyThatIsRefusedLeadsToTheFile(t *testing.T) {
	t.Parallel()
	sim := shodantest.NewHandler(shodantest.WithPlan("oss"))
	cfg := config(sim)
	cfg.APIKey = shodantest.Key
	cfg.InternetDBFile = writeInternetDB(t, "11.0.0.1")
	b := start(t, cfg).Batch(t.Context(), 1)
	a, err := b.Answer(t.Context(), lookup.Question{Addr: sim.Generate(1)[0]})
	if err != nil || a.Source != lookup.InternetDB || a.Status != lookup.Indexed || sim.Count(shodantest.EndpointInternetDB) != 0 {
		t.Errorf("%+v, %v, %d requests to InternetDB", a, err, sim.Count(shodantest.EndpointInternetDB))
	}
}

func TestAFileThatCannotBeUsedFailsTheBatch(t *testing.T) {
	t.Parallel()
	cfg := config(shodantest.NewHandler())
	cfg.InternetDBFile = filepath.Join(t.TempDir(), "internetdb.sqlite")
	e := start(t, cfg)
	b := e.Batch(t.Context(), 1)
	q := lookup.Question{Addr: netip.MustParseAddr("11.0.0.1")}
	want := fmt.Sprintf("internetdb_file: %q: there is no such file", cfg.InternetDBFile)
	b.Add(q)
	if err := b.Ready(t.Context()); err == nil || err.Error() != want {
		t.Errorf("ready: %v, want %s", err, want)
	}
	if a, err := b.Answer(t.Context(), q); err != nil || a.Status != lookup.Failed || a.Error != want {
		t.Errorf("%+v, %v", a, err)
	}
	if answers, err := fromFile(t, b, []lookup.Question{q}); err == nil || err.Error() != want || answers != nil {
		t.Errorf("from the file: %+v, %v", answers, err)
	}
	for _, err := range e.ListInternetDB(t.Context()) {
		if err == nil || err.Error() != want {
			t.Errorf("listed: %v", err)
		}
	}
}

func TestRowsOfTheFileThatCannotBeReadAreCounted(t *testing.T) {
	t.Parallel()
	cfg := config(shodantest.NewHandler())
	cfg.InternetDBFile = filepath.Join(t.TempDir(), "internetdb.sqlite")
	err := internetdbtest.Write(cfg.InternetDBFile, slices.Values([]internetdbtest.Row{
		{IP: "11.0.0.1", Ports: "22"}, {IP: "11.0.0.2", Ports: "ssh"}, {IP: "11.0.0.3 "}, {IP: "11.0.0.4 "}, {IP: "11.0.0.5"},
	}))
	if err != nil {
		t.Fatal(err)
	}
	e, p, rows := start(t, cfg), lookup.NewProgress(), 0
	for row, err := range e.ListInternetDB(lookup.WithProgress(t.Context(), p)) {
		if err != nil {
			t.Fatal(err)
		}
		if rows++; row.Answer.Status != lookup.Indexed && row.Answer.Error == "" {
			t.Errorf("%+v", row)
		}
	}
	if s := p.Summary(); rows != 5 || s.Addresses != 5 || s.Failed != 3 || len(s.Failures) != 3 {
		t.Errorf("%d rows, %+v", rows, s)
	}
}

func TestLongListsFromTheFileAreCounted(t *testing.T) {
	t.Parallel()
	sim := shodantest.NewHandler()
	cfg := config(sim)
	cfg.APIKey, cfg.APILookupLimit = shodantest.Key, 1
	cfg.InternetDBFile = filepath.Join(t.TempDir(), "internetdb.sqlite")
	err := internetdbtest.Write(cfg.InternetDBFile, slices.Values([]internetdbtest.Row{{IP: "11.0.0.1", Ports: "22"}, {IP: "11.0.0.2", Ports: "ssh"}}))
	if err != nil {
		t.Fatal(err)
	}
	p := lookup.NewProgress()
	b := start(t, cfg).Batch(lookup.WithProgress(t.Context(), p), 3)
	if _, err := fromFile(t, b, questions(sim.Generate(3))); err != nil {
		t.Fatal(err)
	}
	s := p.Summary()
	if s.Addresses != 3 || s.Failed != 1 || len(s.Failures) != 1 || !strings.Contains(s.Failures[0].Text, "not a port") {
		t.Errorf("%+v", s)
	}
	if len(s.Fallbacks) != 1 || s.Fallbacks[0].Addresses != 3 || !strings.Contains(s.Fallbacks[0].Text, "api_lookup_limit (1)") {
		t.Errorf("fallbacks %+v", s.Fallbacks)
	}
	if state := p.State(); state.Done != 3 || state.Failed != 1 {
		t.Errorf("%+v", state)
	}
}
