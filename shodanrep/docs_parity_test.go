package shodanrep_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"
)

// The form of docs/parity.md: a section a table of the other plugin, a row a column.
var (
	parityTotal   = regexp.MustCompile(`has (\d+) tables with (\d+) columns`)
	paritySection = regexp.MustCompile("(?m)^## `(shodan_\\w+)`$")
	parityRow     = regexp.MustCompile("(?m)^\\| `(\\w+)` \\| (.+?) \\| .*\\|$")
	parityName    = regexp.MustCompile("`(shodan_\\w+)(?:\\.(\\w+))?`")
)

func TestTheParityPageNamesTablesAndColumnsThatThereAre(t *testing.T) {
	atRoot(t)
	page := read(t, "docs/parity.md")
	ours := schema(t)
	theirs := map[string]bool{}
	for _, section := range paritySection.FindAllStringSubmatch(page, -1) {
		theirs[section[1]] = true
	}
	for _, name := range parityName.FindAllStringSubmatch(page, -1) {
		table := ours[name[1]]
		switch {
		case table == nil && (name[2] != "" || !theirs[name[1]]):
			t.Errorf("%s: there is no table %s", name[0], name[1])
		case name[2] != "" && !slices.ContainsFunc(table.Columns, func(c *plugin.Column) bool { return c.Name == name[2] }):
			t.Errorf("%s has no column %s", name[1], name[2])
		}
	}
}

func TestTheParityPageHasAPlaceForEveryColumn(t *testing.T) {
	atRoot(t)
	page := read(t, "docs/parity.md")
	sections := paritySection.FindAllStringSubmatchIndex(page, -1)
	columns := 0
	for i, section := range sections {
		end := len(page)
		if i+1 < len(sections) {
			end = sections[i+1][0]
		}
		table, text := page[section[2]:section[3]], page[section[1]:end]
		seen := map[string]bool{}
		for _, row := range parityRow.FindAllStringSubmatch(text, -1) {
			columns++
			if seen[row[1]] {
				t.Errorf("%s.%s is there twice", table, row[1])
			}
			seen[row[1]] = true
			if leftOut := strings.Contains(text, "**Left out.**"); (row[2] == "left out") != leftOut || !leftOut && !parityName.MatchString(row[2]) {
				t.Errorf("%s.%s has no place here: %s", table, row[1], row[2])
			}
		}
		if len(seen) == 0 {
			t.Errorf("%s has no columns", table)
		}
	}
	if got, want := parityTotal.FindString(page), fmt.Sprintf("has %d tables with %d columns", len(sections), columns); got != want {
		t.Errorf("the page says %q, and %s", got, want)
	}
}
