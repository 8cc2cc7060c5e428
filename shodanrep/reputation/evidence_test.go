package reputation_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation"
)

// values returns the values of a match, without points of their own. A value and its reason follow each other.
func values(texts ...string) (list []*reputation.Value) {
	for pair := range slices.Chunk(texts, 2) {
		list = append(list, &reputation.Value{Text: pair[0], Reason: pair[1]})
	}
	return list
}

// TestTheSentenceAndTheEvidenceOfARule holds that a sentence has each value and reason once and ten at most, and that the
// evidence has all, as an object in the order of the facts where a rule has several matches.
func TestTheSentenceAndTheEvidenceOfARule(t *testing.T) {
	t.Parallel()
	many := values("1", "a", "2", "b", "3", "", "4", "", "5", "", "6", "", "7", "", "8", "", "9", "", "10", "", "11", "", "12", "")
	host := reputation.Host{Ports: []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, Tags: []string{"c2", "vpn"}, Hostnames: []string{"a.x.example"}}
	for name, test := range map[string]struct {
		matches []*reputation.Match
		want    string
	}{
		"ten values": {
			[]*reputation.Match{{Fact: "ports", Values: many[:10]}},
			`[{"factor":"rule","points":1,"detail":"10: 1 (a), 2 (b), 3, 4, 5, 6, 7, 8, 9, 10 | a, b, , , , , , , , ","evidence":[1,2,3,4,5,6,7,8,9,10]}]`,
		},
		"more than ten": {
			[]*reputation.Match{{Fact: "ports", Values: many}},
			`[{"factor":"rule","points":1,"detail":"12: 1 (a), 2 (b), 3, 4, 5, 6, 7, 8, 9, 10 and 2 more | a, b, , , , , , , ,  and 2 more","evidence":[1,2,3,4,5,6,7,8,9,10,11,12]}]`,
		},
		"several facts": {
			[]*reputation.Match{{Fact: "tags", Values: values("c2", `say "x"`, "vpn", "<b>")}, {Fact: "hostnames", Values: values("*.example", "")}, {Fact: "ports", Values: many[:1]}},
			`[{"factor":"rule","points":1,"detail":"2: c2 (say \"x\"), vpn (\u003cb\u003e), a.x.example, 1 (a) | say \"x\", \u003cb\u003e, , a","evidence":{"hostnames":["a.x.example"],"ports":[1],"tags":["c2","vpn"]}}]`,
		},
		"one of several facts": {
			[]*reputation.Match{{Fact: "tags", Values: values("tor", "")}, {Fact: "ports", Values: many[:1]}},
			`[{"factor":"rule","points":1,"detail":"1: 1 (a) | a","evidence":{"ports":[1]}}]`,
		},
		"one fact twice, with the same reason and with another": {
			[]*reputation.Match{{Fact: "ports", Values: many[:2]}, {Fact: "tags", Values: values("vpn", "")}, {Fact: "ports", Values: values("1", "a", "2", "c")}},
			`[{"factor":"rule","points":1,"detail":"2: 1 (a), 2 (b), vpn, 2 (c) | a, b, , c","evidence":{"ports":[1,2],"tags":["vpn"]}}]`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := &reputation.Policy{
				Name: "test", Thresholds: []reputation.Threshold{{Level: reputation.High, AtLeast: 10}},
				Factors: []*reputation.Rule{{Name: "rule", Matches: test.matches, Points: 1, Detail: "{count}: {values} | {reasons}"}},
			}
			if err := p.Compile(); err != nil {
				t.Fatal(err)
			}
			text, err := json.Marshal(p.Score(host).Factors)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, string(text)); diff != "" {
				t.Error(diff)
			}
		})
	}
}
