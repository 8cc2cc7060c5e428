package stdio

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"

	"golang.org/x/term"
)

// page shows a text that is longer than the terminal in a pager, as git does: the one that SHODANREP_PAGER or PAGER
// names, or less. It reports false if it did not, and the caller has to write the text.
func page(terminal io.Writer, content []byte) (shown bool, err error) {
	_, height, err := term.GetSize(int(Fd(terminal)))
	if err != nil || isDumb() || bytes.Count(content, []byte{'\n'}) < height {
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
		cmd.Env = append(cmd.Env, "LESS=FRX") // colours, and exit at once if the text fits
	}
	// An interrupt is for the pager, which shares the terminal: this process waits until the pager ends.
	interrupts := make(chan os.Signal, 1)
	signal.Notify(interrupts, os.Interrupt)
	defer signal.Stop(interrupts)
	var exit *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
		return false, nil
	}
	return true, nil
}

// PageOutput shows what write writes in a pager if it is longer than the terminal, and else writes it to the terminal.
func PageOutput(terminal io.Writer, write func(io.Writer) error) error {
	var b bytes.Buffer
	if err := write(&b); err != nil {
		return err
	}
	if shown, err := page(terminal, b.Bytes()); shown {
		return err
	}
	_, err := b.WriteTo(terminal)
	return err
}
