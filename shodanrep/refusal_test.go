package shodanrep

import (
	"net/http"
	"strings"
	"testing"

	"github.com/turbot/steampipe-plugin-sdk/v5/grpc/proto"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

// pauseOfAnHour makes a refusal a ban at once: the tests of package lookup, which need not wait, have those without it.
var pauseOfAnHour = http.Header{"Retry-After": {"3600"}}

func TestARefusalByInternetDBIsOneRow(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]shodantest.Fault{
		"403":                  {Status: 403, Body: `{"detail": "Forbidden"}`},
		"403 of a plan":        {Status: 403, Body: shodantest.BodyPlanTooLow},
		"402":                  {Status: 402, Body: `{}`},
		"200 with a refusal":   {Status: 200, Body: `{"detail": "requires membership"}`},
		"400 that has credits": {Status: 400, Body: `{"detail": "no credits"}`},
		"401 that has credits": {Status: 401, Body: `{"detail": "no credits"}`},
		"500 that has credits": {Status: 500, Body: `{"detail": "no credits"}`},
	} {
		for connection, spc := range map[string]string{"auto": "", "internetdb": "source = \"internetdb\"\n"} {
			for named, quals := range map[string]map[string]*proto.QualValue{
				"no source named": {"ip": inets(bad)},
				"source named":    {"ip": inets(bad), "source": texts("internetdb")},
			} {
				t.Run(name+", "+connection+", "+named, func(t *testing.T) {
					t.Parallel()
					sim := simulate(t)
					fault.Service, fault.Header = shodantest.InternetDB, pauseOfAnHour
					sim.Fault(fault)
					rows := mustConnect(t, free(sim)+"timeout = \"2s\"\n"+spc).mustRun(t, query{table: "shodan_ip_reputation", quals: quals, columns: []string{"ip", "status", "error", "source", "score"}})
					if len(rows) != 1 {
						t.Fatalf("%d rows", len(rows))
					}
					message, _ := rows[0]["error"].(string)
					if rows[0]["status"] != "error" || rows[0]["source"] != "internetdb" || rows[0]["score"] != nil || !strings.Contains(message, "InternetDB") {
						t.Errorf("%v", rows[0])
					}
					for _, word := range []string{"key", "plan", "upgrade"} {
						if strings.Contains(strings.ToLower(message), word) {
							t.Errorf("the error speaks of a %s: %s", word, message)
						}
					}
					if n := sim.Count(""); n == 0 || n > 6 {
						t.Errorf("%d requests", n)
					}
				})
			}
		}
	}
}

func TestARefusalByCVEDBSaysNothingOfAKey(t *testing.T) {
	for name, fault := range map[string]shodantest.Fault{
		"401": {Status: 401, Body: `{}`},
		"403": {Status: 403, Body: `{"detail": "Forbidden"}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sim := simulate(t)
			fault.Service, fault.Header = shodantest.CVEDB, pauseOfAnHour
			sim.Fault(fault)
			rows, err := mustConnect(t, free(sim)).run(t, query{table: "shodan_cve", quals: map[string]*proto.QualValue{"cve_id": texts("CVE-2024-0001")}})
			if err == nil && len(rows) == 0 {
				t.Fatal("neither a row nor an error")
			}
			message := ""
			if err != nil {
				message = err.Error()
			} else {
				message, _ = rows[0]["error"].(string)
			}
			if !strings.Contains(message, "CVEDB") || strings.Contains(message, "api_key") || strings.Contains(message, "plan") || sim.Count("") > 6 {
				t.Errorf("%q after %d requests", message, sim.Count(""))
			}
		})
	}
}
