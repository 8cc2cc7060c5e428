package config_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// panels returns the queries of a dashboard: of its cards in the order that they are in, and of all else by title.
func panels(t *testing.T, m *mod, body *hclsyntax.Body) map[string]query {
	t.Helper()
	found := map[string]query{}
	cards := 0
	var walk func(*hclsyntax.Body)
	walk = func(body *hclsyntax.Body) {
		for _, block := range body.Blocks {
			name := m.text(t, block.Body.Attributes["title"])
			switch block.Type {
			case "container":
				walk(block.Body)
				continue
			case "card":
				cards++
				name = fmt.Sprint("card ", cards)
			case "chart", "table":
			default:
				t.Errorf("there is a %s", block.Type)
			}
			found[name] = query{name: name, sql: m.text(t, block.Body.Attributes["sql"])}
		}
	}
	walk(body)
	return found
}

func TestDashboards(t *testing.T) {
	db := filledModDatabase(t)
	m := loadMod(t, nil)
	dashboards := m.of("dashboard")
	if len(dashboards) != len(clouds) {
		t.Errorf("%d dashboards", len(dashboards))
	}
	want := map[string][][]string{ // the first columns of each
		"card 1":             {{"Public addresses", "10"}},
		"card 2":             {{"Critical", "1", "alert"}},
		"card 3":             {{"High", "1", "alert"}},
		"card 4":             {{"Not judged", "4", "info"}},
		"Addresses by Level": {{"critical", "1"}, {"high", "1"}, {"medium", "1"}, {"low", "3"}, {"unknown", "4"}},
		"Top Factors":        {{"tags", "2"}, {"vulnerabilities", "2"}},
		"Countries":          {{"Exampleland", "2", "80"}, {"not known", "4", "20"}},
		"Worst Addresses": {
			{"203.0.113.1", "critical", "80", "13 known vulnerabilities; tagged cloud", "Example Networks"}, {"203.0.113.2", "high", "40", "12 known vulnerabilities", "Example Networks"},
			{"203.0.113.3", "medium", "20", "tagged vpn"}, {"203.0.113.4", "low", "0", "<null>"}, {"203.0.113.9", "low", "0"}, {"2001:db8::10", "low", "0"},
		},
		"Certificates That Have Expired or Expire Soon": {{"203.0.113.1", "443", "old.example.com"}, {"203.0.113.2", "443", "soon.example.com"}},
		"Addresses Without a Score": {
			{"203.0.113.6", "error", "the service is away"}, {"203.0.113.7", "no response", "<null>"}, {"203.0.113.5", "not_indexed", "<null>"}, {"10.0.0.8", "reserved", "<null>"},
		},
	}
	for cloud := range clouds {
		block := dashboards[cloud+"_public_addresses"]
		if block == nil || m.text(t, block.Body.Attributes["documentation"]) == "" {
			t.Fatalf("there is no dashboard of %s, or no documentation", cloud)
		}
		got := panels(t, m, block.Body)
		if len(got) != len(want) {
			t.Errorf("%s has %d panels, want %d", cloud, len(got), len(want))
		}
		for name, q := range got {
			t.Run(cloud+" "+name, func(t *testing.T) {
				rows := db.Query(q.sql)
				for i := range min(len(rows), len(want[name])) {
					rows[i] = rows[i][:len(want[name][i])]
				}
				if diff := cmp.Diff(want[name], rows); diff != "" {
					t.Errorf("want (-), got (+): %s", diff)
				}
			})
		}
	}
}
