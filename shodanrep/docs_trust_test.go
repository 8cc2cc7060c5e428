package shodanrep_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

// runCommandLine is the variable by which a test has the test's own program be the command line.
const runCommandLine = "SHODANREP_TEST_COMMAND_LINE"

// It is looked at before the tests begin, because the program then has the arguments of the command line.
func init() {
	if os.Getenv(runCommandLine) != "" {
		os.Exit(cli.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
	}
}

// The address at which docs/trust.md has the simulator listen.
const trustSimulator = "http://127.0.0.1:8055"

func TestThePageOnTrustShowsWhatItsCommandsPrint(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the page shows what Linux's find and /dev/full do")
	}
	t.Parallel()
	all := blocksIn(read(t, "../docs/trust.md"), "sh", "text")
	shell := newTrustShell(t)
	ran := 0
	for i, b := range all {
		if b.language != "sh" || strings.HasPrefix(b.text, "make ") || strings.HasPrefix(b.text, "go ") {
			continue
		}
		got := shell(b.text)
		if i+1 == len(all) || all[i+1].language != "text" {
			continue
		}
		ran++
		if diff := cmp.Diff(all[i+1].text, got); diff != "" {
			t.Errorf("%s: the page (-) and the output (+) differ:\n%s\n%s", b.heading, b.text, diff)
		}
	}
	if ran < 9 {
		t.Errorf("only %d commands with an output were found", ran)
	}
}

// newTrustShell returns a function that runs commands in a folder with the command line in bin, beside the simulator
// that the page has the reader start. Variables that a command exports are those of the commands after it.
func newTrustShell(t *testing.T) func(commands string) (output string) {
	t.Helper()
	sim := shodantest.New(t)
	sim.Generate(1000)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "bin"), 0o700); err != nil {
		t.Fatal(err)
	}
	program := "#!/bin/sh\n" + runCommandLine + "=1 exec '" + self + "' \"$@\"\n"
	if err := os.WriteFile(filepath.Join(dir, "bin", "shodanrep"), []byte(program), 0o700); err != nil {
		t.Fatal(err)
	}
	server := strings.TrimSuffix(sim.APIURL(), shodantest.APIPath)
	environment := append(os.Environ(), "SHODAN_API_KEY=", "SHODAN_API_URL=", "SHODANREP_CACHE_DIR="+t.TempDir(), "XDG_DATA_HOME="+t.TempDir())
	exports := ""
	return func(commands string) string {
		commands = strings.ReplaceAll(commands, trustSimulator, server)
		command := exec.Command("sh", "-c", exports+commands)
		command.Dir, command.Env = dir, environment
		output, err := command.CombinedOutput()
		if err != nil && len(output) == 0 {
			t.Errorf("%v: %s", err, commands)
		}
		for line := range strings.Lines(commands) {
			if strings.HasPrefix(line, "export ") {
				exports += line
			}
		}
		return string(output)
	}
}

// A test that the page names must be there: go test passes where none fits.
func TestThePageOnTrustNamesTestsThatThereAre(t *testing.T) {
	atRoot(t)
	packages := regexp.MustCompile(`\./shodanrep/[\w/]+`)
	names := regexp.MustCompile(`-run '([^']+)'`)
	found := 0
	for _, b := range blocksIn(read(t, "docs/trust.md"), "sh") {
		if !strings.HasPrefix(b.text, "go test ") || !names.MatchString(b.text) {
			continue
		}
		var tests strings.Builder
		for _, folder := range packages.FindAllString(b.text, -1) {
			files, err := filepath.Glob(folder + "/*_test.go")
			if err != nil || len(files) == 0 {
				t.Errorf("there are no tests in %s: %v", folder, err)
			}
			for _, file := range files {
				tests.WriteString(read(t, file))
			}
		}
		for _, match := range names.FindAllStringSubmatch(b.text, -1) {
			for name := range strings.SplitSeq(match[1], "|") {
				if found++; !strings.Contains(tests.String(), "func "+name) {
					t.Errorf("there is no test %s in %s", name, b.text)
				}
			}
		}
	}
	if found == 0 {
		t.Error("no test is named")
	}
}
