package cli

import (
	"strings"
	"testing"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/embedded/embeddedtest"
)

func TestParquetIsRefusedOnATerminal(t *testing.T) {
	t.Parallel()
	config := writeFile(t, "fake.spc", `connection "fake" { plugin = "shodanrep" }`)
	for _, args := range [][]string{
		{"check", "--config", config, "--output", "parquet", "192.0.2.1"},
		{"query", "--config", config, "--output", "parquet", "select * from fake_event"},
	} {
		tty, written := terminal(t, 80, "")
		fake := &embeddedtest.Plugin{Rows: 10}
		a := app{plugin: fake.Func, stdin: strings.NewReader(""), stdout: tty, stderr: tty}
		status := a.run(t.Context(), args)
		if got := written(); status != exitUsage || !strings.Contains(got, "the format parquet is not for a terminal: name a file, such as -o ") || fake.Streamed() > 0 {
			t.Errorf("%s: status %d, %s", args[0], status, got)
		}
	}
}
