package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"unicode"

	"golang.org/x/sys/unix"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/related"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/rowformat"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/embedded/embeddedtest"
)

// terminal opens a terminal of so many columns, at which a user has typed something, and returns it with what reads all
// that was written to it, once it is closed.
func terminal(t *testing.T, width uint16, typed string) (tty *os.File, written func() string) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skipf("there are no terminals here: %v", err)
	}
	t.Cleanup(func() { master.Close() })
	number, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0)
	}
	if err == nil {
		tty, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	}
	if err == nil {
		err = unix.IoctlSetWinsize(int(tty.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: width})
	}
	if err != nil {
		t.Skipf("there are no terminals here: %v", err)
	}
	if _, err := master.WriteString(typed); err != nil {
		t.Fatal(err)
	}
	text := make(chan string, 1)
	go func() {
		all, _ := io.ReadAll(master) // ends with an error when the last writer has closed
		text <- strings.ReplaceAll(string(all), "\r\n", "\n")
	}()
	return tty, func() string {
		tty.Close()
		return <-text
	}
}

func TestWhatGoesToATerminalIsEscaped(t *testing.T) {
	t.Parallel()
	config := writeFile(t, "fake.spc", `connection "fake" { plugin = "shodanrep" }`)
	commands := map[string][]string{
		"an unknown flag":    {"query", "--\x1b[31m"},
		"an unknown command": {"\x1b[31m\u009b"},
		"an unknown format":  {"query", "--output", "\x1b[31m", "select 1"},
		"a wrong word":       {"query", "--fail-on", "\x1b[31m", "select 1"},
		"a syntax error":     {"query", "--config", config, "select \x1b[31m"},
		"a file":             {"query", "--config", "/\x1b[31m", "select 1"},
		"a help topic":       {"help", "\x1b[31m"},
		"a table":            {"tables", "\x1b[31m"},
		"a policy":           {"policy", "check", "/\x1b[31m"},
	}
	for _, format := range rowformat.Names {
		commands[format] = []string{"query", "--no-color", "--config", config, "--output", format, hostile}
	}
	for name, args := range commands {
		tty, written := terminal(t, 80, "")
		a := app{plugin: new(embeddedtest.Plugin).Func, stdin: strings.NewReader(""), stdout: tty, stderr: tty}
		a.run(t.Context(), args)
		got := written()
		if got == "" || strings.ContainsFunc(got, func(r rune) bool { return r != '\n' && (r != '\t' || name != "tsv") && !unicode.IsPrint(r) }) {
			t.Errorf("%s: %q", name, got)
		}
		if name == "json" {
			var document struct{ Rows []map[string]any }
			if err := json.Unmarshal([]byte(got), &document); err != nil || document.Rows[0]["b\x1b[2J"] != "a\x1b[31m\u009b1m\b\r\x7f\u202e\U000e0001é" {
				t.Errorf("%v, %q", err, document.Rows)
			}
		}
	}
}

// What a host answers is in the JSON of related as well.
func TestRelatedEscapesJSONOnATerminal(t *testing.T) {
	t.Parallel()
	result := &related.Result{Hosts: []*related.Host{{IP: "11.0.1.2", Organization: "a\x1b[31m\u009bb", Also: []string{}}}}
	tty, written := terminal(t, 80, "")
	if err := related.Write("jsonl", tty, result, false); err != nil {
		t.Fatal(err)
	}
	got := written()
	var host related.Host
	if err := json.Unmarshal([]byte(got), &host); err != nil || host.Organization != "a\x1b[31m\u009bb" || strings.ContainsAny(got, "\x1b\u009b") {
		t.Errorf("%q, %v", got, err)
	}
	var plain strings.Builder
	if err := related.Write("jsonl", &plain, result, false); err != nil || !strings.Contains(plain.String(), "\u009b") {
		t.Errorf("to a file: %q, %v", plain.String(), err)
	}
}
