package shodanrep_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

// What the examples of the documents run on, by paths from the root of the repository.
const (
	sampleConfig = "config/sample/sample.spc"
	sampleRules  = "config/sample/security_group_rules.csv"
	rulesTable   = "aws_vpc_security_group_rule"
)

// atRoot runs the rest of the test in the root of the repository, where the documents' commands are meant to be run,
// without what the environment says of keys and caches.
func atRoot(t *testing.T) {
	t.Helper()
	t.Chdir("..")
	t.Setenv("SHODAN_API_KEY", "")
	t.Setenv("SHODAN_API_URL", "")
	// The log of an index may still be copied when the test ends. TestMain removes the folder, with all temporary ones.
	cacheDir, err := os.MkdirTemp("", "cache")
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("SHODANREP_CACHE_DIR", cacheDir)
	t.Setenv("XDG_DATA_HOME", t.TempDir())
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// pages returns the text of the tables' pages by the name of the table.
func pages(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob("docs/tables/*.md")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, file := range files {
		found[strings.TrimSuffix(filepath.Base(file), ".md")] = read(t, file)
	}
	return found
}

// A block is a fenced block of a document, with the heading that it is under.
type block struct{ heading, language, text string }

var fence = regexp.MustCompile("(?ms)^(#+ [^\n]+)$|^```([a-z+]*)\n(.*?)^```$")

// blocks returns the fenced blocks of a document.
func blocks(text string) []block {
	var found []block
	heading := ""
	for _, m := range fence.FindAllStringSubmatch(text, -1) {
		if m[1] != "" {
			heading = strings.TrimLeft(m[1], "# ")
		} else {
			found = append(found, block{heading, m[2], m[3]})
		}
	}
	return found
}

// blocksIn returns the blocks of a document that are in one of the languages.
func blocksIn(text string, languages ...string) []block {
	return slices.DeleteFunc(blocks(text), func(b block) bool { return !slices.Contains(languages, b.language) })
}

// schema returns the tables of the plugin.
func schema(t *testing.T) map[string]*plugin.Table {
	t.Helper()
	tables, err := shodanrep.Plugin(t.Context()).TableMapFunc(t.Context(), &plugin.TableMapData{})
	if err != nil {
		t.Fatal(err)
	}
	return tables
}

// runCLI runs the command line and returns what it prints.
func runCLI(t *testing.T, args ...string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if status := cli.Main(args, strings.NewReader(""), &stdout, &stderr); status != 0 || stderr.Len() > 0 {
		t.Errorf("%q: exit status %d, %s", args, status, stderr.String())
	}
	return stdout.String()
}

// runSQL runs a query on the sample and returns what the command line prints, in its usual form.
func runSQL(t *testing.T, sql string) string {
	t.Helper()
	return runCLI(t, "query", "--config", sampleConfig, "--attach", rulesTable+"="+sampleRules, "--", sql)
}

// servicesConfig writes a configuration whose services are simulated and know the sample's hosts, which are its dataset
// too, and returns its path.
func servicesConfig(t *testing.T) string {
	t.Helper()
	sim := shodantest.New(t)
	if _, err := sim.Load("config/sample/hosts.json.gz"); err != nil {
		t.Fatal(err)
	}
	sim.AddExploits(
		shodantest.Exploit{
			"_id": "exploit/windows/smb/invented", "source": "Metasploit", "title": "Invented SMB exploit", "type": "remote",
			"platform": "windows", "rank": "average", "cve": []string{"CVE-2017-0144"},
		},
		shodantest.Exploit{
			"_id": 900001, "source": "ExploitDB", "description": "Invented exploit of Apache httpd", "type": "remote", "author": "Nobody",
			"platform": "linux", "date": "2021-10-06T00:00:00+00:00", "port": 80, "code": "print('invented')",
			"cve": []string{"CVE-2021-41773", "CVE-2021-42013", "CVE-2023-38408", "CVE-2019-0211"},
		},
	)
	path := filepath.Join(t.TempDir(), "services.spc")
	text := fmt.Sprintf(`connection "shodanrep" {
  plugin              = "shodanrep"
  data_files          = ["config/sample/hosts.json.gz"]
  cache               = "memory"
  api_key             = %q
  api_url             = %q
  internetdb_url      = %q
  cvedb_url           = %q
  exploits_url        = %q
  requests_per_second = 1000
}
`, shodantest.Key, sim.APIURL(), sim.InternetDBURL(), sim.CVEDBURL(), sim.ExploitsURL())
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// countRows runs statements on the sample, by a configuration, and returns how many rows each has. It runs them in one
// process's worth of plugin, of which the SDK never lets go.
func countRows(t *testing.T, config string, statements []string) []int {
	t.Helper()
	var stdout, stderr bytes.Buffer
	args := []string{"query", "--config", config, "--attach", rulesTable + "=" + sampleRules, "--output", "json", "--", strings.Join(statements, "\n")}
	status := cli.Main(args, strings.NewReader(""), &stdout, &stderr)
	// Some examples have a wrong name, to show its row.
	if notices := stderr.String(); status != 0 || notices != "" && (strings.Count(notices, "\n") != 1 || !strings.Contains(notices, "is not the name of a host")) {
		t.Errorf("%q: exit status %d, %s", args, status, notices)
	}
	text := stdout.String()
	var counts []int
	for results := json.NewDecoder(strings.NewReader(text)); ; {
		var result struct{ Rows []map[string]any }
		switch err := results.Decode(&result); {
		case errors.Is(err, io.EOF) && len(counts) == len(statements):
			return counts
		case err != nil:
			t.Fatalf("%v after %d results of %d: %s", err, len(counts), len(statements), text)
		}
		counts = append(counts, len(result.Rows))
	}
}

// command is how the documents begin a query.
const command = "bin/shodanrep query"

// argumentsOf returns the arguments of the command in a line of the shell, as the shell sees them, and nil where the
// line is another command.
func argumentsOf(t *testing.T, line string) []string {
	t.Helper()
	_, line, found := strings.Cut(line, command+" ")
	if !found {
		return nil
	}
	line, _, _ = strings.Cut(line, " > ") // of cron
	out, err := exec.Command("sh", "-c", `printf '%s\0' query `+line).Output()
	if err != nil {
		t.Fatalf("%v: %s", err, line)
	}
	return strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
}

// onSample makes a command of the documents one that can be run here: on the sample, with a list of two of its
// addresses in place of a file that the reader has.
func onSample(t *testing.T, args []string) []string {
	t.Helper()
	list := filepath.Join(t.TempDir(), "list.csv")
	if err := os.WriteFile(list, []byte("ip\n192.0.2.80\n203.0.113.10\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	args = slices.Clone(args)
	for i, arg := range args {
		name, file, isFile := strings.Cut(arg, "=")
		if _, err := os.Stat(file); i > 0 && args[i-1] == "--attach" && isFile && err != nil {
			args[i] = name + "=" + list
		}
	}
	if !slices.Contains(args, "--config") {
		args = append(args, "--config", sampleConfig)
	}
	return args
}
