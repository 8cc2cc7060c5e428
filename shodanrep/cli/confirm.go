package cli

import (
	"bufio"
	"context"
	"fmt"
	"strings"
)

// confirm asks a question on a terminal, to which only yes is yes. Where nobody can be asked it returns true: the flags
// of the command say what it may do.
func (a *app) confirm(ctx context.Context, question string) bool {
	if !isTerminal(a.stdin) || !isTerminal(a.stderr) {
		return true
	}
	fmt.Fprint(a.stderr, question+" [y/N] ")
	line, err := within(ctx, func() (string, error) { return bufio.NewReader(a.stdin).ReadString('\n') })
	if err != nil && line == "" {
		fmt.Fprintln(a.stderr) // the input has ended, or the command was interrupted, on the line of the question
	}
	answer := strings.ToLower(strings.TrimSpace(line))
	return answer == "y" || answer == "yes"
}
