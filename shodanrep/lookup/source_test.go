package lookup_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

// download writes a file as `shodan download` does, with one banner for each address.
func download(t *testing.T, addrs ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "download.json.gz")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	zip := gzip.NewWriter(file)
	for _, addr := range addrs {
		fmt.Fprintf(zip, `{"ip_str": %q, "port": 443, "transport": "tcp", "timestamp": "2026-01-15T12:00:00.000000", "data": "", "ssl": {"jarm": "29d29d"}}`+"\n", addr)
	}
	if err := zip.Close(); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestSourceChoice(t *testing.T) {
	const inDataset, reserved = "12.7.7.7", "10.0.0.1"
	for _, test := range []struct {
		name    string
		config  func(*lookup.Config)
		plan    string // of the key, "dev" if empty
		size    int    // of the list
		asked   lookup.Source
		dataset bool // there is one
		addr    string
		want    lookup.Source
		status  lookup.Status // indexed if empty
	}{
		{name: "without a key InternetDB is asked", config: func(c *lookup.Config) { c.APIKey = "" }, want: lookup.InternetDB},
		{name: "with a key the REST API is", want: lookup.Shodan},
		{name: "with a list as long as the limit too", size: 100, want: lookup.Shodan},
		{name: "with a longer list InternetDB is", size: 101, want: lookup.InternetDB},
		{name: "with a limit of 0 InternetDB is", config: func(c *lookup.Config) { c.APILookupLimit = 0 }, want: lookup.InternetDB},
		{name: "with a plan that is too low InternetDB is", plan: "oss", want: lookup.InternetDB},
		{name: "a named source is, whatever the list's length", size: 5000, asked: lookup.Shodan, want: lookup.Shodan},
		{name: "a named InternetDB is, whatever the key", asked: lookup.InternetDB, want: lookup.InternetDB},
		{name: "a connection's source is", config: func(c *lookup.Config) { c.Source = lookup.InternetDB }, want: lookup.InternetDB},
		{name: "a connection's source is, whatever the list's length", config: func(c *lookup.Config) { c.Source = lookup.Shodan }, size: 5000, want: lookup.Shodan},
		{name: "a query's source comes before the connection's", config: func(c *lookup.Config) { c.Source = lookup.InternetDB }, asked: lookup.Shodan, want: lookup.Shodan},
		{name: "auto in the query leaves it to the connection", config: func(c *lookup.Config) { c.Source = lookup.InternetDB }, asked: lookup.Auto, want: lookup.InternetDB},
		{name: "an address of the dataset is answered from it", dataset: true, addr: inDataset, want: lookup.Dataset},
		{name: "any other is not", dataset: true, want: lookup.Shodan},
		{name: "a named source is asked, not the dataset", dataset: true, addr: inDataset, asked: lookup.InternetDB, want: lookup.InternetDB, status: lookup.NotIndexed},
		{name: "a named dataset is asked alone", dataset: true, asked: lookup.Dataset, want: lookup.Dataset, status: lookup.NotIndexed},
		{name: "a connection's dataset is asked alone", dataset: true, config: func(c *lookup.Config) { c.Source = lookup.Dataset }, want: lookup.Dataset, status: lookup.NotIndexed},
		{name: "a reserved address is asked of no one", addr: reserved, want: "", status: lookup.Reserved},
		{name: "not even where the REST API is named", addr: reserved, asked: lookup.Shodan, want: "", status: lookup.Reserved},
		{name: "but a dataset may have it", dataset: true, addr: "192.0.2.7", want: lookup.Dataset},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				plan := test.plan
				if plan == "" {
					plan = "dev"
				}
				sim := shodantest.NewHandler(shodantest.WithPlan(plan))
				cfg := withKey(sim)
				if test.config != nil {
					test.config(&cfg)
				}
				if test.dataset {
					cfg.DataFiles = []string{download(t, inDataset, "192.0.2.7")}
				}
				e := start(t, cfg)
				addr := sim.Generate(1)[0]
				if test.addr != "" {
					addr = netip.MustParseAddr(test.addr)
				}
				b := e.Batch(t.Context(), max(1, test.size))
				q := lookup.Question{Addr: addr, Source: test.asked}
				b.Add(q)
				if err := b.Ready(t.Context()); err != nil {
					t.Fatal(err)
				}
				status := test.status
				if status == "" {
					status = lookup.Indexed
				}
				a := answers(t.Context(), t, b, q)[0]
				if a.Source != test.want || a.Status != status {
					t.Errorf("%s from %q, want %s from %q: %s", a.Status, a.Source, status, test.want, a.Error)
				}
				if (a.Host != nil) != (a.Status == lookup.Indexed) {
					t.Errorf("%s with host %v", a.Status, a.Host)
				}
				for _, r := range sim.Requests() {
					if r.Service != string(test.want) && r.Status != 403 {
						t.Errorf("%s was asked for %s", r.Service, r.Target)
					}
				}
			})
		})
	}
}

func TestAnUnknownKeyIsTriedWithOneRequest(t *testing.T) {
	for _, test := range []struct {
		name, key, plan string
		source          lookup.Source // the connection's
		requests        int           // to the REST API
		status          lookup.Status
		ready           shodan.Kind // of Ready's error, -1 for none
	}{
		{"a good key", shodantest.Key, "dev", lookup.Auto, 40, lookup.Indexed, -1},
		{"a wrong key", "wrong", "dev", lookup.Auto, 1, lookup.Failed, shodan.BadKey},
		{"a wrong key, named", "wrong", "dev", lookup.Shodan, 1, lookup.Failed, shodan.BadKey},
		{"a plan that is too low", shodantest.Key, "oss", lookup.Auto, 1, lookup.Indexed, -1},
		{"a plan that is too low, named", shodantest.Key, "oss", lookup.Shodan, 1, lookup.Failed, shodan.PlanTooLow},
	} {
		for _, bulkLookup := range []string{"off", "auto"} {
			t.Run(test.name+", bulk_lookup "+bulkLookup, func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					sim := shodantest.NewHandler(shodantest.WithPlan(test.plan), shodantest.WithLatency(100*time.Millisecond))
					cfg := config(sim)
					cfg.APIKey, cfg.Source, cfg.BulkLookup, cfg.RequestsPerSecond = test.key, test.source, bulkLookup, 1000
					e := start(t, cfg)
					list := questions(sim.Generate(40))
					b := e.Batch(t.Context(), len(list))
					b.Add(list...)
					err := b.Ready(t.Context())
					if test.ready < 0 && err != nil || test.ready >= 0 && !shodan.IsKind(err, test.ready) {
						t.Errorf("ready: %v, want %v", err, test.ready)
					}
					if n := tally(answers(t.Context(), t, b, list...))[test.status]; n != len(list) {
						t.Errorf("%d of %d are %s", n, len(list), test.status)
					}
					want := test.requests
					if bulkLookup == "auto" && (want > 1 || test.plan == "oss") {
						want++ // which finds out that many at once are not allowed
					}
					if n := sim.Count(shodantest.Shodan); n != want {
						t.Errorf("%d requests to the REST API, want %d", n, want)
					}
				})
			})
		}
	}
}

func TestTwoRefusalsInARowAreRememberedForAnHour(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := shodantest.NewHandler(shodantest.WithPlan("oss"))
		cfg := withKey(sim)
		cfg.Cache = "off"
		e := start(t, cfg)
		list := questions(sim.Generate(6))
		for i, step := range []struct {
			wait     time.Duration
			requests int
		}{{0, 1}, {0, 2}, {0, 2}, {59 * time.Minute, 2}, {2 * time.Minute, 3}, {0, 4}} {
			time.Sleep(step.wait)
			if a := lookUp(t.Context(), t, e, list[i])[0]; a.Source != lookup.InternetDB || a.Status != lookup.Indexed {
				t.Errorf("look-up %d: %+v", i+1, a)
			}
			if n := sim.Count(shodantest.Shodan); n != step.requests {
				t.Errorf("after look-up %d there were %d requests to the REST API, want %d", i+1, n, step.requests)
			}
		}
	})
}

func TestTheRefusalOfOneAddressDoesNotTurnTheKeyOff(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := shodantest.NewHandler()
		cfg := withKey(sim)
		cfg.BulkLookup, cfg.RequestsPerSecond = "off", 1000
		var log bytes.Buffer
		cfg.Logger = hclog.New(&hclog.LoggerOptions{Output: &log, Level: hclog.Warn})
		addrs := sim.Generate(30)
		sim.Fault(shodantest.Fault{Service: shodantest.Shodan, Target: addrs[0].String(), Status: 403, Body: `{"error": "Access denied"}`})
		e := start(t, cfg)

		first := lookUp(t.Context(), t, e, questions(addrs[:3])...)
		for i, a := range first {
			if a.Status != lookup.Indexed || a.Source != lookup.InternetDB {
				t.Errorf("%d: %+v", i, a)
			}
		}
		if text := log.String(); strings.Count(text, "[WARN]") != 1 || !strings.Contains(text, "InternetDB is used instead") ||
			!strings.Contains(text, "the next query tries the key once more") || !strings.Contains(text, "Access denied") || strings.Contains(text, shodantest.Key) {
			t.Errorf("the log says: %s", text)
		}

		for i, a := range lookUp(t.Context(), t, e, questions(addrs[3:])...) {
			if a.Status != lookup.Indexed || a.Source != lookup.Shodan {
				t.Fatalf("the next query, address %d: %+v", i, a)
			}
		}
		// The key is known to be good by now, so that a refused address among many costs none of the others.
		sim.Fault(shodantest.Fault{Service: shodantest.Shodan, Target: addrs[1].String(), Status: 403, Body: `{"error": "Access denied"}`})
		third := lookUp(t.Context(), t, e, questions(unknown(20))...)
		third = append(third, lookUp(t.Context(), t, e, questions(append(unknown(20), addrs[1]))...)...)
		if n := tally(third); n[lookup.NotIndexed] != 40 {
			t.Errorf("%v", n)
		}
		for _, a := range third[:40] {
			if a.Source != lookup.Shodan {
				t.Errorf("%+v", a)
			}
		}
		if a := third[40]; a.Status != lookup.Indexed || a.Source != lookup.InternetDB {
			t.Errorf("the refused address: %+v", a)
		}
	})
}

func TestAFaultOfTheFirstRequestSaysNothingOfTheKey(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := shodantest.NewHandler()
		cfg := withKey(sim)
		cfg.RequestsPerSecond, cfg.BulkLookup = 1000, "off"
		addrs := sim.Generate(30)
		sim.Fault(shodantest.Fault{Target: addrs[0].String(), Status: 502})
		got := lookUp(t.Context(), t, start(t, cfg), questions(addrs)...)
		if got[0].Status != lookup.Failed || tally(got)[lookup.Indexed] != 29 {
			t.Errorf("%v; the first: %+v", tally(got), got[0])
		}
	})
}

func TestASourceThatCannotBeAskedSaysWhatIsMissing(t *testing.T) {
	t.Parallel()
	sim := shodantest.NewHandler()
	keyless := config(sim)
	full := withKey(sim)
	full.DataFiles = []string{download(t, "192.0.2.1")}
	for _, test := range []struct {
		name   string
		engine *lookup.Engine
		source lookup.Source
		want   string // part of the error, none if empty
	}{
		{"nothing", start(t, keyless), "", ""},
		{"auto", start(t, keyless), lookup.Auto, ""},
		{"InternetDB", start(t, keyless), lookup.InternetDB, ""},
		{"the REST API without a key", start(t, keyless), lookup.Shodan, `source "shodan" needs an API key: set api_key`},
		{"a dataset without files", start(t, keyless), lookup.Dataset, `source "dataset" needs files: set data_files`},
		{"a slip", start(t, keyless), "shodna", `"shodna" is no source: use dataset, shodan or internetdb`},
		{"the REST API", start(t, full), lookup.Shodan, ""},
		{"a dataset", start(t, full), lookup.Dataset, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := test.engine.CheckSource(test.source)
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("%v, want %q", err, test.want)
			}
		})
	}
}

func TestFilesThatAreNotThereFailTheConnection(t *testing.T) {
	t.Parallel()
	cfg := config(shodantest.NewHandler())
	cfg.DataFiles = []string{filepath.Join(t.TempDir(), "*.json.gz")}
	if _, err := lookup.New(t.Context(), cfg); err == nil || !strings.HasPrefix(err.Error(), "data_files: ") {
		t.Errorf("%v, want an error that names the argument", err)
	}
}

func TestAFileWithoutBannersDoesNotAnswerWhatNeedsThem(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := shodantest.NewHandler(shodantest.WithPlan("dev"))
		addr := sim.Generate(1)[0]
		path := filepath.Join(t.TempDir(), "internetdb.json")
		if err := os.WriteFile(path, fmt.Appendf(nil, `{"ip": %q, "ports": [80], "cpes": [], "hostnames": [], "tags": [], "vulns": []}`, addr), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, test := range []struct {
			key    string
			q      lookup.Question
			want   lookup.Source
			status lookup.Status
		}{
			{"", lookup.Question{}, lookup.Dataset, lookup.Indexed},
			{"", lookup.Question{Banners: true}, lookup.Dataset, lookup.Indexed},
			{"", lookup.Question{RequireBanners: true}, lookup.Dataset, lookup.NotIndexed},
			{"", lookup.Question{History: true}, lookup.Dataset, lookup.Indexed},
			{"", lookup.Question{History: true, Source: lookup.Dataset}, lookup.Dataset, lookup.Indexed},
			{shodantest.Key, lookup.Question{History: true, Source: lookup.Dataset}, lookup.Dataset, lookup.Indexed},
			{shodantest.Key, lookup.Question{History: true}, lookup.Shodan, lookup.Indexed},
			{shodantest.Key, lookup.Question{}, lookup.Dataset, lookup.Indexed},
			{shodantest.Key, lookup.Question{RequireBanners: true}, lookup.Shodan, lookup.Indexed},
			{shodantest.Key, lookup.Question{History: true, RequireBanners: true}, lookup.Shodan, lookup.Indexed},
		} {
			cfg := withKey(sim)
			cfg.APIKey, cfg.DataFiles = test.key, []string{path}
			test.q.Addr = addr
			b := start(t, cfg).Batch(t.Context(), 1)
			b.Add(test.q)
			if a := answers(t.Context(), t, b, test.q)[0]; a.Source != test.want || a.Status != test.status {
				t.Errorf("%+v with key %q: %s from %q, want %s from %q: %s", test.q, test.key, a.Status, a.Source, test.status, test.want, a.Error)
			}
		}
	})
}
