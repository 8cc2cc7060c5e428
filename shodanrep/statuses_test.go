package shodanrep

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"
)

// A status that a table's page explains must be one that flags of the command line know.
func TestStatusesAreAllThatTheTablesHave(t *testing.T) {
	t.Parallel()
	explained := regexp.MustCompile(`[a-z_]+ \(|[A-Z]{4,}`)
	found := map[string]bool{}
	tables, err := tables(t.Context(), &plugin.TableMapData{})
	if err != nil {
		t.Fatal(err)
	}
	for name, table := range tables {
		for _, column := range table.Columns {
			if column.Name != "status" {
				continue
			}
			statuses := explained.FindAllString(column.Description, -1)
			if len(statuses) == 0 {
				t.Errorf("the description of %s.status explains no status: %s", name, column.Description)
			}
			for _, status := range statuses {
				status = strings.ToLower(strings.TrimSuffix(status, " ("))
				found[status] = true
				if !slices.Contains(Statuses(), status) {
					t.Errorf("Statuses lacks %q of table %s", status, name)
				}
			}
		}
	}
	for _, status := range Statuses() {
		if !found[status] {
			t.Errorf("no table explains the status %q", status)
		}
	}
}
