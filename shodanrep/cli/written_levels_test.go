package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation"
)

// An output that is read as a block list must not silently have addresses that nobody wants to block.
func TestListsWithAddressesOfAllLevelsAreReported(t *testing.T) {
	const (
		input  = "198.51.100.66 203.0.113.10 192.0.2.80 192.0.2.200 10.0.0.1"
		notice = "shodanrep: 3 of 5 addresses in the output are neither critical nor high (2 without a score): for a block list, select addresses with --only critical,high\n"
	)
	file := filepath.Join(t.TempDir(), "list")
	for _, output := range []string{"nft", "list", "cidr"} {
		for name, tt := range map[string]struct {
			input string
			args  []string
			want  string
		}{
			"no selection":    {input, nil, notice},
			"into a file":     {input, []string{"-o", file}, notice},
			"sorted":          {input, []string{"--sort"}, notice},
			"selected":        {input, []string{"--only", "critical,high"}, ""},
			"selected others": {input, []string{"--only", "low,unknown"}, ""},
			"by score":        {input, []string{"--min-score", "35"}, ""},
			"a lower score":   {input, []string{"--min-score", "0"}, "shodanrep: 1 of 3 addresses in the output is neither critical nor high: for"},
			"indicators only": {"198.51.100.66", nil, ""},
			"nothing":         {"nothing", nil, ""},
			"quiet":           {input, []string{"--quiet"}, ""},
		} {
			got := runCheck(t, sampleConnection, tt.input, append([]string{"check", "--output", output}, tt.args...)...)
			if got.status != exitDone || !strings.Contains(got.stderr, tt.want) || tt.want == "" && strings.Contains(got.stderr, "in the output") {
				t.Errorf("%s: %s: %+v", output, name, got)
			}
		}
	}
	if _, err := os.Stat(file); err != nil {
		t.Error(err)
	}
	for _, output := range []string{"csv", "jsonl", "stix", "table"} {
		if got := runCheck(t, sampleConnection, input, "check", "--output", output); strings.Contains(got.stderr, "in the output") {
			t.Errorf("%s: %+v", output, got)
		}
	}
}

func TestWrittenLevels(t *testing.T) {
	t.Parallel()
	w := writtenLevels{}
	for _, level := range []reputation.Level{reputation.Critical, reputation.High} {
		w[level]++
	}
	if got := w.notices(); got != nil {
		t.Errorf("%q", got)
	}
	w[reputation.Low]++
	if got := w.notices(); len(got) != 1 || !strings.HasPrefix(got[0], "1 of 3 addresses in the output is neither critical nor high: for") {
		t.Errorf("%q", got)
	}
}
