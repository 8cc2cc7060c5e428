package lookup

import (
	"context"
	"fmt"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup/cache"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

// pageSize is how many matches a page of a search has at most.
const pageSize = 100

// A Related host shares what was searched for.
type Related struct {
	Banner shodan.Banner
	Source Source // Dataset or Shodan
}

// filters are the search filters of the pivots.
var filters = map[shodan.Pivot]string{
	shodan.SubjectCN:         "ssl.cert.subject.cn",
	shodan.FingerprintSHA256: "ssl.cert.fingerprint",
	shodan.JARM:              "ssl.jarm",
	shodan.JA3S:              "ssl.ja3s",
	shodan.Organization:      "org",
	shodan.ASN:               "asn",
}

// bare is a value that needs no quotes in a query.
var bare = regexp.MustCompile(`^[0-9A-Za-z]+$`)

// Query writes the search query for all that shares a value.
func Query(pivot shodan.Pivot, value string) string {
	if pivot != shodan.SubjectCN && pivot != shodan.Organization && bare.MatchString(value) {
		return filters[pivot] + ":" + value
	}
	return filters[pivot] + ":" + shodan.Quote(value)
}

// CheckSearch returns an error where nothing can be searched, which says what is needed.
func (e *Engine) CheckSearch(source Source) error {
	if err := e.CheckSource(source); err != nil {
		return err
	}
	if source == InternetDB {
		return fmt.Errorf(`InternetDB cannot be searched: leave source out, or use source "shodan" or "dataset"`)
	}
	if e.rest == nil && e.dataset == nil {
		return fmt.Errorf(`finding related hosts needs an API key whose plan allows searches, or a dataset: set api_key (or SHODAN_API_KEY), or data_files to what "shodan download" wrote`)
	}
	return nil
}

// Related finds hosts that share a value, at most limit of them and without the address itself: in the dataset, where
// there is one, at no cost, and if that leaves room by a search, which costs a query credit unless the same search
// was made within the cache's time. Source may name one of the two.
func (e *Engine) Related(ctx context.Context, pivot shodan.Pivot, value string, except netip.Addr, source Source, limit int) ([]Related, error) {
	var found []Related
	seen := map[string]bool{}
	add := func(b shodan.Banner, from Source) {
		endpoint := fmt.Sprint(b.Addr, b.Port.V, b.Transport)
		if len(found) < limit && b.Addr != except && !seen[endpoint] && pivot.Matches(&b, value) {
			seen[endpoint] = true
			found = append(found, Related{Banner: b, Source: from})
		}
	}
	if source != Shodan {
		data, err := e.Dataset(ctx)
		if err != nil {
			return nil, err
		}
		if data != nil {
			banners, err := data.Related(ctx, pivot, value, except, limit)
			if err != nil {
				return nil, err
			}
			for _, b := range banners {
				add(b, Dataset)
			}
		}
	}
	if source == Dataset || e.rest == nil {
		return found, nil
	}
	query := Query(pivot, value)
	for page := 1; len(found) < limit && (page-1)*pageSize < limit; page++ {
		result, err := e.search(ctx, query, page)
		if err != nil {
			return nil, err
		}
		for _, b := range result.Matches {
			add(b, Shodan)
		}
		if int64(page*pageSize) >= result.Total.V {
			break
		}
	}
	return found, nil
}

// search returns a page of a search, from the cache where the same one was made before.
func (e *Engine) search(ctx context.Context, query string, page int) (*shodan.SearchResult, error) {
	key := cache.Key{Service: e.rest.store, Subject: query, Asked: "search page " + strconv.Itoa(page)}
	if entry, ok := e.store.get(ctx, []cache.Key{key})[key]; ok {
		if result, err := shodan.ParseSearch(entry.Body); err == nil {
			return result, nil
		}
	}
	boarded := e.rest.board([]cache.Key{key}, func(ctx context.Context, _ []cache.Key, land func(cache.Key, outcome)) {
		body, err := ask(ctx, e, e.rest, func(ctx context.Context) ([]byte, error) {
			return e.rest.search(ctx, query, page)
		})
		if err == nil {
			now := time.Now()
			e.store.put(cache.Entry{Key: key, Body: body, CheckedAt: now, Expires: now.Add(e.cfg.CacheTTL)})
		}
		land(key, outcome{body: body, err: err})
	})
	o, err := e.rest.wait(ctx, boarded[key])
	if err == nil {
		err = o.err
	}
	if err != nil {
		return nil, searchError(query, err)
	}
	return shodan.ParseSearch(o.body)
}

// searchError says what a search needs that was refused.
func searchError(query string, err error) error {
	switch {
	case shodan.IsKind(err, shodan.PlanTooLow):
		return fmt.Errorf(`searching for %s needs a plan that allows searches: %w; upgrade the plan, or set data_files to what "shodan download" wrote and use source "dataset"`, query, err)
	case shodan.IsKind(err, shodan.CreditsSpent):
		return fmt.Errorf("searching for %s costs a query credit: %w; wait for the month to end, or upgrade the plan", query, err)
	}
	return fmt.Errorf("searching for %s failed: %w", query, err)
}

// CanonicalASN writes the number of an autonomous system as Shodan does: AS64496.
func CanonicalASN(text string) string {
	digits := strings.TrimPrefix(strings.ToUpper(strings.TrimSpace(text)), "AS")
	if _, err := strconv.ParseUint(digits, 10, 32); err != nil {
		return text
	}
	return "AS" + digits
}

// LookUpRich looks up one address where there is more than InternetDB has: in the dataset, or else on the REST API.
// The error is why nothing can be looked up; an address that could not be is an Answer.
func (e *Engine) LookUpRich(ctx context.Context, q Question) (Answer, error) {
	if q.Source == "" && e.dataset != nil {
		q.Source = Dataset
		answer, err := e.lookUp(ctx, q)
		if err != nil || answer.Status == Indexed || answer.Status == Failed || e.rest == nil {
			return answer, err
		}
		q.Source = ""
	}
	if q.Source == "" {
		q.Source = Shodan
	}
	return e.lookUp(ctx, q)
}

// lookUp looks up one address in a batch of its own.
func (e *Engine) lookUp(ctx context.Context, q Question) (Answer, error) {
	b := e.Batch(ctx, 1)
	b.Ask(q)
	if err := b.Ready(ctx); err != nil {
		return Answer{}, err
	}
	return b.Answer(ctx, q)
}
