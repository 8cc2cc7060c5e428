package cli

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep"
)

// hostText is what the owner of a host could write into a banner: it moves the cursor, hides and turns text, begins a
// line, and is markup of HTML and Markdown.
const hostText = "\x1b[31m\x1b]0;t\a\u202e\n::error::x\r\u0085<img src=x onerror=alert(1)>|`x`[a](javascript:alert(1))"

// hostConnection is a connection whose hosts have that text in all of their texts.
func hostConnection(t *testing.T) string {
	t.Helper()
	var lines []byte
	for i := range 4 {
		banner := map[string]any{
			"ip_str": fmt.Sprintf("11.0.0.%d", i+1), "port": 22 + i, "timestamp": "2026-01-31T06:00:00", "asn": "AS64496",
			"location": map[string]any{}, "http": map[string]any{}, "_shodan": map[string]any{"module": hostText},
			"hostnames": []string{hostText}, "domains": []string{hostText}, "tags": []string{"c2", hostText}, "cpe": []string{hostText},
			"ssl": map[string]any{
				"jarm": hostText, "cert": map[string]any{"subject": map[string]any{"CN": hostText}, "fingerprint": map[string]any{"sha256": hostText}},
			},
			"vulns": map[string]any{hostText: map[string]any{"summary": hostText, "kev": true}},
		}
		for _, name := range []string{"transport", "org", "isp", "os", "product", "version", "data"} {
			banner[name] = hostText
		}
		for _, name := range []string{"city", "country_name", "country_code", "region_code"} {
			banner["location"].(map[string]any)[name] = hostText
		}
		for _, name := range []string{"title", "server", "html"} {
			banner["http"].(map[string]any)[name] = hostText
		}
		line, err := json.Marshal(banner)
		if err != nil {
			t.Fatal(err)
		}
		lines = append(append(lines, line...), '\n')
	}
	file := filepath.Join(t.TempDir(), "hosts.json")
	if err := os.WriteFile(file, lines, 0o600); err != nil {
		t.Fatal(err)
	}
	return writeFile(t, "hostile.spc", fmt.Sprintf(`connection "h" {
		plugin     = "shodanrep"
		data_files = [%q]
		source     = "dataset"
		cache      = "off"
		history_store = "off"
	}`, file))
}

// What a host says of itself reaches a terminal only escaped, whichever command and format shows it. In CSV a line feed
// in quotes is a part of the value.
func TestWhatAHostSaysReachesATerminalEscaped(t *testing.T) {
	config := hostConnection(t)
	for name, args := range map[string][]string{
		"cards":           {"check", "11.0.0.1"},
		"a table":         {"check", "11.0.0.1", "11.0.0.2", "11.0.0.3", "11.0.0.4"},
		"CSV":             {"check", "--output", "csv", "11.0.0.1"},
		"JSON":            {"check", "--output", "jsonl", "11.0.0.1"},
		"Markdown":        {"check", "--output", "markdown", "11.0.0.1"},
		"ECS":             {"check", "--output", "ecs", "11.0.0.1"},
		"MISP":            {"check", "--output", "misp", "11.0.0.1"},
		"related":         {"related", "--yes", "11.0.0.1"},
		"related, a plan": {"related", "--output", "mermaid", "--yes", "11.0.0.1"},
		"related, dot":    {"related", "--output", "dot", "--yes", "11.0.0.1"},
		"records":         {"query", "select * from shodan_service where ip = '11.0.0.1'"},
		"lines":           {"query", "--output", "line", "select * from shodan_host where ip = '11.0.0.1'"},
	} {
		tty, written := terminal(t, 200, "")
		a := app{plugin: shodanrep.Plugin, stdin: strings.NewReader(""), stdout: tty, stderr: tty}
		status := a.run(t.Context(), append(args, "--config", config, "--no-color"))
		got := written()
		hidden := strings.IndexFunc(got, func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) })
		if status != exitDone || got == "" || name != "CSV" && strings.Contains(got, "\n::error") {
			t.Errorf("%s: status %d, %q", name, status, got)
		} else if hidden >= 0 {
			t.Errorf("%s: %q", name, got[max(0, hidden-40):min(len(got), hidden+40)])
		}
	}
}
