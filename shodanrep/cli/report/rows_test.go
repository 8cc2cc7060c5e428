package report

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"io"
	"net/netip"
	"strconv"
	"testing"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/rowformat"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation/policyfile"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/scan"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

// inventedResults are results of several sources, statuses and times, with everything that a row can have.
func inventedResults(tb testing.TB) []Result {
	tb.Helper()
	host := func(text string) *shodan.Host {
		h, err := shodan.ParseHost([]byte(text))
		if err != nil {
			tb.Fatal(err)
		}
		return h
	}
	var plain shodan.Host
	shodan.InternetDBLists{Ports: []int{80, 443}}.SetHost(&plain, netip.MustParseAddr("198.51.100.0"))
	noon := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	answers := []lookup.Answer{
		{Status: lookup.Indexed, Source: lookup.InternetDB, CheckedAt: noon, Host: &plain},
		{Status: lookup.Indexed, Source: lookup.InternetDB, CheckedAt: noon, Host: &shodan.Host{
			Ports: shodan.Ints{22, 3306, 4444}, Hostnames: shodan.Texts{"vpn-1.example.net", `a "quoted" <name>`}, Tags: shodan.Texts{"c2", "vpn"},
			Vulns: shodan.VulnMap{"CVE-2021-44228": {}, "CVE-2020-0001": {}}, CPEs: shodan.Texts{"cpe:/a:redis:redis:6"},
		}},
		{Status: lookup.NotIndexed, Source: lookup.InternetDB, CheckedAt: noon},
		{Status: lookup.Reserved},
		{Status: lookup.Failed, Error: "the service said \"no\",\nand no more"},
		{Status: lookup.Indexed, Source: lookup.Shodan, CheckedAt: noon.Add(time.Hour), Host: host(`{"ports": [443, 6379], "org": "Example, Inc.", "latitude": 52.3,
			"longitude": -4.9, "country_name": "Netherlands", "asn": "AS64496", "last_update": "2026-04-30T10:00:00.5", "tags": ["cloud"], "domains": ["example.net"],
			"vulns": ["CVE-2021-44228"], "data": [{"port": 6379, "transport": "tcp", "product": "Redis", "data": "-NOAUTH \"é\"\r\n", "timestamp": "2026-04-30T10:00:00",
			"_shodan": {"module": "redis"}, "vulns": {"CVE-2021-44228": {"verified": true, "cvss": 10, "epss": 0.97, "kev": true}}}]}`)},
		{Status: lookup.Indexed, Source: lookup.InternetDB, CheckedAt: noon, Host: &shodan.Host{Ports: shodan.Ints{}, Tags: shodan.Texts{}}},
	}
	policy := policyfile.Extended()
	s := scan.New(scan.Settings{Policy: policy, Clock: func() time.Time { return noon }}, policy)
	var results []Result
	for i, answer := range answers {
		addr := netip.AddrFrom4([4]byte{198, 51, 100, byte(i)})
		target := &scan.Target{Address: scan.Address{Given: addr.String(), Addr: addr}, Options: scan.Options{Policy: policy.Name}}
		results = append(results, Result{Verdict: s.NewResult(target, answer).Verdict(), Hits: int64(i), Line: int64(i), Input: "access.log"})
	}
	return results
}

// texts are the values of a row as CSV has them, each made for itself.
func texts(r Result) []string {
	text := func(value any) string {
		if value == nil {
			return ""
		}
		return rowformat.Text(value)
	}
	var all []string
	for _, column := range shodanrep.VerdictColumns() {
		all = append(all, text(Value(column, r.Verdict)))
	}
	line, input := "", ""
	if r.Line > 0 {
		line, input = strconv.FormatInt(r.Line, 10), r.Input
	}
	reasons, err := json.Marshal(r.Reasons())
	if err != nil {
		panic(err) // texts have JSON
	}
	return append(all, strconv.FormatInt(r.Hits, 10), line, string(reasons), input)
}

func TestRowsHaveTheValuesOfTheirColumns(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	w := newRowWriter("csv")(&out, Options{})
	results := inventedResults(t)
	for range 2 { // the buffers of a row are used again
		for _, r := range results {
			if err := w.Write(r); err != nil {
				t.Fatal(err)
			}
		}
	}
	records, err := csv.NewReader(&out).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(records) != 1+2*len(results) {
		t.Fatalf("%d records of %d results", len(records), len(results))
	}
	for i, record := range records[1:] {
		for j, want := range texts(results[i%len(results)]) {
			if record[j] != want {
				t.Errorf("row %d: %s is %q, want %q", i, records[0][j], record[j], want)
			}
		}
	}
}

func TestTheJSONOfColumnsIsThatOfEncodingJSON(t *testing.T) {
	t.Parallel()
	lists := 0
	for _, r := range inventedResults(t) {
		for _, column := range shodanrep.VerdictColumns() {
			value := column.Value(r.Verdict)
			if column.Type != "jsonb" || value == nil {
				continue
			}
			want, err := json.Marshal(value)
			if err != nil {
				t.Fatal(err)
			}
			if got := Value(column, r.Verdict).(json.RawMessage); string(got) != string(want) {
				t.Errorf("%s of %s is %s, want %s", column.Name, r.IP(), got, want)
			}
			lists++
		}
	}
	if lists == 0 {
		t.Error("no column has a list")
	}
}

func BenchmarkRows(b *testing.B) {
	results := inventedResults(b)[:2]
	for _, format := range []string{"csv", "jsonl"} {
		b.Run(format, func(b *testing.B) {
			w := newRowWriter(format)(io.Discard, Options{})
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if err := w.Write(results[i%len(results)]); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
