package config_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/zclconf/go-cty/cty"
)

var addressPattern = regexp.MustCompile(`198\.18\.\d+\.\d+`)

// TestControlsAskEachAddressOnce holds that controls look up in slices, and fetch no more columns than they need.
func TestControlsAskEachAddressOnce(t *testing.T) {
	db := modDatabase(t)
	db.Exec(`insert into aws_vpc_eip (arn, title, public_ip) select n::text, n::text, '198.18.0.0'::inet + n % 450 from generate_series(0, 899) as n;
		insert into aws_vpc_security_group_rule (security_group_rule_id, group_id, type, cidr_ipv4, ip_protocol) select n::text, 'sg', 'ingress', '198.18.0.0'::inet + n % 450, '-1' from generate_series(0, 899) as n`)
	for _, test := range []struct {
		control string
		values  map[string]cty.Value
		columns string
		sizes   []int
	}{
		{"aws_public_address_reputation", nil, "ip, status, error, score, level, factors", []int{150, 150, 150}},
		{"aws_public_address_newly_bad", nil, "ip, status, error, score, level", []int{150, 150, 150}},
		{"aws_public_address_suspicious_port", nil, "ip, status, error, ports", []int{150, 150, 150}},
		{"aws_public_address_database", nil, "ip, status, error, ports, tags", []int{150, 150, 150}},
		{"aws_public_address_exploited_vulnerability", nil, "ip, status, error, cve_id, kev", []int{150, 150, 150}},
		{"aws_public_address_expired_certificate", nil, "ip, source, status, error, port, ssl_subject_cn, ssl_expires, ssl_expired", []int{150, 150, 150}},
		{"aws_security_group_ingress_reputation", nil, "ip, status, error, score, level, factors", []int{150, 150, 150}},
		{"aws_security_group_egress_reputation", nil, "", nil},
		{"aws_public_address_reputation", map[string]cty.Value{"allowed_addresses": cty.ListVal([]cty.Value{cty.StringVal("198.18.0.0/24")})}, "ip, status, error, score, level, factors", []int{194}},
	} {
		for plan, settings := range map[string]string{
			"as PostgreSQL likes": "", "with nested loops": "set enable_hashjoin = off; set enable_mergejoin = off; set enable_material = off",
		} {
			t.Run(fmt.Sprintf("%s %s %d", test.control, plan, test.sizes), func(t *testing.T) {
				db.Exec(settings)
				defer db.Exec("reset enable_hashjoin; reset enable_mergejoin; reset enable_material")
				db.RemoteQueries()
				for _, row := range runControl(t, db, loadMod(t, test.values).control(t, test.control)) {
					// There are no answers: these addresses are in no table.
					if row[status] != "error" && row[status] != "skip" {
						t.Fatalf("%q", row)
					}
				}
				var sizes []int
				seen := map[string]bool{}
				for _, question := range db.RemoteQueries() {
					columns, _, _ := strings.Cut(strings.TrimPrefix(question, "SELECT "), " FROM ")
					addresses := addressPattern.FindAllString(question, -1)
					for _, address := range addresses {
						if seen[address] {
							t.Errorf("%s was asked for twice", address)
						}
						seen[address] = true
					}
					sizes = append(sizes, len(addresses))
					if columns != test.columns {
						t.Errorf("the columns are %s, want %s", columns, test.columns)
					}
				}
				if diff := cmp.Diff(test.sizes, sizes); diff != "" {
					t.Errorf("the slices: want (-), got (+): %s", diff)
				}
			})
		}
	}
}

func TestDimensions(t *testing.T) {
	db := filledModDatabase(t)
	connections := func(columns ...string) map[string]cty.Value {
		values := map[string]cty.Value{"tag_dimensions": cty.ListVal([]cty.Value{cty.StringVal("Owner"), cty.StringVal(`it's "odd"`)})}
		for cloud := range clouds {
			values[cloud+"_dimensions"] = cty.ListVal([]cty.Value{cty.StringVal("connection_name")})
		}
		return values
	}
	for cloud, rules := range clouds {
		m := loadMod(t, connections())
		for name, want := range map[string][]string{
			cloud + "_public_address_reputation":          {"resource", "status", "reason", "ip", "connection_name", "Owner", `it's "odd"`},
			cloud + "_" + rules + "_ingress_reputation":   {"resource", "status", "reason", "ip", "connection_name"},
			cloud + "_" + rules + "_open_suspicious_port": {"resource", "status", "reason", "ip", "connection_name"},
		} {
			q := m.control(t, name)
			rows, err := db.Conn().Query(t.Context(), q.sql, q.params...)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, field := range rows.FieldDescriptions() {
				got = append(got, field.Name)
			}
			rows.Close()
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s: want (-), got (+): %s", name, diff)
			}
		}
	}
	for _, row := range runControl(t, db, loadMod(t, connections()).control(t, "aws_public_address_reputation")) {
		if row[ip] == "203.0.113.1" && (row[4] != "aws_prod" || row[5] != "web" || row[6] != "<null>") {
			t.Errorf("the dimensions are %q", row)
		}
	}
}

// TestAnAggregatorCountsAsOne is about connections that are aggregated, each of which has a row of an address.
func TestAnAggregatorCountsAsOne(t *testing.T) {
	db := filledModDatabase(t)
	m := loadMod(t, nil)
	control := func() map[string]string {
		return statuses(t, runControl(t, db, m.control(t, "azure_public_address_reputation")))
	}
	before := control()
	db.ExecRemote(`insert into shodanrep.shodan_ip_reputation (ip, source, status, level, score) values
		('203.0.113.1', 'internetdb', 'indexed', 'low', 10), ('203.0.113.4', 'internetdb', 'indexed', 'critical', 50), ('203.0.113.5', 'internetdb', 'indexed', 'low', 0), ('203.0.113.3', 'internetdb', 'error', 'unknown', null)`)
	before["203.0.113.4"], before["203.0.113.5"] = "alarm", "ok"
	if diff := cmp.Diff(before, control()); diff != "" {
		t.Errorf("want (-), got (+): %s", diff)
	}
	if rows := runControl(t, db, m.control(t, "azure_public_address_reputation")); len(rows) != 11 {
		t.Errorf("%d rows of 11 addresses", len(rows))
	}
}

// TestThePastIsReadAfterTheLookups is about the controls of newly bad addresses: what a lookup finds is recorded, and
// must be part of the past that is read.
func TestThePastIsReadAfterTheLookups(t *testing.T) {
	db := filledModDatabase(t)
	for plan, settings := range map[string]string{
		"as PostgreSQL likes": "", "with nested loops": "set enable_hashjoin = off; set enable_mergejoin = off; set enable_material = off",
	} {
		db.Exec(settings)
		db.RemoteQueries()
		runControl(t, db, loadMod(t, nil).control(t, "gcp_public_address_newly_bad"))
		var tables []string
		for _, question := range db.RemoteQueries() {
			_, table, _ := strings.Cut(question, " FROM ")
			table, _, _ = strings.Cut(table, " ")
			tables = append(tables, strings.TrimPrefix(table, "shodanrep."))
		}
		if diff := cmp.Diff([]string{"shodan_ip_reputation", "shodan_reputation_change"}, tables); diff != "" {
			t.Errorf("%s: want (-), got (+): %s", plan, diff)
		}
	}
}
