package shodantest

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/netip"
)

// Generated hosts are computed from their addresses, so that they take no memory. The documentation ranges are too
// small for a hundred thousand, so their addresses are in 11.0.0.0/8, which is public. Their data is invented, and
// nothing is ever sent to them.
const generatedFirst = 11<<24 + 1

// maxGenerated is the number of addresses from 11.0.0.1 on.
const maxGenerated = 1<<24 - 2

// Generate adds the first n generated hosts and returns their addresses. Searches do not find them.
func (s *Simulator) Generate(n int) []netip.Addr {
	n = min(n, maxGenerated)
	s.mu.Lock()
	s.generated = max(s.generated, n)
	s.mu.Unlock()
	addrs := make([]netip.Addr, n)
	for i := range addrs {
		addrs[i] = generatedAddr(i)
	}
	return addrs
}

func generatedAddr(i int) netip.Addr {
	return netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, uint32(generatedFirst+i))))
}

// generatedIndex returns the number of a generated address, or -1.
func generatedIndex(addr netip.Addr) int {
	if !addr.Is4() {
		return -1
	}
	b := addr.As4()
	n := int(binary.BigEndian.Uint32(b[:])) - generatedFirst
	if n < 0 || n >= maxGenerated {
		return -1
	}
	return n
}

var (
	generatedPorts = []int{22, 53, 80, 443, 3306, 3389, 4444, 6379, 8080, 8443, 27017}
	generatedTags  = []string{"cloud", "vpn", "proxy", "self-signed", "eol-product", "database"}
)

// GeneratedHost returns the generated host of an address. It is always the same for the same address.
func GeneratedHost(addr netip.Addr) Host {
	i := uint64(generatedIndex(addr))
	rng := rand.New(rand.NewPCG(i, 0))
	h := Host{
		IP: addr.String(), Org: fmt.Sprintf("Invented Network %d", i%500), ASN: fmt.Sprintf("AS%d", 64496+i%16),
		City: "Springfield", CountryCode: "US", CountryName: "United States",
	}
	for _, port := range generatedPorts {
		if rng.IntN(4) == 0 {
			h.Ports = append(h.Ports, port)
		}
	}
	if len(h.Ports) == 0 {
		h.Ports = []int{443}
	}
	for _, tag := range generatedTags {
		if rng.IntN(8) == 0 {
			h.Tags = append(h.Tags, tag)
		}
	}
	if rng.IntN(3) == 0 {
		for range 1 + rng.IntN(14) {
			h.Vulns = append(h.Vulns, fmt.Sprintf("CVE-%d-%d", 2012+rng.IntN(14), 1000+rng.IntN(40000)))
		}
		h.Vulns = distinct(h.Vulns)
	}
	if rng.IntN(2) == 0 {
		h.Hostnames = []string{fmt.Sprintf("host%d.example.net", i)}
	}
	for _, port := range h.Ports {
		if cpe := services[port].cpe; cpe != "" {
			h.CPEs = append(h.CPEs, cpe)
		}
	}
	h.CPEs = distinct(h.CPEs)
	return h
}
