package config_test

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

// A mod is what Powerpipe reads of the folder, with values for its variables.
type mod struct {
	blocks    []*hclsyntax.Block // of all files but variables and locals
	variables map[string]cty.Value
	context   *hcl.EvalContext
}

// A query is SQL with the values of its parameters.
type query struct {
	name   string
	sql    string
	params []any
}

// loadMod reads the mod, with the defaults of its variables or other values.
func loadMod(t *testing.T, values map[string]cty.Value) *mod {
	t.Helper()
	m := &mod{variables: map[string]cty.Value{}}
	m.context = &hcl.EvalContext{Variables: map[string]cty.Value{}, Functions: modFunctions()}
	var variables []*hclsyntax.Block
	locals := hclsyntax.Attributes{}
	for _, block := range blocks(t) {
		switch block.Type {
		case "variable":
			variables = append(variables, block)
		case "locals":
			for name, attribute := range block.Body.Attributes {
				if locals[name] != nil {
					t.Errorf("there are two locals %s", name)
				}
				locals[name] = attribute
				// Powerpipe evaluates a block of locals as a whole.
				for _, traversal := range attribute.Expr.Variables() {
					if used, ok := traversal[min(1, len(traversal)-1)].(hcl.TraverseAttr); ok && traversal.RootName() == "local" && block.Body.Attributes[used.Name] != nil {
						t.Errorf("%s and %s, which it uses, are in the same block of locals", name, used.Name)
					}
				}
			}
		default:
			m.blocks = append(m.blocks, block)
		}
	}
	for _, block := range variables {
		m.variables[block.Labels[0]] = m.variable(t, block, values)
	}
	for name := range values {
		if _, ok := m.variables[name]; !ok {
			t.Errorf("there is no variable %s", name)
		}
	}
	m.context.Variables["var"] = cty.ObjectVal(m.variables)
	m.evaluate(t, locals)
	return m
}

// blocks returns the blocks of all files of the mod.
func blocks(t *testing.T) hclsyntax.Blocks {
	t.Helper()
	var found hclsyntax.Blocks
	err := filepath.WalkDir("powerpipe", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".pp" {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		file, diagnostics := hclsyntax.ParseConfig(text, path, hcl.InitialPos)
		if diagnostics.HasErrors() {
			return diagnostics
		}
		body := file.Body.(*hclsyntax.Body)
		if len(body.Attributes) > 0 {
			t.Errorf("%s has attributes outside a block", path)
		}
		found = append(found, body.Blocks...)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// variable returns the value of a variable, which has to be of its type.
func (m *mod) variable(t *testing.T, block *hclsyntax.Block, values map[string]cty.Value) cty.Value {
	t.Helper()
	name, attributes := block.Labels[0], block.Body.Attributes
	if attributes["type"] == nil || attributes["default"] == nil || !strings.HasSuffix(m.text(t, attributes["description"]), ".") {
		t.Fatalf("variable %s needs a type, a default and a description", name)
	}
	typ, diagnostics := typeexpr.TypeConstraint(attributes["type"].Expr)
	if diagnostics.HasErrors() {
		t.Fatal(diagnostics)
	}
	value, ok := values[name]
	if !ok {
		value = m.value(t, attributes["default"].Expr)
	}
	value, err := convert.Convert(value, typ)
	if err != nil {
		t.Fatalf("variable %s: %v", name, err)
	}
	return value
}

// evaluate gives the locals their values, each when those that it needs have theirs.
func (m *mod) evaluate(t *testing.T, locals hclsyntax.Attributes) {
	t.Helper()
	known := map[string]cty.Value{}
	for len(known) < len(locals) {
		before := len(known)
		for name, attribute := range locals {
			if _, done := known[name]; !done && m.ready(attribute.Expr, known) {
				m.context.Variables["local"] = cty.ObjectVal(known)
				known[name] = m.value(t, attribute.Expr)
			}
		}
		if len(known) == before {
			t.Fatalf("locals need one another, or what there is not; known are only %q", slices.Sorted(maps.Keys(known)))
		}
	}
	m.context.Variables["local"] = cty.ObjectVal(known)
}

func (m *mod) ready(expr hclsyntax.Expression, known map[string]cty.Value) bool {
	for _, traversal := range expr.Variables() {
		if traversal.RootName() == "local" {
			if _, ok := known[traversal[1].(hcl.TraverseAttr).Name]; !ok {
				return false
			}
		}
	}
	return true
}

func (m *mod) value(t *testing.T, expr hclsyntax.Expression) cty.Value {
	t.Helper()
	value, diagnostics := expr.Value(m.context)
	if diagnostics.HasErrors() {
		t.Fatal(diagnostics)
	}
	return value
}

// text returns the text of an attribute, empty where there is none.
func (m *mod) text(t *testing.T, attribute *hclsyntax.Attribute) string {
	t.Helper()
	if attribute == nil {
		return ""
	}
	return m.value(t, attribute.Expr).AsString()
}

// of returns the blocks of a type by name.
func (m *mod) of(kind string) map[string]*hclsyntax.Block {
	found := map[string]*hclsyntax.Block{}
	for _, block := range m.blocks {
		if block.Type == kind {
			found[block.Labels[0]] = block
		}
	}
	return found
}

// control returns the query of a control.
func (m *mod) control(t *testing.T, name string) query {
	t.Helper()
	block := m.of("control")[name]
	if block == nil {
		t.Fatalf("there is no control %s", name)
	}
	q := query{name: name, sql: m.text(t, block.Body.Attributes["sql"])}
	for _, param := range block.Body.Blocks {
		if param.Type == "param" {
			q.params = append(q.params, parameter(m.value(t, param.Body.Attributes["default"].Expr)))
		}
	}
	return q
}

// parameter returns a value as Powerpipe gives it to PostgreSQL's driver.
func parameter(v cty.Value) any {
	switch {
	case v.Type() == cty.String:
		return v.AsString()
	case v.Type() == cty.Bool:
		return v.True()
	case v.Type() == cty.Number:
		f, _ := v.AsBigFloat().Float64()
		return f
	case v.Type() == cty.List(cty.Number):
		numbers := []float64{}
		for _, n := range v.AsValueSlice() {
			numbers = append(numbers, parameter(n).(float64))
		}
		return numbers
	}
	texts := []string{}
	for _, s := range v.AsValueSlice() {
		texts = append(texts, s.AsString())
	}
	return texts
}

// modFunctions returns those of Powerpipe's functions that the mod uses.
func modFunctions() map[string]function.Function {
	return map[string]function.Function{
		"join": stdlib.JoinFunc, "merge": stdlib.MergeFunc, "replace": stdlib.ReplaceFunc,
		"file": function.New(&function.Spec{
			Params: []function.Parameter{{Name: "path", Type: cty.String}}, Type: function.StaticReturnType(cty.String),
			Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
				text, err := os.ReadFile(filepath.Join("powerpipe", args[0].AsString()))
				return cty.StringVal(string(text)), err
			},
		}),
	}
}
