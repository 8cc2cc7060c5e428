package lookup

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"net/netip"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/ratelimit"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

const (
	// pageSize is how many matches a page of a search has at most. It may have fewer and not be the last.
	pageSize = 100
	// pagesAhead is how many pages are asked for side by side. At one request a second more would only wait.
	pagesAhead = 8
	// AllRows is the limit of a search for all that there is.
	AllRows = math.MaxInt64
)

// pages yields the pages of a search in order, until all that the total counts have been asked for or one is empty.
//
// Those that so many rows need in any case are asked for side by side: however full the pages before it are, they are
// not enough. All others are asked for when the loop comes to them, since each may cost a query credit.
func (e *Engine) pages(ctx context.Context, query string, rows int64) iter.Seq2[Reply[*shodan.SearchResult], error] {
	return func(yield func(Reply[*shodan.SearchResult], error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		type answer struct {
			reply Reply[*shodan.SearchResult]
			err   error
		}
		var ahead []chan answer
		asked, needed := 0, int64(1)
		for page := 1; ; page++ {
			for asked < page || len(ahead) < pagesAhead && int64(asked) < needed {
				asked++
				call, answered := shodan.Search(query, asked), make(chan answer, 1)
				go func() {
					reply, err := request(ctx, e, call)
					answered <- answer{reply, err}
				}()
				ahead = append(ahead, answered)
			}
			next := <-ahead[0]
			ahead = ahead[1:]
			if !yield(next.reply, next.err) || next.err != nil {
				return
			}
			total := next.reply.Value.Total.V
			if len(next.reply.Value.Matches) == 0 || int64(page)*pageSize >= total {
				return
			}
			needed = pagesOf(min(rows, total))
		}
	}
}

// pagesOf returns how many full pages so many rows are.
func pagesOf(rows int64) int64 { return (rows + pageSize - 1) / pageSize }

// A Page is what a page of a search has that the pages before it have not.
type Page struct {
	Banners []*shodan.Banner // shared: do not change them
	// Total is how many banners match the query in all.
	Total int64
	// CheckedAt is when the page was asked for.
	CheckedAt time.Time
}

// Search finds the banners that match a query, each once: pages move while they are read, and then have some again. It
// asks for no more pages than limit banners need.
//
// More than most banners are refused, so that no query spends all credits by accident: before anything is spent, where
// the limit allows so many, because counting is free.
func (e *Engine) Search(ctx context.Context, query string, limit, most int64) iter.Seq2[Page, error] {
	return func(yield func(Page, error) bool) {
		if limit > most {
			count, err := Request(ctx, e, shodan.Count(query, nil, 0))
			if err == nil {
				err = checkMost(query, min(limit, count.Value.Total.V), most)
			}
			if err != nil {
				yield(Page{}, err)
				return
			}
		}
		what := "searching for " + query
		if err := e.CheckKey(what); err != nil {
			yield(Page{}, err)
			return
		}
		seen := map[sighting]bool{}
		read := int64(0)
		for reply, err := range e.pages(ctx, query, limit) {
			if err != nil && ctx.Err() == nil {
				err = wrapError(what, err)
			}
			if err != nil {
				yield(Page{}, err)
				return
			}
			page := Page{Total: reply.Value.Total.V, CheckedAt: reply.CheckedAt}
			rows := min(limit, page.Total)
			if err := checkMost(query, rows, most); err != nil {
				yield(Page{}, err)
				return
			}
			for i := range reply.Value.Matches {
				if b := &reply.Value.Matches[i]; !seen[sightingOf(b)] {
					seen[sightingOf(b)] = true
					page.Banners = append(page.Banners, b)
				}
			}
			if !yield(page, nil) || int64(len(seen)) >= limit {
				return
			}
			// Pages that lack a few are usual, and pages that repeat each other for ever would cost without an end.
			if read++; read > 2*pagesOf(max(rows, 1)) {
				yield(Page{}, wrapError(what, &shodan.Error{Service: e.rest.Name, Err: fmt.Errorf("%d pages had only %d of %d banners", read, len(seen), rows)}))
				return
			}
		}
	}
}

// checkMost returns an error where a search would return more than the most that are allowed.
func checkMost(query string, rows, most int64) error {
	if rows <= most {
		return nil
	}
	return fmt.Errorf("searching for %s would bring %d banners, more than search_limit = %d, at a query credit for each hundred: "+
		"narrow it, or raise search_limit in the connection; in shodan_search a LIMIT will do", query, rows, most)
}

// A sighting is what makes two banners one.
type sighting struct {
	addr            netip.Addr
	port            int64
	transport, seen string
}

func sightingOf(b *shodan.Banner) sighting {
	s := sighting{addr: b.Addr, port: b.Port.V, transport: string(b.Transport), seen: string(b.ID)}
	if s.seen == "" {
		s.seen = b.Timestamp.String()
	}
	return s
}

// SearchNetwork finds out about all addresses of a network by searching for it, and returns what became of each. It
// asks for most banners at most, see Search. An error means that the search was refused; a search that failed is what
// became of each address. Nobody is asked about a network all of whose addresses are reserved.
func (e *Engine) SearchNetwork(ctx context.Context, network netip.Prefix, most int64) (func(netip.Addr) Answer, error) {
	if allReserved(network) {
		return func(netip.Addr) Answer { return Answer{Status: Reserved} }, nil
	}
	query := "net:" + network.String()
	found := networkMatches{network: network, banners: map[netip.Addr][]shodan.Banner{}}
	failure := found.take(e.Search(ctx, query, AllRows, most))
	var banned *ratelimit.BannedError
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case failure == nil, errors.As(failure, &banned), shodan.IsKind(failure, shodan.Unavailable, shodan.Limited, shodan.Invalid):
	default:
		return nil, failure
	}
	hosts := make(map[netip.Addr]*shodan.Host, len(found.banners))
	for addr, own := range found.banners {
		hosts[addr] = shodan.MergeBanners(own)
	}
	return func(addr netip.Addr) Answer {
		answer := Answer{Source: Shodan, CheckedAt: found.checkedAt}
		switch {
		case IsReserved(addr):
			return Answer{Status: Reserved}
		case failure != nil:
			answer.Status, answer.Error = Failed, failure.Error()
		case hosts[addr] != nil:
			answer.Status, answer.Host = Indexed, hosts[addr]
		case found.count < found.total:
			answer.Status = Failed
			answer.Error = fmt.Sprintf("the search for %s gave %d of the %d banners that it counts, and this address may have one of the others: "+
				"look it up by itself, in shodan_ip_reputation", query, found.count, found.total)
		default:
			answer.Status = NotIndexed
		}
		return answer
	}, nil
}

// allReserved reports whether no address of a network can be on the internet.
func allReserved(network netip.Prefix) bool {
	for addr := network.Addr(); network.Contains(addr); addr = addr.Next() {
		if !IsReserved(addr) {
			return false
		}
	}
	return true
}

// networkMatches is what a search for a network found.
type networkMatches struct {
	network      netip.Prefix
	banners      map[netip.Addr][]shodan.Banner
	count, total int64 // of banners: those that were found, and those that there are
	checkedAt    time.Time
}

// take takes the banners of a search.
func (m *networkMatches) take(pages iter.Seq2[Page, error]) error {
	for page, err := range pages {
		if err != nil {
			return err
		}
		m.total, m.checkedAt = page.Total, page.CheckedAt
		for _, b := range page.Banners {
			// Of an answer with an odd banner it is not known whose that is, and no address may be taken for absent.
			if !m.network.Contains(b.Addr) {
				return wrapError("searching for net:"+m.network.String(), &shodan.Error{Service: "Shodan", Err: fmt.Errorf("the answer has a banner of %v, which was not searched for", b.Addr)})
			}
			m.banners[b.Addr] = append(m.banners[b.Addr], *b)
			m.count++
		}
	}
	return nil
}
