package shodanrep

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/turbot/steampipe-plugin-sdk/v5/grpc/proto"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

// TestADatasetsSummariesScoreAsItsBanners compares the rows of a query that reads the banners of a dataset, because it
// selects their texts, with those of one that reads only summaries.
func TestADatasetsSummariesScoreAsItsBanners(t *testing.T) {
	setClock(t, time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC))
	files := []string{"../config/sample/hosts.json.gz"}
	for _, pattern := range []string{"host/*.json", "search/*.json", "internetdb/*.json"} {
		// The responses of the real services are not in the repository: the sample is compared without them.
		paths, _ := filepath.Glob(filepath.Join("..", "..", "shared", "captures", pattern))
		files = append(files, paths...)
	}
	s := mustConnect(t, free(shodantest.New(t))+fmt.Sprintf("data_files = [\"%s\"]\n", strings.Join(files, `", "`)))
	schema, err := s.GetSchema(&proto.GetSchemaRequest{Connection: "test"})
	if err != nil {
		t.Fatal(err)
	}
	var withoutTexts []string
	for _, c := range schema.Schema.Schema["shodan_ip_reputation"].Columns {
		if c.Name != "services" {
			withoutTexts = append(withoutTexts, c.Name)
		}
	}
	for _, policy := range []string{"baseline", "extended"} {
		quals := map[string]*proto.QualValue{"source": texts("dataset"), "policy": texts(policy)}
		want := s.mustRun(t, query{table: "shodan_ip_reputation", quals: quals})
		got := s.mustRun(t, query{table: "shodan_ip_reputation", columns: withoutTexts, quals: quals})
		var ips []string
		for _, r := range want {
			ips = append(ips, r["ip"].(string))
		}
		if diff := cmp.Diff(sorted(want), sorted(got)); diff != "" || len(got) < 40 {
			t.Errorf("%s, %d listed hosts: %s", policy, len(got), diff)
		}
		quals["ip"] = inets(ips...)
		got = s.mustRun(t, query{table: "shodan_ip_reputation", columns: withoutTexts, quals: quals})
		if diff := cmp.Diff(sorted(want), sorted(got)); diff != "" {
			t.Errorf("%s, %d hosts that were asked for: %s", policy, len(got), diff)
		}
	}
}

// sorted returns rows in order of their addresses, without the column that has texts: the SDK returns it unselected.
func sorted(rows []row) []row {
	for _, r := range rows {
		delete(r, "services")
	}
	slices.SortFunc(rows, func(a, b row) int { return strings.Compare(a["ip"].(string), b["ip"].(string)) })
	return rows
}
