//go:build unix

package main

import (
	_ "embed"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// python is a program that writes a file like Shodan's internetdb.sqlite, or looks addresses up in one.
//
//go:embed internetdb.py
var python string

// runPython runs a command of the Python program, and returns what it prints.
func runPython(args ...string) (string, error) {
	path, err := exec.LookPath("python3")
	if err != nil {
		return "", fmt.Errorf("python3 is needed for the file and the bound: %w", err)
	}
	out, err := exec.Command(path, append([]string{"-c", python}, args...)...).Output()
	if failed := new(exec.ExitError); errors.As(err, &failed) {
		err = fmt.Errorf("python3: %s", failed.Stderr)
	}
	return strings.TrimSpace(string(out)), err
}

// internetDBFile writes a file with so many rows, and a list of some of their addresses in random order.
func (b *bench) internetDBFile(rows, listed int) (file, list string, err error) {
	file, list = b.path(".sqlite"), b.path(".csv")
	_, err = runPython("write", file, strconv.Itoa(rows), list, strconv.Itoa(listed))
	return file, list, err
}

// pythonLoop looks up the addresses of a list in a file, one after the other and with nothing else, as a plain program
// would. The result has how long that took, without the start of Python.
func pythonLoop(file, list string) (result, error) {
	text, err := runPython("loop", file, list)
	if err != nil {
		return result{}, err
	}
	took, err := strconv.ParseFloat(text, 64)
	return result{wall: time.Duration(took * float64(time.Second))}, err
}
