package cli

import (
	"bytes"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/report"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/rowformat"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/embedded/embeddedtest"
)

// completed returns what a shell offers after a command line, without the descriptions.
func completed(t *testing.T, args ...string) []string {
	t.Helper()
	got := run(t, &embeddedtest.Plugin{}, "", append([]string{cobra.ShellCompRequestCmd}, args...)...)
	if got.status != exitDone {
		t.Fatalf("%q: %+v", args, got)
	}
	var words []string
	for _, line := range strings.Split(strings.TrimSpace(got.stdout), "\n") {
		word, _, _ := strings.Cut(line, "\t")
		words = append(words, word)
	}
	return words[:len(words)-1] // the last one is a directive to the shell
}

func TestCompletion(t *testing.T) {
	t.Parallel()
	config := writeFile(t, "x.spc", `connection "home" { plugin = "shodanrep" }
		connection "work" { plugin = "shodanrep" }`)
	tests := map[string]struct {
		args []string
		want []string
	}{
		"tables":                   {[]string{"tables", ""}, []string{"fake_address", "fake_block", "fake_event", "fake_failure", "fake_pair", "fake_wide"}},
		"one table is all":         {[]string{"tables", "fake_pair", ""}, nil},
		"connections":              {[]string{"query", "--config", config, "--connection", ""}, []string{"home", "work"}},
		"connections of the cache": {[]string{"cache", "clear", "--config", config, "--connection", ""}, []string{"home", "work"}},
		"connections of a file that is not there": {[]string{"query", "--config", "/nowhere.spc", "--connection", ""}, nil},
		"policies to show":                        {[]string{"policy", "show", ""}, []string{"baseline", "extended"}},
		"one policy is all":                       {[]string{"policy", "show", "baseline", ""}, nil},
		"policies to compare":                     {[]string{"policy", "diff", "baseline", ""}, []string{"baseline", "extended"}},
		"addresses are not known":                 {[]string{"policy", "diff", "baseline", "extended", ""}, nil},
		"files of policies":                       {[]string{"policy", "check", ""}, []string{"hcl"}},
		"a policy":                                {[]string{"related", "192.0.2.1", "--policy", ""}, []string{"baseline", "extended"}},
		"a source":                                {[]string{"related", "192.0.2.1", "--source", ""}, []string{"dataset", "shodan"}},
		"a policy to check by":                    {[]string{"check", "--policy", ""}, []string{"baseline", "extended"}},
		"a source to check with":                  {[]string{"check", "--source", ""}, []string{"dataset", "shodan", "internetdb"}},
		"a format of check":                       {[]string{"check", "--output", ""}, report.Names()},
		"levels to select":                        {[]string{"check", "--only", "hig"}, selectableWords(checkName)}, // the shell filters
		"files of configuration":                  {[]string{"query", "--config", ""}, []string{"spc", "hcl"}},
		"what is behind a comma":                  {[]string{"related", "--pivots", "jarm,fav"}, withPrefix("jarm,", without(pivotNames(), "jarm"))},
		"nothing that is there already":           {[]string{"query", "--fail-on", "high,error,"}, withPrefix("high,error,", without(selectableWords(queryName), "high", "error"))},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := completed(t, tt.args...); !slices.Equal(got, tt.want) {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
		})
	}
}

func withPrefix(prefix string, words []string) []string {
	words = slices.Clone(words)
	for i := range words {
		words[i] = prefix + words[i]
	}
	return words
}

func without(words []string, left ...string) []string {
	return slices.DeleteFunc(slices.Clone(words), func(word string) bool { return slices.Contains(left, word) })
}

// Each flag --output completes the formats that its usage lists, and a command accepts each.
func TestOutputsAreCompleted(t *testing.T) {
	t.Parallel()
	a := app{plugin: new(embeddedtest.Plugin).Func}
	var check func(*cobra.Command)
	check = func(cmd *cobra.Command) {
		cmd.LocalFlags().VisitAll(func(flag *pflag.Flag) {
			if flag.Name != "output" {
				return
			}
			args := strings.Fields(cmd.CommandPath())[1:]
			got := completed(t, append(args, "--output", "")...)
			if !slices.Contains(got, flag.DefValue) || slices.ContainsFunc(got, func(word string) bool { return strings.ContainsAny(word, " .\n") }) {
				t.Errorf("%s --output completes %q", cmd.CommandPath(), got)
			}
		})
		for _, child := range cmd.Commands() {
			check(child)
		}
	}
	check(a.command())
	if got := completed(t, "query", "--output", ""); !slices.Equal(got, rowformat.Names) {
		t.Errorf("query --output completes %q, and has %q", got, rowformat.Names)
	}
}

// The values of a flag that several commands have, such as --source, differ: a command must refuse none that it
// completes.
func TestSourcesThatAreCompletedAreAccepted(t *testing.T) {
	t.Parallel()
	for _, source := range completed(t, "related", "192.0.2.1", "--source", "") {
		if _, err := (&relatedCommand{hops: 1, limit: 1, source: source, output: "table"}).options(); err != nil {
			t.Error(err)
		}
	}
}

// TestCompletionScripts has the shells that this machine has read their scripts.
func TestCompletionScripts(t *testing.T) {
	t.Parallel()
	for _, shell := range []string{"bash", "zsh", "fish"} {
		t.Run(shell, func(t *testing.T) {
			t.Parallel()
			got := run(t, &embeddedtest.Plugin{}, "", "completion", shell)
			if got.status != exitDone || !strings.Contains(got.stdout, "__complete") {
				t.Fatalf("%+v", got)
			}
			program, err := exec.LookPath(shell)
			if err != nil {
				t.Skipf("%s is not installed, so its script was not read", shell)
			}
			cmd := exec.Command(program, "-n")
			cmd.Stdin = bytes.NewBufferString(got.stdout)
			if message, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, message)
			}
		})
	}
}

// A word that a completion offers must not be refused.
func TestNoCommandRefusesAWordThatItsCompletionOffers(t *testing.T) {
	t.Parallel()
	for command, accepts := range map[string]func(flag, word string) error{
		"query":   func(flag, word string) error { _, err := newSelector(flag, []string{word}, rowWords); return err },
		"changes": func(flag, word string) error { _, err := newChangeSelector(flag, []string{word}, true); return err },
		"check":   func(flag, word string) error { _, err := newSelector(flag, []string{word}, verdictWords); return err },
		"load":    func(_, word string) error { _, err := newVerdictFailOn(true, []string{word}); return err },
	} {
		words := completed(t, command, "--fail-on", "")
		if len(words) < 6 {
			t.Errorf("%s: %q", command, words)
		}
		for _, word := range words {
			if err := accepts("fail-on", word); err != nil {
				t.Errorf("%s offers %q: %v", command, word, err)
			}
		}
	}
}

// Help marks the name of a value with quotes of its own, which shells would show.
func TestDescriptionsOfFlagsHaveNoQuotes(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"check", "--"}, {"cache", "clear", "--"}, {"--"}} {
		got := run(t, &embeddedtest.Plugin{}, "", append([]string{cobra.ShellCompRequestCmd}, args...)...)
		if got.status != exitDone || !strings.Contains(got.stdout, "--help\t") || strings.Contains(got.stdout, "`") {
			t.Errorf("%q: %+v", args, got)
		}
	}
}
