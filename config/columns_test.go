package config_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/postgrestest"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/postgrestest/foreigntable"
)

// TestTheFunctionsHaveTheColumnsOfTheTables holds functions.sql to the plugin, by name and type.
func TestTheFunctionsHaveTheColumnsOfTheTables(t *testing.T) {
	db := postgrestest.New(t)
	db.RunFile(functions)
	all := tables(t)
	// columns returns the type of each column of a list as in create table.
	columns := func(list string) map[string]string {
		found := map[string]string{}
		for column := range strings.SplitSeq(list, ", ") {
			name, kind, _ := strings.Cut(column, " ")
			found[strings.Trim(name, `"`)] = kind
		}
		return found
	}
	for function, table := range map[string]string{
		"shodan_reputation(inet[])": "shodan_ip_reputation", "shodan_reputation(cidr[])": "shodan_ip_reputation", "shodan_reputation(text[])": "shodan_ip_reputation",
		"shodan_services(inet[])": "shodan_service",
	} {
		if diff := cmp.Diff(columns(foreigntable.Columns(all[table])), columns(resultOf(db, function))); diff != "" {
			t.Errorf("the columns of %s (-) and of %s (+) differ: %s", table, function, diff)
		}
	}
}
