package policyfile

import (
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/gohcl"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation"
)

// maxSize is the maximum size of a policy file. maxDepth is the maximum depth of nested brackets and operators: HCL's
// parser is recursive, and input that is nested too deep overflows the stack, which ends the program. maxExponent is the
// largest exponent of a number: HCL writes out all digits of a number in the place of a text, which takes minutes for
// 1e100000000. As many numbers may be multiplied as operators may be nested.
const (
	maxSize     = 128 << 10
	maxDepth    = 32
	maxExponent = 99
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
	if !checkTokens(r, text) {
		return
	}
	file, diagnostics := hclsyntax.ParseConfig(text, r.name, hcl.InitialPos)
	r.add(file, diagnostics)
	if !diagnostics.HasErrors() {
		r.add(file, gohcl.DecodeBody(file.Body, nil, into))
	}
}

// checkTokens reports the first position where brackets, unary operators, conditionals or products are nested more than
// maxDepth deep, or a number has an exponent above maxExponent. It returns false if there is one.
func checkTokens(r *report, text []byte) bool {
	tokens, _ := hclsyntax.LexConfig(text, r.name, hcl.InitialPos) // the parser reports lexical errors
	brackets, operators, conditionals, products := 0, 0, 0, 0
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
		case hclsyntax.TokenStar, hclsyntax.TokenSlash:
			products++
		case hclsyntax.TokenNumberLit:
			if _, exponent, _ := strings.Cut(strings.ToLower(string(token.Bytes)), "e"); exponent != "" {
				if n, err := strconv.Atoi(exponent); err != nil || n < -maxExponent || n > maxExponent {
					r.wrong(token.Range, "a number has an exponent from -%[1]d to %[1]d", maxExponent)
					return false
				}
			}
		}
		if max(brackets, operators, conditionals, products) > maxDepth {
			r.wrong(token.Range, "brackets or operators are nested more than %d deep", maxDepth)
			return false
		}
	}
	return true
}
