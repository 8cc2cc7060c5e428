package scan

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation/policyfile"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/suggest"
)

// policies are those that a scan scores by, by the name that it gives them, "" for the connection's own.
type policies map[string]*reputation.Policy

// policiesOf returns the policies that a scan names, or else the connection's.
func policiesOf(own *reputation.Policy, names []string) (policies, error) {
	if len(names) == 0 {
		return policies{"": own}, nil
	}
	all := policies{}
	for _, name := range names {
		if err := CheckPolicyName(name, own.Name); err != nil {
			return nil, err
		}
		if all[name] = own; name != own.Name {
			all[name] = policyfile.BuiltIn(name)
		}
	}
	return all, nil
}

// CheckPolicyName returns an error if a name is neither that of the policy of a connection nor of a built-in one.
func CheckPolicyName(name, own string) error {
	allowed := policyfile.Names()
	if !slices.Contains(allowed, own) {
		allowed = append(allowed, own)
	}
	if slices.Contains(allowed, name) {
		return nil
	}
	if hint := suggest.DidYouMean(name, allowed); hint != "" {
		return fmt.Errorf("there is no policy %q%s", name, hint)
	}
	return fmt.Errorf(`there is no policy %q: use "%s"; a file is a connection's to name, with its argument policy`, name, strings.Join(allowed, `", "`))
}

// need adds to a lookup what any of the policies needs. It is the same for all rows of a scan, so that an address that
// several policies score is looked up once, and no score depends on the other columns.
func (p policies) need(question lookup.Question) lookup.Question {
	for _, policy := range p {
		question.Facts = question.Facts || policy.NeedsBanners()
		question.History = question.History || policy.History
	}
	return question
}

// NeedHistory reports whether a policy of the scan needs the history of each address.
func (s *Scan) NeedHistory() bool { return s.policies.need(lookup.Question{}).History }

// A Result is what a lookup found out about a target.
type Result struct {
	*Target
	scan   *Scan
	answer lookup.Answer
	asOf   time.Time // of a state of the past; zero for what is known now
	// verdict is that by the target's own policy, if it is known already.
	verdict *Verdict
}

// NewResult returns the result of a target whose answer is known.
func (s *Scan) NewResult(t *Target, answer lookup.Answer) *Result {
	r := s.result(t, answer)
	return &r
}

func (s *Scan) result(t *Target, answer lookup.Answer) Result {
	if answer.Source == "" {
		answer.Source = t.Source // PostgreSQL checks where source = … against the row again
	}
	return Result{Target: t, scan: s, answer: answer}
}

// Answer returns what the lookup answered.
func (r *Result) Answer() lookup.Answer { return r.answer }

// Host returns what is known of the host, or nil.
func (r *Result) Host() *shodan.Host { return r.answer.Host }

// WithBanners returns the result or, if the response has open ports and no banners, a failed one: that nothing is in its
// banners is not known.
func (r *Result) WithBanners() *Result {
	if r.Host() == nil || r.Host().Banners != nil {
		return r
	}
	failed := *r
	failed.answer.Status, failed.answer.Host, failed.verdict = lookup.Failed, nil, nil
	failed.answer.Error = fmt.Sprintf("the response for %s has %d open ports and no banners: look the address up again later", r.Given, len(r.Host().Ports))
	return &failed
}

// A Verdict is the score of a result by one policy.
type Verdict struct {
	*Result
	policy  *reputation.Policy
	score   *reputation.Result // nil if nothing is known
	summary reputation.VulnerabilitySummary
	past    *reputation.Past // nil unless a policy of the scan needs the history
	listing reputation.Listing
}

// Verdict scores a result, by the policy that its target names or else by the connection's.
func (r *Result) Verdict() *Verdict { return r.VerdictBy(r.Policy) }

// VerdictBy scores a result by a policy that the query names, or by the connection's if the name is empty.
func (r *Result) VerdictBy(name string) *Verdict {
	if r.verdict != nil && name == r.Policy {
		return r.verdict
	}
	v := new(scoredVerdict)
	v.set(r, name)
	return &v.Verdict
}

// A scoredVerdict is a verdict with the memory of its score.
type scoredVerdict struct {
	Verdict
	result reputation.Result
}

// set scores a result by a policy.
func (v *scoredVerdict) set(r *Result, name string) {
	s, policy := r.scan, r.scan.policies[name]
	v.Verdict = Verdict{Result: r, policy: policy}
	if r.answer.Host == nil {
		v.listing = s.settings.Lists.Find(r.Addr, "")
		return
	}
	now := s.now
	if !r.asOf.IsZero() {
		now = r.asOf
	} else if r.answer.Host.Banners != nil && s.NeedHistory() { // no other source has a past
		current := *r
		current.answer.Host, v.past = splitHistory(r.answer.Host)
		v.Result = &current
	}
	if s.unscored {
		return
	}
	facts := factsOf(v.Host(), r.answer.Source, v.past, now)
	v.listing = s.settings.Lists.Find(r.Addr, facts.ASN)
	facts.Listed = v.listing
	if !policy.History {
		facts.Past = nil // another policy of the scan needs it
	}
	v.result = policy.Score(facts)
	v.score, v.summary = &v.result, facts.VulnerabilitySummary()
}

// IP returns the address as the query has it.
func (v *Verdict) IP() string { return v.Given }

// Status returns the status of the lookup.
func (v *Verdict) Status() lookup.Status { return v.answer.Status }

// IsNetwork reports whether the verdict is about a network, which is not looked up.
func (v *Verdict) IsNetwork() bool { return v.Network }

// PolicyName returns the name of the policy.
func (v *Verdict) PolicyName() string { return v.policy.Name }

// Reference returns the URL of a page that supports a factor of the score, or "" if the policy has none.
func (v *Verdict) Reference(factor string) string { return v.policy.Reference(factor) }

// Level returns the level, Unknown if there is no score.
func (v *Verdict) Level() reputation.Level {
	if v.score == nil {
		return reputation.Unknown
	}
	return v.score.Level
}

// Score returns the score and its factors, or nil if nothing is known.
func (v *Verdict) Score() *reputation.Result { return v.score }

// VulnerabilitySummary summarizes the vulnerabilities of the host.
func (v *Verdict) VulnerabilitySummary() reputation.VulnerabilitySummary { return v.summary }

// Past returns what is known of the host's past, nil unless a policy of the scan needs it.
func (v *Verdict) Past() *reputation.Past { return v.past }

// Listing returns the entry of the connection's lists that the address is on.
func (v *Verdict) Listing() reputation.Listing { return v.listing }
