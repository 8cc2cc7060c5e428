// Package policyfile reads policies, which say how hosts are scored, from HCL files. Two policies are built in: baseline and
// extended, in the folder policies.
package policyfile

import (
	"embed"
	"fmt"
	"slices"
	"sync"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation"
)

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
	byName map[string]*reputation.Policy
}

// Names returns the names of the policies that are built in, the default first.
func Names() []string { return []string{BaselineName, ExtendedName} }

// BuiltIn returns a policy that is built in, or nil where there is none of that name.
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

// Baseline returns the default policy. It is exact and does not change: reports of different days can be compared.
func Baseline() *reputation.Policy { return BuiltIn(BaselineName) }

// Extended returns the policy that weighs all that is known of a host.
func Extended() *reputation.Policy { return BuiltIn(ExtendedName) }

// Text returns the file of a policy that is built in, or "" where there is none of that name.
func Text(name string) string {
	text, err := policyFiles.ReadFile("policies/" + name + ".hcl")
	if err != nil || !slices.Contains(Names(), name) {
		return ""
	}
	return string(text)
}

// mustParse reads a policy that is built in. A mistake in one is found by every test.
func mustParse(name string) *reputation.Policy {
	policy, err := parse([]byte(Text(name)), name+".hcl", true)
	if err != nil {
		panic(fmt.Sprintf("the policy %s is built in and wrong: %v", name, err))
	}
	return policy
}

// standardHosting returns the rules for the type of hosting that every policy has after its own.
var standardHosting = sync.OnceValue(func() []*reputation.HostingRule {
	text, err := policyFiles.ReadFile("policies/hosting.hcl")
	if err != nil {
		panic(err)
	}
	r := &report{name: "hosting.hcl"}
	var content struct {
		Hosting []*hostingBlock `hcl:"hosting,block"`
	}
	r.decode(text, &content)
	rules := make([]*reputation.HostingRule, len(content.Hosting))
	for i, block := range content.Hosting {
		rules[i] = block.rule(r)
	}
	if err := r.err(); err != nil {
		panic(fmt.Sprintf("the rules for hosting are built in and wrong: %v", err))
	}
	return rules
})
