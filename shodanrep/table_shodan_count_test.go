package shodanrep

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

func TestACountIsARowForEachQuery(t *testing.T) {
	sim := simulate(t)
	s := mustConnect(t, keyed(sim))
	rows := s.mustRun(t, searching("shodan_count", "port:443", "port:9", "nginx"))
	got := map[any]any{}
	for _, r := range rows {
		got[r["query"]] = r["total"]
		if r["title"] != r["query"] || r["checked_at"] == nil {
			t.Errorf("%v", r)
		}
	}
	if diff := cmp.Diff(map[any]any{"port:443": int64(2), "port:9": int64(0), "nginx": int64(3)}, got); diff != "" {
		t.Error(diff)
	}
	if sim.Credits(shodantest.Key) != 10_000 || sim.Count("") != 3 {
		t.Errorf("%d credits left after %d requests", sim.Credits(shodantest.Key), sim.Count(""))
	}
	s.mustRun(t, searching("shodan_count", "port:443"))
	if sim.Count("") != 3 {
		t.Error("the same count is asked for again")
	}
}
