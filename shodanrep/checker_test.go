package shodanrep

import (
	"encoding/json"
	"fmt"
	"iter"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/turbot/steampipe-plugin-sdk/v5/grpc/proto"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/scan"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

// checked returns the verdicts of a Checker as rows.
func checked(t *testing.T, c *scan.Checker, targets iter.Seq[netip.Prefix]) []row {
	t.Helper()
	var rows []row
	for v, err := range c.Check(t.Context(), targets, scan.UnknownSize) {
		if err != nil {
			t.Fatal(err)
		}
		r := row{}
		for _, column := range VerdictColumns() {
			r[column.Name] = decoded(t, column.Value(v))
		}
		rows = append(rows, r)
	}
	return rows
}

// decoded returns a value in the form that a row of the tests has.
func decoded(t *testing.T, value any) any {
	t.Helper()
	if at, ok := value.(time.Time); ok {
		return at.UTC().Format(time.RFC3339Nano)
	}
	if n, ok := value.(int64); ok {
		return n
	}
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func prefixes(texts ...string) []netip.Prefix {
	var list []netip.Prefix
	for _, text := range texts {
		if !strings.Contains(text, "/") {
			addr := netip.MustParseAddr(text)
			list = append(list, netip.PrefixFrom(addr, addr.BitLen()))
			continue
		}
		list = append(list, netip.MustParsePrefix(text))
	}
	return list
}

func mustChecker(t *testing.T, spc string, o CheckOptions) *scan.Checker {
	t.Helper()
	c, err := NewChecker(t.Context(), "test", spc, o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestVerdictsAreTheRowsOfTheTable(t *testing.T) {
	sim := shodantest.New(t)
	if _, err := sim.Load("../config/sample/hosts.json.gz"); err != nil {
		t.Fatal(err)
	}
	setClock(t, time.Now())
	spc := free(sim) + fmt.Sprintf("data_files = [%q]\nallow_list = [\"198.51.100.66 # ours\"]\n", "../config/sample/hosts.json.gz")
	s := mustConnect(t, spc)
	var ips []string
	for _, r := range s.mustRun(t, query{table: "shodan_ip_reputation", columns: []string{"ip"}, quals: map[string]*proto.QualValue{"source": texts("dataset")}}) {
		ips = append(ips, r["ip"].(string))
	}
	// Addresses without an answer, or from another source.
	ips = append(ips, "10.0.0.1", "2001:db8::ffff", "93.184.216.34", "10.0.0.0/8")
	for _, policy := range []string{"baseline", "extended"} {
		want := map[any]row{}
		for _, r := range s.mustRun(t, query{table: "shodan_ip_reputation", quals: map[string]*proto.QualValue{"ip": inets(ips...), "policy": texts(policy)}}) {
			want[r["ip"]] = r
		}
		got := checked(t, mustChecker(t, spc, CheckOptions{Policy: policy}), slices.Values(prefixes(ips...)))
		if len(got) != len(ips) || len(want) != len(ips) || len(ips) < 40 {
			t.Fatalf("%d verdicts and %d rows for %d addresses", len(got), len(want), len(ips))
		}
		for i, verdict := range got {
			if verdict["ip"] != ips[i] {
				t.Errorf("verdict %d is about %v, want %s", i, verdict["ip"], ips[i])
			}
			row := want[verdict["ip"]]
			for name := range row {
				if _, ok := verdict[name]; !ok && !strings.HasPrefix(name, "sp_") && name != "_ctx" {
					t.Errorf("no column %s", name)
				}
			}
			for name, value := range verdict {
				if name == "checked_at" {
					continue // asked at another time
				}
				if diff := cmp.Diff(fmt.Sprint(row[name]), fmt.Sprint(value)); diff != "" {
					t.Errorf("%s %s of %s (-table +verdict):\n%s", policy, name, ips[i], diff)
				}
			}
		}
	}
}

func TestTheListCountsAsAWhole(t *testing.T) {
	sim := shodantest.New(t)
	spc := keyed(sim) + "api_lookup_limit = 3\n"
	many := prefixes("93.10.0.1", "93.10.0.2", "93.10.0.3", "93.10.0.3", "10.0.0.1", "10.0.0.0/8", "93.10.0.4")
	few := many[:6]
	for _, test := range []struct {
		targets []netip.Prefix
		want    string
	}{{few, "shodan"}, {many, "internetdb"}} {
		for _, r := range checked(t, mustChecker(t, spc, CheckOptions{}), slices.Values(test.targets)) {
			if r["status"] == "not_indexed" && r["source"] != test.want {
				t.Errorf("of %d: %v is from %v, want %s", len(test.targets), r["ip"], r["source"], test.want)
			}
		}
	}
	if sim.Count(shodantest.InternetDB) == 0 || sim.Count("") == sim.Count(shodantest.InternetDB) {
		t.Error("one of the services got no request")
	}
}

func TestRefreshAsksAgainAndKeepsTheResponse(t *testing.T) {
	sim := shodantest.New(t)
	spc := strings.Replace(free(sim), `"memory"`, strconv.Quote(t.TempDir()+"/cache.sqlite"), 1)
	t.Cleanup(scan.Shutdown)
	one := prefixes("93.10.0.1")
	check := func(o CheckOptions) { checked(t, mustChecker(t, spc, o), slices.Values(one)) }
	for i, step := range []struct {
		options CheckOptions
		want    int
	}{{CheckOptions{}, 1}, {CheckOptions{}, 1}, {CheckOptions{Refresh: true}, 2}, {CheckOptions{}, 2}, {CheckOptions{NoCache: true}, 3}, {CheckOptions{}, 3}} {
		if check(step.options); sim.Count("") != step.want {
			t.Errorf("after step %d: %d requests, want %d", i, sim.Count(""), step.want)
		}
	}
}

// Memory does not grow with the list: no more than two windows are taken from it before their verdicts are used.
func TestTargetsAreTakenAsTheyAreNeeded(t *testing.T) {
	sim := shodantest.New(t)
	c := mustChecker(t, free(sim), CheckOptions{})
	const window = 1000 // how many addresses are handed over at a time
	taken, used := 0, 0
	targets := func(yield func(netip.Prefix) bool) {
		addr := netip.MustParseAddr("10.0.0.1") // reserved: no request
		for range 20 * window {
			taken++
			if !yield(netip.PrefixFrom(addr, 32)) {
				return
			}
			addr = addr.Next()
		}
	}
	for _, err := range c.Check(t.Context(), targets, 0) {
		if err != nil {
			t.Fatal(err)
		}
		if used++; taken-used > 3*window {
			t.Fatalf("%d targets are waiting", taken-used)
		}
		if used == 5*window {
			break
		}
	}
	if taken > 8*window {
		t.Errorf("%d targets were taken for %d verdicts", taken, used)
	}
}

func TestAWrongOptionFailsBeforeAnythingIsLookedUp(t *testing.T) {
	sim := shodantest.New(t)
	for _, test := range []struct {
		options CheckOptions
		want    string
	}{
		{CheckOptions{Policy: "basline"}, "policy basline: there is no policy of that name"},
		{CheckOptions{Source: "shodna"}, `"shodna" is no source`},
		{CheckOptions{Source: string(lookup.Dataset)}, `source "dataset" needs files`},
	} {
		_, err := NewChecker(t.Context(), "test", free(sim), test.options)
		if err == nil || !strings.HasPrefix(err.Error(), test.want) {
			t.Errorf("%+v: %v, want %s", test.options, err, test.want)
		}
	}
}
