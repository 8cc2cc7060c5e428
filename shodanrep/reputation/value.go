package reputation

import (
	"math"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// maxPoints bounds points, so that no sum of them can be wrong.
const maxPoints = 1000

// constant returns the value of an expression, which must have one without anything from outside, and of a type.
func (r *reader) constant(e hclsyntax.Expression, what string, kind cty.Type) (cty.Value, bool) {
	value, diagnostics := e.Value(nil)
	if !diagnostics.HasErrors() && !value.IsNull() && value.IsWhollyKnown() {
		// A number in quotes is a number, but no other type is made of another.
		if value.Type() == kind {
			return value, true
		}
		if kind == cty.Number || kind == cty.String && value.Type() == cty.Number {
			if converted, err := convert.Convert(value, kind); err == nil && value.Type() != cty.Bool {
				return converted, true
			}
		}
	}
	r.wrong(e.Range(), "%s must be %s", what, map[cty.Type]string{cty.String: "a text in quotes", cty.Number: "a number", cty.Bool: "true or false"}[kind])
	return cty.NilVal, false
}

// text takes an argument that is a text; "" where it is not there.
func (r *reader) text(a *hclsyntax.Attribute) string {
	if a == nil {
		return ""
	}
	value, ok := r.constant(a.Expr, a.Name, cty.String)
	if !ok {
		return ""
	}
	text := strings.TrimSpace(value.AsString())
	if text == "" {
		r.wrong(a.Expr.Range(), "%s must not be empty", a.Name)
	}
	return text
}

// boolean takes an argument that is true or false; false where it is not there.
func (r *reader) boolean(a *hclsyntax.Attribute) bool {
	if a == nil {
		return false
	}
	value, ok := r.constant(a.Expr, a.Name, cty.Bool)
	return ok && value.True()
}

// whole takes a whole number.
func (r *reader) whole(e hclsyntax.Expression, what string, least, most int) int {
	value, ok := r.constant(e, what, cty.Number)
	if !ok {
		return 0
	}
	n, _ := value.AsBigFloat().Float64()
	if n != math.Trunc(n) || n < float64(least) || n > float64(most) {
		r.wrong(e.Range(), "%s must be a whole number from %d to %d", what, least, most)
		return 0
	}
	return int(n)
}

// count takes an argument that is a whole number; 0 where it is not there.
func (r *reader) count(a *hclsyntax.Attribute, least, most int) int {
	if a == nil {
		return 0
	}
	return r.whole(a.Expr, a.Name, least, most)
}

// decimal takes a number within bounds.
func (r *reader) decimal(e hclsyntax.Expression, what string, most float64) float64 {
	value, ok := r.constant(e, what, cty.Number)
	if !ok {
		return 0
	}
	n, _ := value.AsBigFloat().Float64()
	if !(n >= 0 && n <= most) {
		r.wrong(e.Range(), "%s must be a number from 0 to %g", what, most)
	}
	return n
}

// texts takes an argument that is a list of texts.
func (r *reader) texts(a *hclsyntax.Attribute) (list []string, ranges []hcl.Range) {
	if a == nil {
		return nil, nil
	}
	tuple, ok := a.Expr.(*hclsyntax.TupleConsExpr)
	if !ok {
		r.wrong(a.Expr.Range(), `%s must be a list, such as ["one", "another"]`, a.Name)
		return nil, nil
	}
	for _, e := range tuple.Exprs {
		if value, ok := r.constant(e, "each of "+a.Name, cty.String); ok {
			list, ranges = append(list, value.AsString()), append(ranges, e.Range())
		}
	}
	return list, ranges
}

// values takes the values of a match: a list of values, or an object that says of each why it counts, how many points
// it gives, or both.
func (r *reader) values(a *hclsyntax.Attribute, of *fact) []*Value {
	var values []*Value
	seen := map[string]bool{}
	add := func(e hclsyntax.Expression) *Value {
		value, ok := r.constant(e, "a value", cty.String)
		if !ok {
			return &Value{}
		}
		v := &Value{Text: value.AsString()}
		switch pattern := strings.Trim(v.Text, "*"); {
		case v.Text != pattern && of.ports == nil && of.evidence == nil:
			if pattern == "" || strings.Contains(pattern, "*") {
				r.wrong(e.Range(), "%q: a * stands at the beginning or the end of a text, for anything", v.Text)
			}
		case !of.check(v.Text):
			r.wrong(e.Range(), "%q is nothing that %s can be: use %s", v.Text, of.name, of.allowed)
		}
		if seen[v.Text] {
			r.wrong(e.Range(), "%q is there twice", v.Text)
		}
		seen[v.Text] = true
		values = append(values, v)
		return v
	}
	switch expr := a.Expr.(type) {
	case *hclsyntax.TupleConsExpr:
		for _, e := range expr.Exprs {
			add(e)
		}
	case *hclsyntax.ObjectConsExpr:
		for _, item := range expr.Items {
			r.meaning(add(item.KeyExpr), item.ValueExpr)
		}
	default:
		r.wrong(a.Expr.Range(), "values must be a list, such as [\"tor\"], or an object, such as { tor = 20 } or { \"23\" = \"Telnet\" }")
	}
	return values
}

// meaning takes what an object says of a value: a reason, points, or an object of both.
func (r *reader) meaning(v *Value, e hclsyntax.Expression) {
	if object, ok := e.(*hclsyntax.ObjectConsExpr); ok {
		for _, item := range object.Items {
			key, ok := r.constant(item.KeyExpr, "a name", cty.String)
			switch {
			case !ok:
			case key.AsString() == "points":
				v.Points = new(r.whole(item.ValueExpr, "points", -maxPoints, maxPoints))
			case key.AsString() == "reason":
				if reason, ok := r.constant(item.ValueExpr, "reason", cty.String); ok {
					v.Reason = reason.AsString()
				}
			default:
				r.wrong(item.KeyExpr.Range(), "a value has points and a reason, and no %s", key.AsString())
			}
		}
		return
	}
	value, diagnostics := e.Value(nil)
	if !diagnostics.HasErrors() && value.IsWhollyKnown() && !value.IsNull() && value.Type() == cty.String {
		v.Reason = value.AsString()
		return
	}
	v.Points = new(r.whole(e, "what is said of a value, unless it is a reason in quotes,", -maxPoints, maxPoints))
}
