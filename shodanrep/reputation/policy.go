// Package reputation scores what is known of a host. It is pure: facts and a policy go in, a score, a level and the
// factors that explain them come out. A policy is an HCL file; the two that are built in are in the folder policies.
package reputation

import (
	"embed"
	"fmt"
	"maps"
	"slices"
	"sync"
)

// Level is how bad a score is.
type Level string

// The levels, worst first. Unknown is the level of whatever was not scored, and is not the same as low.
const (
	Critical Level = "critical"
	High     Level = "high"
	Medium   Level = "medium"
	Low      Level = "low"
	Unknown  Level = "unknown"
)

// A Policy says what counts against a host, and from which score on a level begins. It is data: nothing of it is in
// the code that applies it. A policy that was read must not be changed, and can be used side by side.
type Policy struct {
	Name        string
	Description string
	// History says that the policy wants to know what was seen of the host in the past as well.
	History bool
	// Factors are the reasons that the policy knows, in the order in which they are told.
	Factors []*Rule
	// Thresholds are the scores from which on the levels begin, highest first. Below the last the level is Low.
	Thresholds []Threshold
	// Hosting decides the type of hosting: the first rule that fits does.
	Hosting []*HostingRule
	// Confidence says how sure a score is; nil where the policy does not say.
	Confidence *Confidence

	banners bool // the score needs what only a host's banners say
	hosting hostingIndex
}

// A Threshold is the least score of a level.
type Threshold struct {
	Level   Level
	AtLeast int
}

// The policies that are built in.
const (
	BaselineName = "baseline"
	ExtendedName = "extended"
)

//go:embed policies/*.hcl
var policyFiles embed.FS

// builtIn are the policies that are built in, each read when it is first asked for.
var builtIn struct {
	sync.Mutex
	byName map[string]*Policy
}

// Names returns the names of the policies that are built in, the default first.
func Names() []string { return []string{BaselineName, ExtendedName} }

// BuiltIn returns a policy that is built in, or nil where there is none of that name.
func BuiltIn(name string) *Policy {
	if !slices.Contains(Names(), name) {
		return nil
	}
	builtIn.Lock()
	defer builtIn.Unlock()
	if builtIn.byName == nil {
		builtIn.byName = map[string]*Policy{}
	}
	if builtIn.byName[name] == nil {
		builtIn.byName[name] = mustParse(name)
	}
	return builtIn.byName[name]
}

// Baseline returns the default policy. It is exact and does not change: reports of different days can be compared.
func Baseline() *Policy { return BuiltIn(BaselineName) }

// Extended returns the policy that weighs all that is known of a host.
func Extended() *Policy { return BuiltIn(ExtendedName) }

// Text returns the file of a policy that is built in, or "" where there is none of that name.
func Text(name string) string {
	text, err := policyFiles.ReadFile("policies/" + name + ".hcl")
	if err != nil || !slices.Contains(Names(), name) {
		return ""
	}
	return string(text)
}

// mustParse reads a policy that is built in. A mistake in one is found by every test.
func mustParse(name string) *Policy {
	policy, err := (&reader{file: name + ".hcl", builtIn: true}).parse([]byte(Text(name)))
	if err != nil {
		panic(fmt.Sprintf("the policy %s is built in and wrong: %v", name, err))
	}
	return policy
}

// NeedsBanners reports whether a score by the policy needs a host's banners, and not only its summary.
func (p *Policy) NeedsBanners() bool { return p.banners }

// FactorNames returns the names of the policy's factors, in order.
func (p *Policy) FactorNames() []string {
	names := make([]string, len(p.Factors))
	for i, rule := range p.Factors {
		names[i] = rule.Name
	}
	return names
}

// level returns the level of a score.
func (p *Policy) level(score int) Level {
	for _, t := range p.Thresholds {
		if score >= t.AtLeast {
			return t.Level
		}
	}
	return Low
}

// least and most return the scores at which a level begins and ends.
func (p *Policy) least(level Level) int {
	i := slices.IndexFunc(p.Thresholds, func(t Threshold) bool { return t.Level == level })
	if i < 0 {
		return 0
	}
	return p.Thresholds[i].AtLeast
}

func (p *Policy) most(level Level) int {
	above := len(p.Thresholds) - 1
	if i := slices.IndexFunc(p.Thresholds, func(t Threshold) bool { return t.Level == level }); i >= 0 {
		above = i - 1
	}
	return p.Thresholds[above].AtLeast - 1
}

// sortedKeys returns the keys of a map in order.
func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
