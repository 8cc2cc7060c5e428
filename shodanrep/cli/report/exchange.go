package report

import (
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/scan"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

// This file has what the formats for other platforms have in common.

// projectURL is where the project is.
const projectURL = "https://github.com/shodanrep/steampipe-plugin-shodanrep"

// idSpace is the namespace of the ids that this project makes. An id depends only on what its object is about, so that
// a platform that imports an object again updates it.
var idSpace = uuid.NewSHA1(uuid.NameSpaceURL, []byte(projectURL))

// idOf returns the id of the object with a name. No name part has a NUL, so different parts have different ids.
func idOf(parts ...string) uuid.UUID {
	return uuid.NewSHA1(idSpace, []byte(strings.Join(parts, "\x00")))
}

// currentFor is how long after a host was seen its score is an indicator. The policy extended says of older data that it
// may no longer hold.
const currentFor = 90 * 24 * time.Hour

// IsUnchecked reports whether a result says nothing about its addresses, because the lookup failed or it is a network.
func IsUnchecked(v *scan.Verdict) bool { return v.Status() == lookup.Failed || v.IsNetwork() }

// isIndicator reports whether a result has one of the levels whose addresses are indicators.
func (o Options) isIndicator(r Result) bool {
	return r.Score() != nil && slices.Contains(o.Levels, r.Level())
}

// observedAt returns when the host was seen, or else when the address was looked up, or else the day of the check.
func (o Options) observedAt(r Result) time.Time {
	if h := r.Host(); h != nil && isUsable(h.LastUpdate.Time) {
		return h.LastUpdate.UTC()
	}
	if checked := r.Answer().CheckedAt; isUsable(checked) {
		return checked.UTC()
	}
	return o.Now.UTC().Truncate(24 * time.Hour)
}

// scoredAt returns since when a verdict is as it is. Scores depend on the age of the data in days, so it is a number of
// days after the data, and the same in all checks of a day.
func (o Options) scoredAt(r Result) time.Time {
	at := o.observedAt(r)
	if age := o.Now.Sub(at); age > 0 {
		at = at.Add(age.Truncate(24 * time.Hour))
	}
	if checked := r.Answer().CheckedAt.UTC(); checked.After(at) {
		at = checked
	}
	return at
}

// eventTime returns the time of a result: since when the verdict is as it is, or the time of the check if the
// address was not checked.
func (o Options) eventTime(r Result) time.Time {
	if IsUnchecked(r.Verdict) {
		return o.Now
	}
	return o.scoredAt(r)
}

// isUsable reports whether a time, which a file may have made up, can be written in all formats.
func isUsable(t time.Time) bool { return t.Year() >= 1970 && t.Year() <= 9999 }

// timestamp formats a time with milliseconds, which STIX requires.
func timestamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// domains returns the host names that are valid names, sorted and without duplicates.
func domains(h *shodan.Host) []string {
	var names []string
	if h == nil {
		return nil
	}
	for _, hostname := range h.Hostnames {
		if name, err := shodan.HostName(hostname); err == nil {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// isCVE reports whether the id of a vulnerability is that of a CVE. Shodan has other ids too.
func isCVE(id string) bool {
	_, ok := shodan.CanonicalCVE(id)
	return ok
}

// A certificate is a certificate of a host.
type certificate struct {
	sha1, sha256, serial string // hexadecimal, and decimal
	subject, issuer      string // distinguished names
	expires              time.Time
	isSelfSigned         bool
}

var (
	sha1Form   = regexp.MustCompile(`^[0-9a-f]{40}$`)
	sha256Form = regexp.MustCompile(`^[0-9a-f]{64}$`)
	serialForm = regexp.MustCompile(`^\d{1,100}$`)
)

// certificates returns the certificates of a host that have a fingerprint, each once.
func certificates(h *shodan.Host) []certificate {
	if h == nil {
		return nil
	}
	var list []certificate
	for i := range h.Banners {
		if h.Banners[i].SSL == nil {
			continue
		}
		cert := &h.Banners[i].SSL.Cert
		c := certificate{
			sha1:         matching(sha1Form, string(cert.Fingerprint.SHA1)),
			sha256:       matching(sha256Form, string(cert.Fingerprint.SHA256)),
			serial:       matching(serialForm, string(cert.Serial)),
			subject:      distinguishedName(cert.Subject),
			issuer:       distinguishedName(cert.Issuer),
			isSelfSigned: len(cert.Subject) > 0 && maps.Equal(cert.Subject, cert.Issuer),
		}
		if isUsable(cert.Expires.Time) {
			c.expires = cert.Expires.UTC()
		}
		isKnown := slices.ContainsFunc(list, func(known certificate) bool {
			return known.sha1 == c.sha1 && known.sha256 == c.sha256
		})
		if !isKnown && (c.sha1 != "" || c.sha256 != "") {
			list = append(list, c)
		}
	}
	return list
}

// matching returns a text in lower case if it has a form, and "" otherwise.
func matching(form *regexp.Regexp, text string) string {
	if text = strings.ToLower(strings.TrimSpace(text)); form.MatchString(text) {
		return text
	}
	return ""
}

// nameEscaper escapes a value of a distinguished name as RFC 4514 says.
var nameEscaper = strings.NewReplacer(
	`\`, `\\`, `,`, `\,`, `+`, `\+`, `"`, `\"`, `<`, `\<`, `>`, `\>`, `;`, `\;`, `=`, `\=`, "\x00", `\00`)

// distinguishedName returns the parts of a name as one text, sorted, because Shodan does not keep their order.
func distinguishedName(parts map[string]shodan.Text) string {
	var texts []string
	for _, name := range slices.Sorted(maps.Keys(parts)) {
		texts = append(texts, nameEscaper.Replace(name)+"="+nameEscaper.Replace(string(parts[name])))
	}
	return strings.Join(texts, ",")
}

// kindOf returns the type of the address or the network.
func (r Result) kindOf() string {
	if r.prefix().Addr().Is4() {
		return "ipv4-addr"
	}
	return "ipv6-addr"
}

// pattern returns the address as a pattern of STIX.
func (r Result) pattern() string { return fmt.Sprintf("[%s:value = '%s']", r.kindOf(), r.value()) }

// value returns the address, or the network with its length.
func (r Result) value() string {
	if r.IsNetwork() {
		return r.prefix().String()
	}
	return r.prefix().Addr().String()
}

// percent returns the score as OpenCTI has it, up to 100. It is nil without a score.
func (r Result) percent() *int {
	if r.Score() == nil {
		return nil
	}
	return new(min(r.Score().Score, 100))
}

// confidencePercent returns the confidence from 0 to 100, or nil if it is unknown.
func (r Result) confidencePercent() *int {
	if r.Score() == nil || r.Score().Confidence == nil {
		return nil
	}
	return new(int(math.Round(100 * min(max(*r.Score().Confidence, 0), 1))))
}

// abstract returns the verdict in a line.
func (r Result) abstract() string {
	text := r.value() + ": " + string(r.Level())
	if r.Score() == nil {
		return text + " (" + string(r.Status()) + ")"
	}
	return text + ", score " + strconv.Itoa(r.Score().Score) + " by the policy " + r.PolicyName()
}

// pointedReasons returns the reasons with their points.
func (r Result) pointedReasons() []string {
	reasons := r.Reasons()
	if s := r.Score(); s != nil {
		first := len(reasons) - len(s.Factors) // "nothing found against it" has no points
		for i, factor := range byPoints(s.Factors) {
			reasons[first+i] = fmt.Sprintf("%+d %s", factor.Points, reasons[first+i])
		}
	}
	return reasons
}

// asn returns the number of the autonomous system.
func (r Result) asn() (number int64, ok bool) {
	if r.Host() == nil {
		return 0, false
	}
	text, ok := strings.CutPrefix(strings.ToUpper(strings.TrimSpace(string(r.Host().ASN))), "AS")
	n, err := strconv.ParseUint(text, 10, 32)
	return int64(n), ok && err == nil
}
