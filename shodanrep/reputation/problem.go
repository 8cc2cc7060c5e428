package reputation

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// A Problem is something that is wrong with a policy's file, and where.
type Problem struct {
	File string
	Line int
	Text string // what is wrong, and what is allowed
}

func (p Problem) String() string { return fmt.Sprintf("%s:%d: %s", p.File, p.Line, p.Text) }

// Problems are all that is wrong with a policy's file, in the order of its lines.
type Problems []Problem

// Error implements error: the first problem, and how many there are besides.
func (p Problems) Error() string {
	if len(p) == 1 {
		return p[0].String()
	}
	return fmt.Sprintf("%s (and %d more)", p[0], len(p)-1)
}

// wrong notes a problem.
func (r *reader) wrong(where hcl.Range, format string, args ...any) {
	r.problems = append(r.problems, Problem{r.file, max(1, where.Start.Line), fmt.Sprintf(format, args...)})
}

// err returns what is wrong, or nil.
func (r *reader) err() error {
	if len(r.problems) == 0 {
		return nil
	}
	slices.SortStableFunc(r.problems, func(a, b Problem) int { return cmp.Compare(a.Line, b.Line) })
	return r.problems
}

// arguments checks the names of a body's arguments and blocks, and returns the arguments by name.
func (r *reader) arguments(what string, body *hclsyntax.Body, arguments, blocks []string) map[string]*hclsyntax.Attribute {
	for name, attribute := range body.Attributes {
		if !slices.Contains(arguments, name) {
			r.wrong(attribute.NameRange, "%s has no argument %s: %s", what, name, allowedArguments(arguments, blocks))
		}
	}
	for _, block := range body.Blocks {
		if !slices.Contains(blocks, block.Type) {
			r.wrong(block.TypeRange, "%s has no block %s: %s", what, block.Type, allowedArguments(arguments, blocks))
		}
	}
	return body.Attributes
}

func allowedArguments(arguments, blocks []string) string {
	var parts []string
	if len(arguments) > 0 {
		parts = append(parts, "arguments are "+strings.Join(arguments, ", "))
	}
	if len(blocks) > 0 {
		parts = append(parts, "blocks are "+strings.Join(blocks, ", "))
	}
	return strings.Join(parts, "; ")
}

// label returns a block's only label, and notes a problem where it is not one of those allowed; any will do where none
// is given.
func (r *reader) label(block *hclsyntax.Block, what string, allowed ...string) string {
	if len(block.Labels) != 1 {
		r.wrong(block.DefRange(), "%s needs one name in quotes, such as %s %q", block.Type, block.Type, what)
		return ""
	}
	label := block.Labels[0]
	if len(allowed) > 0 && !slices.Contains(allowed, label) {
		r.wrong(block.LabelRanges[0], `%s %q: use "%s"`, block.Type, label, strings.Join(allowed, `", "`))
	}
	return label
}

// number returns a block's only label, which has to be a whole number.
func (r *reader) number(block *hclsyntax.Block, what, example string) int {
	n, err := strconv.Atoi(r.label(block, "10"))
	if len(block.Labels) == 1 && (err != nil || n < 0 || n > 1_000_000) {
		r.wrong(block.LabelRanges[0], "%s %q: use a whole %s, such as %s", block.Type, block.Labels[0], what, example)
		return 0
	}
	return n
}
