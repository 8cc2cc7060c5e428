package scan

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/ipaddr"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
)

// An Address is a value of a column such as ip.
type Address struct {
	// Given is the text as the query has it. The row must repeat it: PostgreSQL checks the row against the query again.
	Given string
	// Addr is the address of the host. It is invalid for a network and for a text that is no address.
	Addr netip.Addr
	// Network says that the text is a network, and Problem what is wrong with a text that is neither.
	Network bool
	Problem string
}

// ParseAddress parses an address. A mask of the full length makes a host, a wider one a network.
func ParseAddress(text string) Address {
	a := Address{Given: text}
	if prefix, ok := ipaddr.Parse(text); ok {
		if prefix.IsSingleIP() {
			a.Addr = ipaddr.Host(prefix.Addr())
		} else {
			a.Network = true
		}
		return a
	}
	a.Problem = fmt.Sprintf("%q is not an IP address: write it like 198.51.100.7 or 2001:db8::7", text)
	return a
}

// addressOf is ParseAddress for what has been parsed.
func addressOf(prefix netip.Prefix) Address {
	if !prefix.IsSingleIP() {
		return Address{Given: prefix.String(), Network: true}
	}
	addr := ipaddr.Host(prefix.Addr())
	return Address{Given: addr.String(), Addr: addr}
}

// Echo returns the value of an inet column: the text as given, or nothing if such a column cannot hold it.
func (a Address) Echo() string {
	if addr, err := netip.ParseAddr(a.Given); err == nil && addr.Zone() == "" {
		return a.Given
	}
	if _, _, err := net.ParseCIDR(a.Given); err != nil {
		return ""
	}
	return a.Given
}

// Options are how a query wants an address looked up and scored, as far as it says so.
type Options struct {
	Source  lookup.Source // empty for the connection's
	History *bool
	Minify  *bool
	Policy  string // empty for the connection's
}

// A Target is an address with options: what a lookup and its row are about.
type Target struct {
	Address
	Options
	known *lookup.Answer // of a source that is listed
}

// question returns what to look up. A source that the table names goes before the query's.
func (t *Target) question(need lookup.Question) lookup.Question {
	need.Addr = t.Addr
	if need.Source == "" {
		need.Source = t.Source
	}
	if t.Minify != nil && *t.Minify {
		need.Minify, need.History = true, false
	} else if t.History != nil && *t.History {
		need.History = true
	}
	return need
}

// targetsOf returns the targets of quals: each address with each combination of options.
func (s *Scan) targetsOf(q quals) []*Target {
	options := optionsOf(q)
	targets := make([]*Target, 0, len(q["ip"])*len(options))
	for _, text := range q["ip"] {
		address, parsed := s.addresses[text]
		if !parsed {
			address = ParseAddress(text)
		}
		for _, o := range options {
			targets = append(targets, &Target{Address: address, Options: o})
		}
	}
	return targets
}

// optionsOf returns the combinations of options in quals: one, if they have no lists.
func optionsOf(q quals) []Options {
	all, _ := combine(q, // no Set fails
		Field[Options]{"source", func(o *Options, text string) error { o.Source = lookup.Source(text); return nil }},
		Field[Options]{"history", func(o *Options, text string) error { o.History = parseBool(text); return nil }},
		Field[Options]{"policy", func(o *Options, text string) error { o.Policy = text; return nil }},
		Field[Options]{"minify", func(o *Options, text string) error { o.Minify = parseBool(text); return nil }})
	return all
}

// parseBool returns nil for a text that is neither true nor false.
func parseBool(text string) *bool {
	value, err := strconv.ParseBool(text)
	if err != nil {
		return nil
	}
	return &value
}
