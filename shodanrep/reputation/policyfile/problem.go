package policyfile

import "fmt"

// A Problem is an error in a policy file.
type Problem struct {
	File string
	Line int
	Text string // what is wrong, and what is allowed
}

func (p Problem) String() string { return fmt.Sprintf("%s:%d: %s", p.File, p.Line, p.Text) }

// Problems are all errors in a policy file, in the order of the lines.
type Problems []Problem

// Error implements error. It returns the first problem, and the number of the others.
func (p Problems) Error() string {
	if len(p) == 1 {
		return p[0].String()
	}
	return fmt.Sprintf("%s (and %d more)", p[0], len(p)-1)
}
