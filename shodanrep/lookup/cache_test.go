package lookup_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cache"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

// TestAResponseHasOneTime is about checked_at, which caches and PostgreSQL keep in microseconds.
func TestAResponseHasOneTime(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := shodantest.NewHandler()
		sim.AddCVE(shodantest.CVE{ID: "CVE-2024-0001"})
		e := start(t, withKey(sim))
		known, none := lookup.Question{Addr: sim.Generate(1)[0]}, lookup.Question{Addr: unknown(1)[0]}
		times := func() []time.Time {
			reply, err := lookup.Request(t.Context(), e, shodan.FindCVE("CVE-2024-0001"))
			if err != nil {
				t.Fatal(err)
			}
			found := lookUp(t.Context(), t, e, known, none)
			return []time.Time{reply.CheckedAt, found[0].CheckedAt, found[1].CheckedAt}
		}
		time.Sleep(123456789 * time.Nanosecond)
		fresh := times()
		time.Sleep(time.Second)
		for i, cached := range times() {
			if !fresh[i].Equal(cached) || fresh[i].Nanosecond()%1000 != 0 {
				t.Errorf("response %d was checked at %v, and is cached with %v", i, fresh[i], cached)
			}
		}
	})
}

func TestHowLongAnswersAreKept(t *testing.T) {
	const ttl = 8 * time.Hour
	for _, test := range []struct {
		name    string
		source  lookup.Source
		known   bool
		maxAge  string // of InternetDB's answer, if not its own
		keptFor time.Duration
	}{
		{"the REST API's for cache_ttl", lookup.Shodan, true, "", ttl},
		{"the REST API's negative ones for a quarter", lookup.Shodan, false, "", ttl / 4},
		{"InternetDB's for its own max-age", lookup.InternetDB, true, "", 5 * 24 * time.Hour},
		{"InternetDB's for a shorter max-age too", lookup.InternetDB, true, "public, max-age=600", 10 * time.Minute},
		{"InternetDB's for 30 days at most", lookup.InternetDB, true, "max-age=1000000000", 30 * 24 * time.Hour},
		{"InternetDB's without one for cache_ttl", lookup.InternetDB, true, "public", ttl},
		{"InternetDB's negative ones for a quarter of cache_ttl", lookup.InternetDB, false, "", ttl / 4},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				sim := shodantest.NewHandler()
				cfg := withKey(sim)
				cfg.Source, cfg.CacheTTL = test.source, ttl
				q := lookup.Question{Addr: sim.Generate(1)[0]}
				status := lookup.Indexed
				if !test.known {
					q.Addr, status = unknown(1)[0], lookup.NotIndexed
				}
				if test.maxAge != "" {
					sim.Fault(shodantest.Fault{
						Body: fmt.Sprintf(`{"cpes":[],"hostnames":[],"ip":%q,"ports":[80],"tags":[],"vulns":[]}`, q.Addr), Header: http.Header{"Cache-Control": {test.maxAge}},
					})
				}
				e := start(t, cfg)
				for _, step := range []struct {
					wait     time.Duration
					requests int
				}{{0, 1}, {test.keptFor - time.Second, 1}, {2 * time.Second, 2}, {test.keptFor - time.Second, 2}} {
					time.Sleep(step.wait)
					if a := lookUp(t.Context(), t, e, q)[0]; a.Status != status || a.Source != test.source || a.FreshUntil.Sub(a.CheckedAt) != test.keptFor {
						t.Errorf("%+v", a)
					}
					synctest.Wait()
					if n := sim.Count(""); n != step.requests {
						t.Errorf("%d requests after %v more, want %d", n, step.wait, step.requests)
					}
				}
			})
		})
	}
}

func TestErrorsAreNeverKept(t *testing.T) {
	for name, fault := range map[string]shodantest.Fault{
		"502": {Status: 502}, "invalid": {Status: 400, Body: `{"error": "Invalid IP"}`}, "no answer": {Kind: shodantest.Hang},
		"cut": {Kind: shodantest.Truncated}, "wrong key": {Status: 401, Body: "<html></html>"},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				sim := shodantest.NewHandler()
				cfg := withKey(sim)
				cfg.Cache = filepath.Join(t.TempDir(), "cache.sqlite")
				e := start(t, cfg)
				q := lookup.Question{Addr: sim.Generate(1)[0]}
				sim.Fault(fault)
				b := e.Batch(t.Context(), 1)
				b.Add(q)
				if a := answers(t.Context(), t, b, q)[0]; a.Status != lookup.Failed {
					t.Errorf("%+v", a)
				}
				synctest.Wait()
				sim.ClearFaults()
				for name, e := range map[string]*lookup.Engine{"the same process": e, "a new one": start(t, cfg)} {
					if a := lookUp(t.Context(), t, e, q)[0]; a.Status != lookup.Indexed {
						t.Errorf("%s: %+v", name, a)
					}
					synctest.Wait()
				}
			})
		})
	}
}

func TestANewProcessAnswersFromTheFile(t *testing.T) {
	for _, source := range []lookup.Source{lookup.Shodan, lookup.InternetDB} {
		t.Run(string(source), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				sim := shodantest.NewHandler(shodantest.WithPlan("corp"))
				cfg := withKey(sim)
				cfg.Source = source
				cfg.Cache = filepath.Join(t.TempDir(), "cache.sqlite")
				cfg.InternetDBRequestsPerSecond = 1000
				list := append(questions(sim.Generate(700)), questions(unknown(300))...)
				first := lookUp(t.Context(), t, start(t, cfg), list...)
				synctest.Wait() // until what is known is written: the batch does so at its end, nobody has to close anything
				asked := sim.Count("")
				second := lookUp(t.Context(), t, start(t, cfg), list...)
				synctest.Wait()
				if n := sim.Count("") - asked; n != 0 {
					t.Errorf("%d requests", n)
				}
				for i := range first {
					a, b := first[i], second[i]
					// Files keep microseconds.
					if a.Status != b.Status || a.Source != b.Source || !a.CheckedAt.Truncate(time.Microsecond).Equal(b.CheckedAt) {
						t.Fatalf("%v: %+v, then %+v", list[i].Addr, a, b)
					}
					if a.Host != nil && (fmt.Sprint(a.Host.Ports, a.Host.Tags, a.Host.Vulns.IDs(), a.Host.Hostnames, a.Host.AllCPEs(), a.Host.Organization) !=
						fmt.Sprint(b.Host.Ports, b.Host.Tags, b.Host.Vulns.IDs(), b.Host.Hostnames, b.Host.AllCPEs(), b.Host.Organization) || b.Host.Addr != list[i].Addr) {
						t.Fatalf("%+v, then %+v", a.Host, b.Host)
					}
				}
			})
		})
	}
}

func TestACacheThatIsOffKeepsNothing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := shodantest.NewHandler()
		cfg := config(sim)
		cfg.Cache = "off"
		e := start(t, cfg)
		for range 2 {
			lookUp(t.Context(), t, e, questions(sim.Generate(3))...)
			synctest.Wait()
		}
		if n := sim.Count(""); n != 6 {
			t.Errorf("%d requests, want 6", n)
		}
	})
}

func TestAnotherKeysAnswersAreNotInTheCache(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := shodantest.NewHandler(shodantest.WithAnotherKey("SIMULATEDkeyNumberTwo45678901234", "dev"))
		cfg := withKey(sim)
		cfg.Cache = filepath.Join(t.TempDir(), "cache.sqlite")
		cfg.BulkLookup = "off"
		for _, key := range []string{shodantest.Key, "SIMULATEDkeyNumberTwo45678901234"} {
			cfg.APIKey = key
			lookUp(t.Context(), t, start(t, cfg), questions(sim.Generate(2))...)
			synctest.Wait()
		}
		if n := sim.Count(""); n != 4 {
			t.Errorf("%d requests, want 2 for each key", n)
		}
	})
}

func TestTheKeyIsInNoCacheFile(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := shodantest.NewHandler()
		cfg := withKey(sim)
		dir := t.TempDir()
		cfg.Cache = filepath.Join(dir, "cache.sqlite")
		e := start(t, cfg)
		lookUp(t.Context(), t, e, questions(sim.Generate(20))...)
		synctest.Wait()
		files, err := os.ReadDir(dir)
		if err != nil || len(files) == 0 {
			t.Fatalf("%v, %v", files, err)
		}
		for _, file := range files {
			content, err := os.ReadFile(filepath.Join(dir, file.Name()))
			if err != nil {
				t.Fatal(err)
			}
			if bytes.Contains(content, []byte(shodantest.Key)) {
				t.Errorf("%s has the key in it", file.Name())
			}
		}
	})
}

func TestACacheThatCannotBeUsedCostsNoRow(t *testing.T) {
	for name, prepare := range map[string]func(t *testing.T, path string){
		"a folder in its place": func(t *testing.T, path string) {
			if err := os.Mkdir(path, 0o700); err != nil {
				t.Fatal(err)
			}
		},
		"no cache at all": func(t *testing.T, path string) {
			if err := os.WriteFile(path, []byte(strings.Repeat("not a database. ", 1000)), 0o600); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				sim := shodantest.NewHandler()
				cfg := config(sim)
				cfg.Cache = filepath.Join(t.TempDir(), "cache.sqlite")
				var log bytes.Buffer
				cfg.Logger = hclog.New(&hclog.LoggerOptions{Output: &log, Level: hclog.Warn})
				prepare(t, cfg.Cache)
				e := start(t, cfg)
				for range 2 {
					if got := tally(lookUp(t.Context(), t, e, questions(sim.Generate(20))...)); got[lookup.Indexed] != 20 {
						t.Errorf("%v", got)
					}
					synctest.Wait()
				}
				if n := sim.Count(""); n != 20 {
					t.Errorf("%d requests: the memory should have taken the file's place", n)
				}
				if n := strings.Count(log.String(), "[WARN]"); n != 1 {
					t.Errorf("%d warnings, want one: %s", n, log.String())
				}
			})
		})
	}
}

func TestAnAddressHasOneEntryInWhateverFormItIsAsked(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := shodantest.NewHandler()
		e := start(t, config(sim))
		for _, text := range []string{"12.0.0.1", "::ffff:12.0.0.1", "::ffff:c00:1"} {
			lookUp(t.Context(), t, e, lookup.Question{Addr: netip.MustParseAddr(text)})
		}
		if n := sim.Count(""); n != 1 {
			t.Errorf("%d requests", n)
		}
	})
}

func TestEachQuestionCountsOnceInTheHitRate(t *testing.T) {
	for _, source := range []lookup.Source{lookup.Shodan, lookup.InternetDB} {
		t.Run(string(source), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				sim := shodantest.NewHandler()
				cfg := withKey(sim)
				cfg.Source, cfg.Cache = source, filepath.Join(t.TempDir(), "cache.sqlite")
				e, err := lookup.New(t.Context(), cfg)
				if err != nil {
					t.Fatal(err)
				}
				list := questions(sim.Generate(3))
				lookUp(t.Context(), t, e, list...)
				lookUp(t.Context(), t, e, list...)
				if err := e.Close(); err != nil {
					t.Fatal(err)
				}
				store := cache.Open(t.Context(), cfg.Cache, cache.Options{MaxBytes: 1 << 20, Logger: hclog.NewNullLogger()})
				stats, err := store.Stats(t.Context())
				if err != nil || stats.Hits != 3 || stats.Misses != 3 {
					t.Errorf("%+v, %v; want 3 hits and 3 misses", stats, err)
				}
				if err := store.Close(); err != nil {
					t.Fatal(err)
				}
			})
		})
	}
}

func TestNothingIsKeptWhereTheCacheIsOff(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := shodantest.NewHandler()
		cfg := config(sim)
		cfg.Cache = "off"
		e := start(t, cfg)
		q := lookup.Question{Addr: sim.Generate(1)[0]}
		for range 2 {
			lookUp(t.Context(), t, e, q)
		}
		if n := sim.Count(shodantest.InternetDB); n != 2 {
			t.Errorf("%d requests for two lookups, one after the other, want 2", n)
		}
	})
}
