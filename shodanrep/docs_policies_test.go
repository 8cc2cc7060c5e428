package shodanrep_test

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation/policyfile"
)

// given says what points a factor of the extended policy gives, as the page about policies does.
func given(rule *reputation.Rule) string {
	var texts []string
	switch {
	case rule.Count != "":
		for _, s := range rule.Steps {
			texts = append(texts, fmt.Sprintf("more than %d: %d", s.Over, s.Points))
		}
		return strings.Join(texts, "; ")
	case rule.LiftTo != "":
		return fmt.Sprintf("what is missing to `%s`", rule.LiftTo)
	case rule.CapTo != "":
		return fmt.Sprintf("what is above `%s`, taken away", rule.CapTo)
	}
	for _, v := range rule.Matches[0].Values {
		if v.Points != nil {
			texts = append(texts, fmt.Sprintf("%s %d", v.Text, *v.Points))
		}
	}
	if texts == nil || rule.Points != 0 {
		texts = append(texts, fmt.Sprint(rule.Points))
	}
	if rule.Each != 0 {
		texts = append(texts, fmt.Sprintf("each further %d", rule.Each))
	}
	if rule.Cap != 0 {
		texts = append(texts, fmt.Sprintf("at most %d", rule.Cap))
	}
	return strings.Join(texts, ", ")
}

// firstColumn returns what stands in the first column of the table with a heading of its own.
func firstColumn(page, heading string) []string {
	_, table, _ := strings.Cut(page, "\n| "+heading+" |")
	table, _, _ = strings.Cut(table, "\n\n")
	var cells []string
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z_-]+)` \\|").FindAllStringSubmatch(table, -1) {
		cells = append(cells, m[1])
	}
	return cells
}

func TestThePageAboutPoliciesExplainsTheExtendedOne(t *testing.T) {
	atRoot(t)
	page := read(t, "docs/policies.md")
	extended, baseline := policyfile.Extended(), policyfile.Baseline()
	if diff := cmp.Diff(extended.FactorNames(), firstColumn(page, "factor")); diff != "" {
		t.Errorf("the factors of the policy (-) and of the page (+) differ: %s", diff)
	}
	wants := []string{fmt.Sprintf("`critical` at %d, `high` at %d, `medium` at %d", extended.Thresholds[0].AtLeast, extended.Thresholds[1].AtLeast, extended.Thresholds[2].AtLeast)}
	for _, rule := range extended.Factors {
		wants = append(wants, fmt.Sprintf("| `%s` | %s | [", rule.Name, given(rule)), "]("+rule.Reference+") |")
	}
	row := func(name string, of func(*reputation.Confidence) float64) {
		wants = append(wants, fmt.Sprintf("| %s | %g | %g |", name, of(baseline.Confidence), of(extended.Confidence)))
	}
	for source := range extended.Confidence.Sources {
		row("from `"+source+"`", func(c *reputation.Confidence) float64 { return c.Sources[source] })
	}
	row("vulnerabilities, none of them tested", func(c *reputation.Confidence) float64 { return c.Unverified })
	row("a honeypot", func(c *reputation.Confidence) float64 { return c.Honeypot })
	row("the source does not say when it saw the host", func(c *reputation.Confidence) float64 { return c.UnknownAge })
	for i, age := range extended.Confidence.Ages {
		row(fmt.Sprintf("last seen more than %d days ago", age.OverDays), func(c *reputation.Confidence) float64 { return c.Ages[i].Times })
	}
	for _, kind := range reputation.ASNLists() {
		wants = append(wants, "`"+kind+"`")
	}
	for _, want := range wants {
		if !strings.Contains(page, want) {
			t.Errorf("docs/policies.md does not say: %s", want)
		}
	}
	if diff := cmp.Diff(reputation.HostingTypes(), firstColumn(page, "type")); diff != "" {
		t.Errorf("the types of hosting (-) and those of the page (+) differ: %s", diff)
	}
}

func TestThePageAboutPoliciesNamesEveryFact(t *testing.T) {
	atRoot(t)
	// The error about a fact that there is not names all that there are.
	_, err := policyfile.Parse([]byte("policy \"x\" {\nbase = \"baseline\"\nfactor \"f\" {\ncount = \"?\"\nover \"1\" { points = 1 }\ndetail = \"x\"\n}\n}"), "x.hcl")
	var problems policyfile.Problems
	if !errors.As(err, &problems) || len(problems) != 1 {
		t.Fatal(err)
	}
	var facts []string
	for _, m := range regexp.MustCompile(`"([a-z_]+)"`).FindAllStringSubmatch(problems[0].Text, -1) {
		facts = append(facts, m[1])
	}
	if diff := cmp.Diff(facts, firstColumn(read(t, "docs/policies.md"), "fact")); diff != "" || len(facts) < 10 {
		t.Errorf("the facts (-) and those of the page (+) differ: %s", diff)
	}
}

func TestThePolicyOfThePageIsRight(t *testing.T) {
	atRoot(t)
	for _, b := range blocksIn(read(t, "docs/policies.md"), "hcl") {
		if !strings.HasPrefix(b.text, "policy ") {
			continue
		}
		policy, err := policyfile.Parse([]byte(b.text), "page.hcl")
		if err != nil {
			t.Fatal(err)
		}
		names := policy.FactorNames()
		if slices.Contains(names, "default_pages") || !slices.Contains(names, "mail_servers") || !policy.History {
			t.Errorf("the policy of the page has the factors %v", names)
		}
		got := policy.Score(reputation.Host{Ports: []int{25, 587}, ASN: "AS64500", Country: "ZZ"})
		points := map[string]int{}
		for _, f := range got.Factors {
			points[f.Factor] = f.Points
		}
		if want := map[string]int{"geography": 5, "mail_servers": 7, "hosting_type": 10}; !maps.Equal(points, want) {
			t.Errorf("the policy of the page gives %v, want %v", points, want)
		}
		path := filepath.Join(t.TempDir(), "ours.hcl")
		if err := os.WriteFile(path, []byte(b.text), 0o600); err != nil {
			t.Fatal(err)
		}
		if out := runCLI(t, "policy", "check", path); !strings.Contains(out, "the policy ours is valid") {
			t.Error(out)
		}
		return
	}
	t.Error("the page has no policy")
}

func TestTheComparisonOfThePageIsReal(t *testing.T) {
	atRoot(t)
	page := read(t, "docs/policies.md")
	m := regexp.MustCompile(`(?m)^bin/shodanrep (policy diff .*)$`).FindStringSubmatch(page)
	if m == nil {
		t.Fatal("the page compares nothing")
	}
	shown := blocksIn(page, "text")
	if diff := cmp.Diff(shown[0].text, runCLI(t, strings.Fields(m[1])...)); diff != "" {
		t.Errorf("the page (-) and the output (+) differ: %s", diff)
	}
}
