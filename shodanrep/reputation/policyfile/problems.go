package policyfile

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/gohcl"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// A Problem is an error in a policy file.
type Problem struct {
	File string
	Line int
	Text string // what is wrong, and what is allowed
}

// String returns the problem as one line of text, with its position in front.
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

// A report collects the problems of a file.
type report struct {
	name     string
	problems Problems
	decoded  map[hcl.Pos]bool // where HCL reported a problem: a check of the same value adds none
}

// wrong adds a problem.
func (r *report) wrong(where hcl.Range, format string, args ...any) {
	if !r.decoded[where.Start] {
		r.problems = append(r.problems, Problem{r.name, max(1, where.Start.Line), fmt.Sprintf(format, args...)})
	}
}

// wrongArgument adds a problem with an argument of a block.
func (r *report) wrongArgument(body hcl.Body, name, format string, args ...any) {
	where := body.MissingItemRange()
	if a := argument(body, name); a != nil {
		where = a.Expr.StartRange()
	}
	r.wrong(where, name+format, args...)
}

// wrongElement adds a problem with an element of a list.
func (r *report) wrongElement(body hcl.Body, name string, i int, format string, args ...any) {
	where := body.MissingItemRange()
	if elements, diagnostics := hcl.ExprList(argument(body, name).Expr); !diagnostics.HasErrors() && i < len(elements) {
		where = elements[i].StartRange()
	}
	r.wrong(where, format, args...)
}

// text returns a text without the space around it, and reports an argument that is empty.
func (r *report) text(body hcl.Body, name, value string) string {
	value = strings.TrimSpace(value)
	if value == "" && argument(body, name) != nil {
		r.wrongArgument(body, name, " must not be empty")
	}
	return value
}

// oneOf reports an argument that is there and has a value that is not allowed.
func (r *report) oneOf(body hcl.Body, name, value string, allowed ...string) {
	if argument(body, name) != nil && !slices.Contains(allowed, value) {
		r.wrongArgument(body, name, ` = %q: use "%s"`, value, strings.Join(allowed, `", "`))
	}
}

// within reports an argument that is there and is not within the limits.
func (r *report) within(body hcl.Body, name string, value, lowest, highest int) {
	if argument(body, name) != nil && (value < lowest || value > highest) {
		r.wrongArgument(body, name, " must be a whole number from %d to %d", lowest, highest)
	}
}

// fraction reports a number that is there and is not from 0 to a limit.
func (r *report) fraction(body hcl.Body, name string, value *float64, highest float64) {
	if value != nil && !(*value >= 0 && *value <= highest) {
		r.wrongArgument(body, name, " must be a number from 0 to %g", highest)
	}
}

// add adds HCL's problems.
func (r *report) add(file *hcl.File, diagnostics hcl.Diagnostics) {
	for _, d := range diagnostics {
		text := d.Summary + ": " + d.Detail
		switch a := file.AttributeAtPos(d.Subject.Start); {
		case d.Summary == "Unsupported argument":
			text = unsupported(file, d, "argument", file.BlocksAtPos(d.Subject.Start))
		case d.Summary == "Unsupported block type":
			around := file.BlocksAtPos(d.Subject.Start)
			text = unsupported(file, d, "block", around[:len(around)-1])
		case a != nil && d.Summary == "Unsuitable value type":
			text = wrongType(a.Name, strings.TrimPrefix(d.Detail, "Unsuitable value: "))
		case a != nil:
			text = a.Name + ": " + d.Detail
		}
		r.wrong(*d.Subject, "%s", text)
		if r.decoded == nil {
			r.decoded = map[hcl.Pos]bool{}
		}
		r.decoded[d.Subject.Start] = true
	}
}

// wrongType turns HCL's text about a value of the wrong type into one that says what the argument must be.
func wrongType(argument, text string) string {
	for _, t := range []struct{ begins, want string }{
		{"a number is", "a number"}, {"number required", "a number"},
		{"value must be a whole number", "a whole number"},
		{"a bool is", "true or false"}, {"bool required", "true or false"},
		{"string", "a text in quotes"},
		{"list of string", `a list, such as ["one", "another"]`},
		{"map of number", "an object, such as { shodan = 0.9, internetdb = 0.7 }"},
	} {
		if strings.HasPrefix(text, t.begins) {
			return argument + " must be " + t.want
		}
	}
	return argument + ": " + text
}

// unsupported says what a block allows in place of an argument or a block that it does not know.
func unsupported(file *hcl.File, d *hcl.Diagnostic, kind string, around []*hcl.Block) string {
	what, content := "the file", any(struct {
		Policies []*policyBlock `hcl:"policy,block"`
	}{})
	if len(around) > 0 {
		block := around[len(around)-1].Type
		what, content = "a "+block, blocks[block]
	}
	schema, _ := gohcl.ImpliedBodySchema(content)
	var arguments, inner []string
	for _, a := range schema.Attributes {
		arguments = append(arguments, a.Name)
	}
	for _, b := range schema.Blocks {
		inner = append(inner, b.Type)
	}
	var allowed []string
	if len(arguments) > 0 {
		allowed = append(allowed, "arguments are "+strings.Join(arguments, ", "))
	}
	if len(inner) > 0 {
		allowed = append(allowed, "blocks are "+strings.Join(inner, ", "))
	}
	return fmt.Sprintf("%s has no %s %s: %s", what, kind, d.Subject.SliceBytes(file.Bytes), strings.Join(allowed, "; "))
}

// blocks has an empty value of each type of block.
var blocks = map[string]any{
	"policy": policyBlock{}, "level": levelBlock{}, "factor": factorBlock{}, "match": matchBlock{}, "over": stepBlock{},
	"hosting": hostingBlock{}, "confidence": confidenceBlock{}, "older_than": ageBlock{},
}

// err returns the problems, or nil if there are none.
func (r *report) err() error {
	if len(r.problems) == 0 {
		return nil
	}
	slices.SortStableFunc(r.problems, func(a, b Problem) int { return cmp.Compare(a.Line, b.Line) })
	return r.problems
}

// number reads the label of a block that is a whole number.
func number(label string) (int, bool) {
	n, err := strconv.Atoi(label)
	return n, err == nil && n >= 0 && n <= 1_000_000
}

// argument returns an argument of a block, or nil if it is not there.
func argument(body hcl.Body, name string) *hclsyntax.Attribute {
	return body.(*hclsyntax.Body).Attributes[name]
}
