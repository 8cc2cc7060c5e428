package reputation_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation/policyfile"
)

// numbered returns n different CVE ids.
func numbered(n int) []string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprintf("CVE-2024-%04d", i+1)
	}
	return ids
}

// quiet returns n ports that no policy suspects.
func quiet(n int) []int {
	ports := make([]int, n)
	for i := range ports {
		ports[i] = 21000 + i
	}
	return ports
}

func TestTheBaselineGivesThePointsOfItsRule(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		host    reputation.Host
		score   int
		level   reputation.Level
		factors []string
	}{
		"nothing known against it":              {reputation.Host{Ports: []int{80, 443}, Tags: []string{"cdn"}}, 0, reputation.Low, []string{}},
		"no facts at all":                       {reputation.Host{}, 0, reputation.Low, []string{}},
		"one vulnerability":                     {reputation.Host{Vulnerabilities: numbered(1)}, 10, reputation.Low, []string{"vulnerabilities"}},
		"five vulnerabilities":                  {reputation.Host{Vulnerabilities: numbered(5)}, 10, reputation.Low, []string{"vulnerabilities"}},
		"six vulnerabilities":                   {reputation.Host{Vulnerabilities: numbered(6)}, 25, reputation.Medium, []string{"vulnerabilities"}},
		"ten vulnerabilities":                   {reputation.Host{Vulnerabilities: numbered(10)}, 25, reputation.Medium, []string{"vulnerabilities"}},
		"eleven vulnerabilities":                {reputation.Host{Vulnerabilities: numbered(11)}, 40, reputation.High, []string{"vulnerabilities"}},
		"the same vulnerability eleven times":   {reputation.Host{Vulnerabilities: slices.Repeat(numbered(1), 11)}, 10, reputation.Low, []string{"vulnerabilities"}},
		"one suspicious port":                   {reputation.Host{Ports: []int{22, 4444}}, 15, reputation.Medium, []string{"suspicious_ports"}},
		"two suspicious ports count as one":     {reputation.Host{Ports: []int{4444, 31337}}, 15, reputation.Medium, []string{"suspicious_ports"}},
		"one tag":                               {reputation.Host{Tags: []string{"cloud"}}, 10, reputation.Low, []string{"tags"}},
		"two tags count as one":                 {reputation.Host{Tags: []string{"vpn", "tor"}}, 10, reputation.Low, []string{"tags"}},
		"twenty ports":                          {reputation.Host{Ports: quiet(20)}, 0, reputation.Low, []string{}},
		"twenty-one ports":                      {reputation.Host{Ports: quiet(21)}, 15, reputation.Medium, []string{"open_ports"}},
		"a port and vulnerabilities at 35":      {reputation.Host{Ports: []int{8080}, Tags: []string{"proxy"}, Vulnerabilities: numbered(2)}, 35, reputation.High, []string{"vulnerabilities", "suspicious_ports", "tags"}},
		"vulnerabilities and a tag at 50":       {reputation.Host{Tags: []string{"self-signed"}, Vulnerabilities: numbered(11)}, 50, reputation.Critical, []string{"vulnerabilities", "tags"}},
		"everything":                            {reputation.Host{Ports: append(quiet(20), 6667), Tags: []string{"tor"}, Vulnerabilities: numbered(99)}, 80, reputation.Critical, []string{"vulnerabilities", "suspicious_ports", "tags", "open_ports"}},
		"a tag that only looks like one listed": {reputation.Host{Tags: []string{"cloudy", "TOR"}}, 0, reputation.Low, []string{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := policyfile.Baseline().Score(tt.host)
			names := []string{}
			for _, f := range got.Factors {
				names = append(names, f.Factor)
			}
			if got.Score != tt.score || got.Level != tt.level || !slices.Equal(names, tt.factors) {
				t.Errorf("score %d, level %s, factors %v; want %d, %s, %v", got.Score, got.Level, names, tt.score, tt.level, tt.factors)
			}
		})
	}
}

func TestEverySuspiciousPortAndTagOfTheRuleCounts(t *testing.T) {
	t.Parallel()
	for _, port := range []int{4444, 5555, 6666, 8888, 9090, 1234, 31337, 6667, 6697, 8080, 8443, 3128, 1080} {
		if got := policyfile.Baseline().Score(reputation.Host{Ports: []int{port}}); got.Score != 15 || !slices.Equal(got.SuspiciousPorts, []int{port}) {
			t.Errorf("port %d: score %d, suspicious %v; want 15 and the port", port, got.Score, got.SuspiciousPorts)
		}
	}
	for _, tag := range []string{"self-signed", "cloud", "vpn", "proxy", "tor"} {
		if got := policyfile.Baseline().Score(reputation.Host{Tags: []string{tag}}); got.Score != 10 {
			t.Errorf("tag %s: score %d, want 10", tag, got.Score)
		}
	}
}

func TestFactorsExplainTheScoreInJSON(t *testing.T) {
	t.Parallel()
	got := policyfile.Baseline().Score(reputation.Host{Ports: []int{8443, 22, 1080}, Tags: []string{"vpn"}, Vulnerabilities: []string{"CVE-2024-0002", "CVE-2024-0001"}})
	text, err := json.Marshal(got.Factors)
	if err != nil {
		t.Fatal(err)
	}
	want := `[{"factor":"vulnerabilities","points":10,"detail":"2 known vulnerabilities, more than 0","evidence":["CVE-2024-0001","CVE-2024-0002"]},` +
		`{"factor":"suspicious_ports","points":15,"detail":"2 ports open that seldom serve a good purpose","evidence":[1080,8443]},` +
		`{"factor":"tags","points":10,"detail":"tagged vpn","evidence":["vpn"]}]`
	if diff := cmp.Diff(want, string(text)); diff != "" {
		t.Error(diff)
	}
}
