package shodanrep

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/turbot/steampipe-plugin-sdk/v5/grpc/proto"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

func internetDB(ips ...string) query {
	return query{table: "shodan_internetdb", quals: map[string]*proto.QualValue{"ip": inets(ips...)}}
}

func TestInternetDBIsAskedWhateverTheConnectionsSource(t *testing.T) {
	for name, spc := range map[string]func(*shodantest.Simulator) string{
		"without a key": free, "with a key": keyed,
		"with a key and the REST API as the source": func(s *shodantest.Simulator) string { return keyed(s) + `source = "shodan"` },
	} {
		t.Run(name, func(t *testing.T) {
			sim := simulate(t)
			rows := mustConnect(t, spc(sim)).mustRun(t, internetDB(bad, empty, "11.0.0.9", "10.1.2.3", "11.0.0.0/24"))
			want := row{
				"ip": bad, "title": bad, "status": "indexed", "error": nil, "ports": []any{22.0, 443.0, 4444.0}, "hostnames": []any{"bad.example.com"}, "tags": []any{"c2", "vpn"},
			}
			r := byIP(t, rows, bad)
			for column, value := range want {
				if diff := cmp.Diff(value, r[column]); diff != "" {
					t.Errorf("%s: %s", column, diff)
				}
			}
			if len(r["vulns"].([]any)) != 12 || !slices.Contains(r["cpes"].([]any), "cpe:/a:openbsd:openssh:8.9p1") {
				t.Errorf("%v", r)
			}
			checked, _ := time.Parse(time.RFC3339, r["checked_at"].(string))
			fresh, _ := time.Parse(time.RFC3339, r["fresh_until"].(string))
			if d := fresh.Sub(checked); d != 5*24*time.Hour {
				t.Errorf("fresh for %v, want the five days that InternetDB says", d)
			}
			if e := byIP(t, rows, empty); e["status"] != "indexed" || len(e["ports"].([]any)) != 0 {
				t.Errorf("a host without services: %v", e)
			}
			for ip, status := range map[string]string{"11.0.0.9": "not_indexed", "10.1.2.3": "reserved", "11.0.0.0/24": "not_a_host"} {
				if r := byIP(t, rows, ip); r["status"] != status || r["ports"] != nil {
					t.Errorf("%s: %v", ip, r)
				}
			}
			if sim.Count("") != 3 || sim.Count(shodantest.InternetDB) != 3 {
				t.Errorf("%v", sim.Requests())
			}
		})
	}
}

func TestInternetDBIsNotAskedFinetValue(t *testing.T) {
	sim := simulate(t)
	ips := []string{}
	for _, a := range sim.Generate(50) {
		ips = append(ips, a.String())
	}
	s := mustConnect(t, free(sim))
	q := internetDB(ips...)
	q.columns = []string{"ip", "title"}
	if rows := s.mustRun(t, q); len(rows) != 50 || sim.Count("") != 0 {
		t.Errorf("%d rows and %d requests, want 50 rows and none", len(rows), sim.Count(""))
	}
	q = internetDB(ips...)
	q.limit, q.exact = 3, true
	if rows := s.mustRun(t, q); len(rows) != 3 || sim.Count("") != 3 {
		t.Errorf("limit 3: %d rows and %d requests", len(rows), sim.Count(""))
	}
}

func TestAnAddressThatInternetDBDoesNotAnswerIsARow(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		fault shodantest.Fault
		want  string
	}{
		"HTML with 200":  {shodantest.Fault{Body: shodantest.BodyPage(200)}, "InternetDB sent no usable response"},
		"truncated JSON": {shodantest.Fault{Kind: shodantest.Truncated}, "InternetDB sent no usable response"},
		"no list":        {shodantest.Fault{Body: `{"ip": "11.0.0.1"}`}, "InternetDB sent an unexpected response"},
		"no address":     {shodantest.Fault{Body: `{"ports": []}`}, "InternetDB sent an unexpected response"},
		"no known list":  {shodantest.Fault{Body: `{"vulns": 7}`}, "InternetDB sent an unexpected response"},
		"another host":   {shodantest.Fault{Body: `{"ip": "11.0.0.77", "ports": [1]}`}, "InternetDB sent an unexpected response"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sim := simulate(t)
			test.fault.Target = bad
			sim.Fault(test.fault)
			rows := mustRunInTime(t, free(sim), "5s", internetDB(bad, good))
			r := byIP(t, rows, bad)
			if message, _ := r["error"].(string); r["status"] != "error" || r["ports"] != nil || r["fresh_until"] != nil || !strings.Contains(message, test.want) || strings.ContainsAny(message, "<>") {
				t.Errorf("%v", r)
			}
			if g := byIP(t, rows, good); g["status"] != "indexed" {
				t.Errorf("the other address: %v", g)
			}
		})
	}
	t.Run("one request too many is asked again", func(t *testing.T) {
		t.Parallel()
		sim := simulate(t)
		sim.Fault(shodantest.Fault{Times: 1, Status: http.StatusTooManyRequests, Body: `{"error": "Rate limit exceeded."}`})
		if r := mustConnect(t, free(sim)).mustRun(t, internetDB(bad))[0]; r["status"] != "indexed" || sim.Count("") != 2 {
			t.Errorf("%v after %d requests", r, sim.Count(""))
		}
	})
}
