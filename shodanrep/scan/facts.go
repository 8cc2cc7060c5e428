package scan

import (
	"slices"
	"strings"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

// factsOf returns what a policy sees of a host: the only place where an answer becomes facts.
func factsOf(h *shodan.Host, source lookup.Source, past *reputation.Past, now time.Time) reputation.Host {
	facts := reputation.Host{
		Ports: h.Ports, Vulnerabilities: h.Vulns.IDs(), Tags: h.Tags, CPEs: h.AllCPEs(), Hostnames: lowered(h.Hostnames),
		ASN: strings.ToUpper(strings.TrimSpace(string(h.ASN))), Country: string(h.CountryCode),
		IdentifiedPorts: identifiedPorts(h), Detailed: h.Banners != nil, Source: string(source), Seen: h.LastUpdate.Time, Now: now, Past: past,
	}
	if facts.Detailed {
		facts.Details = make(map[string]reputation.Vulnerability, len(h.Vulns))
		facts.PortsOf = make(map[string][]int, len(h.Banners))
	}
	for i := range h.Banners {
		b := &h.Banners[i]
		for id, v := range b.Vulns {
			facts.Details[id] = worse(facts.Details[id], v)
		}
		answering := b.Software()
		facts.Software = append(facts.Software, answering...)
		if b.Module != "" {
			facts.Protocols = append(facts.Protocols, string(b.Module))
			answering = append(answering, string(b.Module))
		}
		if b.Port.Valid {
			for _, name := range answering {
				facts.PortsOf[name] = append(facts.PortsOf[name], int(b.Port.V))
			}
		}
		if b.HTTP != nil && strings.TrimSpace(string(b.HTTP.Title)) != "" {
			facts.Titles = append(facts.Titles, strings.TrimSpace(string(b.HTTP.Title)))
		}
		facts.Certificates = append(facts.Certificates, faultsOf(b)...)
		// Of several providers, which there should not be, the same one whatever the order of the banners.
		if provider := string(b.Cloud.Provider); provider != "" && (facts.Cloud == "" || provider < facts.Cloud) {
			facts.Cloud = provider
		}
	}
	return facts
}

// lowered returns names in lower case, which is how rules have them.
func lowered(hostnames []string) []string {
	if !slices.ContainsFunc(hostnames, func(name string) bool { return strings.ToLower(name) != name }) {
		return hostnames
	}
	names := make([]string, len(hostnames))
	for i, name := range hostnames {
		names[i] = strings.ToLower(name)
	}
	return names
}

// worse combines what two banners say of a vulnerability, the worse of each.
func worse(known reputation.Vulnerability, v shodan.Vuln) reputation.Vulnerability {
	return reputation.Vulnerability{
		KEVKnown:  known.KEVKnown || v.KEV.Valid,
		Exploited: known.Exploited || v.KEV.V,
		Verified:  known.Verified || v.Verified.V,
		EPSS:      max(known.EPSS, v.EPSS.V),
		CVSS:      max(known.CVSS, v.CVSS.V),
	}
}

// genericModules are the crawler's modules that speak no protocol and store what the service sends.
var genericModules = []string{"auto", "newline-tcp", "newline-udp", "nodata-tcp", "nodata-tcp-ssl", "open-tcp"}

// identifies reports whether a banner says what answers: by its module, a product, or the data of a protocol.
func identifies(b *shodan.Banner) bool {
	module := string(b.Module)
	return module != "" && !slices.Contains(genericModules, module) || b.Product != "" || b.HTTP != nil || b.SSH != nil
}

// identifiedPorts returns the ports whose banners say what answers there, on each transport that has banners.
func identifiedPorts(h *shodan.Host) []int {
	if len(h.Banners) == 0 {
		return nil
	}
	identified := map[shodan.Endpoint]bool{}
	for i := range h.Banners {
		if b := &h.Banners[i]; b.Port.Valid {
			at := b.Endpoint()
			identified[at] = identified[at] || identifies(b)
		}
	}
	all := map[int]bool{} // by port, whether all of its transports are identified
	for at, known := range identified {
		before, seen := all[int(at.Port)]
		all[int(at.Port)] = known && (before || !seen)
	}
	var ports []int
	for port, known := range all {
		if known {
			ports = append(ports, port)
		}
	}
	slices.Sort(ports)
	return ports
}

// faultsOf returns the faults of a banner's certificate, as of when Shodan saw it.
func faultsOf(b *shodan.Banner) (faults []string) {
	if b.SSL == nil {
		return nil
	}
	cert := &b.SSL.Cert
	if cert.Expired.V || !cert.Expired.Valid && !cert.Expires.IsZero() && cert.Expires.Before(b.Timestamp.Time) {
		faults = append(faults, "expired")
	}
	signedByItself := len(cert.Subject) > 0 && len(cert.Subject) == len(cert.Issuer)
	for name, value := range cert.Subject {
		signedByItself = signedByItself && cert.Issuer[name] == value
	}
	if signedByItself || slices.Contains(b.Tags, "self-signed") {
		faults = append(faults, "self-signed")
	}
	return faults
}

// splitHistory splits a host with past banners into the host as it is now and its past.
func splitHistory(h *shodan.Host) (*shodan.Host, *reputation.Past) {
	if h.Banners == nil {
		return h, nil // the source has no past
	}
	now, past, isCurrent := *h, &reputation.Past{}, h.CurrentBanners()
	now.Banners = shodan.Banners{}
	for i := range h.Banners {
		b := &h.Banners[i]
		if seen := b.Timestamp.Time; !seen.IsZero() && (past.FirstSeen.IsZero() || seen.Before(past.FirstSeen)) {
			past.FirstSeen = seen
		}
		if b.Port.Valid {
			past.Ports = append(past.Ports, int(b.Port.V))
		}
		if slices.Contains(h.Ports, int(b.Port.V)) && isCurrent(b) {
			now.Banners = append(now.Banners, *b)
		} else {
			past.Tags = append(past.Tags, b.Tags...)
		}
	}
	return &now, past
}
