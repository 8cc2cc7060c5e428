//go:build unix

package cli

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// documentedBlock returns the nth block of a language of the page on annotate.
func documentedBlock(t *testing.T, language string, n int) string {
	t.Helper()
	page, err := os.ReadFile("../../docs/annotate.md")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile("(?s)\n```"+language+"\n(.*?)```\n").FindAllSubmatch(page, -1)
	if len(found) <= n {
		t.Fatalf("there are %d blocks of %s", len(found), language)
	}
	return string(found[n][1])
}

// runShell runs a script in which shodanrep is this command, over the sample. Logs are files that have been written.
func runShell(t *testing.T, script, stdin string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Symlink(must(os.Executable()), filepath.Join(dir, "shodanrep")); err != nil {
		t.Fatal(err)
	}
	events := writeFile(t, "events.jsonl", `{"host":{"name":"web"},"source":{"ip":"203.0.113.10"}}`+"\n"+`{"source":{"ip":"10.0.0.7"}}`+"\n")
	script = strings.ReplaceAll(script, "tail -n +1 -F /var/log/events.jsonl", "cat '"+events+"'")
	cmd := exec.Command("sh", "-c", script)
	sample, err := filepath.Abs("../../config/sample/hosts.json.gz")
	if err != nil {
		t.Fatal(err)
	}
	spc := "connection \"shodanrep\" {\n plugin = \"shodanrep\"\n data_files = [\"" + sample + "\"]\n cache = \"memory\"\n}\n"
	cmd.Env = append(os.Environ(), asCommand+"=1", configVariable+"="+writeFile(t, "sample.spc", spc), "PATH="+dir+":"+os.Getenv("PATH"))
	cmd.Stdin = strings.NewReader(stdin)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil || stderr.Len() > 0 {
		t.Fatalf("%s: %v, %s", script, err, stderr.String())
	}
	return string(out)
}

func must(name string, err error) string {
	if err != nil {
		panic(err)
	}
	return name
}

func TestTheExampleOfAnnotateIsReal(t *testing.T) {
	if got, want := runShell(t, documentedBlock(t, "sh", 0), ""), documentedBlock(t, "text", 0); got != want {
		t.Errorf("got %q, the page says %q", got, want)
	}
}

// The programs are not there: what is run is the command that they run.
func TestThePipesOfLogstashAndVectorRun(t *testing.T) {
	quoted := regexp.MustCompile(`"([^"]*shodanrep annotate[^"]*)"`)
	for program, test := range map[string]struct{ language, field, want string }{
		"Logstash": {"conf", "host.risk.static_level", `"Critical"`},
		"Vector":   {"yaml", "shodanrep", `{"level":"critical","score":139,`},
	} {
		command := quoted.FindStringSubmatch(documentedBlock(t, test.language, 0))
		if command == nil || !strings.HasPrefix(command[1], "tail -n +1 -F ") {
			t.Fatalf("%s runs no command", program)
		}
		lines := strings.Split(runShell(t, command[1], ""), "\n")
		var event map[string]json.RawMessage
		if err := json.Unmarshal([]byte(lines[0]), &event); err != nil || len(lines) != 3 {
			t.Fatalf("%s: %v, %q", program, err, lines)
		}
		if got := string(event[test.field]); !strings.HasPrefix(got, test.want) {
			t.Errorf("%s: %s is %s", program, test.field, got)
		}
		if !strings.Contains(documentedBlock(t, test.language, 0), test.field) {
			t.Errorf("the example for %s does not use %s", program, test.field)
		}
	}
}

func TestTheLookupOfSplunkWritesItsFields(t *testing.T) {
	_, list, _ := strings.Cut(documentedBlock(t, "ini", 0), "fields_list = ")
	fields := strings.Split(strings.TrimSpace(list), ", ")
	empty := strings.Repeat(",", len(fields)-1)
	out := runShell(t, documentedBlock(t, "sh", 1), strings.Join(fields, ",")+"\r\n203.0.113.10"+empty+"\r\n\"10.0.0.7\""+empty+"\r\n")
	records, err := csv.NewReader(strings.NewReader(out)).ReadAll()
	if err != nil || len(records) != 3 || !slices.Equal(records[0], fields) {
		t.Fatalf("%v: got %q, want the fields %q", err, out, fields)
	}
	level := slices.Index(fields, "shodanrep_level")
	if records[1][0] != "203.0.113.10" || records[1][level] != "critical" || records[2][level] != "unknown" {
		t.Errorf("got %q", records)
	}
}
