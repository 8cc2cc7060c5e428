package processtest

import (
	"fmt"
	"os"
)

// RunInTempDir runs the tests of a package, for its TestMain. It gives them, and the processes that they start, a folder
// of their own for temporary files, and removes it after them: a process that a test kills removes nothing itself.
func RunInTempDir(run func(dir string) (status int)) (status int) {
	dir, err := os.MkdirTemp("", "shodanrep") // a short name: the path of a socket may have only about a hundred bytes
	if err == nil {
		err = os.Chmod(dir, 0o711) // a server that runs as another user has its folder in it
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	for _, name := range []string{"TMPDIR", "TMP", "TEMP"} { // the last two are those of Windows
		if err := os.Setenv(name, dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	return run(dir)
}
