package policyfile

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/gohcl"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation"
)

// maxSize is the maximum size of a policy file. maxDepth is the maximum depth of nested brackets and operators: HCL's
// parser is recursive, and input that is nested too deep overflows the stack, which ends the program.
const (
	maxSize  = 128 << 10
	maxDepth = 32
)

// Parse reads a policy from the text of an HCL file. The file name is used in errors, which are Problems.
func Parse(text []byte, file string) (*reputation.Policy, error) { return parse(text, file, false) }

// parse reads a policy. Only built-in policies may have the name of one.
func parse(text []byte, file string, builtIn bool) (*reputation.Policy, error) {
	r := &report{name: file}
	var content struct {
		Policies []*policyBlock `hcl:"policy,block"`
	}
	decode(r, text, &content)
	var policy *reputation.Policy
	switch {
	case len(content.Policies) > 1:
		r.wrong(content.Policies[1].Body.MissingItemRange(), "there is a second policy: write one policy per file")
	case len(content.Policies) == 1:
		policy = content.Policies[0].policy(r, builtIn)
	case len(r.problems) == 0:
		r.wrong(hcl.Range{}, `there is no policy: write one as policy "name" { … }`)
	}
	if err := r.err(); err != nil {
		return nil, err
	}
	if err := policy.Compile(); err != nil {
		r.wrong(hcl.Range{}, "%v", err)
		return nil, r.err()
	}
	return policy, nil
}

// decode parses the text and decodes it into a struct with hcl tags.
func decode(r *report, text []byte, into any) {
	if len(text) > maxSize {
		r.wrong(hcl.Range{}, "the file has %d bytes: a policy has at most %d", len(text), maxSize)
		return
	}
	if where, deep := tooDeep(text, r.name); deep {
		r.wrong(where, "brackets or operators are nested more than %d deep", maxDepth)
		return
	}
	file, diagnostics := hclsyntax.ParseConfig(text, r.name, hcl.InitialPos)
	r.add(file, diagnostics)
	if !diagnostics.HasErrors() {
		r.add(file, gohcl.DecodeBody(file.Body, nil, into))
	}
}

// tooDeep returns the first position where brackets, unary operators or conditionals are nested more than maxDepth deep.
func tooDeep(text []byte, file string) (hcl.Range, bool) {
	tokens, _ := hclsyntax.LexConfig(text, file, hcl.InitialPos) // the parser reports lexical errors
	brackets, operators, conditionals := 0, 0, 0
	for _, token := range tokens {
		switch token.Type {
		case hclsyntax.TokenMinus, hclsyntax.TokenBang:
			operators++
		default:
			operators = 0
		}
		switch token.Type {
		case hclsyntax.TokenOBrace, hclsyntax.TokenOBrack, hclsyntax.TokenOParen, hclsyntax.TokenOQuote,
			hclsyntax.TokenOHeredoc, hclsyntax.TokenTemplateInterp, hclsyntax.TokenTemplateControl:
			brackets++
		case hclsyntax.TokenCBrace, hclsyntax.TokenCBrack, hclsyntax.TokenCParen, hclsyntax.TokenCQuote,
			hclsyntax.TokenCHeredoc, hclsyntax.TokenTemplateSeqEnd:
			brackets--
		case hclsyntax.TokenQuestion:
			conditionals++
		}
		if brackets > maxDepth || operators > maxDepth || conditionals > maxDepth {
			return token.Range, true
		}
	}
	return hcl.Range{}, false
}
