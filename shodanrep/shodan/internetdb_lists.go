package shodan

import "net/netip"

// InternetDBLists is what InternetDB has of an address, where it is not in a response but in a row of Shodan's file
// internetdb.sqlite.
type InternetDBLists struct {
	Ports                        []int
	CPEs, Hostnames, Tags, Vulns []string
}

// SetHost sets h to the host that [ParseInternetDB] reads from a response with the same lists, without a response. It
// keeps the lists, and changes their order. The vulnerabilities that h has must be nil or empty; it keeps their memory.
func (l InternetDBLists) SetHost(h *Host, addr netip.Addr) {
	vulns := h.Vulns
	if vulns == nil {
		vulns = make(VulnMap, len(l.Vulns))
	}
	*h = Host{
		Addr: addr, Ports: present(l.Ports), CPEs: present(l.CPEs), Hostnames: present(l.Hostnames), Tags: present(l.Tags), Vulns: vulns,
	}
	for _, text := range l.Vulns {
		h.Vulns.add(text, Vuln{})
	}
	h.normalize()
}

// present returns a list that is empty but not nil if there is none.
func present[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
