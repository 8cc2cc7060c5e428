package config_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"
	"github.com/zclconf/go-cty/cty"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/postgrestest"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/postgrestest/foreigntable"
)

// clouds are the beginnings of the controls' names, and what each cloud calls the rules of its firewall.
var clouds = map[string]string{"aws": "security_group", "azure": "network_security_group", "gcp": "firewall"}

// modDatabase makes a database with empty tables of the plugin and of the clouds.
func modDatabase(t *testing.T) *postgrestest.Database {
	t.Helper()
	db := postgrestest.New(t)
	tables, err := shodanrep.Plugin(t.Context()).TableMapFunc(t.Context(), &plugin.TableMapData{})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"shodan_ip_reputation", "shodan_reputation_change", "shodan_service", "shodan_vulnerability"} {
		db.CreateForeignTable("shodanrep", name, foreigntable.Columns(tables[name]))
	}
	db.Exec(read(t, "powerpipe/testdata/cloud_tables.sql"))
	db.Exec("set search_path = public, shodanrep")
	return db
}

// filledModDatabase makes a database with the tables and rows of the tests.
func filledModDatabase(t *testing.T) *postgrestest.Database {
	t.Helper()
	db := modDatabase(t)
	db.ExecRemote(read(t, "powerpipe/testdata/known.sql"))
	for cloud := range clouds {
		db.Exec(read(t, "powerpipe/testdata/"+cloud+".sql"))
	}
	return db
}

// The columns that each control returns first.
const resource, status, reason, ip = 0, 1, 2, 3

// runControl runs a control, and returns its rows.
func runControl(t *testing.T, db *postgrestest.Database, q query) [][]string {
	t.Helper()
	rows := db.Query(q.sql, q.params...)
	for _, row := range rows {
		if !slices.Contains([]string{"ok", "alarm", "info", "skip", "error"}, row[status]) || row[resource] == "<null>" || !strings.HasSuffix(row[reason], ".") {
			t.Errorf("%s: not a result of a control: %q", q.name, row)
		}
	}
	return rows
}

// statuses returns the status of each address in the rows of a control.
func statuses(t *testing.T, rows [][]string) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, row := range rows {
		if before := found[row[ip]]; before != "" && before != row[status] {
			t.Errorf("%s is %s and %s", row[ip], before, row[status])
		}
		found[row[ip]] = row[status]
	}
	return found
}

// The addresses by which the expectations differ from one another; what was not checked is the same for every control.
func expect(differing map[string]string) map[string]string {
	want := map[string]string{"203.0.113.5": "info", "203.0.113.6": "error", "203.0.113.7": "error", "10.0.0.8": "skip", "<null>": "skip"}
	for _, address := range []string{"203.0.113.1", "203.0.113.2", "203.0.113.3", "203.0.113.4", "203.0.113.9", "2001:db8::10"} {
		want[address] = "ok"
	}
	maps.Copy(want, differing)
	return want
}

func TestStatusesOfPublicAddresses(t *testing.T) {
	db := filledModDatabase(t)
	type values = map[string]cty.Value
	texts := func(list ...string) cty.Value {
		var values []cty.Value
		for _, text := range list {
			values = append(values, cty.StringVal(text))
		}
		return cty.ListVal(values)
	}
	ports := func(list ...int64) cty.Value {
		var values []cty.Value
		for _, port := range list {
			values = append(values, cty.NumberIntVal(port))
		}
		return cty.ListVal(values)
	}
	allowed := values{"allowed_addresses": texts("203.0.113.0/30", "203.0.113.6", "2001:db8::/32")}
	skipped := map[string]string{"203.0.113.1": "skip", "203.0.113.2": "skip", "203.0.113.3": "skip", "203.0.113.6": "skip", "2001:db8::10": "skip"}
	for _, test := range []struct {
		control string
		what    string
		values  values
		want    map[string]string
	}{
		{"reputation", "as it is", nil, map[string]string{"203.0.113.1": "alarm", "203.0.113.2": "alarm"}},
		{"reputation", "with another level", values{"alarm_levels": texts("medium")}, map[string]string{"203.0.113.3": "alarm"}},
		{"reputation", "with a score", values{"alarm_levels": cty.ListValEmpty(cty.String), "alarm_score": cty.NumberIntVal(20)}, map[string]string{"203.0.113.1": "alarm", "203.0.113.2": "alarm", "203.0.113.3": "alarm"}},
		{"reputation", "with an allow list", allowed, skipped},
		{"newly_bad", "as it is", nil, map[string]string{"203.0.113.1": "alarm", "203.0.113.9": "info", "2001:db8::10": "info"}},
		{"newly_bad", "with more days", values{"newly_bad_days": cty.NumberIntVal(7)}, map[string]string{"203.0.113.1": "alarm", "203.0.113.2": "alarm", "203.0.113.9": "info", "2001:db8::10": "info"}},
		{"newly_bad", "with another level", values{"alarm_levels": texts("medium")}, map[string]string{"203.0.113.3": "alarm", "203.0.113.9": "info", "2001:db8::10": "info"}},
		{"newly_bad", "with an allow list", allowed, map[string]string{"203.0.113.1": "skip", "203.0.113.2": "skip", "203.0.113.3": "skip", "203.0.113.6": "skip", "2001:db8::10": "skip", "203.0.113.9": "info"}},
		{"suspicious_port", "as it is", nil, map[string]string{"203.0.113.1": "alarm"}},
		{"suspicious_port", "with other ports", values{"suspicious_ports": ports(443)}, map[string]string{"203.0.113.1": "alarm", "203.0.113.2": "alarm", "203.0.113.3": "alarm", "2001:db8::10": "alarm"}},
		{"suspicious_port", "without ports", values{"suspicious_ports": cty.ListValEmpty(cty.Number)}, nil},
		{"suspicious_port", "with an allow list", allowed, skipped},
		{"database", "as it is", nil, map[string]string{"203.0.113.9": "alarm", "2001:db8::10": "alarm"}},
		{"database", "with other ports", values{"database_ports": ports(22)}, map[string]string{"203.0.113.1": "alarm", "2001:db8::10": "alarm"}},
		{"database", "with an allow list", allowed, map[string]string{"203.0.113.1": "skip", "203.0.113.2": "skip", "203.0.113.3": "skip", "203.0.113.6": "skip", "2001:db8::10": "skip", "203.0.113.9": "alarm"}},
		{"exploited_vulnerability", "as it is", nil, map[string]string{"203.0.113.1": "alarm", "203.0.113.2": "alarm", "203.0.113.9": "info"}},
		{"exploited_vulnerability", "with verified ones only", values{"verified_vulnerabilities_only": cty.True}, map[string]string{"203.0.113.1": "alarm", "203.0.113.2": "info", "203.0.113.9": "info"}},
		{"exploited_vulnerability", "with an EPSS", values{"alarm_epss": cty.NumberFloatVal(0.1)}, map[string]string{"203.0.113.1": "alarm", "203.0.113.2": "alarm", "203.0.113.3": "alarm", "203.0.113.9": "info"}},
		{"expired_certificate", "as it is", nil, map[string]string{"203.0.113.1": "alarm", "203.0.113.2": "info", "203.0.113.9": "info", "2001:db8::10": "alarm"}},
		{"expired_certificate", "with more days", values{"certificate_days": cty.NumberIntVal(365)}, map[string]string{"203.0.113.1": "alarm", "203.0.113.2": "info", "203.0.113.3": "info", "203.0.113.9": "info", "2001:db8::10": "alarm"}},
		{"expired_certificate", "with fewer days", values{"certificate_days": cty.NumberIntVal(0)}, map[string]string{"203.0.113.1": "alarm", "203.0.113.9": "info", "2001:db8::10": "alarm"}},
	} {
		m := loadMod(t, test.values)
		for cloud := range clouds {
			t.Run(fmt.Sprintf("%s, %s, %s", test.control, test.what, cloud), func(t *testing.T) {
				got := statuses(t, runControl(t, db, m.control(t, cloud+"_public_address_"+test.control)))
				if diff := cmp.Diff(expect(test.want), got); diff != "" {
					t.Errorf("want (-), got (+): %s", diff)
				}
			})
		}
	}
}

func TestStatusesOfRules(t *testing.T) {
	db := filledModDatabase(t)
	for _, direction := range []string{"ingress", "egress"} {
		for cloud, rules := range clouds {
			t.Run(direction+" "+cloud, func(t *testing.T) {
				want := expect(map[string]string{"203.0.113.1": "alarm", "203.0.113.2": "alarm", "198.51.100.0/24": "skip"})
				if direction == "ingress" {
					maps.Copy(want, map[string]string{"0.0.0.0/0": "skip", "128.0.0.0/1": "skip", "::/0": "skip"})
				} else {
					delete(want, "<null>")
				}
				if cloud == "azure" {
					delete(want, "::/0")
				}
				if cloud == "aws" && direction == "egress" {
					want["0.0.0.0/0"] = "skip"
				}
				rows := runControl(t, db, loadMod(t, nil).control(t, fmt.Sprintf("%s_%s_%s_reputation", cloud, rules, direction)))
				if diff := cmp.Diff(want, statuses(t, rows)); diff != "" {
					t.Errorf("want (-), got (+): %s", diff)
				}
			})
		}
	}
}

func TestRulesThatAreOpenToEveryone(t *testing.T) {
	db := filledModDatabase(t)
	for cloud, rules := range clouds {
		for _, test := range []struct {
			what   string
			values map[string]cty.Value
			alarms []string
		}{
			{"as it is", nil, []string{"open-all", "open-port"}},
			{"with wider networks", map[string]cty.Value{"open_to_all_masklen": cty.NumberIntVal(1)}, []string{"open-all", "open-half", "open-port"}},
			{"with another port", map[string]cty.Value{"suspicious_ports": cty.ListVal([]cty.Value{cty.NumberIntVal(443)})}, []string{"open-all", "open-web"}},
		} {
			t.Run(cloud+" "+test.what, func(t *testing.T) {
				db.RemoteQueries()
				var alarms []string
				seen := map[string]bool{}
				for _, row := range runControl(t, db, loadMod(t, test.values).control(t, fmt.Sprintf("%s_%s_open_suspicious_port", cloud, rules))) {
					seen[row[status]] = true
					if row[status] == "alarm" {
						_, name, _ := strings.Cut(row[resource], "open-")
						alarms = append(alarms, "open-"+name)
					}
				}
				if diff := cmp.Diff(test.alarms, alarms); diff != "" || !seen["ok"] || !seen["skip"] || len(seen) != 3 {
					t.Errorf("want (-), got (+): %s; statuses %v", diff, seen)
				}
				if asked := db.RemoteQueries(); len(asked) > 0 {
					t.Errorf("asked %q", asked)
				}
			})
		}
	}
}
