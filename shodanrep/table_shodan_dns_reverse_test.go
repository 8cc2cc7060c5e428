package shodanrep

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/turbot/steampipe-plugin-sdk/v5/grpc/proto"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

func TestEveryAddressIsARowWithItsNames(t *testing.T) {
	sim := shodantest.New(t, shodantest.WithPlan("oss"), shodantest.WithCredits(0)) // any key may, at no cost
	sim.AddHost(shodantest.Host{IP: bad, Hostnames: []string{"bad.example.com", "worse.example.com"}})
	sim.AddHost(shodantest.Host{IP: "2606:4700::1", Hostnames: []string{"six.example.com"}})
	rows := mustConnect(t, keyed(sim)).mustRun(t, namesOfAddresses(bad, bad+"/32", good, "2606:4700::1", "10.0.0.1", "198.51.100.7", "11.0.0.0/24"))
	none, two := []any{}, []any{"bad.example.com", "worse.example.com"}
	for ip, want := range map[string]row{
		bad:            {"status": "indexed", "hostnames": two, "hostname_count": int64(2)},
		good:           {"status": "not_indexed", "hostnames": none, "hostname_count": int64(0)},
		"2606:4700::1": {"status": "indexed", "hostnames": []any{"six.example.com"}, "hostname_count": int64(1)},
		"10.0.0.1":     {"status": "reserved", "hostnames": nil, "hostname_count": nil},
		"198.51.100.7": {"status": "reserved", "hostnames": nil, "hostname_count": nil},
		"11.0.0.0/24":  {"status": "not_a_host", "hostnames": nil, "hostname_count": nil},
	} {
		r := byIP(t, rows, ip)
		if asked := want["hostnames"] != nil; asked != (r["checked_at"] != nil) {
			t.Errorf("%s was checked at %v", ip, r["checked_at"])
		}
		delete(r, "checked_at")
		want["ip"], want["title"], want["error"] = ip, ip, nil
		if diff := cmp.Diff(want, r); diff != "" {
			t.Error(diff)
		}
	}
	if len(rows) != 7 || !slices.Equal(subjects(sim), []string{"11.0.0.1,11.0.0.2,2606:4700::1"}) {
		t.Errorf("%d rows, asked for %q", len(rows), subjects(sim))
	}
}

func TestTextThatIsNoAddressIsARowAndNotSent(t *testing.T) {
	sim := shodantest.New(t)
	for _, text := range []string{"11.0.0.1,11.0.0.2", "", "example.com", "11.0.0.1/x", "fe80::1%"} {
		rows := mustConnect(t, keyed(sim)).mustRun(t, query{table: "shodan_dns_reverse", quals: map[string]*proto.QualValue{"ip": texts(text)}})
		if len(rows) != 1 || rows[0]["status"] != "error" || rows[0]["hostnames"] != nil || !strings.Contains(rows[0]["error"].(string), "is not an IP address") {
			t.Errorf("%q: %v", text, rows)
		}
	}
	if sim.Count("") != 0 {
		t.Errorf("asked for %q", subjects(sim))
	}
}

func TestOddAnswersForOneAddressCostNoOther(t *testing.T) {
	sim := shodantest.New(t)
	sim.Fault(shodantest.Fault{Body: `{"11.0.0.1": ["a\u0000.example.com", null, {}, "b.example.com"], "11.0.0.2": "c.example.com", "11.0.0.3": {}, "11.0.0.5": 7, "2606:4700:0::1": []}`})
	rows := mustConnect(t, keyed(sim)).mustRun(t, namesOfAddresses("11.0.0.1", "11.0.0.2", "11.0.0.3", "11.0.0.4", "11.0.0.5", "2606:4700::1"))
	for ip, want := range map[string][]any{
		"11.0.0.1": {"indexed", []any{"a.example.com", "b.example.com"}}, "11.0.0.2": {"indexed", []any{"c.example.com"}}, "2606:4700::1": {"not_indexed", []any{}},
		"11.0.0.3": {"error", nil}, "11.0.0.4": {"error", nil}, "11.0.0.5": {"error", nil},
	} {
		r := byIP(t, rows, ip)
		if diff := cmp.Diff(want, []any{r["status"], r["hostnames"]}); diff != "" || (r["error"] != nil) != (want[0] == "error") {
			t.Errorf("%s: %v, %s", ip, r["error"], diff)
		}
	}
}
