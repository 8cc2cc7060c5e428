package reputation

import (
	"slices"
	"time"
)

// Host is the data on a host that policies use. The lists may be in any order and have duplicates. Fields that the
// source does not have are empty.
type Host struct {
	Ports           []int    // open ports
	IdentifiedPorts []int    // open ports whose service is known from a banner
	Vulnerabilities []string // CVE ids
	Tags            []string // Shodan's tags
	CPEs            []string // products, in either form of CPE
	Hostnames       []string // host names, including reverse DNS
	ASN             string   // such as AS64496
	Country         string   // two letters

	// Detailed is true if the source has banners, from which the fields down to Cloud are.
	Detailed     bool
	Details      map[string]Vulnerability // by CVE id
	Protocols    []string                 // the protocols that Shodan's crawler used, such as redis
	Software     []string                 // the software by Shodan's name, such as Cobalt Strike Beacon
	PortsOf      map[string][]int         // the ports of a protocol or a software
	Certificates []string                 // problems of certificates: expired, self-signed
	Titles       []string                 // titles of web pages
	Cloud        string                   // the cloud provider

	// Source is the source of the data: dataset, shodan or internetdb. Seen is when the host was last seen, or zero if
	// unknown. Its age is the time from Seen to Now.
	Source string
	Seen   time.Time
	Now    time.Time

	// Past is the history of the host, or nil if it was not requested or the source does not have it.
	Past *Past
	// Listed is the host's entry on the connection's lists.
	Listed Listing
}

// A Vulnerability has the details of a vulnerability of a host. Unknown fields are zero.
type Vulnerability struct {
	KEVKnown  bool    // the source says whether it is exploited
	Exploited bool    // known to be exploited, by CISA's catalog
	Verified  bool    // Shodan tested it and did not only infer it from a version
	EPSS      float64 // the probability that it will be exploited within 30 days
	CVSS      float64 // the severity, up to 10
}

// isCataloged reports whether the source says if the vulnerability is exploited.
func (v Vulnerability) isCataloged() bool { return v.KEVKnown || v.Exploited }

// hasDetails reports whether the source says if the vulnerability is exploited, or how likely that is.
func (v Vulnerability) hasDetails() bool { return v.isCataloged() || v.EPSS > 0 }

// Past is the history of a host.
type Past struct {
	FirstSeen time.Time
	Ports     []int    // ports that were open, including those that still are
	Tags      []string // tags of replaced banners
}

// VulnerabilitySummary has the maxima and counts of a host's vulnerabilities. A nil field is unknown.
type VulnerabilitySummary struct {
	MaxCVSS, MaxEPSS    *float64
	Exploited, Verified *int
}

// VulnerabilitySummary summarizes the host's vulnerabilities.
func (h *Host) VulnerabilitySummary() VulnerabilitySummary {
	var d VulnerabilitySummary
	if !h.Detailed {
		return d
	}
	vulnerabilities := distinct(h.Vulnerabilities)
	if len(vulnerabilities) == 0 || len(h.Details) > 0 {
		d.Verified = new(int)
	}
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

// honeypotTag is Shodan's tag for a honeypot.
const honeypotTag = "honeypot"
