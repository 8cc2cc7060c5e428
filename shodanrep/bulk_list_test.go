package shodanrep

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/turbot/steampipe-plugin-sdk/v5/grpc"
	"github.com/turbot/steampipe-plugin-sdk/v5/grpc/proto"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

func names(list ...string) query {
	return query{table: "shodan_dns_resolve", quals: map[string]*proto.QualValue{"hostname": texts(list...)}}
}

func namesOfAddresses(ips ...string) query {
	return query{table: "shodan_dns_reverse", quals: map[string]*proto.QualValue{"ip": inets(ips...)}}
}

// byTitle finds the row of a value by its title, which is the value as it was asked for.
func byTitle(t *testing.T, rows []row, title string) row {
	t.Helper()
	at := slices.IndexFunc(rows, func(r row) bool { return r["title"] == title })
	if at < 0 {
		t.Fatalf("no row of %q among %d", title, len(rows))
	}
	return rows[at]
}

// many makes values of a pattern, in no order that a service would be asked in.
func many(n int, pattern string) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf(pattern, (i*7)%n)
	}
	return list
}

// subjects are what the simulator was asked for, request by request.
func subjects(sim *shodantest.Simulator) []string {
	var list []string
	for _, r := range sim.Requests() {
		list = append(list, r.Target)
	}
	return list
}

// valuesOf returns the values of a qual as the rows repeat them.
func valuesOf(v *proto.QualValue) (list []string) {
	if values, isList := v.Value.(*proto.QualValue_ListValue); isList {
		for _, value := range values.ListValue.Values {
			list = append(list, valuesOf(value)...)
		}
		return list
	}
	if inet := v.GetInetValue(); inet != nil {
		if inet.ProtocolVersion == grpc.IPv6 && !strings.Contains(inet.Addr, ":") {
			return []string{"::ffff:" + inet.Addr}
		}
		return []string{inet.Addr}
	}
	return []string{v.GetStringValue()}
}

func TestManyValuesAreAskedForInOneRequest(t *testing.T) {
	long := strings.Repeat("a", 60) + "." + strings.Repeat("b", 60) + ".%d.example.com"
	for name, tt := range map[string]struct {
		scan     query
		requests int
	}{
		"250 names are three requests":         {names(many(250, "host-%d.example.com")...), 3},
		"250 addresses are three requests":     {namesOfAddresses(many(250, "11.0.0.%d")...), 3},
		"100 names are one":                    {names(many(100, "host-%d.example.com")...), 1},
		"long names are fewer to a request":    {names(many(100, long)...), 4},
		"one name, written in different ways":  {names("www.example.com", "WWW.example.com", "www.example.com.", " www.example.com"), 1},
		"one address, with a mask and without": {namesOfAddresses("11.0.0.1", "11.0.0.1/32", "::ffff:11.0.0.1"), 1},
		"nothing that may be asked for":        {names("a,b", "198.51.100.7"), 0},
	} {
		t.Run(name, func(t *testing.T) {
			sim := shodantest.New(t)
			rows := mustConnect(t, keyed(sim)).mustRun(t, tt.scan)
			var asked []string
			for _, qual := range tt.scan.quals {
				asked = valuesOf(qual)
			}
			if len(rows) != len(asked) || sim.Count("") != tt.requests {
				t.Errorf("%d rows of %d values, %d requests, want %d", len(rows), len(asked), sim.Count(""), tt.requests)
			}
			for _, value := range asked {
				byTitle(t, rows, value)
			}
			for _, subject := range subjects(sim) {
				if n := strings.Count(subject, ",") + 1; n > 100 || len(subject) > 4000 {
					t.Errorf("a request for %d values, %d bytes", n, len(subject))
				}
			}
		})
	}
}

func TestALimitAsksForNoMoreValuesThanItNeeds(t *testing.T) {
	for name, list := range map[string]query{"names": names(many(250, "host-%d.example.com")...), "addresses": namesOfAddresses(many(250, "11.0.0.%d")...)} {
		t.Run(name, func(t *testing.T) {
			sim := shodantest.New(t)
			list.limit, list.exact = 5, true
			rows := mustConnect(t, keyed(sim)).mustRun(t, list)
			if len(rows) != 5 || sim.Count("") != 1 || strings.Count(subjects(sim)[0], ",") != 4 {
				t.Errorf("%d rows, asked for %v", len(rows), subjects(sim))
			}
		})
	}
}

func TestABatchThatFailsIsRowsThatSaySo(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]shodantest.Fault{
		"error pages":          {Status: 502, Body: shodantest.BodyPage(502)},
		"a challenge":          {Body: shodantest.BodyChallenge},
		"answers that are cut": {Kind: shodantest.Truncated},
		"an object of nothing": {Body: `{}`},
		"a list":               {Body: `[]`},
		"null":                 {Body: `null`},
		"something else":       {Body: `{"other.example": "11.0.0.9", "11.0.0.9": []}`},
		"values that are none": {Body: `{"www.example.com": {"a": 1}, "11.0.0.1": {"a": 1}}`},
		"numbers":              {Body: `{"www.example.com": 7, "11.0.0.1": 7}`},
		"a text of no address": {Body: `{"www.example.com": "none\u0000", "11.0.0.1": true}`},
		"an address with zone": {Body: `{"www.example.com": "fe80::1%eth0", "11.0.0.1": false}`},
		"a request refused":    {Status: 400, Body: `{"error": "Invalid request"}`},
		"requests without end": {Kind: shodantest.Hang},
		"nothing there":        {Status: 404, Body: `{"error": "No information available"}`},
	} {
		for _, list := range []query{names("www.example.com", "a b"), namesOfAddresses("11.0.0.1", "10.0.0.1")} {
			t.Run(list.table+", "+name, func(t *testing.T) {
				t.Parallel()
				sim := shodantest.New(t)
				sim.Fault(fault)
				rows := mustConnect(t, keyed(sim)+`timeout = "5s"`).mustRun(t, list)
				failed := 0
				for _, r := range rows {
					if asked := r["title"] == "www.example.com" || r["title"] == "11.0.0.1"; asked {
						text, _ := r["error"].(string)
						if failed++; r["status"] != "error" || text == "" || r["checked_at"] != nil || strings.Contains(text, shodantest.Key) {
							t.Errorf("%v", r)
						}
					}
				}
				if len(rows) != 2 || failed != 1 {
					t.Errorf("%d rows, %d of what was asked for", len(rows), failed)
				}
			})
		}
	}
}

func TestWhatIsWrongWithTheKeyFailsTheQuery(t *testing.T) {
	for name, tt := range map[string]struct {
		fault shodantest.Fault
		spc   func(*shodantest.Simulator) string
		want  string
	}{
		"no key":               {spc: free, want: "needs an API key: set api_key"},
		"a wrong key":          {spc: func(s *shodantest.Simulator) string { return strings.Replace(keyed(s), shodantest.Key, "WRONG", 1) }, want: "Shodan refused the API key"},
		"a plan that may not":  {shodantest.Fault{Status: 403, Body: shodantest.BodyPlanTooLow}, keyed, "needs a plan that allows it"},
		"no credits":           {shodantest.Fault{Status: 401, Body: `{"error": "Insufficient query credits, please upgrade your API plan"}`}, keyed, "no query credits left"},
		"a key without access": {shodantest.Fault{Status: 403, Body: `{"error": "Access denied"}`}, keyed, "needs a plan that allows it"},
	} {
		for _, list := range []query{names("www.example.com"), namesOfAddresses("11.0.0.1"), domain("example.com")} {
			t.Run(list.table+", "+name, func(t *testing.T) {
				t.Parallel()
				sim := shodantest.New(t)
				sim.AddRecords("example.com", shodantest.Record{Type: "A", Value: "11.0.0.1"})
				if tt.fault.Status != 0 {
					sim.Fault(tt.fault)
				}
				rows, err := mustConnect(t, tt.spc(sim)).run(t, list)
				if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), shodantest.Key) {
					t.Errorf("%d rows, %v, want %q", len(rows), err, tt.want)
				}
			})
		}
	}
}

func TestOneRequestTooManyIsAskedAgain(t *testing.T) {
	t.Parallel()
	for _, list := range []query{names("www.example.com"), namesOfAddresses(bad), domain("example.com")} {
		t.Run(list.table, func(t *testing.T) {
			t.Parallel()
			sim := simulate(t)
			sim.AddHost(shodantest.Host{IP: good, Hostnames: []string{"www.example.com"}})
			sim.Fault(shodantest.Fault{Times: 1, Status: 429, Body: shodantest.BodyRateLimited})
			for _, r := range mustConnect(t, keyed(sim)).mustRun(t, list) {
				if r["error"] != nil || r["checked_at"] == nil {
					t.Errorf("%v", r)
				}
			}
			if sim.Count("") != 2 {
				t.Errorf("%d requests, want one that was refused and one more", sim.Count(""))
			}
		})
	}
}
