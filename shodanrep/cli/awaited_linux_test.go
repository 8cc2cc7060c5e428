package cli

import (
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep"
)

// Who types addresses has to know that the command waits for them, and how the text ends.
func TestATerminalThatIsReadIsSaid(t *testing.T) {
	t.Setenv("TERM", "xterm")
	t.Setenv("NO_COLOR", "1")
	for _, args := range [][]string{{"check", "-"}, {"annotate", "-"}, {"policy", "diff", "baseline", "extended", "-"}} {
		t.Setenv(configVariable, writeFile(t, "empty.spc", "connection \"shodanrep\" {\n plugin = \"shodanrep\"\n cache = \"off\"\n history_store = \"off\"\n}\n"))
		tty, written := terminal(t, 80, "10.0.0.1\n\x04")
		a := app{plugin: shodanrep.Plugin, stdin: tty, stdout: tty, stderr: tty}
		status := a.run(t.Context(), args)
		if got := written(); status != exitDone || !strings.Contains(got, "reading standard input, which is the terminal: end the text with Ctrl-D") {
			t.Errorf("%q: status %d, %q", args, status, got)
		}
	}
}

func TestALongWaitForAPipeAmongFilesIsSaid(t *testing.T) {
	t.Parallel()
	regular, missing, pipe := writeFile(t, "regular", ""), filepath.Join(t.TempDir(), "missing"), filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		files []string
		took  time.Duration
		want  []string
	}{
		"a pipe":         {[]string{regular, missing, pipe}, time.Hour, []string{"waiting for " + pipe}},
		"a pipe, soon":   {[]string{pipe}, waitNotice / 2, nil},
		"no pipe":        {[]string{regular, missing, ""}, time.Hour, nil},
		"no file at all": {nil, time.Hour, nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var said []string
				stop := awaiter(func(message string) { said = append(said, message) }).startFiles(test.files...)
				time.Sleep(test.took)
				synctest.Wait()
				if stop(); !slices.Equal(said, test.want) {
					t.Errorf("said %q", said)
				}
			})
		})
	}
	awaiter(nil).startFiles(pipe)()
}

// A pipe that nobody reads is said also where standard error is a log.
func TestALongWaitForTheReaderOfAPipeIsSaid(t *testing.T) {
	t.Parallel()
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		file string
		took time.Duration
		want string
	}{
		"late":    {pipe, time.Hour, "shodanrep: waiting for a program to read " + pipe + "\n"},
		"soon":    {pipe, waitNotice / 2, ""},
		"a file":  {writeFile(t, "regular", ""), time.Hour, ""},
		"no file": {filepath.Join(t.TempDir(), "missing"), time.Hour, ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var stderr strings.Builder
				stop := (&app{stderr: &stderr}).awaitReader(test.file)
				time.Sleep(test.took)
				synctest.Wait()
				stop()
				time.Sleep(time.Hour) // nothing is said later
				if got := stderr.String(); got != test.want {
					t.Errorf("said %q, want %q", got, test.want)
				}
			})
		})
	}
}
