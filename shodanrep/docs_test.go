package shodanrep_test

import (
	"encoding/xml"
	"fmt"
	"maps"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation/policyfile"
)

func TestEveryTableHasAPage(t *testing.T) {
	atRoot(t)
	if diff := cmp.Diff(slices.Sorted(maps.Keys(schema(t))), slices.Sorted(maps.Keys(pages(t)))); diff != "" {
		t.Errorf("the tables of the plugin (-) and the pages (+) differ: %s", diff)
	}
	for name := range schema(t) {
		if !strings.Contains(read(t, "README.md"), "docs/tables/"+name+".md") {
			t.Errorf("the README has no link to the page of %s", name)
		}
	}
}

func TestColumnsAreDescribed(t *testing.T) {
	t.Parallel()
	name := regexp.MustCompile(`^[a-z][a-z0-9]*(_[a-z0-9]+)*$`)
	for _, table := range schema(t) {
		if !strings.HasSuffix(table.Description, ".") {
			t.Errorf("the description of %s is no sentence: %s", table.Name, table.Description)
		}
		seen := map[string]bool{}
		for _, column := range table.Columns {
			switch {
			case seen[column.Name]:
				t.Errorf("%s has two columns %s", table.Name, column.Name)
			case !name.MatchString(column.Name):
				t.Errorf("%s.%s is not in snake case", table.Name, column.Name)
			case !strings.HasSuffix(column.Description, "."):
				t.Errorf("the description of %s.%s is no sentence: %q", table.Name, column.Name, column.Description)
			}
			seen[column.Name] = true
		}
	}
}

// The form of a page on the Steampipe Hub.
var (
	frontMatter = regexp.MustCompile(`\A---\ntitle: "Steampipe Table: (\w+) - (Query .+ using SQL)"\ndescription: "Allows users to query .+\."\nfolder: "\w+"\n---\n\n# Table: (\w+) - (.+)\n\n[^#\n]`)
	example     = regexp.MustCompile("(?s)\\A[^\n]+\n[A-Z][^\n]+[.?]\n\n```sql\\+postgres\n[^`]+;\n```\n\n```sql\\+sqlite\n[^`]+;\n```\n*\\z")
)

func TestPagesFollowTheRulesOfTheHub(t *testing.T) {
	atRoot(t)
	for name, page := range pages(t) {
		t.Run(name, func(t *testing.T) {
			m := frontMatter.FindStringSubmatch(page)
			if m == nil || m[1] != name || m[3] != name || m[2] != m[4] {
				t.Fatalf("the front matter and the title are not those of %s", name)
			}
			rest := page
			for _, section := range []string{"\n## Table Usage Guide\n\nThe `" + name + "` table ", "\n**Important Notes**\n- ", "\n## Examples\n\n### "} {
				var found bool
				if _, rest, found = strings.Cut(rest, section); !found {
					t.Fatalf("there is no %q, or not in its place", section)
				}
			}
			examples := strings.Split(rest, "\n### ")
			for _, text := range examples {
				title, _, _ := strings.Cut(text, "\n")
				if !example.MatchString(text) {
					t.Errorf("the example %q is not a heading, a sentence and a query in both dialects", title)
				}
			}
			least, most := 4, 5
			if name == "shodan_ip_reputation" {
				least, most = 7, 8
			}
			if n := len(examples); n < least || n > most {
				t.Errorf("%d examples, want %d or %d", n, least, most)
			}
		})
	}
}

func TestTheIndexFollowsTheRulesOfTheHub(t *testing.T) {
	atRoot(t)
	index := read(t, "docs/index.md")
	matter, _, _ := strings.Cut(strings.TrimPrefix(index, "---\n"), "\n---\n")
	for _, key := range []string{"organization", "category", "icon_url", "brand_color", "display_name", "short_name", "description", "og_description", "engines"} {
		if !regexp.MustCompile(`(?m)^` + key + `: \S`).MatchString(matter) {
			t.Errorf("the front matter has no %s", key)
		}
	}
	if icon := "docs/images/shodanrep.svg"; !strings.Contains(matter, icon) {
		t.Errorf("the front matter does not name the icon %s", icon)
	} else if text := read(t, icon); xml.Unmarshal([]byte(text), new(struct {
		XMLName xml.Name `xml:"svg"`
	})) != nil {
		t.Errorf("%s is no SVG", icon)
	}
	for _, heading := range []string{"## Documentation", "## Get started", "### Install", "### Credentials", "### Configuration"} {
		if !strings.Contains(index, "\n"+heading+"\n") {
			t.Errorf("there is no section %q", heading)
		}
	}
}

// A page may have an example without rows on the sample, if the text says so.
const noRows = "has no rows"

// asksServices are the tables whose examples need what a dataset does not have: they run on simulated services that
// know the sample's hosts.
var asksServices = []string{
	"shodan_account_profile",
	"shodan_alert",
	"shodan_api_info",
	"shodan_count",
	"shodan_cve",
	"shodan_dns_resolve",
	"shodan_dns_reverse",
	"shodan_domain",
	"shodan_exploit",
	"shodan_internetdb",
	"shodan_port",
	"shodan_protocol",
	"shodan_saved_query",
	"shodan_scan",
	"shodan_search",
	"shodan_search_facet",
	"shodan_search_filter",
	"shodan_service_name",
	"shodan_vulnerability",
}

func TestTheExamplesRunOnTheSample(t *testing.T) {
	atRoot(t)
	services := servicesConfig(t)
	documents := pages(t)
	documents["index"] = read(t, "docs/index.md")
	documents["policies"] = read(t, "docs/policies.md")
	documents["demo"] = "```sql\n" + read(t, "config/sample/demo.sql") + "```\n"
	for name, document := range documents {
		config := sampleConfig
		switch {
		case slices.Contains(asksServices, name):
			config = services
		case slices.Contains(readsHistory, name):
			config = historyConfig(t)
		}
		t.Run(name, func(t *testing.T) {
			var headings, queries []string
			for _, b := range blocksIn(document, "sql", "sql+sqlite") {
				for _, sql := range statements(b.text) {
					headings, queries = append(headings, b.heading), append(queries, sql)
				}
			}
			for i, n := range countRows(t, config, queries) {
				_, text, _ := strings.Cut(document, "### "+headings[i])
				text, _, _ = strings.Cut(text, "```")
				if (n == 0) != strings.Contains(text, noRows) {
					t.Errorf("%s: %d rows:\n%s", headings[i], n, queries[i])
				}
			}
		})
	}
}

// statements divides SQL at the semicolons that end a line.
func statements(sql string) []string {
	list := strings.SplitAfter(sql, ";\n")
	return slices.DeleteFunc(list, func(s string) bool { return strings.TrimSpace(s) == "" })
}

func TestTheREADMEShowsWhatItsCommandsPrint(t *testing.T) {
	atRoot(t)
	all := blocksIn(read(t, "README.md"), "sh", "cron", "text")
	ran := 0
	for i, b := range all {
		args := argumentsOf(t, b.text)
		if args == nil || b.language == "text" {
			continue
		}
		got := runCLI(t, onSample(t, args)...)
		ran++
		if i+1 < len(all) && all[i+1].language == "text" {
			if diff := cmp.Diff(all[i+1].text, got); diff != "" {
				t.Errorf("%s: the README (-) and the output (+) differ: %s", b.heading, diff)
			}
		} else if strings.Count(got, "\n") < 3 {
			t.Errorf("%s: no rows: %s", b.text, got)
		}
	}
	if ran < 5 {
		t.Errorf("only %d commands were found", ran)
	}
}

func TestTheOutputOfTheIndexIsReal(t *testing.T) {
	atRoot(t)
	all := blocksIn(read(t, "docs/index.md"), "sql", "text")
	if len(all) != 2 {
		t.Fatalf("%d blocks, want a query and its output", len(all))
	}
	if diff := cmp.Diff(all[1].text, runSQL(t, all[0].text)); diff != "" {
		t.Errorf("the page (-) and the output (+) differ: %s", diff)
	}
}

// What is run above must not go to the network.
func TestAddressesOfTheExamplesAreInvented(t *testing.T) {
	atRoot(t)
	documents := pages(t)
	documents["index"] = read(t, "docs/index.md")
	documents["policies"] = read(t, "docs/policies.md")
	documents["demo"] = "```sql\n" + read(t, "config/sample/demo.sql") + "```\n"
	documents["README"] = read(t, "README.md")
	quoted := regexp.MustCompile(`'([0-9a-f.:/]+)'`)
	for name, document := range documents {
		for _, b := range blocks(document) {
			if strings.Contains(b.text, "steampipe query") {
				continue // is not run here
			}
			for _, m := range quoted.FindAllStringSubmatch(b.text, -1) {
				text, _, _ := strings.Cut(m[1], "/")
				if addr, err := netip.ParseAddr(text); err == nil && !lookup.IsReserved(addr) {
					t.Errorf("%s: %s may be somebody's", name, addr)
				}
			}
		}
	}
}

func TestTheIndexExplainsTheBaseline(t *testing.T) {
	atRoot(t)
	policy := policyfile.Baseline()
	index := read(t, "docs/index.md")
	wants := []string{fmt.Sprintf("The level is `%s` from %d points on, `%s` from %d, `%s` from %d, and else `%s`.", policy.Thresholds[0].Level, policy.Thresholds[0].AtLeast,
		policy.Thresholds[1].Level, policy.Thresholds[1].AtLeast, policy.Thresholds[2].Level, policy.Thresholds[2].AtLeast, reputation.Low)}
	for _, rule := range policy.Factors {
		wants = append(wants, "| `"+rule.Name+"` | "+worth(rule)+" |")
	}
	for _, want := range wants {
		if !strings.Contains(index, want) {
			t.Errorf("docs/index.md does not say: %s", want)
		}
	}
}

// worth says what a factor of the baseline gives points for, as the index does: more of what it counts, or any of some
// values.
func worth(rule *reputation.Rule) string {
	var texts []string
	for _, s := range rule.Steps {
		texts = append(texts, fmt.Sprintf("more than %d: %d", s.Over, s.Points))
	}
	if rule.Count != "" {
		return strings.Join(texts, "; ")
	}
	for _, v := range rule.Matches[0].Values {
		texts = append(texts, v.Text)
	}
	slices.Sort(texts)
	if rule.Matches[0].Fact == "ports" {
		slices.SortStableFunc(texts, func(a, b string) int { return len(a) - len(b) })
	}
	return fmt.Sprintf("any of %s: %d", strings.Join(texts, ", "), rule.Points)
}

func TestTheMakeTargetsOfTheDocumentsExist(t *testing.T) {
	atRoot(t)
	makefile := read(t, "Makefile")
	named := regexp.MustCompile("(?m)(?:`|^)make ([a-z]+)")
	for _, file := range []string{"README.md", "docs/index.md", "CHANGELOG.md"} {
		for _, m := range named.FindAllStringSubmatch(read(t, file), -1) {
			if !strings.Contains(makefile, "\n"+m[1]+":") {
				t.Errorf("%s names make %s, which there is not", file, m[1])
			}
		}
	}
	for _, target := range []string{"make demo", "make test"} {
		if !strings.Contains(read(t, "README.md"), "```sh\n"+target+"\n```") {
			t.Errorf("the README does not show %s", target)
		}
	}
}

func TestTheLinksOfTheDocumentsLeadSomewhere(t *testing.T) {
	atRoot(t)
	link := regexp.MustCompile(`\]\(([A-Za-z][^):#]*)(?:#([a-z-]+))?\)`)
	for _, m := range link.FindAllStringSubmatch(read(t, "README.md"), -1) {
		text := read(t, m[1])
		heading := regexp.MustCompile(`(?mi)^#+ ` + strings.ReplaceAll(m[2], "-", "[ -]") + `$`)
		if m[2] != "" && !heading.MatchString(text) {
			t.Errorf("%s has no heading %s", m[1], m[2])
		}
	}
}
