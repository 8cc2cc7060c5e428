package shodanrep

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

func TestNamesAreResolvedOrNot(t *testing.T) {
	sim := shodantest.New(t, shodantest.WithPlan("oss"), shodantest.WithCredits(0)) // any key may, at no cost
	sim.AddHost(shodantest.Host{IP: good, Hostnames: []string{"www.example.com", "xn--bcher-kva.example"}})
	sim.AddHost(shodantest.Host{IP: "2606:4700::1", Hostnames: []string{"six.example.com"}})
	rows := mustConnect(t, keyed(sim)).mustRun(t, names("www.example.com", "WWW.Example.com.", "bücher.example", "six.example.com", "nowhere.example.com"))
	for name, ip := range map[string]any{"www.example.com": good, "WWW.Example.com.": good, "bücher.example": good, "six.example.com": "2606:4700::1", "nowhere.example.com": nil} {
		r := byTitle(t, rows, name)
		status := "resolved"
		if ip == nil {
			status = "not_resolved"
		}
		if r["checked_at"] == nil {
			t.Errorf("%s was not checked at any time", name)
		}
		delete(r, "checked_at")
		if diff := cmp.Diff(row{"hostname": name, "ip": ip, "status": status, "error": nil, "title": name}, r); diff != "" {
			t.Error(diff)
		}
	}
	if len(rows) != 5 || sim.Count("") != 1 {
		t.Errorf("%d rows, %d requests", len(rows), sim.Count(""))
	}
}

// A comma in a name must not make two names of it, nor anything else change what is asked.
func TestWhatIsNoNameIsARowAndNotSent(t *testing.T) {
	sim := shodantest.New(t)
	sim.AddHost(shodantest.Host{IP: good, Hostnames: []string{"www.example.com", "b.example.com"}})
	odd := []string{"a.example.com,b.example.com", "", " ", "a b", "https://www.example.com/", "www.example.com/x", "www.example.com:443", "*.example.com", "..", "www.example.com&key=x", "a\x00b", "198.51.100.7", "2001:db8::7"}
	rows := mustConnect(t, keyed(sim)).mustRun(t, names(append(slices.Clone(odd), "www.example.com")...))
	for _, name := range append(odd, "www.example.com") {
		at := slices.IndexFunc(rows, func(r row) bool { return r["hostname"] == name })
		if at < 0 {
			t.Fatalf("no row of %q", name)
		}
		r := rows[at]
		text, _ := r["error"].(string)
		switch {
		case name == "www.example.com":
			if r["ip"] != good {
				t.Errorf("%v", r)
			}
		case r["status"] != "error" || r["ip"] != nil || r["checked_at"] != nil || !strings.Contains(text, "not the name of a host"):
			t.Errorf("%v", r)
		}
	}
	if len(rows) != len(odd)+1 || !slices.Equal(subjects(sim), []string{"www.example.com"}) {
		t.Errorf("%d rows, asked for %q", len(rows), subjects(sim))
	}
}

func TestOddAnswersForOneNameCostNoOther(t *testing.T) {
	sim := shodantest.New(t)
	sim.Fault(shodantest.Fault{Body: `{"A.example.com": "11.0.0.1", "b.example.com": ["11.0.0.2", "11.0.0.3"], "c.example.com": [], "d.example.com": {}, "f.example.com": " \u0000", "x.example.com": "11.0.0.9"}`})
	rows := mustConnect(t, keyed(sim)).mustRun(t, names("a.example.com", "b.example.com", "c.example.com", "d.example.com", "e.example.com", "f.example.com"))
	for name, want := range map[string][2]any{
		"a.example.com": {"resolved", "11.0.0.1"}, "b.example.com": {"resolved", "11.0.0.2"}, "c.example.com": {"not_resolved", nil},
		"d.example.com": {"error", nil}, "e.example.com": {"error", nil}, "f.example.com": {"error", nil},
	} {
		if r := byTitle(t, rows, name); r["status"] != want[0] || r["ip"] != want[1] || (r["error"] != nil) != (want[0] == "error") {
			t.Errorf("%v, want %v", r, want)
		}
	}
}
