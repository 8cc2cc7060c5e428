//go:build unix

package cli

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAnInputThatIsNoFileIsNamedAsWhatItIs(t *testing.T) {
	t.Chdir(t.TempDir()) // the path of a socket must be short
	listener, err := net.Listen("unix", "socket")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	if err := errors.Join(os.Mkdir("folder", 0o700), os.Symlink("nowhere", "link")); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"socket": "socket is a socket, which cannot be read as a file",
		"link":   "link is a link to nowhere, and there is no such file",
		"folder": "folder is a directory: name its files",
	} {
		for _, command := range []string{"check", "annotate"} {
			got := runCheck(t, sampleConnection, "", command, name)
			if got.status != exitFailed || got.stdout != "" || !strings.HasSuffix(got.stderr, "shodanrep: "+want+"\n") {
				t.Errorf("%s %s: %+v, want %q", command, name, got, want)
			}
		}
	}
}

// Shells expand ~ only at the beginning of a word: not in --config=~/x and in --attach hosts=~/x.
func TestPathsInFlagsMayBeginWithTheHome(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	for name, text := range map[string]string{"a.spc": `connection "a" { plugin = "shodanrep" }`, "hosts.csv": "ip\n192.0.2.1\n"} {
		if err := os.WriteFile(filepath.Join(home, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	query := []string{"query", "--attach", "hosts=~/hosts.csv", "--output", "csv", "--no-header", "select ip from hosts"}
	for name, variable := range map[string]string{"--config": "", "the variable": "~/a.spc"} {
		t.Setenv(configVariable, variable)
		args := query
		if variable == "" {
			args = append(args, "--config=~/a.spc")
		}
		var out, errs strings.Builder
		if status := Main(args, strings.NewReader(""), &out, &errs); status != exitDone || out.String() != "192.0.2.1\n" {
			t.Errorf("%s: exit status %d, %q, %q", name, status, out.String(), errs.String())
		}
	}
}
