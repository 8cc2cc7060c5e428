package config_test

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation/policyfile"
)

func TestTheModDescribesItself(t *testing.T) {
	t.Parallel()
	m := loadMod(t, nil)
	mods := m.of("mod")
	if len(mods) != 1 {
		t.Fatalf("%d mods", len(mods))
	}
	for _, block := range mods {
		for _, name := range []string{"title", "description", "documentation", "color"} {
			if m.text(t, block.Body.Attributes[name]) == "" {
				t.Errorf("the mod has no %s", name)
			}
		}
	}
	for _, block := range m.blocks {
		if !slices.Contains([]string{"mod", "control", "benchmark", "dashboard"}, block.Type) {
			t.Errorf("there is a block %s", block.Type)
		}
	}
}

func TestControlsFollowTheRulesOfTheHub(t *testing.T) {
	t.Parallel()
	m := loadMod(t, nil)
	number := regexp.MustCompile(`\$(\d+)`)
	for name, block := range m.of("control") {
		attributes := block.Body.Attributes
		if m.text(t, attributes["title"]) == "" || !strings.HasSuffix(m.text(t, attributes["description"]), ".") {
			t.Errorf("%s has no title, or its description is no sentence", name)
		}
		if !slices.Contains([]string{"critical", "high", "medium", "low"}, m.text(t, attributes["severity"])) {
			t.Errorf("the severity of %s is %s", name, m.text(t, attributes["severity"]))
		}
		tags := m.value(t, attributes["tags"].Expr).AsValueMap()
		if tags["category"].AsString() != "IP Reputation" || tags["plugin"].AsString() != "shodanrep" || tags["service"].IsNull() {
			t.Errorf("the tags of %s are %v", name, tags)
		}
		used := map[string]bool{}
		for _, match := range number.FindAllStringSubmatch(m.text(t, attributes["sql"]), -1) {
			used[match[1]] = true
		}
		if params := m.control(t, name).params; len(used) != len(params) {
			t.Errorf("%s has %d parameters and uses %d", name, len(params), len(used))
		}
		for _, param := range block.Body.Blocks {
			if !strings.HasSuffix(m.text(t, param.Body.Attributes["description"]), ".") {
				t.Errorf("the description of parameter %s of %s is no sentence", param.Labels[0], name)
			}
		}
	}
}

func TestEveryControlIsInOneBenchmark(t *testing.T) {
	t.Parallel()
	m := loadMod(t, nil)
	children := map[string]int{}
	for name, block := range m.of("benchmark") {
		attributes := block.Body.Attributes
		if m.text(t, attributes["title"]) == "" || !strings.HasSuffix(m.text(t, attributes["description"]), ".") || len(m.text(t, attributes["documentation"])) < 100 {
			t.Errorf("%s has no title or no documentation, or its description is no sentence", name)
		}
		if tags := m.value(t, attributes["tags"].Expr).AsValueMap(); tags["type"].AsString() != "Benchmark" {
			t.Errorf("the tags of %s are %v", name, tags)
		}
		for _, traversal := range attributes["children"].Expr.(*hclsyntax.TupleConsExpr).Variables() {
			children[traversal.RootName()+"."+traversal[1].(hcl.TraverseAttr).Name]++
		}
	}
	want := map[string]int{}
	for name := range m.of("control") {
		want["control."+name] = 1
	}
	for cloud := range clouds {
		want["benchmark."+cloud+"_ip_reputation"] = 1
	}
	if diff := cmp.Diff(want, children); diff != "" {
		t.Errorf("what there is (-) and what benchmarks have (+) differ: %s", diff)
	}
}

// TestEveryCloudHasTheSameControls also says that no control is without a test: theirs are by these names.
func TestEveryCloudHasTheSameControls(t *testing.T) {
	t.Parallel()
	want := map[string]bool{}
	for cloud, rules := range clouds {
		for _, name := range []string{"reputation", "newly_bad", "suspicious_port", "database", "exploited_vulnerability", "expired_certificate"} {
			want[cloud+"_public_address_"+name] = true
		}
		for _, name := range []string{"ingress_reputation", "egress_reputation", "open_suspicious_port"} {
			want[cloud+"_"+rules+"_"+name] = true
		}
	}
	got := map[string]bool{}
	for name := range loadMod(t, nil).of("control") {
		got[name] = true
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("want (-), got (+): %s", diff)
	}
}

func TestTheSuspiciousPortsAreThoseOfTheBaseline(t *testing.T) {
	t.Parallel()
	var got []int
	for _, port := range loadMod(t, nil).variables["suspicious_ports"].AsValueSlice() {
		n, _ := port.AsBigFloat().Int64()
		got = append(got, int(n))
	}
	every := make([]int, 1<<16)
	for port := range every {
		every[port] = port
	}
	if diff := cmp.Diff(policyfile.Baseline().Score(reputation.Host{Ports: every}).SuspiciousPorts, got); diff != "" {
		t.Errorf("the policy (-) and the mod (+) differ: %s", diff)
	}
}

func TestTheExampleOfVariablesHasTheirDefaults(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("powerpipe/powerpipe.ppvars.example")
	if err != nil {
		t.Fatal(err)
	}
	file, diagnostics := hclsyntax.ParseConfig(text, "powerpipe/powerpipe.ppvars.example", hcl.InitialPos)
	if diagnostics.HasErrors() {
		t.Fatal(diagnostics)
	}
	defaults := loadMod(t, nil)
	values := map[string]cty.Value{}
	for name, attribute := range file.Body.(*hclsyntax.Body).Attributes {
		values[name] = defaults.value(t, attribute.Expr)
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(defaults.variables)), slices.Sorted(maps.Keys(values))); diff != "" {
		t.Errorf("the variables (-) and the example (+) differ: %s", diff)
	}
	for name, value := range loadMod(t, values).variables {
		if !value.RawEquals(defaults.variables[name]) {
			t.Errorf("%s is %#v, and %#v in the example", name, defaults.variables[name], value)
		}
	}
}

func TestTheDocumentationNamesEveryVariable(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("powerpipe/docs/index.md")
	if err != nil {
		t.Fatal(err)
	}
	for name := range loadMod(t, nil).variables {
		if !strings.Contains(string(text), "`"+name+"`") {
			t.Errorf("powerpipe/docs/index.md does not name %s", name)
		}
	}
}
