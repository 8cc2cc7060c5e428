package config_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/postgrestest"
)

// TestEverySliceGetsTheSameSource holds the cutting of lists to api_lookup_limit, by which the length of a list decides
// its source: where the whole list is longer than the limit, each slice is.
func TestEverySliceGetsTheSameSource(t *testing.T) {
	const limit, most = 100, 201
	cut := regexp.MustCompile(`ntile\((.*?)\) over`)
	var expression string
	for _, file := range []string{
		"functions.sql", "powerpipe/checks.pp", "powerpipe/dashboards/queries.pp", "flowpipe/newly_bad_addresses.fp",
		"../docs/joining.md", "../docs/tables/shodan_ip_reputation.md",
	} {
		found := cut.FindAllStringSubmatch(read(t, file), -1)
		if len(found) != 1 {
			t.Fatalf("%s cuts %d lists", file, len(found))
		}
		if expression == "" {
			expression = found[0][1]
		}
		if found[0][1] != expression {
			t.Errorf("%s cuts by %s, and functions.sql by %s", file, found[0][1], expression)
		}
	}
	db := postgrestest.New(t)
	wrong := db.Query(fmt.Sprintf(`
		select n, least, most, addresses
		from generate_series(1, 1000) as n
			cross join lateral (
				select min(length) as least, max(length) as most, sum(length) as addresses
				from (
					select count(*) as length
					from (select ntile(%s) over (order by a) as slice from (select a, count(*) over () as total from generate_series(1, n) as a) as list) as numbered
					group by slice
				) as slices
			) as s
		where addresses <> n or most > %d or (n > %[3]d) <> (least > %[3]d) or (n <= %[3]d and least <> n)`, expression, most, limit))
	if len(wrong) > 0 {
		t.Errorf("lists that are cut wrongly (length, shortest and longest slice, addresses in all): %q", wrong)
	}
}

// TestOneCallIsOneList calls the functions with lists of which a short last slice would get another source.
func TestOneCallIsOneList(t *testing.T) {
	db := install(t)
	address := regexp.MustCompile(`198\.18\.\d+\.\d+`)
	for _, test := range []struct {
		length int
		want   []int
	}{{100, []int{100}}, {101, []int{101}}, {201, []int{201}}, {202, []int{101, 101}}, {250, []int{125, 125}}, {420, []int{140, 140, 140}}} {
		for function, table := range map[string]string{"shodan_reputation": "shodan_ip_reputation", "shodan_services": "shodan_service"} {
			db.RemoteQueries()
			got := db.Query(fmt.Sprintf("select ip from %s(array(select '198.18.0.0'::inet + n from generate_series(0, %d) as n))", function, test.length-1))
			var lengths []int
			for _, asked := range db.RemoteQueries() {
				if !strings.Contains(asked, table) {
					t.Errorf("asked %.100s", asked)
				}
				lengths = append(lengths, len(address.FindAllString(asked, -1)))
			}
			if len(got) != test.length || fmt.Sprint(lengths) != fmt.Sprint(test.want) {
				t.Errorf("%s of %d addresses: %d rows, slices of %d, want %d", function, test.length, len(got), lengths, test.want)
			}
		}
	}
}
