package cli

import (
	"strings"
	"testing"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep"
)

// Who types addresses has to know that the command waits for them, and how the text ends.
func TestATerminalThatIsReadIsSaid(t *testing.T) {
	t.Setenv("TERM", "xterm")
	t.Setenv("NO_COLOR", "1")
	for _, args := range [][]string{{"check", "-"}, {"annotate", "-"}, {"policy", "diff", "baseline", "extended", "-"}} {
		t.Setenv(configVariable, writeFile(t, "empty.spc", "connection \"shodanrep\" {\n plugin = \"shodanrep\"\n cache = \"off\"\n history_store = \"off\"\n}\n"))
		tty, written := terminal(t, 80, "10.0.0.1\n\x04")
		a := app{plugin: shodanrep.Plugin, stdin: tty, stdout: tty, stderr: tty}
		status := a.run(t.Context(), args)
		if got := written(); status != exitDone || !strings.Contains(got, "reading standard input, which is the terminal: end the text with Ctrl-D") {
			t.Errorf("%q: status %d, %q", args, status, got)
		}
	}
}
