package report

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/dustin/go-humanize"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/ipaddr"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/scan"
)

// A Result is the verdict on an address or a network, with where it was found.
type Result struct {
	*scan.Verdict
	// Hits is how often it was found.
	Hits int64
	// Line is the line in which it was found first, and 0 if it is an argument. Input is the input that has the line: a
	// file, or "-" for standard input.
	Line  int64
	Input string
	// SeveralInputs says that addresses are read from more than one input, so that Line alone is ambiguous.
	SeveralInputs bool
	// NetworkLimit is how many addresses a network may have to be expanded.
	NetworkLimit int
}

// Reasons returns why the result has its level, the most important reason first.
func (r Result) Reasons() []string {
	if r.IsNetwork() {
		return []string{r.networkReason()}
	}
	return Reasons(r.Verdict)
}

// networkReason says why a network was not checked, and what to do.
func (r Result) networkReason() string {
	p := r.prefix()
	bits := p.Addr().BitLen() - p.Bits()
	if bits > 62 {
		return fmt.Sprintf("not checked: a network of 2^%d addresses; name smaller networks or addresses", bits)
	}
	size := int64(1) << bits
	if size > scan.MaxNetworkLimit {
		return fmt.Sprintf("not checked: a network of %s addresses, more than can be expanded; name smaller networks or addresses", humanize.Comma(size))
	}
	if size > int64(r.NetworkLimit) {
		return fmt.Sprintf("not checked: a network of %s addresses, more than network_limit (%s): raise that argument of the connection, or name smaller networks",
			humanize.Comma(size), humanize.Comma(int64(r.NetworkLimit)))
	}
	return fmt.Sprintf("not checked: a network of %s addresses; --expand checks each", humanize.Comma(size))
}

// prefix returns the network, or the address as a network of one address.
func (r Result) prefix() netip.Prefix { return prefixOf(r.Verdict) }

// prefixOf returns the network of a verdict, or the address as a network of one address.
func prefixOf(v *scan.Verdict) netip.Prefix {
	if addr, err := netip.ParseAddr(v.IP()); err == nil {
		return netip.PrefixFrom(addr, addr.BitLen())
	}
	return netip.MustParsePrefix(v.IP())
}

// Reasons returns why an address has its level, the most important reason first.
func Reasons(v *scan.Verdict) []string {
	r := v.Score()
	switch {
	case v.Status() == lookup.Failed:
		return []string{"not checked: " + v.Answer().Error}
	case v.Status() == lookup.Reserved:
		return append([]string{"not on the internet: a private, local or reserved address"}, tunnelReason(v.IP())...)
	case r == nil:
		return append([]string{fmt.Sprintf("not indexed: %s has no data on it", SourceName(v.Answer().Source))}, tunnelReason(v.IP())...)
	}
	factors := byPoints(r.Factors)
	reasons := make([]string, 0, len(factors)+1)
	if r.Score == 0 && !slices.ContainsFunc(factors, func(f reputation.Factor) bool { return f.Points != 0 }) {
		reasons = append(reasons, "nothing found against it")
	}
	for _, factor := range factors {
		reasons = append(reasons, factor.Detail)
	}
	return reasons
}

// tunnelReason names the IPv4 address that an address of 6to4 or Teredo is reached through. Shodan has data on that one,
// if on any. There is none for other addresses.
func tunnelReason(ip string) []string {
	addr, err := netip.ParseAddr(ip)
	if err != nil {
		return nil
	}
	end, protocol := ipaddr.Tunnelled(addr)
	if protocol == "" || lookup.IsReserved(end) {
		return nil
	}
	return []string{fmt.Sprintf("its %s tunnel ends at %s: check that address too", protocol, end)}
}

// byPoints returns factors with the most points first.
func byPoints(factors []reputation.Factor) []reputation.Factor {
	order := func(a, b reputation.Factor) int { return cmp.Compare(b.Points, a.Points) }
	if !slices.IsSortedFunc(factors, order) {
		factors = slices.Clone(factors)
		slices.SortStableFunc(factors, order)
	}
	return factors
}

// SourceName returns the name of a source for people.
func SourceName(source lookup.Source) string {
	switch source {
	case lookup.InternetDB:
		return "InternetDB"
	case lookup.Dataset:
		return "the dataset"
	}
	return "Shodan"
}

// WorstFirst sorts results: the one of the highest [Result.Rank] first, and results of the same rank in their order.
func WorstFirst(results []Result) {
	slices.SortStableFunc(results, func(a, b Result) int { return cmp.Compare(b.Rank(), a.Rank()) })
}

// Rank is the higher the worse a result is: the score. Unknown results come last, and of those the ones that could not be
// checked come first.
func (r Result) Rank() int {
	if scored := r.Score(); scored != nil {
		return scored.Score
	}
	switch {
	case r.Status() == lookup.Failed:
		return -1
	case r.IsNetwork():
		return -2
	case r.Status() == lookup.NotIndexed:
		return -3
	}
	return -4
}

// reasonText returns the reasons as one text.
func (r Result) reasonText() string { return strings.Join(r.Reasons(), "; ") }

func (r Result) score() string {
	if r.Score() == nil {
		return "-"
	}
	return strconv.Itoa(r.Score().Score)
}

func (r Result) confidence() string {
	if r.Score() == nil || r.Score().Confidence == nil {
		return "-"
	}
	return fmt.Sprintf("%.2f", *r.Score().Confidence)
}

func (r Result) organization() string {
	if r.Host() == nil {
		return ""
	}
	return string(r.Host().Organization)
}

func (r Result) country() string {
	if r.Host() == nil {
		return ""
	}
	return string(r.Host().CountryCode)
}

// ports lists the first open ports, and how many more there are.
func (r Result) ports(limit int) string {
	if r.Host() == nil {
		return ""
	}
	var shown []string
	for i, port := range r.Host().Ports {
		if i == limit {
			shown = append(shown, fmt.Sprintf("+%d", len(r.Host().Ports)-limit))
			break
		}
		shown = append(shown, strconv.Itoa(port))
	}
	return strings.Join(shown, ", ")
}
