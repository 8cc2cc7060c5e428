package cli

import (
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/embedded/embeddedtest"
)

// The help of each command names its exit statuses in the same words.
func TestTheHelpOfEachCommandNamesItsExitStatuses(t *testing.T) {
	t.Parallel()
	commands := 0
	each := func(cmd *cobra.Command) {
		commands++
		got := run(t, &embeddedtest.Plugin{}, "", append(strings.Fields(cmd.CommandPath())[1:], "--help")...)
		text := strings.Join(strings.Fields(got.stdout), " ")
		words := []string{"The exit status is 0 if ", ", 1 if ", " 2 for wrong usage, ", "130 if the command was interrupted."}
		if cmd.Flags().Lookup("fail-on") != nil {
			words = append(words, "3 if --fail-on found something")
		}
		for _, want := range words {
			if !strings.Contains(text, want) {
				t.Errorf("%s --help does not have %q", cmd.CommandPath(), want)
			}
		}
		if strings.Contains(text, "true|false") {
			t.Errorf("%s --help has values of switches", cmd.CommandPath())
		}
		for line := range strings.Lines(got.stdout) {
			if len(line) > 2*helpTextWidth {
				t.Errorf("%s --help has a long line: %s", cmd.CommandPath(), line)
			}
		}
	}
	root := (&app{plugin: new(embeddedtest.Plugin).Func}).command()
	eachCommand(root, each)
	each(root)
	if commands < 15 {
		t.Errorf("only %d commands were tested", commands)
	}
}
