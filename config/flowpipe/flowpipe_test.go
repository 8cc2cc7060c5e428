package flowpipe_test

import (
	"maps"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/postgrestest"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/postgrestest/joincheck"
)

func TestMain(m *testing.M) { os.Exit(postgrestest.Run(m)) }

// blocks returns the blocks of all files of the mod, by type and name.
func blocks(t *testing.T) map[string]*hclsyntax.Body {
	t.Helper()
	files, err := filepath.Glob("*.fp")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	found := map[string]*hclsyntax.Body{}
	for _, file := range files {
		parsed, diagnostics := hclsyntax.ParseConfig(read(t, file), file, hcl.InitialPos)
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

func read(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
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

// tables returns the tables of the plugin.
func tables(t *testing.T) map[string]*plugin.Table {
	t.Helper()
	tables, err := shodanrep.Plugin(t.Context()).TableMapFunc(t.Context(), &plugin.TableMapData{})
	if err != nil {
		t.Fatal(err)
	}
	return tables
}

// open makes a database with the resources of AWS on which the mod of the controls is tested.
func open(t *testing.T) *postgrestest.Database {
	t.Helper()
	db := postgrestest.New(t)
	db.CreateForeignTable("shodanrep", "shodan_ip_reputation", postgrestest.Columns(tables(t)["shodan_ip_reputation"]))
	db.ExecRemote(`insert into shodanrep.shodan_ip_reputation (ip, status, level, score) values
		('203.0.113.1', 'indexed', 'critical', 80), ('203.0.113.2', 'indexed', 'high', 40), ('203.0.113.3', 'indexed', 'medium', 20), ('203.0.113.9', 'indexed', 'low', 0)`)
	db.Exec(string(read(t, "../powerpipe/testdata/cloud_tables.sql")))
	db.Exec(string(read(t, "../powerpipe/testdata/aws.sql")))
	db.Exec("set search_path = public, shodanrep")
	return db
}

func TestTheTriggerFindsBadAddressesOnce(t *testing.T) {
	db := open(t)
	found := blocks(t)
	levels := func(list ...cty.Value) map[string]cty.Value {
		return map[string]cty.Value{"var": cty.ObjectVal(map[string]cty.Value{"alarm_levels": cty.ListVal(list)})}
	}
	defaults := found["variable.alarm_levels"].Attributes["default"].Expr
	value, diagnostics := defaults.Value(nil)
	if diagnostics.HasErrors() {
		t.Fatal(diagnostics)
	}
	sql := found["locals"].Attributes["newly_bad_addresses_sql"].Expr
	run := func(variables map[string]cty.Value) [][]string { return db.Query(evaluate(t, sql, variables)) }

	want := [][]string{{"203.0.113.1", "critical", "80", "egress of sg-1, ingress of sg-1"}, {"203.0.113.2", "high", "40", "egress of sg-1, ingress of sg-1"}}
	if diff := cmp.Diff(want, run(levels(value.AsValueSlice()...))); diff != "" {
		t.Errorf("want (-), got (+): %s", diff)
	}
	if asked := db.RemoteQueries(); len(asked) != 1 {
		t.Errorf("asked %q", asked)
	}
	db.Exec("insert into aws_ec2_network_interface (network_interface_id, association_public_ip) values ('eni-1', '203.0.113.3')")
	want = [][]string{{"203.0.113.3", "medium", "20", "egress of sg-1, ingress of sg-1, interface eni-1"}}
	if diff := cmp.Diff(want, run(levels(cty.StringVal("medium")))); diff != "" {
		t.Errorf("want (-), got (+): %s", diff)
	}
}

// TestTheTriggerTellsTheWorstLevel is about connections that are aggregated, each of which has a row of an address.
func TestTheTriggerTellsTheWorstLevel(t *testing.T) {
	db := open(t)
	db.ExecRemote(`insert into shodanrep.shodan_ip_reputation (ip, status, level, score) values
		('203.0.113.1', 'indexed', 'high', 90), ('203.0.113.2', 'indexed', 'medium', 20), ('203.0.113.2', 'indexed', 'critical', 50)`)
	levels := cty.ListVal([]cty.Value{cty.StringVal("critical"), cty.StringVal("high"), cty.StringVal("medium")})
	sql := evaluate(t, blocks(t)["locals"].Attributes["newly_bad_addresses_sql"].Expr, map[string]cty.Value{"var": cty.ObjectVal(map[string]cty.Value{"alarm_levels": levels})})
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
	levels := cty.ObjectVal(map[string]cty.Value{"alarm_levels": cty.ListVal([]cty.Value{cty.StringVal("high")})})
	all := tables(t)
	maps.Copy(all, joincheck.Foreign("aws_vpc_security_group_rule", "aws_ec2_network_interface"))
	for name, attribute := range blocks(t)["locals"].Attributes {
		joincheck.Check(t, name, evaluate(t, attribute.Expr, map[string]cty.Value{"var": levels}), all)
	}
}

// TestTheTriggerTellsThePipeline holds the two to one another: the key is a column, and the pipeline has the parameter.
func TestTheTriggerTellsThePipeline(t *testing.T) {
	t.Parallel()
	found := blocks(t)
	trigger, pipeline := found["trigger.newly_bad_addresses"], found["pipeline.tell_of_bad_addresses"]
	if trigger == nil || pipeline == nil {
		t.Fatal("there is no trigger, or no pipeline")
	}
	if key := evaluate(t, trigger.Attributes["primary_key"].Expr, nil); key != "address" {
		t.Errorf("the primary key is %s", key)
	}
	if len(trigger.Blocks) != 1 || trigger.Blocks[0].Type != "capture" || trigger.Blocks[0].Labels[0] != "insert" {
		t.Error("the trigger does not capture what is new, and only that")
	}
	for _, traversal := range trigger.Blocks[0].Body.Attributes["pipeline"].Expr.Variables() {
		if name := traversal[1].(hcl.TraverseAttr).Name; found["pipeline."+name] != pipeline {
			t.Errorf("the trigger calls the pipeline %s", name)
		}
	}
	var step *hclsyntax.Body
	for _, block := range pipeline.Blocks {
		if block.Type == "step" {
			step = block.Body
		}
	}
	row := func(address string) cty.Value {
		return cty.ObjectVal(map[string]cty.Value{"address": cty.StringVal(address), "level": cty.StringVal("high"), "score": cty.NumberIntVal(40), "resources": cty.StringVal("ingress of sg-1")})
	}
	text := evaluate(t, step.Attributes["text"].Expr, map[string]cty.Value{"param": cty.ObjectVal(map[string]cty.Value{"addresses": cty.ListVal([]cty.Value{row("203.0.113.2"), row("203.0.113.3")})})})
	if want := "203.0.113.2 is high with a score of 40: ingress of sg-1\n203.0.113.3 is high with a score of 40: ingress of sg-1"; text != want {
		t.Errorf("the message is %q", text)
	}
}
