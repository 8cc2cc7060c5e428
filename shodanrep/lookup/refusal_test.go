package lookup_test

import (
	"fmt"
	"net/http"
	"net/netip"
	"path/filepath"
	"regexp"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cache"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

// ofAKey is what only a service with keys can speak of.
var ofAKey = regexp.MustCompile(`(?i)\bkey|api_key|\bplan\b|upgrade`)

// refusals are what a service without keys may refuse a client with, and how many requests that takes at most.
var refusals = map[string]struct {
	fault    shodantest.Fault
	requests int
}{
	"403":                       {shodantest.Fault{Status: 403, Body: `{"detail": "Forbidden"}`}, 4},
	"403, empty":                {shodantest.Fault{Status: 403}, 4},
	"402":                       {shodantest.Fault{Status: 402, Body: `{}`}, 4},
	"401":                       {shodantest.Fault{Status: 401, Body: `{}`}, 4},
	"401 that has credits":      {shodantest.Fault{Status: 401, Body: `{"error": "Insufficient query credits"}`}, 4},
	"200 that needs membership": {shodantest.Fault{Status: 200, Body: `{"detail": "requires membership"}`}, 6},
	"400 that has credits":      {shodantest.Fault{Status: 400, Body: `{"error": "Insufficient query credits"}`}, 1},
	"500 that has credits":      {shodantest.Fault{Status: 500, Body: `{"error": "Insufficient query credits"}`}, 6},
}

func TestARefusalByInternetDBIsOneErrorAndNoLoop(t *testing.T) {
	for name, test := range refusals {
		for way, configure := range map[string]func(*lookup.Config, *lookup.Question){
			"auto without a key":      func(*lookup.Config, *lookup.Question) {},
			"named by the query":      func(_ *lookup.Config, q *lookup.Question) { q.Source = lookup.InternetDB },
			"named by the connection": func(c *lookup.Config, _ *lookup.Question) { c.Source = lookup.InternetDB },
			"for free":                func(c *lookup.Config, q *lookup.Question) { c.APIKey, q.SkipREST = shodantest.Key, true },
			"after a list that is long": func(c *lookup.Config, _ *lookup.Question) {
				c.APIKey, c.APILookupLimit = shodantest.Key, 0
			},
		} {
			t.Run(name+", "+way, func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					sim := shodantest.NewHandler()
					fault := test.fault // the other subtests run at the same time
					fault.Service = shodantest.InternetDB
					sim.Fault(fault)
					cfg, q := config(sim), lookup.Question{Addr: sim.Generate(1)[0]}
					configure(&cfg, &q)
					a := lookUp(t.Context(), t, start(t, cfg), q)[0]
					if a.Status != lookup.Failed || a.Source != lookup.InternetDB || a.Host != nil || ofAKey.MatchString(a.Error) {
						t.Errorf("%+v", a)
					}
					if n := sim.Count(""); n > test.requests || n != sim.Count(shodantest.InternetDB) {
						t.Errorf("%d requests, want at most %d, all to InternetDB", n, test.requests)
					}
				})
			})
		}
	}
}

func TestARefusalOfTheClientIsABanWithItsOwnReason(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := shodantest.NewHandler()
		sim.Fault(shodantest.Fault{Service: shodantest.InternetDB, Status: 403, Body: `{"detail": "Forbidden"}`})
		cfg := config(sim)
		cfg.Cache = filepath.Join(t.TempDir(), "cache.sqlite")
		addrs := sim.Generate(50)
		first := start(t, cfg)
		const until = ": no request is sent before 2000-01-01T01:00:0"
		want := regexp.MustCompile(`^InternetDB refuses requests from here( \([a-z0-9.]+: HTTP 403: Forbidden\))?` + until + `.*proxy or firewall`)
		for _, a := range lookUp(t.Context(), t, first, questions(addrs)...) {
			if a.Status != lookup.Failed || !want.MatchString(a.Error) {
				t.Fatalf("%+v", a)
			}
		}
		synctest.Wait()
		requests := sim.Count("")
		for name, e := range map[string]*lookup.Engine{"the same process": first, "a new one": start(t, cfg)} {
			if a := lookUp(t.Context(), t, e, questions(addrs[:1])...)[0]; !want.MatchString(a.Error) || sim.Count("") != requests {
				t.Errorf("%s: %+v", name, a)
			}
		}
		sim.ClearFaults()
		time.Sleep(time.Hour)
		if got := tally(lookUp(t.Context(), t, first, questions(addrs)...)); got[lookup.Indexed] != 50 {
			t.Errorf("after it: %v", got)
		}
	})
}

func TestARefusalByInternetDBAfterOneByTheRESTAPIIsTheEnd(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := shodantest.NewHandler()
		sim.Fault(shodantest.Fault{Status: 403, Body: shodantest.BodyPlanTooLow}) // by both
		e := start(t, withKey(sim))
		for _, a := range lookUp(t.Context(), t, e, questions(sim.Generate(50))...) {
			if a.Status != lookup.Failed || a.Source != lookup.InternetDB {
				t.Fatalf("%+v", a)
			}
		}
		if n := sim.Count(shodantest.InternetDB); n > 40 { // so many may be under way when the first refusal comes
			t.Errorf("%d requests to InternetDB", n)
		}
	})
}

func TestARefusalByCVEDBSaysNothingOfAKey(t *testing.T) {
	for name, test := range refusals {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				sim := shodantest.NewHandler()
				fault := test.fault
				fault.Service = shodantest.CVEDB
				sim.Fault(fault)
				_, err := lookup.Request(t.Context(), start(t, config(sim)), shodan.FindCVE("CVE-2024-0001"))
				if err == nil || ofAKey.MatchString(err.Error()) || sim.Count("") > test.requests {
					t.Errorf("%v after %d requests", err, sim.Count(""))
				}
			})
		})
	}
}

func TestNoBanIsLongerThanSixHours(t *testing.T) {
	const longest = 6 * time.Hour
	for name, header := range map[string]string{"seconds": "1000000000", "a date": "Tue, 01 Jan 2199 00:00:00 GMT"} {
		for _, status := range []int{429, 503} {
			t.Run(fmt.Sprintf("%d with %s", status, name), func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					sim := shodantest.NewHandler()
					sim.Fault(shodantest.Fault{Status: status, Times: 1, Header: http.Header{"Retry-After": {header}}})
					cfg := config(sim)
					cfg.Cache = filepath.Join(t.TempDir(), "cache.sqlite")
					q := lookup.Question{Addr: sim.Generate(1)[0]}
					first := start(t, cfg)
					if a := lookUp(t.Context(), t, first, q)[0]; a.Status != lookup.Failed || !regexp.MustCompile("no request is sent before 2000-01-01T06:00:.*`shodanrep cache clear`").MatchString(a.Error) {
						t.Errorf("%+v", a)
					}
					synctest.Wait()
					time.Sleep(longest - time.Minute)
					for name, e := range map[string]*lookup.Engine{"the same process": first, "a new one": start(t, cfg)} {
						if a := lookUp(t.Context(), t, e, q)[0]; a.Status != lookup.Failed {
							t.Errorf("%s, before the end: %+v", name, a)
						}
						synctest.Wait()
					}
					time.Sleep(2 * time.Minute)
					for name, e := range map[string]*lookup.Engine{"the same process": first, "a new one": start(t, cfg)} {
						if a := lookUp(t.Context(), t, e, q)[0]; a.Status != lookup.Indexed {
							t.Errorf("%s, after six hours: %+v", name, a)
						}
						synctest.Wait()
					}
				})
			})
		}
	}
}

// plant writes entries to a cache file.
func plant(t *testing.T, path string, entries ...cache.Entry) {
	t.Helper()
	store := cache.Open(t.Context(), path, cache.Options{MaxBytes: 1 << 20, Logger: hclog.NewNullLogger()})
	if err := store.Put(t.Context(), entries); err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestAPlantedBanEndsAfterSixHours(t *testing.T) {
	const hour = time.Hour
	for name, test := range map[string]struct{ checked, expires, lasts time.Duration }{
		"until the year 2290":           {0, 290 * 365 * 24 * hour, 6 * hour},
		"that began five hours ago":     {-5 * hour, 100 * hour, hour},
		"that began long ago":           {-100 * hour, 100 * hour, 0},
		"that was set in the future":    {100 * hour, 200 * hour, 0},
		"that is as long as one may be": {0, 6 * hour, 6 * hour},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				sim := shodantest.NewHandler()
				cfg := config(sim)
				cfg.Cache = filepath.Join(t.TempDir(), "cache.sqlite")
				q := lookup.Question{Addr: sim.Generate(1)[0]}
				key := cache.Key{Service: "internetdb " + cfg.InternetDBURL, Target: "ban"}
				plant(t, cfg.Cache, cache.Entry{Key: key, CheckedAt: time.Now().Add(test.checked), Expires: time.Now().Add(test.expires)})
				if test.lasts > 0 {
					time.Sleep(test.lasts - time.Minute)
					// Each process that reads the ban anew must not begin it anew.
					if a := lookUp(t.Context(), t, start(t, cfg), q)[0]; a.Status != lookup.Failed || sim.Count("") > 0 {
						t.Errorf("before the end: %+v", a)
					}
					synctest.Wait()
					time.Sleep(2 * time.Minute)
				}
				if a := lookUp(t.Context(), t, start(t, cfg), q)[0]; a.Status != lookup.Indexed {
					t.Errorf("%+v", a)
				}
				synctest.Wait()
			})
		})
	}
}

func TestACacheEntryIsCheckedLikeAnAnswer(t *testing.T) {
	const good, addr = `{"ip": "93.10.0.1", "ports": [4444], "tags": [], "vulns": []}`, "93.10.0.1"
	for name, test := range map[string]struct {
		body             string
		checked, expires time.Duration
		served           bool
	}{
		"of ours":                      {good, -time.Hour, time.Hour, true},
		"of another address":           {`{"ip": "1.2.3.4", "ports": [4444], "tags": [], "vulns": []}`, -time.Hour, time.Hour, false},
		"without an address":           {`{"ports": [4444]}`, -time.Hour, time.Hour, false},
		"with a list that is none":     {`{"ip": "93.10.0.1", "ports": [4444], "vulns": 7}`, -time.Hour, time.Hour, false},
		"that was checked in 1970":     {good, -30 * 365 * 24 * time.Hour, time.Hour, false},
		"that is checked in the past":  {good, -31 * 24 * time.Hour, time.Hour, false},
		"of the future":                {good, time.Hour, 2 * time.Hour, false},
		"of a clock that is ahead":     {good, time.Minute, time.Hour, true},
		"nothing, checked in 1970":     {"", -30 * 365 * 24 * time.Hour, time.Hour, false},
		"that is good until year 2290": {good, -time.Hour, 290 * 365 * 24 * time.Hour, true},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				sim := shodantest.NewHandler()
				sim.AddHost(shodantest.Host{IP: addr, Ports: []int{80}})
				cfg := config(sim)
				cfg.Cache = filepath.Join(t.TempDir(), "cache.sqlite")
				now := time.Now()
				plant(t, cfg.Cache, cache.Entry{
					Key:  cache.Key{Service: "internetdb " + cfg.InternetDBURL, Target: addr},
					Body: []byte(test.body), CheckedAt: now.Add(test.checked), Expires: now.Add(test.expires),
				})
				a := lookUp(t.Context(), t, start(t, cfg), lookup.Question{Addr: netip.MustParseAddr(addr)})[0]
				synctest.Wait()
				port, requests := 80, 1
				if test.served {
					port, requests = 4444, 0
				}
				if a.Status != lookup.Indexed || len(a.Host.Ports) != 1 || a.Host.Ports[0] != port || sim.Count("") != requests {
					t.Errorf("%+v after %d requests, want port %d", a, sim.Count(""), port)
				}
				if a.FreshUntil.Sub(now) > 30*24*time.Hour {
					t.Errorf("it is good until %v", a.FreshUntil)
				}
			})
		})
	}
}

func TestAnAnswerThatIsNoneIsAnErrorAndNoScore(t *testing.T) {
	for _, source := range []lookup.Source{lookup.InternetDB, lookup.Shodan} {
		for _, body := range []string{
			`{"ports": []}`, `{"ip": "not an address", "ports": [80]}`, `{"vulns": 7}`, `{"ip_str": "11.0.0.1", "ip": "11.0.0.1", "ports": "80,4444", "data": []}`,
			`{"ports": "80,4444", "data": []}`, `{"ip_str": "11.0.0.1", "ip": "11.0.0.1", "ports": [80], "vulns": 7}`,
		} {
			t.Run(string(source)+" "+body, func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					sim := shodantest.NewHandler()
					sim.Fault(shodantest.Fault{Body: body})
					cfg := withKey(sim)
					cfg.Source = source
					a := lookUp(t.Context(), t, start(t, cfg), questions(sim.Generate(1))...)[0]
					if a.Status != lookup.Failed || a.Host != nil || !regexp.MustCompile("sent an unexpected response").MatchString(a.Error) {
						t.Errorf("%+v", a)
					}
					if n := sim.Count(""); n > 6 {
						t.Errorf("%d requests", n)
					}
				})
			})
		}
	}
}
