package cli

import (
	"fmt"
	"io"
	"os"
)

// checkOutputFile returns an error if the file of the results is an input as well: a list of addresses would be replaced
// by what was found of them.
func checkOutputFile(output string, stdin io.Reader, inputs []string) error {
	out, err := os.Stat(output) // fails if there is none yet, and if output is empty
	if err != nil || !out.Mode().IsRegular() {
		return nil
	}
	if len(inputs) == 0 {
		inputs = []string{"-"}
	}
	for _, name := range inputs {
		var in os.FileInfo
		if file, ok := stdin.(interface{ Stat() (os.FileInfo, error) }); name == "-" && ok {
			in, err = file.Stat()
		} else {
			in, err = os.Stat(name)
		}
		if err == nil && os.SameFile(in, out) {
			return usageError{fmt.Errorf("-o: %s is an input as well, and the result would replace it: name another file", output)}
		}
	}
	return nil
}
