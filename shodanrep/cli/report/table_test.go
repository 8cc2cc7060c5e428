package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"
	"unsafe"
	"weak"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation/policyfile"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/scan"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

// A writer that is no Appender or Reducer gets results, which refer to whole responses: a table of 100,000 addresses would
// take 1.5 GB, and an event of MISP 5.5 GB.
func TestFormatsThatWriteAtTheEndKeepNoResponses(t *testing.T) {
	t.Parallel()
	for _, f := range Formats {
		w := f.New(io.Discard, Options{Total: maxCards + 1})
		_, isAppender := w.(Appender)
		if _, isReducer := w.(Reducer); !isAppender && !isReducer && (f.WorstFirst || f.AtEnd) {
			t.Errorf("%s is neither an Appender nor a Reducer", f.Name)
		}
	}
}

// resultOf returns a result of a host, all of whose texts are parts of one, as in the blocks of a file of InternetDB.
func resultOf(tb testing.TB, addr netip.Addr, vulns int) (Result, weak.Pointer[byte]) {
	tb.Helper()
	var ids []string
	for i := range vulns {
		ids = append(ids, fmt.Sprintf("CVE-2021-%d", 10000+i))
	}
	list, err := json.Marshal(ids)
	if err != nil {
		tb.Fatal(err)
	}
	block := strings.Repeat(" ", 4096) + "example.org" + "host.example.net" + "US" + "c2" + "cert-serial" + strings.Join(ids, "")
	part := func(text string) string {
		i := strings.Index(block, text)
		return block[i : i+len(text)]
	}
	h, err := shodan.ParseHost([]byte(`{"ports": [22, 4444], "vulns": ` + string(list) + `, "last_update": "2026-04-30T10:00:00", "asn": "AS64496",
		"data": [{"port": 4444, "hash": 7, "timestamp": "2026-04-30T10:00:00", "ssl": {"cert": {"serial": 4711, "fingerprint": {"sha1": "` + strings.Repeat("ab", 20) + `"}}}}]}`))
	if err != nil {
		tb.Fatal(err)
	}
	h.Organization, h.CountryCode = shodan.Text(part("example.org")), shodan.Text(part("US"))
	h.Hostnames, h.Tags, h.Vulns = shodan.Texts{part("host.example.net")}, shodan.Texts{part("c2")}, shodan.VulnMap{}
	for _, id := range ids {
		h.Vulns[part(id)] = shodan.Vuln{}
	}
	h.Banners[0].SSL.Cert.Serial = shodan.Text(part("cert-serial"))
	policy := policyfile.Extended()
	noon := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	s := scan.New(scan.Settings{Policy: policy, Clock: func() time.Time { return noon }}, policy)
	target := &scan.Target{Address: scan.Address{Given: addr.String(), Addr: addr}, Options: scan.Options{Policy: policy.Name}}
	answer := lookup.Answer{Status: lookup.Indexed, Source: lookup.Shodan, CheckedAt: noon, Host: h}
	return Result{Verdict: s.NewResult(target, answer).Verdict()}, weak.Make(unsafe.StringData(block))
}

func TestReducersReferToNothingOfAResult(t *testing.T) {
	for _, f := range Formats {
		w, ok := f.New(io.Discard, Options{Total: maxCards + 1}).(Reducer)
		if !ok {
			continue
		}
		r, block := resultOf(t, netip.MustParseAddr("198.51.100.1"), 3)
		if r.Level() != "critical" {
			t.Fatalf("the level is %s, and the page has no card", r.Level())
		}
		host := weak.Make(r.Host())
		if err := w.Reduce(r)(); err != nil {
			t.Error(err)
		}
		r = Result{}
		for range 3 { // what is in a sync.Pool stays for two
			runtime.GC()
		}
		if host.Value() != nil || block.Value() != nil {
			t.Errorf("%s: the response is kept: host %t, texts %t", f.Name, host.Value() != nil, block.Value() != nil)
		}
		runtime.KeepAlive(w)
	}
}

// The page is the same whatever the order in which results arrive, and although texts are dropped that cannot fit.
func TestAPageHasTheWorstResultsThatFit(t *testing.T) {
	t.Parallel()
	results := make([]Result, 0, 400)
	for i := range cap(results) {
		r, _ := resultOf(t, netip.AddrFrom4([4]byte{198, 51, 100 + byte(i>>8), byte(i)}), i%7)
		results = append(results, r)
	}
	page := func(limit int, order func(i int) int) (string, *htmlWriter) {
		var b bytes.Buffer
		w := newHTMLWriter(&b, Options{Total: len(results), Summary: func() Summary { return Summary{Total: len(results)} }}).(*htmlWriter)
		w.rows.limit, w.cards.limit = limit, limit
		for i := range results {
			if err := w.Write(results[order(i)]); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return b.String(), w
	}
	inOrder := func(i int) int { return i }
	all, _ := page(maxPage, inOrder)
	numbers := regexp.MustCompile(`id="host-\d+"`)
	if n := len(numbers.FindAllString(all, -1)); n != len(results) {
		t.Fatalf("%d cards of %d results", n, len(results))
	}
	some, w := page(20_000, inOrder)
	cards := numbers.FindAllString(some, -1)
	if len(cards) < 10 || len(cards) > 100 || w.cards.kept.Len() != len(cards) || w.cards.size < 20_000 {
		t.Errorf("%d cards, %d of %d bytes are kept", len(cards), w.cards.kept.Len(), w.cards.size)
	}
	for i, r := range w.results { // each that is kept is worse than all that are not
		if (r.card != nil) != (i < len(cards)) || r.card != nil && r.card.size() == 0 {
			t.Errorf("the result %d of rank %d: kept is %t", i, r.rank, r.card != nil)
		}
	}
	first := func(text string) string {
		return text[strings.Index(text, `id="host-1"`):strings.Index(text, `id="host-10"`)]
	}
	if got, want := first(some), first(all); got != want {
		t.Errorf("the first cards are %s\nwant %s", got, want)
	}
}
