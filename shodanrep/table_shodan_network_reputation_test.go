package shodanrep

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/turbot/steampipe-plugin-sdk/v5/grpc/proto"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

// ofNetwork is a scan of the table of networks.
func ofNetwork(networks ...string) query {
	return query{table: "shodan_network_reputation", quals: map[string]*proto.QualValue{"network": inets(networks...)}}
}

// from names a source in a scan.
func (s query) from(source string) query {
	s.quals["source"] = texts(source)
	return s
}

// statusesOf returns the status of each address.
func statusesOf(rows []row) map[any]any {
	statuses := map[any]any{}
	for _, r := range rows {
		statuses[r["ip"]] = r["status"]
	}
	return statuses
}

func TestANetworkHasARowForEachAddressFromEitherSource(t *testing.T) {
	for source, want := range map[string]struct {
		endpoints map[string]int
		credits   int
	}{
		"internetdb": {map[string]int{shodantest.EndpointInternetDB: 8}, 0},
		"shodan":     {map[string]int{shodantest.EndpointCount: 1, shodantest.EndpointSearch: 1}, 1},
	} {
		t.Run(source, func(t *testing.T) {
			sim := simulate(t)
			s := mustConnect(t, keyed(sim))
			rows := s.mustRun(t, ofNetwork("11.0.0.0/29").from(source))
			if len(rows) != 8 || !maps.Equal(endpoints(sim), want.endpoints) || sim.Credits(shodantest.Key) != 10_000-want.credits {
				t.Fatalf("%d rows after %v, %d credits left", len(rows), endpoints(sim), sim.Credits(shodantest.Key))
			}
			for _, r := range rows {
				if r["network"] != "11.0.0.0/29" || r["source"] != source || r["title"] != r["ip"] || r["checked_at"] == nil || r["policy"] != "baseline" {
					t.Errorf("%v", r)
				}
				// A search finds services, so that it cannot find a host that has none.
				if known := r["ip"] == bad || r["ip"] == good || r["ip"] == empty && source == "internetdb"; known != (r["status"] == "indexed") || known == (r["level"] == "unknown") || !known && (r["status"] != "not_indexed" || r["score"] != nil) {
					t.Errorf("%v", r)
				}
			}
			// What is known of an address is what its own look-up says.
			alone := s.mustRun(t, query{table: "shodan_ip_reputation", quals: map[string]*proto.QualValue{"ip": inets(bad, good), "source": texts(source)}})
			for _, r := range alone {
				of := maps.Clone(byIP(t, rows, r["ip"].(string)))
				if of, alone := fmt.Sprint(of["services"]), fmt.Sprint(r["services"]); len(of) != len(alone) {
					t.Errorf("%s, want %s", of, alone)
				}
				for _, column := range []string{"network", "checked_at", "services"} { // a search has the services in an order of its own
					delete(of, column)
					delete(r, column)
				}
				if diff := cmp.Diff(r, of); diff != "" {
					t.Errorf("by itself (-) and in its network (+): %s", diff)
				}
			}
		})
	}
}

func TestANetworkIsAskedOfWhatCostsNothingUnlessTheQueryOrTheConnectionSaysOtherwise(t *testing.T) {
	for name, tt := range map[string]struct {
		spc    string
		source string
		want   string
	}{
		"a key alone costs nothing":       {"", "", "internetdb"},
		"the connection names the source": {`source = "shodan"`, "", "shodan"},
		"the query names the source":      {"", "shodan", "shodan"},
		"the query has the last word":     {`source = "shodan"`, "internetdb", "internetdb"},
	} {
		t.Run(name, func(t *testing.T) {
			sim := simulate(t)
			search := ofNetwork("11.0.0.0/30")
			if tt.source != "" {
				search = search.from(tt.source)
			}
			for _, r := range mustConnect(t, keyed(sim)+tt.spc).mustRun(t, search) {
				if r["source"] != tt.want {
					t.Errorf("%v", r)
				}
			}
		})
	}
}

func TestASingleAddressIsANetworkTooAndCostsNoCredit(t *testing.T) {
	for _, given := range []string{bad, bad + "/32", "::ffff:" + bad, "::ffff:11.0.0.1/128"} {
		sim := simulate(t)
		search := ofNetwork().from("shodan")
		search.quals["network"] = texts(given) // as text, which is how a generic plan and the embedded engine hand it over
		rows := mustConnect(t, keyed(sim)).mustRun(t, search)
		if len(rows) != 1 || rows[0]["network"] != given || rows[0]["ip"] != bad || rows[0]["status"] != "indexed" || rows[0]["source"] != "shodan" || sim.Credits(shodantest.Key) != 10_000 {
			t.Errorf("%s: %v, %d credits left", given, rows, sim.Credits(shodantest.Key))
		}
	}
}

func TestNetworksInOtherForms(t *testing.T) {
	sim := simulate(t)
	s := mustConnect(t, free(sim))
	for given, want := range map[string]string{
		"11.0.0.2/31":         "11.0.0.2 11.0.0.3",
		"11.0.0.3/31":         "11.0.0.2 11.0.0.3", // with bits of a host, which PostgreSQL's inet may have
		"::ffff:11.0.0.2/127": "11.0.0.2 11.0.0.3",
		"64:ff9b::b00:2/127":  "11.0.0.2 11.0.0.3", // of NAT64
		"64:ff9b::b00:2":      "11.0.0.2",
		"2606:4700::/127":     "2606:4700:: 2606:4700::1",
		"255.255.255.254/31":  "255.255.255.254 255.255.255.255", // after which there is none
	} {
		for _, columns := range [][]string{nil, {"network", "ip"}} { // the second is without a lookup
			q := ofNetwork(given)
			q.columns = columns
			addresses := []string{}
			for _, r := range s.mustRun(t, q) {
				addresses = append(addresses, r["ip"].(string))
				if r["network"] != given {
					t.Errorf("%s: %v, which PostgreSQL would drop", given, r)
				}
			}
			slices.Sort(addresses)
			if strings.Join(addresses, " ") != want {
				t.Errorf("%s: %v", given, addresses)
			}
		}
	}
}

func TestReservedAddressesOfANetworkAreAskedOfNobody(t *testing.T) {
	for _, source := range []string{"internetdb", "shodan"} {
		sim := simulate(t)
		rows := mustConnect(t, keyed(sim)).mustRun(t, ofNetwork("192.168.1.0/24").from(source))
		for _, r := range rows {
			if r["status"] != "reserved" || r["source"] != source { // as the query says, or PostgreSQL would drop the row
				t.Fatalf("%v", r)
			}
		}
		if len(rows) != 256 || sim.Count("") != 0 {
			t.Errorf("%s: %d rows, %d requests: %v", source, len(rows), sim.Count(""), sim.Requests())
		}
	}
}

func TestANetworkThatIsTooLargeIsAnErrorBeforeAnythingIsAsked(t *testing.T) {
	for given, want := range map[string]string{
		"11.0.0.0/28":                         "network 11.0.0.0/28 has 16 addresses, more than network_limit = 8: ask for its parts, or raise network_limit in the connection",
		"0.0.0.0/0":                           "network 0.0.0.0/0 has 4294967296 addresses, more than",
		"2606:4700::/64":                      "network 2606:4700::/64 has 18446744073709551616 addresses, more than",
		"::/0":                                "network ::/0 has 340282366920938463463374607431768211456 addresses, more than",
		"11.0.0.0/29,11.0.1.0/29,11.0.2.0/24": "network 11.0.2.0/24 has 256 addresses, more than",
	} {
		sim := simulate(t)
		rows, err := mustConnect(t, free(sim)+"network_limit = 8").run(t, ofNetwork(strings.Split(given, ",")...))
		if err == nil || !strings.Contains(err.Error(), want) || len(rows) != 0 || sim.Count("") != 0 {
			t.Errorf("%s: %d rows, error %v, %d requests", given, len(rows), err, sim.Count(""))
		}
	}
}

func TestNetworksThatCannotBeAskedFor(t *testing.T) {
	network := inets("11.0.0.0/30")
	for name, tt := range map[string]struct {
		network, source *proto.QualValue
		spc             func(*shodantest.Simulator) string
		want            string
	}{
		"none":                         {nil, nil, keyed, "missing"},
		"no network":                   {texts("example.com"), nil, keyed, `network = "example.com" is no network: write it like 203.0.113.0/24`},
		"a range":                      {texts("11.0.0.1-11.0.0.9"), nil, keyed, "is no network"},
		"known only when it runs":      {&proto.QualValue{}, nil, keyed, "network is compared with a value that is only known when the query runs"},
		"auto, which is no source":     {network, texts("auto"), keyed, "leave source out"},
		"a source that there is not":   {network, texts("censys"), keyed, `"censys" is no source`},
		"the REST API without a key":   {network, texts("shodan"), free, `source "shodan" needs an API key`},
		"a dataset that there is not":  {network, texts("dataset"), keyed, "data_files"},
		"with a wrong key":             {network, texts("shodan"), wrongKey, "Shodan refused the API key"},
		"of an address, a wrong key":   {inets(bad), texts("shodan"), wrongKey, "Shodan refused the API key"},
		"more banners than are wanted": {network, texts("shodan"), func(s *shodantest.Simulator) string { return keyed(s) + "search_limit = 4" }, "searching for net:11.0.0.0/30 would bring 5 banners, more than search_limit = 4"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			search := query{table: "shodan_network_reputation", quals: map[string]*proto.QualValue{"network": tt.network, "source": tt.source}}
			maps.DeleteFunc(search.quals, func(_ string, value *proto.QualValue) bool { return value == nil })
			rows, err := mustConnect(t, tt.spc(simulate(t))).run(t, search)
			if err == nil || !strings.Contains(err.Error(), tt.want) || len(rows) != 0 || strings.Contains(err.Error(), "WRONGKEY") {
				t.Errorf("%d rows, error %v, want %s", len(rows), err, tt.want)
			}
		})
	}
}

func TestASearchOfANetworkNeedsAPlanAndCredits(t *testing.T) {
	for want, option := range map[string]shodantest.Option{
		"searching for net:11.0.0.0/30 needs a plan that allows it": shodantest.WithPlan("oss"),
		"searching for net:11.0.0.0/30 costs a query credit":        shodantest.WithCredits(0),
	} {
		rows, err := mustConnect(t, keyed(simulate(t, option))).run(t, ofNetwork("11.0.0.0/30").from("shodan"))
		if err == nil || !strings.Contains(err.Error(), want) || len(rows) != 0 {
			t.Errorf("%d rows, error %v, want %s", len(rows), err, want)
		}
	}
}

func TestAnAddressOfANetworkThatCannotBeCheckedIsARow(t *testing.T) {
	for name, tt := range map[string]struct {
		source string
		fault  shodantest.Fault
		failed []string
	}{
		"a look-up without an answer":  {"internetdb", shodantest.Fault{Target: bad, Status: 502, Body: shodantest.BodyPage(502)}, []string{bad}},
		"a look-up with odd JSON":      {"internetdb", shodantest.Fault{Target: bad, Body: `{}`}, []string{bad}},
		"a search without an answer":   {"shodan", shodantest.Fault{Endpoint: shodantest.EndpointSearch, Status: 502, Body: shodantest.BodyPage(502)}, []string{"11.0.0.0", bad, good, empty}},
		"a search with HTML under 200": {"shodan", shodantest.Fault{Endpoint: shodantest.EndpointSearch, Body: shodantest.BodyPage(200)}, []string{"11.0.0.0", bad, good, empty}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sim := simulate(t)
			sim.Fault(tt.fault)
			rows := mustRunInTime(t, keyed(sim), "800ms", ofNetwork("11.0.0.0/30").from(tt.source))
			if len(rows) != 4 {
				t.Fatalf("%d rows", len(rows))
			}
			for _, r := range rows {
				failed := slices.Contains(tt.failed, r["ip"].(string))
				if failed != (r["status"] == "error") || failed != (r["error"] != nil) || failed && (r["level"] != "unknown" || r["score"] != nil || strings.ContainsAny(r["error"].(string), "<>")) {
					t.Errorf("%v", r)
				}
			}
		})
	}
}

func TestNetworksOfALongList(t *testing.T) {
	sim := simulate(t)
	sim.AddHost(shodantest.Host{IP: "11.0.7.255", Ports: []int{22}})
	search := ofNetwork("11.0.0.0/24", "11.0.7.0/24", "10.0.0.0/30", bad)
	rows := mustConnect(t, free(sim)).mustRun(t, search)
	counts := map[any]int{}
	for _, r := range rows {
		counts[r["network"]]++
	}
	if diff := cmp.Diff(map[any]int{"11.0.0.0/24": 256, "11.0.7.0/24": 256, "10.0.0.0/30": 4, bad: 1}, counts); diff != "" {
		t.Error(diff)
	}
	if statuses := statusesOf(rows); statuses["11.0.7.255"] != "indexed" || statuses["11.0.7.254"] != "not_indexed" || statuses["10.0.0.3"] != "reserved" {
		t.Errorf("%v %v %v", statuses["11.0.7.255"], statuses["11.0.7.254"], statuses["10.0.0.3"])
	}
	if sim.Count("") != 512 {
		t.Errorf("%d requests for 512 addresses that can be looked up", sim.Count(""))
	}
	// Two lists are one call, which has both whole.
	search = ofNetwork("11.0.0.0/30", "11.0.7.252/30")
	search.quals["source"] = texts("internetdb", "shodan")
	if rows := mustConnect(t, keyed(sim)).mustRun(t, search); len(rows) != 16 {
		t.Errorf("%d rows of two networks from two sources", len(rows))
	}
}

func TestWhatIsNotNeededOfANetworkIsNotLookedUp(t *testing.T) {
	sim := simulate(t)
	s := mustConnect(t, free(sim))
	search := ofNetwork("11.0.0.0/24", "11.0.1.0/24", "11.0.2.0/24")
	search.columns = []string{"network", "ip", "title"}
	if rows := s.mustRun(t, search); len(rows) != 768 || sim.Count("") != 0 {
		t.Errorf("addresses alone: %d rows and %d requests", len(rows), sim.Count(""))
	}
	search.columns, search.limit = nil, 5
	if rows := s.mustRun(t, search); len(rows) != 5 || sim.Count("") != 5 {
		t.Errorf("limit 5: %d rows and %d requests", len(rows), sim.Count(""))
	}
}

func TestANetworkInADataset(t *testing.T) {
	sim := simulate(t)
	spc := free(sim) + fmt.Sprintf("data_files = [%q]\n", "../config/sample/hosts.json.gz")
	s := mustConnect(t, spc)
	rows := s.mustRun(t, ofNetwork("203.0.113.0/24"))
	known := 0
	for _, r := range rows {
		switch {
		case r["status"] == "indexed" && r["source"] == "dataset":
			known++
		case r["status"] != "reserved" || r["source"] != nil:
			t.Errorf("%v", r)
		}
	}
	if len(rows) != 256 || known < 3 || sim.Count("") != 0 {
		t.Errorf("%d rows, %d of the dataset, %d requests", len(rows), known, sim.Count(""))
	}
	rows = s.mustRun(t, ofNetwork("11.0.0.0/30").from("dataset"))
	for _, r := range rows {
		if r["status"] != "not_indexed" || r["source"] != "dataset" {
			t.Errorf("%v", r)
		}
	}
	if len(rows) != 4 || sim.Count("") != 0 {
		t.Errorf("%d rows, %d requests", len(rows), sim.Count(""))
	}
}
