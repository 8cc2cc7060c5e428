package cli

import (
	"strings"
	"testing"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep"
)

func TestAPageIsNotWrittenToATerminal(t *testing.T) {
	for _, args := range [][]string{{"report", "192.0.2.1"}, {"check", "--output", "html", "192.0.2.1"}} {
		tty, written := terminal(t, 80, "")
		a := app{plugin: shodanrep.Plugin, stdin: strings.NewReader(""), stdout: tty, stderr: tty}
		status := a.run(t.Context(), args)
		if got := written(); status != exitUsage || !strings.HasPrefix(got, "shodanrep: the format html is not for a terminal: name a file, such as -o report.html\n") {
			t.Errorf("%q: exit status %d: %s", args, status, got)
		}
	}
}
