package shodanrep_test

import (
	"encoding/csv"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestTheExamplesUseTablesAndColumnsThatThereAre(t *testing.T) {
	atRoot(t)
	columns := map[string][]string{}
	for name, table := range schema(t) {
		for _, column := range table.Columns {
			columns[name] = append(columns[name], column.Name)
		}
	}
	header, err := csv.NewReader(strings.NewReader(read(t, sampleRules))).Read()
	if err != nil {
		t.Fatal(err)
	}
	columns[rulesTable] = header
	for name, page := range pages(t) {
		for _, b := range blocksIn(page, "sql+postgres", "sql+sqlite") {
			for _, problem := range unknownNames(b.text, columns) {
				t.Errorf("%s, %s, %s: %s", name, b.heading, b.language, problem)
			}
		}
	}
}

// An array_agg of no rows is NULL, and one of a NULL has a NULL in it. Steampipe passes neither on, and the example would
// end in an error where it has nothing to look up.
func TestTheExamplesPassNoNullArrays(t *testing.T) {
	atRoot(t)
	// The CTE that makes the array, to the parenthesis at its end.
	gathers := regexp.MustCompile(`(?s)\n    array_agg\((?:distinct )?(\w+)\) as ips\n(.*?)\n\)`)
	found := 0
	for name, page := range pages(t) {
		for _, b := range blocksIn(page, "sql+postgres", "sql") {
			for _, m := range gathers.FindAllStringSubmatch(b.text, -1) {
				found++
				if rest := m[2]; !strings.Contains(rest, "group by") && (!strings.Contains(rest, m[1]+" is not null") || !strings.Contains(rest, "having\n    count(*) > 0")) {
					t.Errorf("%s, %s: array_agg(%s) can be NULL, or have a NULL in it", name, b.heading, m[1])
				}
			}
		}
	}
	if found < 8 {
		t.Errorf("only %d arrays were found", found)
	}
}

func TestUnknownNamesAreFound(t *testing.T) {
	t.Parallel()
	columns := map[string][]string{"shodan_x": {"ip", "score"}, "shodan_y": {"ip", "port"}}
	for sql, want := range map[string]int{
		"select ip, score as worst from shodan_x where ip = 'port' order by worst":                 0,
		"select count(*) as n from shodan_x -- of nothing":                                         0,
		"with u as (select ip from shodan_x) select r.ip from u join shodan_y as r on r.ip = u.ip": 0,
		"select ip from shodan_z":                                 1,
		"select port from shodan_x":                               1,
		"select r.port, s.port from shodan_x as r, shodan_y as s": 1,
		"select q.ip from shodan_x as r":                          1,
	} {
		if got := unknownNames(sql, columns); len(got) != want {
			t.Errorf("%s: %q, want %d problems", sql, got, want)
		}
	}
}

var (
	noise   = regexp.MustCompile(`'[^']*'|--[^\n]*|::\w+`)
	defined = regexp.MustCompile(`\bas (\w+)|\b(\w+) as (?:materialized )?\(`)
	aliased = regexp.MustCompile(`\b(\w+) as (\w+)`)
	named   = regexp.MustCompile(`(?:\b(\w+)\.)?\b([a-z_]\w*)\b(\()?`)
	tabular = regexp.MustCompile(`\b(?:from|join)\s+(\w+)(\()?`)
	words   = strings.Fields(`select from where and or not in is null as on join cross lateral with group order by asc desc nulls
		last limit offset any distinct between like over interval true false exists union all having case when then else end key value materialized`)
)

// unknownNames returns what is wrong with the names in SQL: tables that there are not, and columns that none of its
// tables has. It knows only as much SQL as the documents use.
func unknownNames(sql string, columns map[string][]string) []string {
	sql = noise.ReplaceAllString(sql, "")
	var problems, own, all []string
	for _, m := range defined.FindAllStringSubmatch(sql, -1) {
		own = append(own, m[1]+m[2])
	}
	tables := map[string]string{} // by alias
	for _, m := range aliased.FindAllStringSubmatch(sql, -1) {
		if columns[m[1]] != nil {
			tables[m[2]] = m[1]
			all = append(append(all, columns[m[1]]...), m[1])
		}
	}
	for _, m := range tabular.FindAllStringSubmatch(sql, -1) {
		if columns[m[1]] != nil {
			all = append(append(all, columns[m[1]]...), m[1])
		} else if m[2] == "" && !slices.Contains(words, m[1]) && !slices.Contains(own, m[1]) {
			return []string{"there is no table " + m[1]}
		}
	}
	for _, m := range named.FindAllStringSubmatch(sql, -1) {
		alias, name, call := m[1], m[2], m[3] != ""
		table := tables[alias]
		switch {
		case alias == "" && (call || slices.Contains(words, name)), alias != "" && slices.Contains(own, alias) && table == "":
		case table != "" && !slices.Contains(columns[table], name):
			problems = append(problems, fmt.Sprintf("%s has no column %s", table, name))
		case alias != "" && table == "":
			problems = append(problems, "nothing is called "+alias)
		case alias == "" && !slices.Contains(all, name) && !slices.Contains(own, name):
			problems = append(problems, "no table has a column "+name)
		}
	}
	return problems
}
