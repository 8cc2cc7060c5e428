package shodantest

import (
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"sync"
)

// entry has the responses for a host, stored or made when they are first requested.
type entry struct {
	addr     netip.Addr
	whole    func() []byte // GET /shodan/host/{ip}
	minified func() []byte // the same without banners
	history  func() []byte // the same with old banners
	brief    func() []byte // InternetDB's response
	banners  func() []map[string]any
	names    func() []string
}

// AddHost adds a host, or replaces the host with the same address. It panics if the host has no valid address.
func (s *Simulator) AddHost(h Host) {
	addr, err := netip.ParseAddr(h.IP)
	if err != nil {
		panic(fmt.Sprintf("shodantest: the host to add has no valid address: %v", err))
	}
	var e *entry
	if h.Raw != nil {
		e = rawEntry(addr.Unmap(), h.Raw)
	} else {
		e = h.entry(addr.Unmap())
	}
	if h.RawInternetDB != nil {
		e.brief = ready(h.RawInternetDB)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if old := s.hosts[e.addr]; old != nil {
		s.added[slices.Index(s.added, old)] = e
	} else {
		s.added = append(s.added, e)
	}
	s.hosts[e.addr] = e
}

// RemoveHost removes a host that was added.
func (s *Simulator) RemoveHost(addr netip.Addr) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.hosts[addr]; e != nil {
		s.added = slices.DeleteFunc(s.added, func(other *entry) bool { return other == e })
		delete(s.hosts, addr)
	}
}

// Hosts returns the addresses of the hosts that were added, in order.
func (s *Simulator) Hosts() []netip.Addr {
	var addrs []netip.Addr
	for _, e := range s.entries() {
		addrs = append(addrs, e.addr)
	}
	return addrs
}

// entries returns the hosts that were added.
func (s *Simulator) entries() []*entry {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return slices.Clone(s.added)
}

// host returns the host of an address, or nil.
func (s *Simulator) host(addr netip.Addr) *entry {
	addr = addr.Unmap()
	s.mu.RLock()
	defer s.mu.RUnlock()
	if e := s.hosts[addr]; e != nil {
		return e
	}
	if i := generatedIndex(addr); i >= 0 && i < s.generated {
		if i < len(kept) {
			k := &kept[i]
			k.once.Do(func() { k.entry = generatedEntry(addr, sync.OnceValue[[]byte]) })
			return k.entry
		}
		return generatedEntry(addr, func(response func() []byte) func() []byte { return response })
	}
	return nil
}

// kept are the first generated hosts, for which every test asks. To make their responses again for each would take longer
// than all else that the simulator does.
var kept [1000]struct {
	once  sync.Once
	entry *entry
}

// entry makes the responses for an invented host.
func (h Host) entry(addr netip.Addr) *entry {
	e := rawEntry(addr, marshal(h.document(addr)))
	if len(h.History) > 0 {
		filled, doc := h.withDefaults(), h.document(addr)
		data := doc["data"].([]map[string]any)
		for _, banner := range h.History {
			data = append(data, filled.complete(banner, addr))
		}
		doc["data"] = data
		e.history = ready(marshal(doc))
	}
	return e
}

// generatedEntry makes a generated host. Its responses are made on request, so that it takes no memory, unless keep keeps
// them.
func generatedEntry(addr netip.Addr, keep func(response func() []byte) func() []byte) *entry {
	h := GeneratedHost(addr)
	whole := keep(func() []byte { return marshal(h.document(addr)) })
	return &entry{
		addr: addr, whole: whole, history: whole,
		minified: keep(func() []byte { return marshal(h.withDefaults().general(addr, []map[string]any{})) }),
		brief:    keep(func() []byte { return marshal(h.union(nil)) }),
		banners:  func() []map[string]any { return nil },
		names:    func() []string { return h.Hostnames },
	}
}

// rawEntry makes the responses for a host from the REST API's response, which may be malformed. It is decoded only when a
// request needs that: most tests request no more than the response.
func rawEntry(addr netip.Addr, raw []byte) *entry {
	decoded := sync.OnceValue(func() decodedHost { return decodeHost(addr, raw) })
	return &entry{
		addr: addr, whole: ready(raw), history: ready(raw),
		minified: sync.OnceValue(func() []byte {
			if d := decoded(); d.hasData {
				return marshal(minify(d.doc))
			}
			return raw
		}),
		brief:   sync.OnceValue(func() []byte { return marshal(decoded().summary) }),
		banners: func() []map[string]any { return decoded().banners },
		names:   func() []string { return decoded().summary.Hostnames },
	}
}

// A decodedHost is what the REST API's response for a host contains.
type decodedHost struct {
	doc     map[string]any // nil if the response is malformed
	hasData bool           // doc has a list of banners
	banners []map[string]any
	summary summary
}

func decodeHost(addr netip.Addr, raw []byte) (d decodedHost) {
	d.summary.IP = addr.String()
	defer d.summary.normalize()
	doc, err := decode(raw)
	if err != nil {
		return d
	}
	data, hasData := doc["data"].([]any)
	for _, item := range data {
		if banner, ok := item.(map[string]any); ok {
			d.banners = append(d.banners, banner)
		}
	}
	d.doc, d.hasData = doc, hasData
	// The lists of the host are the union of its banners' lists. A minified response has no others.
	s := &d.summary
	s.Hostnames, s.Tags, s.Vulns = texts(doc["hostnames"]), texts(doc["tags"]), vulnIDs(doc["vulns"])
	if ports, ok := doc["ports"].([]any); ok {
		for _, port := range ports {
			s.Ports = append(s.Ports, integer(port))
		}
	}
	for _, banner := range d.banners {
		s.add(banner)
	}
	return d
}

// minify removes the banners from a host.
func minify(doc map[string]any) map[string]any {
	doc["data"] = []any{}
	return doc
}

// ready returns a stored response.
func ready(body []byte) func() []byte { return func() []byte { return body } }

// body returns the REST API's response in the requested form.
func (e *entry) body(query url.Values) []byte {
	switch {
	case isTrue(query.Get("minify")):
		return e.minified()
	case isTrue(query.Get("history")):
		return e.history()
	}
	return e.whole()
}
