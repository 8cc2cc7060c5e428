package reputation

import (
	"slices"
	"strings"
	"sync"
	"time"
)

// facts are the facts of a host, prepared for rules. They are used again for other hosts, see release.
type facts struct {
	host            Host
	ports           []int
	unidentified    []int // the ports whose service is unknown
	vulnerabilities []string
	detailed        []string // the vulnerabilities with details
	bare            []string // the vulnerabilities without details
	tags            []string
	products        []string
	hosting         Hosting
	suspicious      []int // the open ports that factors count
	// hits are those of the rule that is applied, and ends are by match where those of the match end.
	hits []hit
	ends []int
	// factors are known factors of other hosts too.
	factors map[factorKey]Factor
}

// factsPool has facts that can be used for other hosts.
var factsPool = sync.Pool{New: func() any { return new(facts) }}

// factsOf prepares the facts of a host. They must be released.
func (p *Policy) factsOf(h *Host) *facts {
	f := factsPool.Get().(*facts)
	f.host, f.ports, f.vulnerabilities, f.tags = *h, distinct(h.Ports), distinct(h.Vulnerabilities), distinct(h.Tags)
	f.unidentified = without(f.ports, h.IdentifiedPorts)
	if len(h.Details) == 0 {
		f.bare = f.vulnerabilities
	} else {
		for _, id := range f.vulnerabilities {
			if h.Details[id].hasDetails() {
				f.detailed = append(f.detailed, id)
			} else {
				f.bare = append(f.bare, id)
			}
		}
	}
	f.products = productsOf(h.CPEs)
	f.hosting = p.hosting.find(h)
	return f
}

// release makes the memory of the facts free for other hosts. Results have the lists of facts as evidence, so only what
// was made for the rules is kept.
func (f *facts) release() {
	clear(f.hits)
	*f = facts{suspicious: f.suspicious[:0], hits: f.hits[:0], ends: f.ends, factors: f.factors}
	factsPool.Put(f)
}

// addSuspicious adds the open ports of the hits of a match: those that match, and those of protocols and software that
// match.
func (f *facts) addSuspicious(m *Match, hits []hit) {
	switch m.Fact {
	case factPorts:
		for _, h := range hits {
			f.suspicious = append(f.suspicious, h.port)
		}
	case factProtocols, factSoftware:
		for _, h := range hits {
			f.suspicious = append(f.suspicious, f.host.PortsOf[h.text]...)
		}
	}
}

// closedPorts returns the ports that were open in the past and are not open now.
func closedPorts(f *facts) []int {
	if f.host.Past == nil {
		return nil
	}
	return without(distinct(f.host.Past.Ports), f.ports)
}

// without returns the ports that are not in others, in order.
func without(ports, others []int) []int {
	if len(others) == 0 {
		return ports
	}
	others = distinct(others)
	return slices.DeleteFunc(slices.Clone(ports), func(port int) bool {
		_, found := slices.BinarySearch(others, port)
		return found
	})
}

// only returns the vulnerabilities that a rule is limited to.
func (f *facts) only(limit Only) []string {
	if limit == WithoutDetails {
		return f.bare
	}
	return f.detailed
}

// ageDays returns how many whole days ago the host was seen, and whether that is known.
func ageDays(f *facts) (int, bool) {
	h := f.host
	if h.Seen.IsZero() || h.Now.IsZero() {
		return 0, false
	}
	return max(0, int(h.Now.Sub(h.Seen)/(24*time.Hour))), true
}

// productsOf returns vendor:product of each CPE, in either form: cpe:/a:vendor:product:… or cpe:2.3:a:vendor:product:….
// The result is sorted and has no duplicates.
func productsOf(cpes []string) []string {
	products := make([]string, 0, len(cpes))
	for _, cpe := range cpes {
		rest, ok := strings.CutPrefix(cpe, "cpe:2.3:")
		if !ok {
			if rest, ok = strings.CutPrefix(cpe, "cpe:/"); !ok {
				continue
			}
		}
		_, rest, _ = strings.Cut(rest, ":") // the part: a, o or h
		vendor := strings.IndexByte(rest, ':')
		if vendor <= 0 {
			continue
		}
		if end := strings.IndexByte(rest[vendor+1:], ':'); end >= 0 {
			rest = rest[:vendor+1+end]
		}
		products = append(products, rest)
	}
	slices.Sort(products)
	return slices.Compact(products)
}

// distinct returns the sorted values without duplicates. It does not change the list, and may return the list itself,
// so the result must not be changed either.
func distinct[T int | string](values []T) []T {
	for i := 1; i < len(values); i++ {
		if values[i-1] >= values[i] {
			sorted := slices.Clone(values)
			slices.Sort(sorted)
			return slices.Compact(sorted)
		}
	}
	return values
}
