package cli

import (
	"strings"
	"testing"
)

// A file whose text is hidden, as in an archive, must not look like a file without addresses.
func TestAFileThatHidesItsTextFails(t *testing.T) {
	const content = "\xfd7zXZ\x00\x00\x04198.51.100.66\n"
	file := writeFile(t, "auth.log.xz", content)
	for _, args := range [][]string{{"check"}, {"report"}, {"annotate"}, {"changes"}, {"policy", "diff", "baseline", "extended"}} {
		for name, tt := range map[string]struct{ stdin, argument string }{
			"standard input": {content, "-"},
			file:             {"", file},
		} {
			got := runCheck(t, offlineConnection, tt.stdin, append(args, tt.argument)...)
			want := "shodanrep: " + name + ": it is compressed with xz: unpack it first, as with xz -dc FILE\n"
			if got.stdout != "" || got.status != exitFailed || got.stderr != want {
				t.Errorf("%q %s: %+v", args, tt.argument, got)
			}
		}
	}
	for _, err := range streamTargets(strings.NewReader(content), nil, nil, new(malformedLines)) {
		if err == nil || !strings.HasPrefix(err.Error(), "standard input: it is compressed") {
			t.Errorf("load: %v", err)
		}
	}
}
