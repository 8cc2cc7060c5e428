package shodanrep

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

// TestListsAgreeWithCapturedAnswers reads the captured answers on its own, and holds the rows to them.
func TestListsAgreeWithCapturedAnswers(t *testing.T) {
	dir := captures(t)
	sim := shodantest.New(t)
	s := mustConnect(t, keyed(sim))
	for table, test := range map[string]struct {
		file string
		want func(answer any) []row
	}{
		"shodan_api_info": {"rest_info.json", func(answer any) []row {
			info := maps.Clone(answer.(map[string]any))
			limits := info["usage_limits"].(map[string]any)
			for name, limit := range limits {
				info[name+"_limit"] = limit
			}
			return []row{info}
		}},
		"shodan_account_profile": {"account_profile.json", func(answer any) []row { return []row{answer.(map[string]any)} }},
		"shodan_port": {"rest_ports.json", func(answer any) (rows []row) {
			for _, port := range answer.([]any) {
				rows = append(rows, row{"port": port})
			}
			return rows
		}},
		"shodan_protocol": {"rest_protocols.json", func(answer any) (rows []row) {
			for name, description := range answer.(map[string]any) {
				rows = append(rows, row{"name": name, "description": description})
			}
			return rows
		}},
		"shodan_saved_query": {"query_search.json", func(answer any) (rows []row) {
			for _, match := range answer.(map[string]any)["matches"].([]any) {
				rows = append(rows, match.(map[string]any))
			}
			return rows
		}},
	} {
		t.Run(table, func(t *testing.T) {
			body, err := os.ReadFile(filepath.Join(dir, "api", test.file))
			if err != nil {
				t.Fatal(err)
			}
			var answer any
			if err := json.Unmarshal(body, &answer); err != nil {
				t.Fatal(err)
			}
			sim.Fault(shodantest.Fault{Endpoint: lists[table].endpoint, Body: string(body)})
			rows, want := s.mustRun(t, query{table: table}), test.want(answer)
			if len(rows) != len(want) {
				t.Errorf("%d rows, want %d", len(rows), len(want))
			}
			for _, w := range want {
				if !slices.ContainsFunc(rows, func(r row) bool { return hasAll(r, inColumns(w)) }) {
					t.Errorf("no row of %v", inColumns(w))
				}
			}
		})
	}
}

// inColumns makes of an answer's values what columns make of them: whole numbers, times to the second, null for an
// empty text, and no empty tags.
func inColumns(answer row) row {
	r := maps.Clone(answer)
	for name, value := range r {
		switch v := value.(type) {
		case float64:
			r[name] = int64(v)
		case string:
			if at, err := time.Parse("2006-01-02T15:04:05", v); err == nil {
				r[name] = at.Format(time.RFC3339)
			} else if v == "" {
				r[name] = nil
			}
		case []any:
			r[name] = slices.DeleteFunc(slices.Clone(v), func(item any) bool { return item == "" })
		}
	}
	return r
}
