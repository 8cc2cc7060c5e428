package reputation

import (
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// maxFile is how large a policy's file may be, and maxDepth how deep its brackets and operators may be nested: HCL's parser
// calls itself for each, and would end the program where that is too deep.
const (
	maxFile  = 128 << 10
	maxDepth = 32
)

// nameForm is what policies and factors may be called.
var nameForm = regexp.MustCompile(`^[a-z][a-z0-9_-]*$`)

const nameAllowed = "lower-case letters, digits, - and _, beginning with a letter"

// A reader reads a policy's file, and notes all that is wrong with it.
type reader struct {
	file     string
	builtIn  bool // the file may have a name that a user's may not
	problems Problems
}

// Parse reads a policy. The name of its file is for errors, which are Problems.
func Parse(text []byte, file string) (*Policy, error) {
	return (&reader{file: file}).parse(text)
}

func (r *reader) parse(text []byte) (*Policy, error) {
	body := r.body(text)
	if body == nil {
		return nil, r.err()
	}
	r.arguments("the file", body, nil, []string{"policy"})
	var policy *Policy
	for _, block := range body.Blocks {
		switch {
		case block.Type != "policy":
		case policy != nil:
			r.wrong(block.DefRange(), "there is a second policy: use a file for each")
		default:
			policy = r.policy(block)
		}
	}
	if policy == nil {
		r.wrong(body.SrcRange, `there is no policy: write one as policy "name" { … }`)
	}
	if err := r.err(); err != nil {
		return nil, err
	}
	policy.settle()
	return policy, nil
}

// body reads the syntax of a file, and returns nil where that is wrong.
func (r *reader) body(text []byte) *hclsyntax.Body {
	if len(text) > maxFile {
		r.wrong(hcl.Range{}, "the file has %d bytes: a policy has at most %d", len(text), maxFile)
		return nil
	}
	if where, deep := tooDeep(text, r.file); deep {
		r.wrong(where, "brackets or operators are nested more than %d deep", maxDepth)
		return nil
	}
	parsed, diagnostics := hclsyntax.ParseConfig(text, r.file, hcl.InitialPos)
	for _, d := range diagnostics {
		if d.Severity == hcl.DiagError {
			r.wrong(*d.Subject, "%s: %s", strings.TrimSuffix(d.Summary, "."), d.Detail)
		}
	}
	if len(r.problems) > 0 {
		return nil
	}
	return parsed.Body.(*hclsyntax.Body)
}

// tooDeep finds the place where brackets, operators before a value, or choices are nested too deep.
func tooDeep(text []byte, file string) (hcl.Range, bool) {
	tokens, _ := hclsyntax.LexConfig(text, file, hcl.InitialPos) // what is wrong the parser says
	brackets, operators, choices := 0, 0, 0
	for _, token := range tokens {
		switch token.Type {
		case hclsyntax.TokenMinus, hclsyntax.TokenBang:
			operators++
		default:
			operators = 0
		}
		switch token.Type {
		case hclsyntax.TokenOBrace, hclsyntax.TokenOBrack, hclsyntax.TokenOParen, hclsyntax.TokenOQuote, hclsyntax.TokenOHeredoc,
			hclsyntax.TokenTemplateInterp, hclsyntax.TokenTemplateControl:
			brackets++
		case hclsyntax.TokenCBrace, hclsyntax.TokenCBrack, hclsyntax.TokenCParen, hclsyntax.TokenCQuote, hclsyntax.TokenCHeredoc, hclsyntax.TokenTemplateSeqEnd:
			brackets--
		case hclsyntax.TokenQuestion:
			choices++
		}
		if brackets > maxDepth || operators > maxDepth || choices > maxDepth {
			return token.Range, true
		}
	}
	return hcl.Range{}, false
}

// policy reads the block of a policy.
func (r *reader) policy(block *hclsyntax.Block) *Policy {
	p := &Policy{Name: r.label(block, "ours")}
	switch {
	case len(block.Labels) != 1:
	case !nameForm.MatchString(p.Name):
		r.wrong(block.DefRange(), "policy %q: use %s", p.Name, nameAllowed)
	case slices.Contains(Names(), p.Name) && !r.builtIn:
		r.wrong(block.DefRange(), `policy %q is built in: call this one something else, and begin with base = %q to change some of it`, p.Name, p.Name)
	}
	arguments := r.arguments("a policy", block.Body, []string{"description", "base", "without", "history"}, []string{"level", "factor", "hosting", "confidence"})
	p.Description = r.text(arguments["description"])
	p.History = r.boolean(arguments["history"])
	base := r.base(arguments["base"])
	levels := map[Level]hclsyntax.Expression{}
	names := map[string]bool{}
	for _, inner := range block.Body.Blocks {
		switch inner.Type {
		case "level":
			r.level(p, inner, levels)
		case "factor":
			rule := r.factor(inner)
			if names[rule.Name] {
				r.wrong(inner.DefRange(), "there is a factor %q already", rule.Name)
			}
			names[rule.Name] = true
			p.Factors = append(p.Factors, rule)
		case "hosting":
			p.Hosting = append(p.Hosting, r.hosting(inner))
		case "confidence":
			if p.Confidence != nil {
				r.wrong(inner.DefRange(), "there is a confidence already")
			}
			p.Confidence = r.confidence(inner)
		}
	}
	if base != nil {
		r.inherit(p, base, arguments)
	} else {
		r.without(nil, arguments["without"])
		p.Hosting = append(p.Hosting, standardHosting()...)
	}
	r.levels(p, block)
	return p
}

// base finds the policy that another begins with, or nil.
func (r *reader) base(a *hclsyntax.Attribute) *Policy {
	if a == nil {
		return nil
	}
	name := r.text(a)
	if !slices.Contains(Names(), name) {
		r.wrong(a.Expr.Range(), `base = %q: use "%s"`, name, strings.Join(Names(), `", "`))
		return nil
	}
	return BuiltIn(name)
}

// inherit completes a policy with what its base has and it has not: factors by name, in the base's order, then its own.
func (r *reader) inherit(p, base *Policy, arguments map[string]*hclsyntax.Attribute) {
	without := r.without(base, arguments["without"])
	own := p.Factors
	p.Factors = nil
	for _, rule := range base.Factors {
		i := slices.IndexFunc(own, func(o *Rule) bool { return o.Name == rule.Name })
		switch {
		case i >= 0:
			p.Factors = append(p.Factors, own[i])
			own = slices.Delete(own, i, i+1)
		case !slices.Contains(without, rule.Name):
			p.Factors = append(p.Factors, rule)
		}
	}
	p.Factors = append(p.Factors, own...)
	p.Hosting = append(p.Hosting, base.Hosting...)
	for _, t := range base.Thresholds {
		if !slices.ContainsFunc(p.Thresholds, func(o Threshold) bool { return o.Level == t.Level }) {
			p.Thresholds = append(p.Thresholds, t)
		}
	}
	if p.Confidence == nil {
		p.Confidence = base.Confidence
	}
	if arguments["history"] == nil {
		p.History = base.History
	}
}

// without takes the names of the factors of the base that a policy does not want.
func (r *reader) without(base *Policy, a *hclsyntax.Attribute) []string {
	names, ranges := r.texts(a)
	if base == nil {
		if a != nil {
			r.wrong(a.NameRange, "without needs a base, of which it leaves factors out")
		}
		return nil
	}
	for i, name := range names {
		if !slices.Contains(base.FactorNames(), name) {
			r.wrong(ranges[i], "the base has no factor %q: it has %s", name, strings.Join(base.FactorNames(), ", "))
		}
	}
	return names
}

// levelNames are the levels that a score can reach.
var levelNames = []string{string(Critical), string(High), string(Medium)}

// level reads from which score on a level begins.
func (r *reader) level(p *Policy, block *hclsyntax.Block, seen map[Level]hclsyntax.Expression) {
	level := Level(r.label(block, string(Critical), levelNames...))
	a := r.arguments("a level", block.Body, []string{"at_least"}, nil)["at_least"]
	if a == nil {
		r.wrong(block.DefRange(), "a level needs at_least, the score from which on it begins")
		return
	}
	if seen[level] != nil {
		r.wrong(block.DefRange(), "there is a level %q already", level)
		return
	}
	seen[level] = a.Expr
	p.Thresholds = append(p.Thresholds, Threshold{level, r.count(a, 1, 100*maxPoints)})
}

// levels puts the levels in order, and checks that a worse one begins at a higher score.
func (r *reader) levels(p *Policy, block *hclsyntax.Block) {
	slices.SortStableFunc(p.Thresholds, func(a, b Threshold) int {
		return slices.Index(levelNames, string(a.Level)) - slices.Index(levelNames, string(b.Level))
	})
	if len(r.problems) > 0 {
		return
	}
	if len(p.Thresholds) < len(levelNames) {
		r.wrong(block.DefRange(), `a policy needs the levels "%s", each as level "…" { at_least = … }`, strings.Join(levelNames, `", "`))
		return
	}
	for i := range len(p.Thresholds) - 1 {
		if worse, next := p.Thresholds[i], p.Thresholds[i+1]; worse.AtLeast <= next.AtLeast {
			r.wrong(block.DefRange(), "the level %s begins at %d, and %s, which is less bad, at %d: a worse level must begin at a higher score", worse.Level, worse.AtLeast, next.Level, next.AtLeast)
		}
	}
}

// standardHosting are the rules for the type of hosting that every policy has after its own.
var standardHosting = sync.OnceValue(func() []*HostingRule {
	text, err := policyFiles.ReadFile("policies/hosting.hcl")
	r := &reader{file: "hosting.hcl"}
	var rules []*HostingRule
	if body := r.body(text); err == nil && body != nil {
		for _, block := range body.Blocks {
			rules = append(rules, r.hosting(block))
		}
	}
	if len(r.problems) > 0 || err != nil {
		panic(r.problems)
	}
	return rules
})

// settle prepares a policy that was read for use.
func (p *Policy) settle() {
	p.hosting = indexHosting(p.Hosting)
	for _, rule := range p.Factors {
		p.banners = p.banners || rule.needsBanners(p)
	}
}
