package shodan

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// SearchResult is a page of the matches of a search.
type SearchResult struct {
	Matches Banners     `json:"matches"`
	Total   Null[int64] `json:"total"`
}

// SearchPage is how many matches a page of a search has at most. A page with fewer need not be the last.
const SearchPage = 100

// quoted is a quoted text in a query. A colon in it makes no filter.
var quoted = regexp.MustCompile(`"[^"]*"`)

// queryValue returns a query as it is requested. Blanks around it make no difference to the services, but would make it
// another query to the cache, which is paid for once more.
func queryValue(query string) []string { return []string{strings.TrimSpace(query)} }

// Search requests a page of the banners that match a query. Pages count from 1 and have at most 100 matches. It costs
// one query credit if the query has a filter or the page is not the first.
//
// https://developer.shodan.io/api (GET /shodan/host/search)
func Search(query string, page int) Call[*SearchResult] {
	values := url.Values{"query": queryValue(query)}
	if page > 1 {
		values.Set("page", strconv.Itoa(page))
	}
	call := Call[*SearchResult]{What: "searching for " + query, Path: "/shodan/host/search", Query: values, Read: ParseSearch}
	call.IsPartial = func(r *SearchResult) bool { return r.LacksPage(page) }
	if page > 1 || strings.Contains(quoted.ReplaceAllString(query, ""), ":") {
		call.Credits = 1
	}
	return call
}

// LacksPage reports whether the result, which is the page of the number, has no match though it counts more matches than
// the pages before can have.
func (r *SearchResult) LacksPage(number int) bool {
	return len(r.Matches) == 0 && r.Total.V > int64(number-1)*SearchPage
}

// ParseSearch reads a page of matches. It returns an error for anything else, also for a list with one other item,
// because nothing says what is missing then. Without a total, a page would look like the last one.
func ParseSearch(body []byte) (*SearchResult, error) {
	response, err := readObject[struct {
		Matches json.RawMessage `json:"matches"`
		Total   Null[int64]     `json:"total"`
	}](body)
	if err != nil {
		return nil, err
	}
	result := &SearchResult{Total: response.Total}
	skipped, err := result.Matches.decodeCounting(&scanner{text: response.Matches})
	switch {
	case len(response.Matches) == 0 || err != nil || result.Matches == nil:
		return nil, errors.New("the response has no list of matches")
	case skipped > 0:
		return nil, fmt.Errorf("%d items of the list of matches are not JSON objects", skipped)
	case !result.Total.Valid || result.Total.V < 0:
		return nil, errNoTotal
	}
	return result, nil
}

// Quote quotes a value of a search filter, so that no text in it, such as the name of a certificate, becomes part of
// the query. Shodan has no escape for a quote within quotes, so a quote becomes a space, which matches the same words.
func Quote(value string) string {
	value = strings.Map(func(r rune) rune {
		if r == '"' || r == '\\' || r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, value)
	return `"` + strings.TrimSpace(value) + `"`
}
