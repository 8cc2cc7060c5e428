package lookup_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

func TestACVEIsKeptForAWeekAndAListForTheCachesTime(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := shodantest.NewHandler()
		sim.AddCVE(shodantest.CVE{ID: "CVE-2024-0001"})
		e := start(t, config(sim)) // without a key
		for day := range 9 {
			one, err := lookup.Request(t.Context(), e, shodan.FindCVE("CVE-2024-0001"))
			if err != nil || one.Value.ID != "CVE-2024-0001" {
				t.Fatalf("%+v, %v", one, err)
			}
			if _, err := lookup.Request(t.Context(), e, shodan.FindCVEs(shodan.CVEQuery{Limit: 1})); err != nil {
				t.Fatal(err)
			}
			asked := map[string]int{}
			for _, r := range sim.Requests() {
				asked[r.Endpoint]++
			}
			if want := 1 + day/7; asked[shodantest.EndpointCVE] != want || asked[shodantest.EndpointCVEs] != day+1 {
				t.Fatalf("on day %d: %v", day, asked)
			}
			time.Sleep(24 * time.Hour)
		}
	})
}

func TestCVEsAreAskedForSideBySideWithinThePace(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := shodantest.NewHandler(shodantest.WithLatency(200*time.Millisecond), shodantest.WithRateLimit(shodantest.CVEDB, 10, 21))
		sim.Generate(1)
		e := start(t, config(sim))
		began := time.Now()
		var wg sync.WaitGroup
		for i := range 700 {
			wg.Go(func() {
				id := fmt.Sprintf("CVE-2024-%d", 10000+i)
				if _, err := lookup.Request(t.Context(), e, shodan.FindCVE(id)); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if took := time.Since(began); took > 80*time.Second {
			t.Errorf("700 CVEs took %v", took)
		}
		if peak := sim.PeakPerSecond(shodantest.CVEDB); sim.Count("") != 700 || peak > 30 {
			t.Errorf("%d requests, at most %d in a second", sim.Count(""), peak)
		}
	})
}

func TestCVEDBThatRefusesIsLeftAlone(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := shodantest.NewHandler()
		sim.Fault(shodantest.Fault{Service: shodantest.CVEDB, Status: http.StatusTooManyRequests, Header: http.Header{"Retry-After": {"3600"}}})
		e := start(t, config(sim))
		for i := range 5 {
			_, err := lookup.Request(t.Context(), e, shodan.FindCVE(fmt.Sprintf("CVE-2024-000%d", i)))
			if err == nil || !strings.Contains(err.Error(), "CVEDB refuses further requests as too many: no request is sent before") {
				t.Errorf("%v", err)
			}
		}
		if n := sim.Count(""); n != 1 {
			t.Errorf("%d requests while it refuses", n)
		}
	})
}
