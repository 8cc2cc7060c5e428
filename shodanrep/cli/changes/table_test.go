package changes

import (
	"bytes"
	"net/netip"
	"runtime"
	"strings"
	"testing"
	"time"
	"weak"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/history"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation/policyfile"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/scan"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

// resultOf returns a result of an address that is new in the history, with so many ports.
func resultOf(ip string, at time.Time, ports ...int) Result {
	addr := netip.MustParseAddr(ip)
	policy := policyfile.Extended()
	s := scan.New(scan.Settings{Policy: policy, Clock: func() time.Time { return at }}, policy)
	target := &scan.Target{Address: scan.Address{Given: ip, Addr: addr}, Options: scan.Options{Policy: policy.Name}}
	host := &shodan.Host{Ports: ports, Organization: shodan.Text(strings.Repeat("Example ", 1000))}
	if len(ports) > 1 {
		host.Tags = shodan.Texts{"c2"}
	}
	answer := lookup.Answer{Status: lookup.Indexed, Source: lookup.InternetDB, CheckedAt: at, Host: host}
	o := &scan.Observed{Verdict: s.NewResult(target, answer).Verdict(), First: at, Last: at, Checks: 1, Newest: true}
	return Result{Latest: o, Checked: at, Changes: []*scan.Change{{Observed: o, Change: history.Change{Kind: history.Indexed, New: "22"}}}}
}

// A history can have changes of millions: 250,000 took 2.3 GB, because each refers to two hosts.
func TestTablesKeepNoHostsAndSortTheirLines(t *testing.T) {
	noon := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	for _, name := range []string{"table", "markdown"} {
		format, _ := Find(name)
		var out bytes.Buffer
		w := format.New(&out, Options{Now: noon, Summary: func() Summary { return Summary{Now: noon, Since: noon} }})
		results := []Result{
			resultOf("198.51.100.1", noon, 22), resultOf("198.51.100.2", noon.Add(time.Hour), 22), resultOf("198.51.100.3", noon, 22, 4444), resultOf("198.51.100.4", noon, 22),
		}
		host := weak.Make(results[0].Latest.Host())
		for _, r := range results {
			if err := w.Write(r); err != nil {
				t.Fatal(err)
			}
		}
		results = nil
		runtime.GC()
		if host.Value() != nil {
			t.Errorf("%s keeps a host", name)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		at := 0
		for _, ip := range []string{"198.51.100.3", "198.51.100.2", "198.51.100.1", "198.51.100.4"} { // the worst, the newest, as they came
			next := strings.Index(out.String()[at:], ip)
			if next < 0 {
				t.Fatalf("%s: %s is missing or in the wrong place: %s", name, ip, out.String())
			}
			at += next
		}
	}
}
