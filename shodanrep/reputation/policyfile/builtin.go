// Package policyfile reads policies, by which package reputation scores hosts, from HCL files. The folder policies has
// the built-in policies, baseline and extended.
package policyfile

import (
	"embed"
	"fmt"
	"slices"
	"sync"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation"
)

// The names of the built-in policies.
const (
	BaselineName = "baseline"
	ExtendedName = "extended"
)

//go:embed policies/*.hcl
var policyFiles embed.FS

// builtIn are the built-in policies. Each is read when it is first used.
var builtIn struct {
	sync.Mutex
	byName map[string]*reputation.Policy
}

// Names returns the names of the built-in policies, the default first.
func Names() []string { return []string{BaselineName, ExtendedName} }

// BuiltIn returns a built-in policy, or nil if there is none of that name.
func BuiltIn(name string) *reputation.Policy {
	if !slices.Contains(Names(), name) {
		return nil
	}
	builtIn.Lock()
	defer builtIn.Unlock()
	if builtIn.byName == nil {
		builtIn.byName = map[string]*reputation.Policy{}
	}
	if builtIn.byName[name] == nil {
		builtIn.byName[name] = mustParse(name)
	}
	return builtIn.byName[name]
}

// Baseline returns the default policy. It does not change, so that scores of different days can be compared.
func Baseline() *reputation.Policy { return BuiltIn(BaselineName) }

// Extended returns the policy that uses all data on a host.
func Extended() *reputation.Policy { return BuiltIn(ExtendedName) }

// Text returns the text of a built-in policy's file, or "" if there is none of that name.
func Text(name string) string {
	text, err := policyFiles.ReadFile("policies/" + name + ".hcl")
	if err != nil || !slices.Contains(Names(), name) {
		return ""
	}
	return string(text)
}

// mustParse reads a built-in policy.
func mustParse(name string) *reputation.Policy {
	policy, err := parse([]byte(Text(name)), name+".hcl", true)
	if err != nil {
		panic(fmt.Sprintf("the built-in policy %s is wrong: %v", name, err))
	}
	return policy
}

// standardHosting returns the rules for the type of hosting that every policy has, after its own.
var standardHosting = sync.OnceValue(func() []*reputation.HostingRule {
	text, err := policyFiles.ReadFile("policies/hosting.hcl")
	if err != nil {
		panic(err)
	}
	r := &report{name: "hosting.hcl"}
	var content struct {
		Hosting []*hostingBlock `hcl:"hosting,block"`
	}
	decode(r, text, &content)
	rules := make([]*reputation.HostingRule, len(content.Hosting))
	for i, block := range content.Hosting {
		rules[i] = block.rule(r)
	}
	if err := r.err(); err != nil {
		panic(fmt.Sprintf("the built-in rules for hosting are wrong: %v", err))
	}
	return rules
})
