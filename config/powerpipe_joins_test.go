package config_test

import (
	"maps"
	"os"
	"regexp"
	"testing"

	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/postgrestest/joincheck"
)

// TestControlsAndDashboardsJoinSafely checks that Steampipe drops no condition of a query.
func TestControlsAndDashboardsJoinSafely(t *testing.T) {
	t.Parallel()
	tables, err := shodanrep.Plugin(t.Context()).TableMapFunc(t.Context(), &plugin.TableMapData{})
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("powerpipe/testdata/cloud_tables.sql")
	if err != nil {
		t.Fatal(err)
	}
	for _, match := range regexp.MustCompile(`create table (\w+)`).FindAllStringSubmatch(string(text), -1) {
		maps.Copy(tables, joincheck.Foreign(match[1]))
	}
	m := loadMod(t, nil)
	queries := map[string]query{}
	for name := range m.of("control") {
		queries[name] = m.control(t, name)
	}
	for dashboard, block := range m.of("dashboard") {
		for name, q := range panels(t, m, block.Body) {
			queries[dashboard+" "+name] = q
		}
	}
	if want := 9*len(clouds) + 10*len(clouds); len(queries) != want {
		t.Errorf("%d queries, want %d", len(queries), want)
	}
	for name, q := range queries {
		joincheck.Check(t, name, q.sql, tables)
	}
}
