package shodanrep

import (
	"context"
	"fmt"
	"iter"
	"math/big"
	"net/netip"
	"slices"
	"strings"

	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
)

func tableShodanNetworkReputation(context.Context) *plugin.Table {
	type row = *networkRow
	return &plugin.Table{
		Name:        "shodan_network_reputation",
		Description: "The reputation scores of the addresses in a network, and the reasons for the scores. One row per address, for every status.",
		List: &plugin.ListConfig{
			KeyColumns: plugin.KeyColumnSlice{
				{Name: "network", Require: plugin.Required, Operators: []string{"="}},
				{Name: "source", Require: plugin.Optional, Operators: []string{"="}},
				policyKey(),
			},
			Hydrate: listing(listNetworks), Tags: map[string]string{"service": "shodan", "action": "list"},
		},
		Cache: noQueryCache(),
		Columns: slices.Concat([]*plugin.Column{
			inet("network", "The network, as written in the query. A network with host bits (203.0.113.5/24) means the whole network (203.0.113.0/24).", func(r row) any { return r.asked.echo() }),
			inet("ip", "The address in the network.", func(r row) any { return r.addr.String() }),
		}, hydrated(reputationOf, reputationColumns()...), []*plugin.Column{
			text("title", "The display name of the row: the address.", func(r row) any { return r.addr.String() }),
		}),
	}
}

// A network is a value of the network column.
type network struct {
	netip.Prefix
	asked address
}

// A networkRow is an address of a network.
type networkRow struct {
	network
	addr       netip.Addr
	reputation *reputationRow // nil where no column needs it
}

// reputationOf hands the columns of a reputation the part of the row that they know.
func reputationOf(_ context.Context, _ *plugin.QueryData, h *plugin.HydrateData) (any, error) {
	return h.Item.(*networkRow).reputation, nil
}

// parseNetwork reads a network; an address alone is one of itself.
func parseNetwork(text string) (network, error) {
	n := network{asked: parseAddress(text)}
	switch {
	case n.asked.addr.IsValid():
		n.Prefix = netip.PrefixFrom(n.asked.addr, n.asked.addr.BitLen())
	case n.asked.network:
		n.Prefix = netip.MustParsePrefix(strings.TrimSpace(text)).Masked()
		if addr := n.Addr(); addr.Is4In6() && n.Bits() >= 96 {
			n.Prefix = netip.PrefixFrom(addr.Unmap(), n.Bits()-96)
		}
	default:
		return n, fmt.Errorf("network = %q is no network: write it like 203.0.113.0/24 or 2001:db8::/120", text)
	}
	return n, nil
}

// checkSize returns an error where a network has more addresses than a query may ask for.
func (n network) checkSize(limit int) error {
	size := new(big.Int).Lsh(big.NewInt(1), uint(n.Addr().BitLen()-n.Bits()))
	if size.Cmp(big.NewInt(int64(limit))) <= 0 {
		return nil
	}
	return fmt.Errorf("network %s has %d addresses, more than network_limit = %d: ask for its parts, or raise network_limit in the connection", n.asked.given, size, limit)
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
func listNetworks(ctx context.Context, r *request, emit func(*networkRow) bool) error {
	// All networks of the scan are checked by each call, so that none is asked about where another is too large.
	for _, text := range r.whole("network") {
		n, err := parseNetwork(text)
		if err == nil {
			err = n.checkSize(r.settings.networkLimit)
		}
		if err != nil {
			return err
		}
	}
	sources := r.texts("source")
	for _, source := range sources {
		if err := r.checkSource(source); err != nil {
			return err
		}
	}
	if sources == nil {
		sources = []string{""}
	}
	for _, text := range r.texts("network") {
		for _, source := range sources {
			n, err := parseNetwork(text)
			if err == nil {
				err = r.listNetwork(ctx, n, lookup.Source(source), emit)
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
// Without a source the dataset and InternetDB answer, which cost nothing. The REST API is only asked where it is named,
// by the query or by the connection: by a search, which finds all addresses at a query credit for each hundred banners
// and not at a second for each address. A single address is looked up, which costs no credit.
func (r *request) listNetwork(ctx context.Context, n network, source lookup.Source, emit func(*networkRow) bool) error {
	chosen := source
	if source == "" {
		chosen = r.settings.lookup.Source
	}
	switch {
	case !r.needsAnswers(r.d):
		for addr := range n.addresses(r.remaining(ctx)) {
			if !emit(&networkRow{network: n, addr: addr}) {
				break
			}
		}
		return nil
	case chosen == lookup.Shodan && !n.IsSingleIP():
		return r.searchNetwork(ctx, n, source, emit)
	}
	return r.lookUpNetwork(ctx, n, source, emit)
}

// searchNetwork is listNetwork by a search.
func (r *request) searchNetwork(ctx context.Context, n network, source lookup.Source, emit func(*networkRow) bool) error {
	if r.policies.need(lookup.Question{}).History {
		return fmt.Errorf("the policy asks for the history of each address, which a search does not have: name one that does not, such as where policy = 'extended', or another source")
	}
	answer, err := r.engine.SearchNetwork(ctx, n.Prefix, int64(r.settings.searchLimit))
	if err != nil {
		return err
	}
	for addr := range n.addresses(r.remaining(ctx)) {
		known := answer(addr)
		s := &subject{address: address{addr: addr}, manner: manner{source: source}, answer: &known}
		if more, err := r.emitAddress(ctx, n, s, lookup.Question{}, emit); err != nil || !more {
			return err
		}
	}
	return nil
}

// networkWindow is how many addresses of a network are handed to the batch at a time. The next are handed over before
// the rows of those are made, so that the service always has some to answer, and a large network is never all in memory.
const networkWindow = 500

// lookUpNetwork is listNetwork by looking each address up.
func (r *request) lookUpNetwork(ctx context.Context, n network, source lookup.Source, emit func(*networkRow) bool) error {
	want, most := wanted(r.d), r.remaining(ctx)
	want.SkipREST = true
	expected := int(min(most, n.size()))
	if ListLength(ctx) > 0 {
		expected-- // as a value of a list it counts already
	}
	r.batch.AddTotal(expected)
	next, stop := iter.Pull(n.addresses(most))
	defer stop()
	ask := func() (subjects []*subject) {
		for len(subjects) < networkWindow {
			addr, ok := next()
			if !ok {
				break
			}
			subjects = append(subjects, &subject{address: address{addr: addr}, manner: manner{source: source}})
		}
		r.askFor(subjects, want)
		return subjects
	}
	for window := ask(); len(window) > 0; {
		if err := r.batch.Ready(ctx); err != nil {
			return err
		}
		following := ask()
		for _, s := range window {
			if more, err := r.emitAddress(ctx, n, s, want, emit); err != nil || !more {
				return err
			}
		}
		window = following
	}
	return nil
}

// emitAddress makes the row of an address when its answer is there, by each policy that the call names.
func (r *request) emitAddress(ctx context.Context, n network, s *subject, want lookup.Question, emit func(*networkRow) bool) (more bool, err error) {
	answer, err := r.answer(ctx, s, want)
	if err != nil {
		return false, err
	}
	named := r.texts("policy")
	if named == nil {
		named = []string{""} // the connection's
	}
	for _, policy := range named {
		judged := *s
		judged.policy = policy
		if !emit(&networkRow{network: n, addr: s.addr, reputation: r.judge(&judged, answer)}) {
			return false, nil
		}
	}
	return true, nil
}
