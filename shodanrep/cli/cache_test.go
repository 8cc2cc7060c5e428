package cli

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// unusable returns locations of a cache that cannot be used, by what is wrong with them.
func unusable(t *testing.T) map[string]string {
	return map[string]string{
		"a path below a file": filepath.Join(writeFile(t, "file", "x"), "cache.sqlite"),
		"a closed port":       "redis://127.0.0.1:1",
	}
}

func TestTheCommandsOfACacheThatCannotBeUsedFail(t *testing.T) {
	for name, location := range unusable(t) {
		config := writeFile(t, "cache.spc", fmt.Sprintf("connection \"a\" {\n plugin = \"shodanrep\"\n cache = %q\n}\n", location))
		for _, args := range [][]string{{"cache"}, {"cache", "clear", "--yes"}, {"cache", "clear", "11.0.0.1"}, {"cache", "prune"}} {
			var out, errs bytes.Buffer
			status := Main(append(args, "--config", config), strings.NewReader(""), &out, &errs)
			if status != exitFailed || out.Len() > 0 || !strings.Contains(errs.String(), location) || strings.Count(errs.String(), "\n") != 1 {
				t.Errorf("%s, %v: exit status %d, %q, %q; want the failure alone", name, args, status, out.String(), errs.String())
			}
		}
	}
}

func TestDoctorWarnsOfACacheOrAHistoryThatCannotBeUsed(t *testing.T) {
	const services = "internetdb_url = %[1]q\ncvedb_url = %[1]q\n"
	for name, location := range unusable(t) {
		lines, stderr, _ := runDoctor(t, fmt.Sprintf(services+"cache = %q\nhistory_store = \"off\"", closedPort, location))
		if !says(lines, "warning cache") || !says(lines, "ok history off: what is looked up is not recorded") || strings.Contains(stderr, "WARN") {
			t.Errorf("%s: %q (%s)", name, lines, stderr)
		}
	}
	for _, variable := range []string{"HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "SHODANREP_CACHE_DIR"} {
		t.Setenv(variable, "")
	}
	lines, stderr, _ := runDoctor(t, fmt.Sprintf(services, closedPort))
	for _, want := range []string{"warning cache no folder for the cache file", "warning history no folder for the history"} {
		if !says(lines, want) {
			t.Errorf("without a home: %q is not in %q (%s)", want, lines, stderr)
		}
	}
}
