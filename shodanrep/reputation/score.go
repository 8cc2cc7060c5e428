package reputation

import (
	"fmt"
	"slices"
	"strings"
)

// Host is what is known of a host, as far as a policy asks. The lists may come in any order; a value that is in one
// twice counts once.
type Host struct {
	Ports           []int    // open ports
	Vulnerabilities []string // CVE ids
	Tags            []string // Shodan's tags
}

// A Factor is one reason for a score. The points of all factors add up to it.
type Factor struct {
	Factor   string `json:"factor"`   // vulnerabilities, suspicious_ports, tags, open_ports
	Points   int    `json:"points"`   // what it adds to the score
	Detail   string `json:"detail"`   // the reason, as a sentence for people
	Evidence any    `json:"evidence"` // the CVE ids, ports or tags that it rests on
}

// A Result is how a policy judges a host.
type Result struct {
	Score   int
	Level   Level
	Factors []Factor // never nil
	// SuspiciousPorts are the open ports that the policy lists as suspicious, ascending. Never nil.
	SuspiciousPorts []int
}

// Score judges a host by a policy.
func (p *Policy) Score(h Host) Result {
	vulnerabilities, ports, tags := distinct(h.Vulnerabilities), distinct(h.Ports), distinct(h.Tags)
	suspicious := common(ports, p.SuspiciousPorts)
	factors := []Factor{}
	add := func(name string, points int, evidence any, detail string, args ...any) {
		if points != 0 {
			factors = append(factors, Factor{Factor: name, Points: points, Detail: fmt.Sprintf(detail, args...), Evidence: evidence})
		}
	}
	if step, ok := points(p.Vulnerabilities, len(vulnerabilities)); ok {
		add("vulnerabilities", step.Points, vulnerabilities, "%s, more than %d", count(len(vulnerabilities), "known vulnerability", "known vulnerabilities"), step.Over)
	}
	if len(suspicious) > 0 {
		add("suspicious_ports", p.SuspiciousPortPoints, suspicious, "%s a good purpose", count(len(suspicious), "port open that seldom serves", "ports open that seldom serve"))
	}
	if found := common(tags, p.Tags); len(found) > 0 {
		add("tags", p.TagPoints, found, "tagged %s", strings.Join(found, ", "))
	}
	if step, ok := points(p.OpenPorts, len(ports)); ok {
		add("open_ports", step.Points, ports, "%s, more than %d", count(len(ports), "open port", "open ports"), step.Over)
	}
	score := 0
	for _, f := range factors {
		score += f.Points
	}
	return Result{Score: score, Level: p.level(score), Factors: factors, SuspiciousPorts: suspicious}
}

// distinct returns the values of a list in order, each once, and leaves the list itself alone.
func distinct[T int | string](values []T) []T {
	sorted := slices.Sorted(slices.Values(values))
	return slices.Compact(sorted)
}

// common returns the values that the list of a policy has too.
func common[T int | string](values, listed []T) []T {
	found := []T{}
	for _, v := range values {
		if slices.Contains(listed, v) {
			found = append(found, v)
		}
	}
	return found
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
