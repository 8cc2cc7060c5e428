// Package reputation scores what is known of a host. It is pure: facts and a policy go in, a score, a level and the
// factors that explain them come out.
package reputation

import "slices"

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
// the code that applies it.
type Policy struct {
	Name string

	// Vulnerabilities gives points by how many vulnerabilities there are: the first step that the number is over.
	Vulnerabilities []Step
	// SuspiciousPorts are ports that are seldom open for a good reason; any open one gives SuspiciousPortPoints.
	SuspiciousPorts      []int
	SuspiciousPortPoints int
	// Tags are Shodan's tags that count against a host; any of them gives TagPoints.
	Tags      []string
	TagPoints int
	// OpenPorts gives points by how many ports are open: the first step that the number is over.
	OpenPorts []Step

	// Thresholds are the scores from which on the levels begin, highest first. Below the last the level is Low.
	Thresholds []Threshold
}

// A Step gives points to a number greater than Over.
type Step struct{ Over, Points int }

// A Threshold is the least score of a level.
type Threshold struct {
	Level   Level
	AtLeast int
}

// Baseline returns the default policy. It is exact and does not change: reports of different days can be compared.
func Baseline() *Policy {
	return &Policy{
		Name:                 "baseline",
		Vulnerabilities:      []Step{{Over: 10, Points: 40}, {Over: 5, Points: 25}, {Over: 0, Points: 10}},
		SuspiciousPorts:      []int{4444, 5555, 6666, 8888, 9090, 1234, 31337, 6667, 6697, 8080, 8443, 3128, 1080},
		SuspiciousPortPoints: 15,
		Tags:                 []string{"self-signed", "cloud", "vpn", "proxy", "tor"},
		TagPoints:            10,
		OpenPorts:            []Step{{Over: 20, Points: 15}},
		Thresholds:           []Threshold{{Critical, 50}, {High, 35}, {Medium, 15}},
	}
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

// points returns the points of the first step that n is over, and that step.
func points(steps []Step, n int) (Step, bool) {
	i := slices.IndexFunc(steps, func(s Step) bool { return n > s.Over })
	if i < 0 {
		return Step{}, false
	}
	return steps[i], true
}
