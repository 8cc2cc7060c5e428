package cli

import (
	"fmt"
	"io"
	"os"
	"runtime"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/spcfile"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/embedded"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation/policyfile"
)

// A usedFile is a file that a command uses besides the file of its results.
type usedFile struct {
	name string // "-" is standard input
	role string // what it is to the command, with an article
}

// inputFiles are the inputs of a command; without any standard input.
func inputFiles(inputs []string) (files []usedFile) {
	if len(inputs) == 0 {
		inputs = []string{"-"}
	}
	for _, input := range expandInputs(runtime.GOOS, inputs) {
		if !isForeignShare(runtime.GOOS, input) {
			files = append(files, usedFile{input, "an input"})
		}
	}
	return files
}

// usedFiles are the configuration files, and what the connections in them name.
func (f *connectionFlags) usedFiles(connections ...embedded.Connection) (files []usedFile) {
	named := f.files()
	if len(named) == 0 {
		named = []string{spcfile.DefaultFile()}
	}
	for _, file := range named {
		files = append(files, usedFile{file, "the configuration"})
	}
	for _, c := range connections {
		for _, file := range shodanrep.ConnectionFiles(c.Config) {
			files = append(files, usedFile{file.Path, "a file of the argument " + file.Argument})
		}
	}
	return files
}

// policyFile is the value of --policy, if it is a path.
func policyFile(policy string) usedFile {
	if policyfile.BuiltIn(policy) != nil {
		policy = ""
	}
	return usedFile{expandHome(policy), "the policy"}
}

// usedFiles are those of the connection, and the policy.
func (f *lookupFlags) usedFiles(connection embedded.Connection) []usedFile {
	return append(f.connectionFlags.usedFiles(connection), policyFile(f.policy))
}

// checkOutputFile returns an error if the file of the results is one that the command uses: a list of addresses would be
// replaced by what was found of them.
func checkOutputFile(output string, stdin io.Reader, used []usedFile) error {
	out, err := os.Stat(output) // fails if there is none yet, and if output is empty
	if err != nil || !out.Mode().IsRegular() {
		return nil
	}
	for _, file := range used {
		var info os.FileInfo
		if stream, ok := stdin.(interface{ Stat() (os.FileInfo, error) }); file.name == "-" && ok {
			info, err = stream.Stat()
		} else {
			info, err = os.Stat(file.name)
		}
		if err == nil && os.SameFile(info, out) {
			return usageError{fmt.Errorf("-o: %s is %s as well, and the result would replace it: name another file", output, file.role)}
		}
	}
	return nil
}
