package shodanrep

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"math/big"
	"net/netip"
	"slices"
	"strings"

	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/scan"
)

func tableShodanNetworkReputation(context.Context) *plugin.Table {
	type row = *networkRow
	return newTable(&plugin.Table{
		Name:        "shodan_network_reputation",
		Description: "The reputation scores of the addresses in a network, and the reasons for the scores. One row per address, for every status.",
		Columns: slices.Concat([]*plugin.Column{
			inet("network", "The network, as written in the query. A network with host bits (203.0.113.5/24) means the whole network (203.0.113.0/24).", func(r row) any { return r.given.Echo() }),
			inet("ip", "The address in the network.", func(r row) any { return r.addr.String() }),
		}, hydrated(reputationOf, reputationColumns()...), []*plugin.Column{
			text("title", "The display name of the row: the address.", func(r row) any { return r.addr.String() }),
		}),
	}, scan.Table{
		Keys:     plugin.KeyColumnSlice{scan.Required("network"), scan.Optional("source")},
		Echoes:   []string{"network", "ip", "title"},
		Scores:   true,
		Unscored: append([]string{"network"}, unscoredColumns...),
		ReadBy:   "network",
		Rows:     scan.FromPages(listNetworks),
	})
}

// A network is a value of the network column.
type network struct {
	netip.Prefix
	given scan.Address
}

// A networkRow is an address of a network.
type networkRow struct {
	network
	addr    netip.Addr
	verdict *scan.Verdict // nil if no column needs it
}

// reputationOf is the hydrate function of the columns of a reputation: their item is the verdict.
func reputationOf(_ context.Context, _ *plugin.QueryData, h *plugin.HydrateData) (any, error) {
	return h.Item.(*networkRow).verdict, nil
}

// parseNetwork parses a network. A single address is a network of itself.
func parseNetwork(text string) (network, error) {
	n := network{given: scan.ParseAddress(text)}
	switch {
	case n.given.Addr.IsValid():
		n.Prefix = netip.PrefixFrom(n.given.Addr, n.given.Addr.BitLen())
	case n.given.Network:
		n.Prefix = netip.MustParsePrefix(strings.TrimSpace(text)).Masked()
		// The IPv4 hosts of an IPv4-mapped network, or of one of NAT64, whose addresses have the IPv4 address at the end.
		if host := scan.ParseAddress(n.Addr().String()).Addr; host.Is4() && n.Addr().Is6() && n.Bits() >= 96 {
			n.Prefix = netip.PrefixFrom(host, n.Bits()-96)
		}
	default:
		return n, fmt.Errorf("network = %q is no network: write it like 203.0.113.0/24 or 2001:db8::/120", text)
	}
	return n, nil
}

// checkSize returns an error if a network has more addresses than a query may look up.
func (n network) checkSize(limit int) error {
	if scan.Fits(n.Prefix, limit) {
		return nil
	}
	size := new(big.Int).Lsh(big.NewInt(1), uint(n.Addr().BitLen()-n.Bits()))
	return fmt.Errorf("network %s has %d addresses, more than network_limit = %d: ask for its parts, or raise network_limit in the connection", n.given.Given, size, limit)
}

// size returns how many addresses a network has that is not too large.
func (n network) size() int64 { return 1 << (n.Addr().BitLen() - n.Bits()) }

// addresses yields the addresses of a network in order, at most so many.
func (n network) addresses(most int64) iter.Seq[netip.Addr] {
	return func(yield func(netip.Addr) bool) {
		for addr := n.Addr(); most > 0 && n.Contains(addr) && yield(addr); addr = addr.Next() {
			most--
		}
	}
}

// listNetworks makes a row for each address of the networks.
func listNetworks(ctx context.Context, c *scan.ListCall, emit func(*networkRow) bool) error {
	// Each call checks all networks of the scan, so that none is looked up if another is too large.
	for _, text := range c.AllTexts("network") {
		n, err := parseNetwork(text)
		if err == nil {
			err = n.checkSize(c.Settings().NetworkLimit)
		}
		if err != nil {
			return err
		}
	}
	sources := c.Texts("source")
	for _, source := range sources {
		if err := c.CheckSource(source); err != nil {
			return err
		}
	}
	if sources == nil {
		sources = []string{""}
	}
	for _, text := range c.Texts("network") {
		for _, source := range sources {
			n, err := parseNetwork(text)
			if err == nil {
				err = listNetwork(ctx, c, n, lookup.Source(source), emit)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// listNetwork makes a row for each address of one network from one source.
//
// Without a source the dataset and InternetDB are used, which cost nothing. The REST API is used only if the query or the
// connection names it: by a search, which finds all addresses at a query credit for each hundred banners and not at a
// second for each address. A single address is looked up, which costs no credit.
func listNetwork(ctx context.Context, c *scan.ListCall, n network, source lookup.Source, emit func(*networkRow) bool) error {
	if c.OnlyEchoes() {
		for addr := range n.addresses(c.Remaining(ctx)) {
			if !emit(&networkRow{network: n, addr: addr}) {
				break
			}
		}
		return nil
	}
	results, err := networkResults(ctx, c, n, source)
	if err != nil {
		return err
	}
	named := c.Texts("policy")
	if named == nil {
		named = []string{""} // the connection's
	}
	for result, err := range results {
		if err != nil {
			return err
		}
		for _, policy := range named {
			if !emit(&networkRow{network: n, addr: result.Addr, verdict: result.VerdictBy(policy)}) {
				return nil
			}
		}
	}
	return nil
}

// networkResults looks up the addresses of a network that a call has rows of, by a search or each by itself.
func networkResults(ctx context.Context, c *scan.ListCall, n network, source lookup.Source) (iter.Seq2[*scan.Result, error], error) {
	most := c.Remaining(ctx)
	if cmp.Or(source, c.Settings().Lookup.Source) != lookup.Shodan || n.IsSingleIP() {
		need := reputationNeeds(c.Selected())
		need.SkipREST = true
		c.AddTotal(ctx, int(min(most, n.size())))
		addresses := func(yield func(netip.Prefix) bool) {
			for addr := range n.addresses(most) {
				if !yield(netip.PrefixFrom(addr, addr.BitLen())) {
					return
				}
			}
		}
		return c.Results(ctx, addresses, source, need), nil
	}
	if c.NeedHistory() {
		return nil, errors.New("the policy asks for the history of each address, which a search does not have: name one that does not, such as where policy = 'extended', or another source")
	}
	answer, err := c.Engine().SearchNetwork(ctx, n.Prefix, int64(c.Settings().SearchLimit))
	if err != nil {
		return nil, err
	}
	return func(yield func(*scan.Result, error) bool) {
		for addr := range n.addresses(most) {
			t := &scan.Target{Address: scan.Address{Addr: addr}, Options: scan.Options{Source: source}}
			if !yield(c.NewResult(t, answer(addr)), nil) {
				return
			}
		}
	}, nil
}
