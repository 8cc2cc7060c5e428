package reputation

import (
	"slices"
	"time"
)

// Host is what is known of a host, as far as a policy asks. The lists may come in any order; a value that is in one
// twice counts once. What the source of an answer does not have stays empty.
type Host struct {
	Ports           []int    // open ports
	IdentifiedPorts []int    // those of them of which a banner says what answers there
	Vulnerabilities []string // CVE ids
	Tags            []string // Shodan's tags
	CPEs            []string // products, in either form of CPE
	Hostnames       []string // names that lead to the host, reverse DNS among them
	ASN             string   // such as AS64496
	Country         string   // two letters

	// Detailed says that the source has banners, which the fields down to Titles are from.
	Detailed     bool
	Details      map[string]Vulnerability // by CVE id
	Protocols    []string                 // what Shodan's crawler spoke, such as redis
	Software     []string                 // what answers, as Shodan names it, such as Cobalt Strike Beacon
	PortsOf      map[string][]int         // the ports at which a protocol or a software answers
	Certificates []string                 // what is wrong with certificates: expired, self-signed
	Titles       []string                 // of web pages
	Cloud        string                   // the cloud provider

	// Source is where the facts are from: dataset, shodan or internetdb. Seen is when the host was last seen, zero where
	// the source does not say, and Now the moment to which its age is reckoned.
	Source string
	Seen   time.Time
	Now    time.Time

	// Past is what was seen in the past; nil where nobody asked, or the source does not know.
	Past *Past
	// Listed is what the lists of the connection say of the host.
	Listed Listing
}

// A Vulnerability is what is known of a vulnerability of a host. What is not known is zero.
type Vulnerability struct {
	KEVKnown  bool    // the source says whether it is exploited
	Exploited bool    // known to be exploited, by CISA's catalogue
	Verified  bool    // Shodan tested it, and did not infer it from a version
	EPSS      float64 // the probability that it will be exploited within 30 days
	CVSS      float64 // how severe it is, up to 10
}

// isCataloged reports whether the source says if the vulnerability is exploited.
func (v Vulnerability) isCataloged() bool { return v.KEVKnown || v.Exploited }

// hasDetails reports whether the source says if the vulnerability is exploited, or how likely that is.
func (v Vulnerability) hasDetails() bool { return v.isCataloged() || v.EPSS > 0 }

// Past is what was seen of a host at another time than the last.
type Past struct {
	FirstSeen time.Time
	Ports     []int    // ports that were open, also those that still are
	Tags      []string // tags of banners that others have replaced
}

// VulnerabilitySummary is what the vulnerabilities of a host come to. A nil field is not known.
type VulnerabilitySummary struct {
	MaxCVSS, MaxEPSS    *float64
	Exploited, Verified *int
}

// VulnerabilitySummary sums the vulnerabilities up.
func (h *Host) VulnerabilitySummary() VulnerabilitySummary {
	var d VulnerabilitySummary
	if !h.Detailed {
		return d
	}
	d.Verified = new(int)
	vulnerabilities := distinct(h.Vulnerabilities)
	if len(vulnerabilities) == 0 || slices.ContainsFunc(vulnerabilities, func(id string) bool { return h.Details[id].isCataloged() }) {
		d.Exploited = new(int)
	}
	for _, id := range vulnerabilities {
		v := h.Details[id]
		if v.CVSS > 0 && (d.MaxCVSS == nil || v.CVSS > *d.MaxCVSS) {
			d.MaxCVSS = new(v.CVSS)
		}
		if v.EPSS > 0 && (d.MaxEPSS == nil || v.EPSS > *d.MaxEPSS) {
			d.MaxEPSS = new(v.EPSS)
		}
		if v.Exploited && d.Exploited != nil {
			*d.Exploited++
		}
		if v.Verified {
			*d.Verified++
		}
	}
	return d
}

// honeypotTag is Shodan's tag for a host that only pretends.
const honeypotTag = "honeypot"
