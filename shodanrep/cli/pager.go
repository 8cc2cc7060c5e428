package cli

import (
	"bytes"
	"cmp"
	"errors"
	"os"
	"os/exec"
	"strings"

	"golang.org/x/term"
)

// page shows a text in a pager where it is longer than the terminal, as git does: the one of SHODANREP_PAGER or PAGER, or
// less. It reports false where the caller has to write the text.
func (a *app) page(content []byte) (shown bool, err error) {
	_, height, err := term.GetSize(int(descriptorOf(a.stdout)))
	if err != nil || bytes.Count(content, []byte{'\n'}) < height {
		return false, nil
	}
	command := cmp.Or(os.Getenv("SHODANREP_PAGER"), os.Getenv("PAGER"), "less")
	if command == "cat" {
		return false, nil
	}
	name, args, _ := strings.Cut(command, " ")
	path, err := exec.LookPath(name)
	if err != nil {
		return false, nil
	}
	cmd := exec.Command(path, strings.Fields(args)...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(content), os.Stdout, os.Stderr
	cmd.Env = os.Environ()
	if os.Getenv("LESS") == "" {
		cmd.Env = append(cmd.Env, "LESS=FRX") // colours, and no pager for what fits
	}
	var exit *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
		return false, nil
	}
	return true, nil
}
