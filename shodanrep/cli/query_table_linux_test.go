package cli

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep"
)

// onTerminal runs a command on the sample on a terminal of so many columns, and returns all that it wrote.
func onTerminal(t *testing.T, width uint16, noColor string, args ...string) string {
	t.Helper()
	t.Setenv("TERM", "xterm")
	t.Setenv("NO_COLOR", noColor)
	t.Setenv("SHODAN_API_KEY", "")
	t.Setenv(configVariable, writeFile(t, "sample.spc", "connection \"shodanrep\" {\n plugin = \"shodanrep\"\n"+sampleConnection+"source = \"dataset\"\n}\n"))
	tty, written := terminal(t, width, "")
	a := app{plugin: shodanrep.Plugin, stdin: strings.NewReader(""), stdout: tty, stderr: tty}
	a.run(t.Context(), args)
	return drawnBar.ReplaceAllString(written(), "")
}

// drawnBar is what a progress bar draws and erases. Only a slow machine shows the bar.
var drawnBar = regexp.MustCompile(`\r\x1b\[K(looking up [^\r]*)?`)

// terminalCommands are commands whose results are tables, with the names of their golden files.
var terminalCommands = map[string][]string{
	// The README's eight columns, over all hosts of the sample.
	"query": {"query", `select ip, status, level, score, vuln_count, suspicious_ports, tags, organization from shodan_ip_reputation
		where source = 'dataset' order by score desc nulls last, ip`},
	"query_few":   {"query", "select ip, level, score, tags, vulns, ports, organization, hostnames, hosting_type from shodan_ip_reputation where ip in ('198.51.100.66', '10.0.0.1') order by score desc nulls last"},
	"policy_diff": {"policy", "diff", "baseline", "testdata/timeless.hcl", "198.51.100.40", "192.0.2.80"},
	"related":     {"related", "203.0.113.10", "--policy", "baseline"},
	"tables":      {"tables", "shodan_reputation_factor"},
}

func TestTablesFitTheTerminal(t *testing.T) {
	for name, args := range terminalCommands {
		for _, width := range []uint16{80, 200} {
			got := onTerminal(t, width, "1", args...)
			for i, line := range strings.Split(got, "\n") {
				if n := text.StringWidth(line); n > int(width) {
					t.Errorf("%s at %d: line %d has %d columns: %s", name, width, i+1, n, line)
				}
			}
			golden(t, filepath.Join("testdata", fmt.Sprintf("%s_%d.txt", name, width)), got)
		}
	}
}

func TestLevelsHaveColoursOnATerminal(t *testing.T) {
	const sql = "select ip, level from shodan_ip_reputation where ip = '198.51.100.66'"
	if got := onTerminal(t, 80, "", "query", sql); !strings.Contains(got, "\x1b[97;41;1mcritical\x1b[0m") {
		t.Errorf("%q", got)
	}
	if got := onTerminal(t, 80, "", "query", "--output", "line", sql); !strings.Contains(got, "\x1b[97;41;1mcritical\x1b[0m") {
		t.Errorf("%q", got)
	}
	if got := onTerminal(t, 80, "", "query", "--no-color", sql); strings.Contains(got, "\x1b") || !strings.Contains(got, "critical") {
		t.Errorf("%q", got)
	}
	if got := onTerminal(t, 80, "", "query", "--output", "csv", sql); strings.Contains(got, "\x1b") {
		t.Errorf("%q", got)
	}
}
