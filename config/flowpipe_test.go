package config_test

import (
	"maps"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/postgrestest"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/postgrestest/foreigntable"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/postgrestest/joincheck"
)

// flowpipeBlocks returns the blocks of all files of the mod of Flowpipe, by type and name.
func flowpipeBlocks(t *testing.T) map[string]*hclsyntax.Body {
	t.Helper()
	files, err := filepath.Glob("flowpipe/*.fp")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	found := map[string]*hclsyntax.Body{}
	for _, file := range files {
		parsed, diagnostics := hclsyntax.ParseConfig([]byte(read(t, file)), file, hcl.InitialPos)
		if diagnostics.HasErrors() {
			t.Fatal(diagnostics)
		}
		for _, block := range parsed.Body.(*hclsyntax.Body).Blocks {
			name := block.Type
			if n := len(block.Labels); n > 0 {
				name += "." + block.Labels[n-1]
			}
			found[name] = block.Body
		}
	}
	return found
}

// evaluate returns the text of an expression, with variables that it may use.
func evaluate(t *testing.T, expr hclsyntax.Expression, variables map[string]cty.Value) string {
	t.Helper()
	value, diagnostics := expr.Value(&hcl.EvalContext{Variables: variables, Functions: map[string]function.Function{"join": stdlib.JoinFunc}})
	if diagnostics.HasErrors() {
		t.Fatal(diagnostics)
	}
	return value.AsString()
}

// withResources makes a database with the resources of AWS on which the mod of the controls is tested.
func withResources(t *testing.T) *postgrestest.Database {
	t.Helper()
	db := postgrestest.New(t)
	for _, name := range []string{"shodan_ip_reputation", "shodan_reputation_change"} {
		db.CreateForeignTable("shodanrep", name, foreigntable.Columns(tables(t)[name]))
	}
	db.ExecRemote(`insert into shodanrep.shodan_ip_reputation (ip, status, level, score) values
		('203.0.113.1', 'indexed', 'critical', 80), ('203.0.113.2', 'indexed', 'high', 40), ('203.0.113.3', 'indexed', 'medium', 20), ('203.0.113.9', 'indexed', 'low', 0);
		insert into shodanrep.shodan_reputation_change (ip, source, change, changed_at, old_level, level) values
		('203.0.113.1', 'shodan', 'level', now() - interval '1 hour', null, 'critical'), ('203.0.113.1', 'shodan', 'indexed', now() - interval '1 hour', null, 'critical'),
		('203.0.113.2', 'shodan', 'level', now() - interval '1 hour', 'low', 'high'), ('203.0.113.3', 'shodan', 'level', now() - interval '1 hour', 'low', 'medium'),
		('203.0.113.9', 'shodan', 'level', now() - interval '1 hour', 'high', 'low')`)
	db.Exec(read(t, "powerpipe/testdata/cloud_tables.sql"))
	db.Exec(read(t, "powerpipe/testdata/aws.sql"))
	db.Exec("set search_path = public, shodanrep")
	return db
}

// variablesOf are the variables of the mod with their defaults, but for the levels.
func variablesOf(t *testing.T, levels ...string) map[string]cty.Value {
	t.Helper()
	var list []cty.Value
	for _, level := range levels {
		list = append(list, cty.StringVal(level))
	}
	window, diagnostics := flowpipeBlocks(t)["variable.window"].Attributes["default"].Expr.Value(nil)
	if diagnostics.HasErrors() {
		t.Fatal(diagnostics)
	}
	return map[string]cty.Value{"var": cty.ObjectVal(map[string]cty.Value{"alarm_levels": cty.ListVal(list), "window": window})}
}

func TestTheTriggerFindsNewlyBadAddresses(t *testing.T) {
	db := withResources(t)
	found := flowpipeBlocks(t)
	value, diagnostics := found["variable.alarm_levels"].Attributes["default"].Expr.Value(nil)
	if diagnostics.HasErrors() {
		t.Fatal(diagnostics)
	}
	var defaults []string
	for _, level := range value.AsValueSlice() {
		defaults = append(defaults, level.AsString())
	}
	sql := found["locals"].Attributes["newly_bad_addresses_sql"].Expr
	run := func(levels ...string) [][]string { return db.Query(evaluate(t, sql, variablesOf(t, levels...))) }

	db.RemoteQueries()
	want := [][]string{{"203.0.113.1", "critical", "80", "not known", "egress of sg-1, ingress of sg-1"}, {"203.0.113.2", "high", "40", "low", "egress of sg-1, ingress of sg-1"}}
	if diff := cmp.Diff(want, run(defaults...)); diff != "" {
		t.Errorf("want (-), got (+): %s", diff)
	}
	asked := db.RemoteQueries()
	if len(asked) != 2 || !strings.Contains(asked[0], "shodan_ip_reputation") || !strings.Contains(asked[1], "shodan_reputation_change") {
		t.Errorf("want the lookups, then the past, got %q", asked)
	}
	db.Exec("insert into aws_ec2_network_interface (network_interface_id, association_public_ip) values ('eni-1', '203.0.113.3')")
	want = [][]string{{"203.0.113.3", "medium", "20", "low", "egress of sg-1, ingress of sg-1, interface eni-1"}}
	if diff := cmp.Diff(want, run("medium")); diff != "" {
		t.Errorf("want (-), got (+): %s", diff)
	}
	db.ExecRemote("update shodanrep.shodan_reputation_change set changed_at = now() - interval '25 hours'")
	if rows := run(defaults...); len(rows) > 0 {
		t.Errorf("addresses that have been bad for longer are found: %q", rows)
	}
}

// TestTheTriggerTellsTheWorstLevel is about connections that are aggregated, each of which has a row of an address.
func TestTheTriggerTellsTheWorstLevel(t *testing.T) {
	db := withResources(t)
	db.ExecRemote(`insert into shodanrep.shodan_ip_reputation (ip, status, level, score) values
		('203.0.113.1', 'indexed', 'high', 90), ('203.0.113.2', 'indexed', 'medium', 20), ('203.0.113.2', 'indexed', 'critical', 50)`)
	db.ExecRemote(`insert into shodanrep.shodan_reputation_change (ip, source, change, changed_at, old_level, level) values
		('203.0.113.2', 'internetdb', 'level', now(), 'low', 'critical')`)
	sql := evaluate(t, flowpipeBlocks(t)["locals"].Attributes["newly_bad_addresses_sql"].Expr, variablesOf(t, "critical", "high", "medium"))
	got := map[string]string{}
	for _, row := range db.Query(sql) {
		got[row[0]] = row[1] + " " + row[2]
	}
	if want := map[string]string{"203.0.113.1": "critical 90", "203.0.113.2": "critical 50", "203.0.113.3": "medium 20"}; !cmp.Equal(want, got) {
		t.Errorf("want (-), got (+): %s", cmp.Diff(want, got))
	}
}

// TestTheTriggerJoinsSafely checks that Steampipe drops no condition of the query.
func TestTheTriggerJoinsSafely(t *testing.T) {
	t.Parallel()
	all := tables(t)
	maps.Copy(all, joincheck.Foreign("aws_vpc_security_group_rule", "aws_ec2_network_interface"))
	for name, attribute := range flowpipeBlocks(t)["locals"].Attributes {
		joincheck.Check(t, name, evaluate(t, attribute.Expr, variablesOf(t, "high")), all)
	}
}

// TestThePipelineTellsOfTheRows holds the trigger, the pipeline and the query to one another: the message needs columns
// that the query has, and is sent only if there are rows.
func TestThePipelineTellsOfTheRows(t *testing.T) {
	t.Parallel()
	found := flowpipeBlocks(t)
	trigger, pipeline := found["trigger.newly_bad_addresses"], found["pipeline.report_newly_bad_addresses"]
	if trigger == nil || pipeline == nil {
		t.Fatal("there is no trigger, or no pipeline")
	}
	for _, traversal := range trigger.Attributes["pipeline"].Expr.Variables() {
		if name := traversal[1].(hcl.TraverseAttr).Name; found["pipeline."+name] != pipeline {
			t.Errorf("the trigger calls the pipeline %s", name)
		}
	}
	steps := map[string]*hclsyntax.Body{}
	for _, block := range pipeline.Blocks {
		if block.Type == "step" {
			steps[block.Labels[0]+"."+block.Labels[1]] = block.Body
		}
	}
	query, message := steps["query.newly_bad"], steps["message.tell"]
	if query == nil || message == nil || len(steps) != 2 {
		t.Fatalf("the steps are %v", steps)
	}
	variables := func(rows ...cty.Value) map[string]cty.Value {
		list := cty.EmptyTupleVal
		if len(rows) > 0 {
			list = cty.TupleVal(rows)
		}
		return map[string]cty.Value{"step": cty.ObjectVal(map[string]cty.Value{"query": cty.ObjectVal(map[string]cty.Value{"newly_bad": cty.ObjectVal(map[string]cty.Value{"rows": list})})})}
	}
	row := func(address string) cty.Value {
		return cty.ObjectVal(map[string]cty.Value{
			"address": cty.StringVal(address), "level": cty.StringVal("high"), "score": cty.NumberIntVal(40), "was": cty.StringVal("low"), "resources": cty.StringVal("ingress of sg-1"),
		})
	}
	text := evaluate(t, message.Attributes["text"].Expr, variables(row("203.0.113.2"), row("203.0.113.3")))
	if want := "203.0.113.2 is high with a score of 40, and was low before: ingress of sg-1\n203.0.113.3 is high with a score of 40, and was low before: ingress of sg-1"; text != want {
		t.Errorf("the message is %q", text)
	}
	for n, rows := range [][]cty.Value{nil, {row("203.0.113.2")}} {
		sent, diagnostics := message.Attributes["if"].Expr.Value(&hcl.EvalContext{Variables: variables(rows...), Functions: map[string]function.Function{"length": stdlib.LengthFunc}})
		if diagnostics.HasErrors() || sent.True() != (n > 0) {
			t.Errorf("with %d rows a message is sent: %#v %v", n, sent, diagnostics)
		}
	}
	sql := evaluate(t, found["locals"].Attributes["newly_bad_addresses_sql"].Expr, variablesOf(t, "high"))
	if query.Attributes["sql"].Expr.Variables()[0].RootName() != "local" || !strings.Contains(sql, "host(b.ip) as address") {
		t.Error("the query step does not run the query")
	}
}
