package cli

import (
	"strings"
	"testing"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/embedded/embeddedtest"
)

// What a host calls itself may be a formula for a spreadsheet that opens the file.
func TestEscapeFormulasOfEveryCommandThatWritesCSV(t *testing.T) {
	host := writeFile(t, "host.json", `{"ip_str": "192.0.2.1", "port": 80, "timestamp": "2026-01-01T00:00:00.000000",
		"org": "=HYPERLINK(\"https://attacker.example\")", "data": "ok;=1+1"}`)
	connection := "data_files = [\"" + host + "\"]\n"
	const plain, escaped = `,"=HYPERLINK(`, `,"'=HYPERLINK(`
	for _, tt := range []struct{ flag, want string }{{"--sort", plain}, {"--escape-formulas", escaped}} {
		got := runCheck(t, connection, "", "--output", "csv", tt.flag, "192.0.2.1")
		if got.status != exitDone || !strings.Contains(got.stdout, tt.want) {
			t.Errorf("check %s: %+v", tt.flag, got)
		}
	}
	const sql = "select org, data from shodan_host join shodan_service as s using (ip) where ip = '192.0.2.1'"
	for _, format := range []string{"csv", "tsv"} {
		stdout, stderr, status := runQuery(t, connection, sql, "--escape-formulas", "--output", format)
		if status != exitDone || !strings.Contains(stdout, "'=HYPERLINK(") || !strings.Contains(stdout, "ok;'=1+1") {
			t.Errorf("query %s: %s%s, %d", format, stdout, stderr, status)
		}
	}
}

func TestEscapeFormulasIsOnlyForCSV(t *testing.T) {
	t.Parallel()
	for command, args := range map[string]string{
		"check": "192.0.2.1 --output jsonl", "query": "select --output json", "changes": "--output parquet", "policy diff": "a b 192.0.2.1",
	} {
		got := run(t, &embeddedtest.Plugin{}, "", strings.Fields(command+" --escape-formulas "+args)...)
		if got.status != exitUsage || !strings.Contains(got.stderr, "--escape-formulas is for spreadsheets, which read csv and tsv, and not ") {
			t.Errorf("%s: %+v", command, got)
		}
	}
}
