package shodanrep

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"
)

// explainedStatus matches a status in a description: a word before its meaning in brackets, or one in capitals.
var explainedStatus = regexp.MustCompile(`[a-z_]+ \(|[A-Z]{4,}`)

// A table declares the statuses of its rows, its page explains these and no others, and flags of the command line know
// them.
func TestStatusesAreAllThatTheTablesHave(t *testing.T) {
	t.Parallel()
	tables, err := tables(t.Context(), &plugin.TableMapData{})
	if err != nil {
		t.Fatal(err)
	}
	declared, found := map[string]bool{}, map[string]bool{}
	for name, table := range tables {
		for _, column := range table.Columns {
			if column.Name != "status" {
				continue
			}
			declared[column.Description] = true
			statuses := StatusesIn(column.Description)
			if len(statuses) == 0 {
				t.Errorf("%s declares no statuses: make its column with statusColumn, and enter its set in statusSets", name)
			}
			var explained []string
			for _, status := range explainedStatus.FindAllString(column.Description, -1) {
				explained = append(explained, strings.ToLower(strings.TrimSuffix(status, " (")))
			}
			if !slices.Equal(explained, statuses) {
				t.Errorf("the description of %s.status explains %q, but the statuses are %q", name, explained, statuses)
			}
			for _, status := range statuses {
				if found[status] = true; !slices.Contains(Statuses(), status) {
					t.Errorf("Statuses lacks %q of table %s", status, name)
				}
			}
		}
	}
	if len(declared) != len(statusSets) {
		t.Errorf("tables have %d sets of statuses, and statusSets has %d", len(declared), len(statusSets))
	}
	for _, status := range Statuses() {
		if !found[status] {
			t.Errorf("no table has the status %q", status)
		}
	}
}
