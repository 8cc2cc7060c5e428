package matrix

import (
	"slices"
	"strings"
	"testing"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/embedded"
)

// withoutRequests are the tables that only read the history.
var withoutRequests = []string{"shodan_reputation_change", "shodan_reputation_history"}

// A table without a case would be tested with no fault, and no other test would say so.
func TestEveryTableHasAnEndpointCase(t *testing.T) {
	t.Parallel()
	db, err := embedded.Open(t.Context(), embedded.Options{PluginFunc: shodanrep.Plugin, Connections: []embedded.Connection{{Name: "any"}}})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, table := range db.Tables() {
		queries := func(e endpointCase) bool { return strings.HasPrefix(e.sql+" ", "select * from "+table.Name+" ") }
		if !slices.Contains(withoutRequests, table.Name) && !slices.ContainsFunc(endpointCases(), queries) {
			t.Errorf("endpoints_test.go has no case for the table %s", table.Name)
		}
	}
}
