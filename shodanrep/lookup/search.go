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
	pageSize = shodan.SearchPage
	// pagesAhead is how many pages are requested in parallel. At one request a second more would only wait.
	pagesAhead = 8
	// AllRows is the limit of a search for all matches.
	AllRows = math.MaxInt64
)

// pages yields the pages of a search in order, until as many are read as the total needs, or one is empty.
//
// The pages that the rows need in any case, even if all are full, are requested in parallel. Each further page may
// cost a query credit, so it is requested when the loop comes to it.
func (e *Engine) pages(ctx context.Context, query string, rows int64) iter.Seq2[Reply[*shodan.SearchResult], error] {
	return func(yield func(Reply[*shodan.SearchResult], error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		type result struct {
			reply Reply[*shodan.SearchResult]
			err   error
		}
		var ahead []chan result
		requested, needed := 0, int64(1)
		for page := 1; ; page++ {
			for requested < page || len(ahead) < pagesAhead && int64(requested) < needed {
				requested++
				call, done := shodan.Search(query, requested), make(chan result, 1)
				go func() {
					reply, err := request(ctx, e, call)
					done <- result{reply, err}
				}()
				ahead = append(ahead, done)
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

// pagesOf returns how many full pages the rows fill.
func pagesOf(rows int64) int64 { return (rows + pageSize - 1) / pageSize }

// A Page is a page of a search without what earlier pages have.
type Page struct {
	Banners []*shodan.Banner // shared: do not change them
	// Total is how many banners match the query.
	Total int64
	// CheckedAt is when the page was requested.
	CheckedAt time.Time
	// Missing is an error if the page has no match though the total says that it has some. No page follows.
	Missing error
}

// Search finds the banners that match a query, each once: matches move from page to page while the pages are read. It
// requests no more pages than limit banners need.
//
// It refuses to find more than most banners, so that no query spends all credits by accident. If the limit allows
// more it counts the matches first, which is free. Where the count is 0 it requests no page, which would cost a credit to
// say the same: the page is one without banners, of the time of the count.
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
			if count.Value.Total.V == 0 {
				yield(Page{CheckedAt: count.CheckedAt}, nil)
				return
			}
		}
		what := "searching for " + query
		if err := e.CheckKey(what); err != nil {
			yield(Page{}, err)
			return
		}
		seen := map[bannerKey]bool{}
		read := 0
		for reply, err := range e.pages(ctx, query, limit) {
			if err != nil && ctx.Err() == nil {
				err = wrapError(what, err)
			}
			if err != nil {
				yield(Page{}, err)
				return
			}
			read++
			page := Page{Total: reply.Value.Total.V, CheckedAt: reply.CheckedAt, Missing: missing(query, reply.Value, read)}
			rows := min(limit, page.Total)
			if err := checkMost(query, rows, most); err != nil {
				yield(Page{}, err)
				return
			}
			for i := range reply.Value.Matches {
				if b := &reply.Value.Matches[i]; !seen[keyOf(b)] {
					seen[keyOf(b)] = true
					page.Banners = append(page.Banners, b)
				}
			}
			if !yield(page, nil) || int64(len(seen)) >= limit {
				return
			}
			// Pages often lack a few matches. Pages that repeat each other for ever would cost credits without an end.
			if int64(read) > 2*pagesOf(max(rows, 1)) {
				yield(Page{}, wrapError(what, &shodan.Error{Service: e.rest.Name, Err: fmt.Errorf("%d pages had only %d of %d banners", read, len(seen), rows)}))
				return
			}
		}
	}
}

// missing returns an error if a page of a search has no match though the total says that it has some.
func missing(query string, page *shodan.SearchResult, number int) error {
	if !page.LacksPage(number) {
		return nil
	}
	return fmt.Errorf("searching for %s failed: page %d has no match, though Shodan counts %d matches in all, so that the rows from there on are missing: "+
		"run the query again later, or take fewer rows with LIMIT", query, number, page.Total.V)
}

// checkMost returns an error if a search would return more banners than are allowed.
func checkMost(query string, rows, most int64) error {
	if rows <= most {
		return nil
	}
	return fmt.Errorf("searching for %s would bring %d banners, more than search_limit = %d, at a query credit for each hundred: "+
		"narrow it, or raise search_limit in the connection; in shodan_search a LIMIT will do", query, rows, most)
}

// A bannerKey tells banners apart.
type bannerKey struct {
	addr            netip.Addr
	port            int64
	transport, seen string
}

func keyOf(b *shodan.Banner) bannerKey {
	s := bannerKey{addr: b.Addr, port: b.Port.V, transport: string(b.Transport), seen: string(b.ID)}
	if s.seen == "" {
		s.seen = b.Timestamp.String()
	}
	return s
}

// SearchNetwork looks up all addresses of a network by searching for it, and returns the answer for each. It requests
// at most most banners, see Search. An error means that the search was refused. If the search fails that is the
// answer for each address. A network of reserved addresses is not searched for.
func (e *Engine) SearchNetwork(ctx context.Context, network netip.Prefix, most int64) (func(netip.Addr) Answer, error) {
	if IsReservedNetwork(network) {
		return func(addr netip.Addr) Answer {
			CountAddress(ctx, addr, nil)
			return Answer{Status: Reserved}
		}, nil
	}
	query := "net:" + network.String()
	found := networkMatches{network: network, banners: map[netip.Addr][]shodan.Banner{}}
	failure := found.collect(e.Search(ctx, query, AllRows, most))
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
			answer = Answer{Status: Reserved}
		case failure != nil:
			answer.fail(failure)
		case hosts[addr] != nil:
			answer.Status, answer.Host = Indexed, hosts[addr]
		case found.count < found.total:
			answer.fail(fmt.Errorf("the search for %s gave %d of the %d banners that it counts, and this address may have one of the others: "+
				"look it up by itself, in shodan_ip_reputation", query, found.count, found.total))
		default:
			answer.Status = NotIndexed
		}
		CountAddress(ctx, addr, answer.failure)
		return answer
	}, nil
}

// networkMatches is what a search for a network found.
type networkMatches struct {
	network      netip.Prefix
	banners      map[netip.Addr][]shodan.Banner
	count, total int64 // banners: found, and in all
	checkedAt    time.Time
}

// collect reads the banners of a search.
func (m *networkMatches) collect(pages iter.Seq2[Page, error]) error {
	for page, err := range pages {
		if err != nil {
			return err
		}
		m.total, m.checkedAt = page.Total, page.CheckedAt
		for _, b := range page.Banners {
			// It is not known which address an unexpected banner belongs to, and no address may be taken for not indexed.
			if !m.network.Contains(b.Addr) {
				return wrapError("searching for net:"+m.network.String(), &shodan.Error{Service: "Shodan", Err: fmt.Errorf("the response has a banner of %v, which was not searched for", b.Addr)})
			}
			m.banners[b.Addr] = append(m.banners[b.Addr], *b)
			m.count++
		}
	}
	return nil
}
