package shodanrep

import (
	"slices"
	"strings"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

// clock tells the moment to which the age of data is reckoned. Tests set it.
var clock = time.Now

// factsOf is what a policy sees of a host: the only place where an answer becomes facts.
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
		answering := softwareOf(b)
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
	names := make([]string, len(hostnames))
	for i, name := range hostnames {
		names[i] = strings.ToLower(name)
	}
	return names
}

// worse puts together what two banners say of a vulnerability.
func worse(known reputation.Vulnerability, v shodan.Vuln) reputation.Vulnerability {
	return reputation.Vulnerability{
		KEVKnown:  known.KEVKnown || v.KEV.Valid,
		Exploited: known.Exploited || v.KEV.V,
		Verified:  known.Verified || v.Verified.V,
		EPSS:      max(known.EPSS, v.EPSS.V),
		CVSS:      max(known.CVSS, v.CVSS.V),
	}
}

// genericModules are those with which a crawler connects and stores whatever comes: they name no protocol.
var genericModules = []string{"auto", "newline-tcp", "newline-udp", "nodata-tcp", "nodata-tcp-ssl", "open-tcp"}

// identifies reports whether a banner says what answers: by the crawler's module, a product, or a protocol's own part.
func identifies(b *shodan.Banner) bool {
	module := string(b.Module)
	return module != "" && !slices.Contains(genericModules, module) || b.Product != "" || b.HTTP != nil || b.SSH != nil
}

// identifiedPorts returns the open ports of which banners say what answers there, for each transport that has any.
func identifiedPorts(h *shodan.Host) []int {
	identified := map[endpoint]bool{}
	for i := range h.Banners {
		if b := &h.Banners[i]; b.Port.Valid {
			at := endpoint{b.Port.V, b.Transport}
			identified[at] = identified[at] || identifies(b)
		}
	}
	all := map[int]bool{} // by port, whether all of its transports are identified
	for at, known := range identified {
		before, seen := all[int(at.port)]
		all[int(at.port)] = known && (before || !seen)
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

// faultsOf returns what is wrong with a banner's certificate, as it was when Shodan saw it.
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

// apart divides a host with the banners of all times: the host as it is now, and what was seen of it in the past. A
// banner is of now where its port is open still, it is the newest for its host name, and it is not much older than the
// newest of that port: a web server has one for each name that it is asked for.
func apart(h *shodan.Host) (*shodan.Host, *reputation.Past) {
	if h.Banners == nil {
		return h, nil // the source has no past
	}
	type service struct {
		endpoint
		name string
	}
	newest, newestOfName := map[endpoint]time.Time{}, map[service]time.Time{}
	for i := range h.Banners {
		b := &h.Banners[i]
		at := service{endpoint{b.Port.V, b.Transport}, b.VirtualHost()}
		if b.Timestamp.After(newest[at.endpoint]) {
			newest[at.endpoint] = b.Timestamp.Time
		}
		if b.Timestamp.After(newestOfName[at]) {
			newestOfName[at] = b.Timestamp.Time
		}
	}
	now, past := *h, &reputation.Past{}
	now.Banners = shodan.Banners{}
	for i := range h.Banners {
		b := &h.Banners[i]
		if seen := b.Timestamp.Time; !seen.IsZero() && (past.FirstSeen.IsZero() || seen.Before(past.FirstSeen)) {
			past.FirstSeen = seen
		}
		if b.Port.Valid {
			past.Ports = append(past.Ports, int(b.Port.V))
		}
		at := service{endpoint{b.Port.V, b.Transport}, b.VirtualHost()}
		age := newest[at.endpoint].Sub(b.Timestamp.Time)
		if slices.Contains(h.Ports, int(b.Port.V)) && age < currentTime && b.Timestamp.Equal(newestOfName[at]) {
			now.Banners = append(now.Banners, *b)
		} else {
			past.Tags = append(past.Tags, b.Tags...)
		}
	}
	return &now, past
}
