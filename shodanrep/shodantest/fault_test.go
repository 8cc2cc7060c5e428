package shodantest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

func TestFaultsAnswerInsteadOfTheService(t *testing.T) {
	t.Parallel()
	page := shodantest.BodyPage(http.StatusBadGateway)
	for _, test := range []struct {
		name   string
		fault  shodantest.Fault
		status int
		body   string
		kind   string
	}{
		{"a page of the web server before it", shodantest.Fault{Status: 502, Body: page}, 502, page, "text/html; charset=UTF-8"},
		{"a status with JSON", shodantest.Fault{Status: 503, Body: shodantest.BodyRateLimited}, 503, apiLimited, "application/json"},
		{"an empty 200", shodantest.Fault{}, 200, "", "application/json"},
		{"a 200 with a page", shodantest.Fault{Body: shodantest.BodyChallenge}, 200, shodantest.BodyChallenge, "text/html; charset=UTF-8"},
		{"a 200 with an error", shodantest.Fault{Body: shodantest.BodyQueryRefused}, 200, queryRefused, "application/json"},
		{"a header", shodantest.Fault{Status: 429, Header: http.Header{"content-type": {"text/plain"}}}, 429, "", "text/plain"},
		{"half of the right answer", shodantest.Fault{Kind: shodantest.Truncated}, 200, oneFreeAnswer[:len(oneFreeAnswer)/2], "application/json"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			sim := shodantest.NewHandler()
			sim.AddHost(oneHost)
			sim.Fault(test.fault)
			resp, body := getPath(t, sim, freePath)
			if resp.StatusCode != test.status || body != test.body || resp.Header.Get("Content-Type") != test.kind {
				t.Errorf("got %d %s as %s", resp.StatusCode, body, resp.Header.Get("Content-Type"))
			}
			if got := sim.Requests()[0].Status; got != test.status {
				t.Errorf("recorded as %d", got)
			}
		})
	}
}

func TestFaultsChooseTheirRequests(t *testing.T) {
	t.Parallel()
	paths := []string{onePath, freePath, "/internetdb/192.0.2.2", "/api/shodan/host/192.0.2.1,192.0.2.2?{key}", "/api/shodan/host/search?query=port:22&{key}"}
	for _, test := range []struct {
		name  string
		fault shodantest.Fault
		want  string // which of the paths fail (F), asked twice
	}{
		{"all of them", shodantest.Fault{}, "FFFFF FFFFF"},
		{"of a service", shodantest.Fault{Service: shodantest.InternetDB}, ".FF.. .FF.."},
		{"of an endpoint", shodantest.Fault{Endpoint: shodantest.EndpointSearch}, "....F ....F"},
		{"of an address, also among others", shodantest.Fault{Target: "192.0.2.2"}, "..FF. ..FF."},
		{"of an address at one service", shodantest.Fault{Target: "192.0.2.2", Service: shodantest.Shodan}, "...F. ...F."},
		{"of a query", shodantest.Fault{Target: "port:22"}, "....F ....F"},
		{"so many times", shodantest.Fault{Times: 3}, "FFF.. ....."},
		{"after so many", shodantest.Fault{Skip: 4, Times: 2}, "....F F...."},
		{"of an address, once", shodantest.Fault{Target: "192.0.2.1", Times: 1}, "F.... ....."},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			sim := shodantest.NewHandler(shodantest.WithBulk(true))
			sim.AddHost(oneHost)
			test.fault.Status = http.StatusTeapot
			sim.Fault(test.fault)
			var got strings.Builder
			for round := range 2 {
				if round > 0 {
					got.WriteByte(' ')
				}
				for _, path := range paths {
					mark := byte('.')
					if resp, _ := getPath(t, sim, path); resp.StatusCode == http.StatusTeapot {
						mark = 'F'
					}
					got.WriteByte(mark)
				}
			}
			if got.String() != test.want {
				t.Errorf("got %s, want %s", got.String(), test.want)
			}
			sim.ClearFaults()
			if resp, _ := getPath(t, sim, paths[0]); resp.StatusCode != 200 {
				t.Error("the fault did not end")
			}
		})
	}
}

func TestConnectionsEnd(t *testing.T) {
	t.Parallel()
	for name, via := range map[string]func(*testing.T, *shodantest.Simulator) (http.RoundTripper, string){
		"over a connection": func(_ *testing.T, sim *shodantest.Simulator) (http.RoundTripper, string) {
			return &http.Transport{DisableKeepAlives: true}, sim.InternetDBURL()
		},
		"in the same process": func(_ *testing.T, sim *shodantest.Simulator) (http.RoundTripper, string) {
			return sim.Transport(), sim.InternetDBURL()
		},
	} {
		t.Run("before the answer, "+name, func(t *testing.T) {
			t.Parallel()
			sim := shodantest.New(t)
			sim.AddHost(oneHost)
			sim.Fault(shodantest.Fault{Kind: shodantest.Dropped})
			transport, url := via(t, sim)
			resp, _, err := try(t.Context(), transport, url+"/192.0.2.1")
			if err == nil || resp != nil {
				t.Errorf("got %v and %v", resp, err)
			}
			if got := sim.Requests(); len(got) != 1 || got[0].Status != 0 {
				t.Errorf("recorded %v", got)
			}
		})
		t.Run("in the middle of the answer, "+name, func(t *testing.T) {
			t.Parallel()
			sim := shodantest.New(t)
			sim.AddHost(oneHost)
			sim.Fault(shodantest.Fault{Kind: shodantest.BrokenOff})
			transport, url := via(t, sim)
			resp, body, err := try(t.Context(), transport, url+"/192.0.2.1")
			if !errors.Is(err, io.ErrUnexpectedEOF) || resp == nil || resp.StatusCode != 200 || body != oneFreeAnswer[:len(oneFreeAnswer)/2] {
				t.Errorf("got %v, %q and %v", resp, body, err)
			}
			if resp != nil && resp.ContentLength != int64(len(oneFreeAnswer)) {
				t.Errorf("it promised %d bytes", resp.ContentLength)
			}
		})
		t.Run("when the caller gives up, "+name, func(t *testing.T) {
			t.Parallel()
			sim := shodantest.New(t)
			sim.Fault(shodantest.Fault{Kind: shodantest.Hang})
			transport, url := via(t, sim)
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
			defer cancel()
			if _, _, err := try(ctx, transport, url+"/192.0.2.1"); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestAHangEndsWithTheTest(t *testing.T) {
	t.Parallel()
	var waiting sync.WaitGroup
	t.Run("with a caller that never gives up", func(t *testing.T) {
		sim := shodantest.New(t)
		sim.Fault(shodantest.Fault{Kind: shodantest.Hang})
		waiting.Go(func() { _, _, _ = try(context.Background(), nil, sim.APIURL()+"/api-info?key="+shodantest.Key) })
		for sim.MaxInFlight() == 0 {
			time.Sleep(time.Millisecond)
		}
	})
	waiting.Wait()
}

func TestRandomFaultsDependOnTheirSeedOnly(t *testing.T) {
	t.Parallel()
	failing := func(seed uint64, sideBySide bool) string {
		sim := shodantest.NewHandler()
		sim.Fault(shodantest.Fault{Probability: 0.3, Seed: seed, Status: 500})
		got := make([]string, 200)
		var all sync.WaitGroup
		for i := range got {
			once := func() {
				for range 2 { // each address has a chance of its own every time
					resp, _ := getPath(t, sim, fmt.Sprintf("/internetdb/192.0.2.%d", i))
					got[i] += fmt.Sprint(resp.StatusCode, " ")
				}
			}
			if sideBySide {
				all.Go(once)
			} else {
				once()
			}
		}
		all.Wait()
		return strings.Join(got, "")
	}
	first := failing(1, false)
	if again := failing(1, true); again != first {
		t.Error("the same seed fails others when asked side by side")
	}
	if other := failing(2, false); other == first {
		t.Error("another seed fails the same")
	}
	if n := strings.Count(first, "500"); n < 80 || n > 160 {
		t.Errorf("%d of 400 fail, which is far from three tenths", n)
	}
}

func TestFaultsWaitAsLongAsAnswers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim := shodantest.NewHandler(shodantest.WithLatency(time.Second))
		sim.Fault(shodantest.Fault{Status: 500})
		began := time.Now()
		if resp, _ := getPath(t, sim, freePath); resp.StatusCode != 500 || time.Since(began) != time.Second {
			t.Errorf("got %d after %v", resp.StatusCode, time.Since(began))
		}
	})
}
