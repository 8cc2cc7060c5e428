//go:build unix

package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The help on a shell is run by that shell, and if it is not installed by sh, which knows the commands for new shells as
// well. The user has a new home, and may write nothing else.
func TestTheHelpOnEveryShellCanBeFollowed(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		file string // what the commands for new shells write
		args []string
	}{
		"bash": {".local/share/bash-completion/completions/shodanrep", []string{"--norc", "-c"}},
		"zsh":  {".zfunc/_shodanrep", []string{"-f", "-c"}},
		"fish": {".config/fish/completions/shodanrep.fish", []string{"--no-config", "-c"}},
	}
	for shell, tt := range tests {
		t.Run(shell, func(t *testing.T) {
			t.Parallel()
			inThis, inNew, found := strings.Cut(completionHelp[shell], "In every new shell:")
			if !found {
				t.Fatal(completionHelp[shell])
			}
			home := t.TempDir()
			followed := func(program string, args []string, help string) {
				var commands []string
				for _, line := range strings.Split(help, "\n") {
					if command, indented := strings.CutPrefix(line, "  "); indented {
						commands = append(commands, command)
					}
				}
				dir := t.TempDir()
				if err := os.Symlink(must(os.Executable()), filepath.Join(dir, "shodanrep")); err != nil {
					t.Fatal(err)
				}
				cmd := exec.Command(program, append(args, strings.Join(commands, "\n"))...)
				cmd.Env = []string{asCommand + "=1", "HOME=" + home, "PATH=" + dir + ":" + os.Getenv("PATH")}
				if output, err := cmd.CombinedOutput(); err != nil || len(output) > 0 || len(commands) == 0 {
					t.Errorf("%s %q: %v, %s", program, commands, err, output)
				}
			}
			if program, err := exec.LookPath(shell); err == nil {
				followed(program, tt.args, inThis)
				followed(program, tt.args, inNew)
			} else {
				followed("sh", []string{"-c"}, inNew)
			}
			script, err := os.ReadFile(filepath.Join(home, tt.file))
			if err != nil || !strings.Contains(string(script), "__complete") {
				t.Errorf("%v, %.80q", err, script)
			}
		})
	}
}
