package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

// TestAnOutputDoesNotReplaceAnInput names the list of addresses as the file of the results, by another name and as
// standard input as well.
func TestAnOutputDoesNotReplaceAnInput(t *testing.T) {
	sim := shodantest.New(t)
	connection, _ := historyOf(t, sim)
	const text = "11.0.0.1\n"
	list := writeFile(t, "list.txt", text)
	link := filepath.Join(t.TempDir(), "link.txt")
	if err := os.Symlink(list, link); err != nil {
		t.Skip("needs symbolic links:", err)
	}
	stdin, err := os.Open(list)
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	for _, args := range [][]string{
		{"check", "-o", list, list}, {"check", "-o", list, "11.0.0.2", link}, {"check", "-o", link, list}, {"check", "-o", list}, {"check", "-o", list, "-"},
		{"query", "--output", "csv", "-o", list, "--attach", "a=" + list, "select 1"}, {"query", "--output", "csv", "-o", list, "--attach", "a=-", "select 1"},
		{"report", "-o", list, list}, {"changes", "-o", list, list}, {"changes", "-o", list, "-"},
	} {
		config := writeFile(t, "check.spc", "connection \"shodanrep\" {\n  plugin = \"shodanrep\"\n"+shodantest.Patient(connection)+"}\n")
		var stdout, stderr strings.Builder
		status := Main(append([]string{args[0], "--config", config}, args[1:]...), stdin, &stdout, &stderr)
		if status != exitUsage || !strings.Contains(stderr.String(), "is an input as well") {
			t.Errorf("%v: status %d, %s", args, status, stderr.String())
		}
		if now, err := os.ReadFile(list); err != nil || string(now) != text {
			t.Errorf("%v: the list is %q, %v", args, now, err)
		}
	}
	other := filepath.Join(t.TempDir(), "result.txt")
	for range 2 { // the file is there the second time
		if got := runCheck(t, connection, "", "check", "--output", "list", "-o", other, list); got.status != exitDone {
			t.Error(got)
		}
	}
}
