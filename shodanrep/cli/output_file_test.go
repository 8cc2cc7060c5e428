package cli

import (
	"errors"
	"fmt"
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
	for _, args := range [][]string{{"annotate", "-o", list, list}, {"annotate", "-o", link, list}} { // gets its own verdicts
		if err := os.WriteFile(list, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := runCheck(t, connection, "", args...); got.status != exitDone {
			t.Errorf("%v: %v", args, got)
		}
		if now, err := os.ReadFile(list); err != nil || !strings.HasPrefix(string(now), "11.0.0.1 [shodanrep 11.0.0.1 ") {
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

// TestAnOutputDoesNotReplaceAFileThatTheCommandReads names each file besides the inputs as the file of the results, by its
// name and by a link.
func TestAnOutputDoesNotReplaceAFileThatTheCommandReads(t *testing.T) {
	sim := shodantest.New(t)
	connection, _ := historyOf(t, sim)
	dir := t.TempDir()
	written := map[string]string{}
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		written[path] = text
		return path
	}
	const policy = "policy \"ours\" {\n  base = \"extended\"\n}\n"
	flag, argument := file("flag.hcl", policy), file("argument.hcl", policy)
	list, data, sql := file("allow.txt", "192.0.2.1 ours\n"), file("data.json", "{\"ip_str\": \"11.0.0.9\", \"port\": 22}\n"), file("query.sql", "select 1 as level")
	other := file("other.spc", "")
	config := file("check.spc", fmt.Sprintf("connection \"shodanrep\" {\n  plugin = \"shodanrep\"\n%s\npolicy = %q\nallow_list = [%q]\ndata_files = [%q]\ninternetdb_file = %q\n}\n",
		shodantest.Patient(connection), argument, "@"+list, filepath.Join(dir, "*.json"), file("idb.sqlite", "")))
	link := filepath.Join(dir, "link")
	for path, test := range map[string]struct {
		role     string
		commands [][]string
	}{
		config:                           {"the configuration", [][]string{{"check", "11.0.0.1"}, {"annotate", list}, {"query", "select 1"}, {"related", "11.0.0.1"}, {"changes"}, {"report", "11.0.0.1"}}},
		other:                            {"the configuration", [][]string{{"check", "11.0.0.1"}, {"query", "select 1"}}},
		flag:                             {"the policy", [][]string{{"check", "11.0.0.1"}, {"annotate", list}, {"changes"}, {"report", "11.0.0.1"}}},
		argument:                         {"a file of the argument policy", [][]string{{"check", "11.0.0.1"}, {"query", "select 1"}, {"related", "11.0.0.1"}}},
		list:                             {"a file of the argument allow_list", [][]string{{"check", "11.0.0.1"}, {"query", "select 1"}, {"changes"}}},
		data:                             {"a file of the argument data_files", [][]string{{"check", "11.0.0.1"}, {"related", "11.0.0.1"}, {"annotate", sql}}},
		sql:                              {"the SQL", [][]string{{"query", sql}}},
		filepath.Join(dir, "idb.sqlite"): {"a file of the argument internetdb_file", [][]string{{"check", "11.0.0.1"}}},
	} {
		if err := errors.Join(os.RemoveAll(link), os.Symlink(path, link)); err != nil {
			t.Skip("needs symbolic links:", err)
		}
		for _, command := range test.commands {
			for _, output := range []string{path, link} {
				args := append([]string{command[0], "--config", config, "--config", other, "-o", output}, command[1:]...)
				if path == flag {
					args = append(args, "--policy", flag)
				}
				var stdout, stderr strings.Builder
				status := Main(args, strings.NewReader(""), &stdout, &stderr)
				if status != exitUsage || !strings.Contains(stderr.String(), output+" is "+test.role+" as well") {
					t.Errorf("%v: status %d, %s", args, status, stderr.String())
				}
			}
		}
	}
	for path, text := range written {
		if now, err := os.ReadFile(path); err != nil || string(now) != text {
			t.Errorf("%s is %q, %v", path, now, err)
		}
	}
}
