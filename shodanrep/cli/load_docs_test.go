package cli

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/load"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/postgrestest"
)

// loadPage returns the page about load.
func loadPage(t *testing.T) string {
	t.Helper()
	page, err := os.ReadFile("../../docs/load.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(page)
}

func TestThePageOfLoadHasEachColumn(t *testing.T) {
	t.Parallel()
	short := strings.NewReplacer("timestamp with time zone", "timestamptz")
	table := "| Column | Type | Description |\n|---|---|---|\n"
	for _, c := range load.Columns() {
		table += fmt.Sprintf("| `%s` | `%s` | %s |\n", c.Name, short.Replace(c.Type), c.Description)
	}
	if !strings.Contains(loadPage(t), "\n\n"+table+"\n") {
		t.Errorf("the page has another table of columns than:\n%s", table)
	}
}

func TestThePageOfLoadHasEachFlag(t *testing.T) {
	t.Parallel()
	cmd, _, err := Command().Find([]string{loadName})
	if err != nil {
		t.Fatal(err)
	}
	for _, flag := range regexp.MustCompile(`--[a-z-]+`).FindAllString(cmd.LocalFlags().FlagUsages(), -1) {
		if !strings.Contains(loadPage(t), flag) && flag != "--help" {
			t.Errorf("the page does not have %s", flag)
		}
	}
}

// The SQL of the page runs in order, and load still writes to the table afterwards.
func TestTheSQLOfThePageOfLoadRuns(t *testing.T) {
	db := postgrestest.New(t)
	db.Exec(`create table flows (src_ip inet); create table networks (network cidr); insert into networks values ('192.0.2.0/24'), ('198.51.100.0/24');
		insert into flows values ('198.51.100.66'), ('203.0.113.10'), ('203.0.113.25'), ('192.0.2.44'), ('10.0.0.1')`)
	page, _, _ := strings.Cut(loadPage(t), "\n## Citus\n")
	from := []string{"--from-query", "select distinct src_ip from flows"}
	printed := strings.ReplaceAll(loadInto(t, db, sampleConnection, from...).stderr, "in N\n", "in 212ms\n")
	if !strings.Contains(page, "```text\n"+printed+"```\n") {
		t.Errorf("the page does not show %s", printed)
	}
	ran := 0
	for _, m := range regexp.MustCompile("(?s)```sql\n(.*?)```").FindAllStringSubmatch(page, -1) {
		ran++
		if strings.HasPrefix(m[1], "select") {
			if rows := db.Query(strings.TrimSuffix(strings.TrimSpace(m[1]), ";")); len(rows) == 0 {
				t.Errorf("no rows: %s", m[1])
			}
			continue
		}
		db.Exec(m[1])
	}
	if ran < 5 {
		t.Errorf("only %d blocks of SQL", ran)
	}
	if got := loadInto(t, db, sampleConnection, append(from, "--max-age", "0", "192.0.2.10")...); !strings.Contains(got.stderr, "this process looked up 6 in") {
		t.Errorf("after partitioning: %+v", got)
	}
	if rows := db.Query("select count(*), count(distinct tableoid) > 1 from reputation"); fmt.Sprint(rows) != "[[6 t]]" {
		t.Errorf("rows in partitions: %v", rows)
	}
}
