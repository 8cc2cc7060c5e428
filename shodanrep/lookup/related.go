package lookup

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

// A Related host shares the value that was searched for.
type Related struct {
	Banner shodan.Banner
	Source Source // Dataset or Shodan
}

// filters are the search filters of the pivots. Shodan has none for an SSH server's host key, but its fingerprint is
// part of the banner's text.
var filters = map[shodan.Pivot]string{
	shodan.SubjectCN:         "ssl.cert.subject.cn",
	shodan.FingerprintSHA256: "ssl.cert.fingerprint",
	shodan.CertSerial:        "ssl.cert.serial",
	shodan.JARM:              "ssl.jarm",
	shodan.JA3S:              "ssl.ja3s",
	shodan.Favicon:           "http.favicon.hash",
	shodan.HTTPHTML:          "http.html_hash",
	shodan.BannerHash:        "hash",
	shodan.HASSH:             "ssh.hassh",
	shodan.Organization:      "org",
	shodan.ASN:               "asn",
}

// bare matches a value that needs no quotes in a query.
var bare = regexp.MustCompile(`^-?[0-9A-Za-z]+$`)

// Query returns the search query for all hosts that share a value.
func Query(pivot shodan.Pivot, value string) string {
	if filters[pivot] == "" {
		return shodan.Quote(value)
	}
	if pivot != shodan.SubjectCN && pivot != shodan.Organization && bare.MatchString(value) {
		return filters[pivot] + ":" + value
	}
	return filters[pivot] + ":" + shodan.Quote(value)
}

// IsBlank reports whether a value has nothing to search for.
func IsBlank(value string) bool { return shodan.Quote(value) == `""` }

// CheckShared returns an error if no search can find hosts by a value: it says what is wrong with it.
func CheckShared(pivot shodan.Pivot, value string) error {
	_, isNumber := new(big.Int).SetString(value, 10)
	switch {
	case IsBlank(value):
		return fmt.Errorf("is empty: give the %s to search for", pivot)
	case pivot.IsNumber() && !isNumber:
		return fmt.Errorf("is no %s: that is a whole number, such as -1263824311", pivot)
	case pivot == shodan.ASN && !strings.HasPrefix(CanonicalASN(value), "AS"):
		return errors.New("is no autonomous system: write it like AS64496")
	}
	return nil
}

// Related finds at most limit hosts that share a value, without the address itself. It reads the dataset, if there is
// one, at no cost. If that finds fewer it searches, which costs a query credit unless the response is cached. Source
// may name one of the two.
//
// The search is counted in the Progress of the context.
func (e *Engine) Related(ctx context.Context, pivot shodan.Pivot, value string, except netip.Addr, source Source, limit int) (found []Related, err error) {
	var searched []Source
	credits := int64(0)
	defer func() {
		if progress := ProgressFrom(ctx); progress != nil && err == nil {
			progress.countSearch(Query(pivot, value), len(found), credits, searched...)
		}
	}()
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
			searched = append(searched, Dataset)
			banners, err := data.Related(ctx, pivot, value, except, limit)
			if err != nil {
				return nil, err
			}
			for _, b := range banners {
				add(b, Dataset)
			}
		}
	}
	if source == Dataset || e.rest == nil || len(found) >= limit {
		return found, nil
	}
	query, requested := Query(pivot, value), 0
	searched = append(searched, Shodan)
	began := time.Now().Truncate(time.Microsecond) // as precise as CheckedAt
	for page, err := range e.pages(ctx, query, int64(limit)) {
		if err != nil {
			return nil, searchError(query, err)
		}
		if !page.CheckedAt.Before(began) { // it is not from the cache
			credits++
		}
		if err := missing(query, page.Value, requested/pageSize+1); err != nil {
			return nil, err
		}
		for _, b := range page.Value.Matches {
			add(b, Shodan)
		}
		if requested += pageSize; len(found) >= limit || requested >= limit {
			break
		}
	}
	return found, nil
}

// searchError says what a refused search needs.
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
