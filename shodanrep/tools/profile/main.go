// Command profile is the command line of shodanrep, which writes a CPU profile of itself into the folder that
// PROFILES names. `make profile` merges the profiles of several runs into default.pgo, by which Go's compiler
// optimizes the program.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime/pprof"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli"
)

func main() {
	status, err := run()
	if err != nil {
		fmt.Fprintln(os.Stderr, "profile:", err)
		os.Exit(1)
	}
	os.Exit(status)
}

// run runs the command line and returns its exit status. It fails where the profile cannot be written.
func run() (status int, err error) {
	name := fmt.Sprintf("%d.pprof", os.Getpid())
	file, err := os.Create(filepath.Join(os.Getenv("PROFILES"), name))
	if err != nil {
		return 0, err
	}
	if err := pprof.StartCPUProfile(file); err != nil {
		return 0, err
	}
	status = cli.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	pprof.StopCPUProfile()
	return status, file.Close()
}
