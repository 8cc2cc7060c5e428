package shodanrep_test

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep"
)

// changing is what a check prints that depends on the day or the machine: how long ago a host was seen, how sure the
// score is therefore, and how long the check took.
var changing = []struct {
	form *regexp.Regexp
	text string
}{
	{regexp.MustCompile(`seen \d+ days`), "seen N days"},
	{regexp.MustCompile(`\b0\.\d\d\b`), "0.NN"},
	{regexp.MustCompile(`, [0-9.]+(ms|s|µs)\n`), ", N ms\n"},
}

func withoutTime(text string) string {
	for _, c := range changing {
		text = c.form.ReplaceAllString(text, c.text)
	}
	return text
}

// runCheck runs a check of the documents at a width.
func runCheck(t *testing.T, columns string, args ...string) string {
	t.Helper()
	t.Setenv("COLUMNS", columns)
	return withoutTime(runCLI(t, append([]string{"check"}, args...)...))
}

func TestTheOutputOfTheDemonstrationIsReal(t *testing.T) {
	atRoot(t)
	shown := withoutTime(blocksIn(read(t, "README.md"), "text")[0].text)
	demo := read(t, "config/sample/demo.sh")
	_, lines, _ := strings.Cut(demo, "<<'TEXT'\n")
	lines, _, found := strings.Cut(lines, "TEXT\n")
	if !found || !strings.Contains(demo, "COLUMNS=100 ") {
		t.Fatal("the demonstration does not begin with a check")
	}
	want := lines + runCheck(t, "100", "--config", sampleConfig, "config/sample/incident.txt") + "…\n"
	if diff := cmp.Diff(shown, want); diff != "" {
		t.Errorf("the README (-) and the demonstration (+) differ: %s", diff)
	}
}

func TestThePageOfTheCommandLineShowsWhatItsCommandsPrint(t *testing.T) {
	atRoot(t)
	page := read(t, "docs/cli.md")
	all := blocksIn(page, "sh", "text")
	ran := 0
	for i, b := range all {
		_, line, isCheck := strings.Cut(b.text, "bin/shodanrep check ")
		if !isCheck {
			continue
		}
		ran++
		columns := "100"
		if strings.Contains(line, "203.0.113.10") {
			columns = "80" // the card
		}
		if diff := cmp.Diff(withoutTime(all[i+1].text), runCheck(t, columns, strings.Fields(line)...)); diff != "" {
			t.Errorf("%s: the page (-) and the output (+) differ: %s", b.text, diff)
		}
	}
	if ran != 3 {
		t.Errorf("%d commands were found", ran)
	}
	for i := range all {
		if args := argumentsOf(t, all[i].text); args != nil && strings.Count(runCLI(t, args...), "\n") != 2 {
			t.Errorf("%s: not two rows", all[i].text)
		}
	}
}

func TestVerdictsHaveTheColumnsOfTheTable(t *testing.T) {
	var names []string
	for _, column := range shodanrep.VerdictColumns() {
		names = append(names, column.Name)
	}
	var want []string
	for _, column := range schema(t)["shodan_ip_reputation"].Columns {
		if column.Name != "sp_connection_name" {
			want = append(want, column.Name)
		}
	}
	if !slices.Equal(names, want) {
		t.Errorf("got %q, want %q", names, want)
	}
}

func TestThePageOfTheCommandLineShowsWhatAnnotatePrints(t *testing.T) {
	atRoot(t)
	all := blocksIn(read(t, "docs/cli.md"), "sh", "text")
	i := slices.IndexFunc(all, func(b block) bool { return strings.HasPrefix(b.text, "bin/shodanrep annotate ") })
	if i < 0 {
		t.Fatal("there is no example")
	}
	args := strings.Fields(strings.TrimPrefix(all[i].text, "bin/shodanrep "))
	if diff := cmp.Diff(all[i+1].text, runCLI(t, args...)); diff != "" {
		t.Errorf("the page (-) and the output (+) differ: %s", diff)
	}
}

func TestTheCommandOfThePageOfResultsWritesOne(t *testing.T) {
	atRoot(t)
	all := blocksIn(read(t, "docs/cli.md"), "sh")
	i := slices.IndexFunc(all, func(b block) bool { return strings.HasPrefix(b.text, "bin/shodanrep report ") })
	if i < 0 {
		t.Fatal("there is no example")
	}
	file := filepath.Join(t.TempDir(), "report.html")
	args := strings.Fields(strings.TrimPrefix(all[i].text, "bin/shodanrep "))
	at := slices.Index(args, "-o")
	args[at+1] = file
	if printed := runCLI(t, args...); printed != "" {
		t.Errorf("got %q", printed)
	}
	if page := read(t, file); !strings.HasPrefix(page, "<!DOCTYPE html>") || !strings.HasSuffix(page, "</html>\n") || !strings.Contains(page, "203.0.113.10") {
		t.Errorf("got %q", page)
	}
}
