package reputation_test

import (
	"fmt"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation/policyfile"
)

func ExamplePolicy_Score() {
	result := policyfile.Extended().Score(reputation.Host{Ports: []int{22, 6379}, Tags: []string{"cloud"}})
	fmt.Println(result.Score, result.Level)
	for _, factor := range result.Factors {
		fmt.Printf("%+d %s: %s\n", factor.Points, factor.Factor, factor.Detail)
	}
	// Output:
	// 25 medium
	// +20 exposed_databases: a database faces the internet: 6379 (Redis, which asks for no password by itself)
	// +5 hosting_type: the type of hosting: cloud (tag cloud)
}

// A policy can also be built in Go.
func ExamplePolicy_Compile() {
	policy := &reputation.Policy{
		Name:       "ports",
		Thresholds: []reputation.Threshold{{Level: reputation.High, AtLeast: 10}},
		Factors: []*reputation.Rule{{
			Name: "many_ports", Count: "ports", Steps: []reputation.Step{{Over: 2, Points: 10}}, Detail: "{count} open ports, more than {over}",
		}},
	}
	if err := policy.Compile(); err != nil {
		fmt.Println(err)
		return
	}
	result := policy.Score(reputation.Host{Ports: []int{22, 80, 443}})
	fmt.Println(result.Score, result.Level, result.Factors[0].Detail)
	// Output:
	// 10 high 3 open ports, more than 2
}
