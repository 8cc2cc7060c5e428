package shodanrep

import (
	"net/http"
	"strings"
	"testing"

	"github.com/turbot/steampipe-plugin-sdk/v5/grpc/proto"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

// factors asks for the factors of addresses.
func factors(ips ...string) query {
	return query{table: "shodan_reputation_factor", quals: map[string]*proto.QualValue{"ip": inets(ips...)}}
}

func TestFactorsAreRowsThatAddUpToTheScore(t *testing.T) {
	for name, connection := range map[string]func(*shodantest.Simulator) string{"InternetDB": free, "REST": keyed} {
		sim := simulate(t)
		s := mustConnect(t, connection(sim))
		q := factors(bad, good, empty, "11.0.0.9", "10.0.0.1", "11.0.0.0/30")
		q.quals["policy"] = texts("baseline", "extended")
		rows := s.mustRun(t, q)
		sums, scores, without := map[string]int64{}, map[string]int64{}, map[string]string{}
		for _, r := range rows {
			key := r["policy"].(string) + " " + r["ip"].(string)
			if r["factor"] == nil {
				if r["points"] != nil || r["detail"] != nil || r["evidence"] != nil || r["title"] != r["ip"] {
					t.Errorf("%s: a row without a factor has %v", name, r)
				}
				without[key] = r["status"].(string) + " " + r["level"].(string)
				continue
			}
			sums[key] += r["points"].(int64)
			scores[key] = r["score"].(int64)
			if r["evidence"] == nil || r["detail"] == nil || r["title"] != r["ip"].(string)+" "+r["factor"].(string) {
				t.Errorf("%s: %v", name, r)
			}
		}
		if len(sums) == 0 || sums["baseline "+bad] != 65 {
			t.Errorf("%s: the factors add up to %v", name, sums)
		}
		for key, score := range scores {
			if sums[key] != score {
				t.Errorf("%s: the factors of %s add up to %d, the score is %d", name, key, sums[key], score)
			}
		}
		for key, want := range map[string]string{
			"baseline " + good: "indexed low", "baseline " + empty: "indexed low", "baseline 11.0.0.9": "not_indexed unknown",
			"extended 10.0.0.1": "reserved unknown", "extended 11.0.0.0/30": "not_a_host unknown",
		} {
			if without[key] != want {
				t.Errorf("%s: the row of %s says %q, want %q", name, key, without[key], want)
			}
		}
		if sim.Count("") != 4 {
			t.Errorf("%s: %d requests for four addresses", name, sim.Count(""))
		}
	}
}

func TestAFactorsLimitSparesLookUps(t *testing.T) {
	sim := simulate(t)
	q := factors(bad, good, empty)
	q.limit, q.exact = 1, true
	if rows := mustConnect(t, free(sim)).mustRun(t, q); len(rows) != 1 || sim.Count("") > 1 {
		t.Errorf("%d rows and %d requests", len(rows), sim.Count(""))
	}
}

func TestFactorsOfWhatCannotBeChecked(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		fault shodantest.Fault
		want  string
	}{
		"garbled": {shodantest.Fault{Body: "<html>"}, "error"},
		"limited": {shodantest.Fault{Status: http.StatusTooManyRequests, Body: shodantest.BodyRateLimited, Times: 1}, "indexed"},
	} {
		sim := simulate(t)
		sim.Fault(tt.fault)
		rows := mustRunInTime(t, keyed(sim), "2s", factors(good))
		if len(rows) != 1 || rows[0]["status"] != tt.want || rows[0]["factor"] != nil || (rows[0]["error"] != nil) != (tt.want == "error") {
			t.Errorf("%s: %v", name, rows)
		}
	}
	_, err := mustConnect(t, strings.Replace(keyed(simulate(t)), shodantest.Key, "WRONGKEY", 1)).run(t, factors(bad))
	if err == nil || !strings.Contains(err.Error(), "refused the API key") || strings.Contains(err.Error(), "WRONGKEY") {
		t.Errorf("a wrong key: %v", err)
	}
	rows := mustConnect(t, keyed(simulate(t, shodantest.WithPlan("oss")))).mustRun(t, factors(bad))
	if len(rows) == 0 || rows[0]["source"] != "internetdb" {
		t.Errorf("a key that may not look up: %v", rows)
	}
}
