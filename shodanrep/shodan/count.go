package shodan

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// errNoTotal says that an answer does not say how many banners match.
var errNoTotal = errors.New("the response has no total")

// CountResult is how many banners match a query, and how many of them have which values of some facets.
type CountResult struct {
	Total  Null[int64]            `json:"total"`
	Facets map[string]FacetValues `json:"facets"`
}

// FacetValue is a value of a facet, such as US of country, and how many banners have it.
type FacetValue struct {
	Count Null[int64] `json:"count"`
	Value Text        `json:"value"` // of some facets a number or a boolean
}

// FacetValues is a JSON list of a facet's values, the most frequent first. It is nil where the response has no list.
type FacetValues []FacetValue

// UnmarshalJSON implements json.Unmarshaler and never fails. Items that are no JSON objects are left out.
func (v *FacetValues) UnmarshalJSON(raw []byte) error {
	*v = nil
	items, ok := list(raw)
	if !ok {
		return nil
	}
	*v = make(FacetValues, 0, len(items))
	for _, item := range items {
		var value FacetValue
		if unmarshalObject(item, &value) == nil {
			*v = append(*v, value)
		}
	}
	return nil
}

// Count asks how many banners match a query, and for the size most frequent values of each facet among them. It costs
// no query credits.
//
// https://developer.shodan.io/api (GET /shodan/host/count)
func Count(query string, facets []string, size int) Call[*CountResult] {
	call := Call[*CountResult]{What: "counting " + query, Path: "/shodan/host/count", Query: url.Values{"query": {query}}}
	if len(facets) > 0 {
		call.What += " by " + strings.Join(facets, ", ")
		sized := make([]string, len(facets))
		for i, facet := range facets {
			sized[i] = fmt.Sprintf("%s:%d", facet, size)
		}
		call.Query.Set("facets", strings.Join(sized, ","))
	}
	call.Read = func(body []byte) (*CountResult, error) { return parseCount(body, facets) }
	return call
}

// parseCount reads a count with the facets that were asked for. It returns an error for anything else.
func parseCount(body []byte, facets []string) (*CountResult, error) {
	result, err := readObject[CountResult](body)
	if err != nil {
		return nil, err
	}
	if !result.Total.Valid {
		return nil, errNoTotal
	}
	for _, facet := range facets {
		// Where nothing matches there is nothing to list, in whatever way the answer says so.
		if result.Facets[facet] == nil && result.Total.V > 0 {
			return nil, fmt.Errorf("the response has no list of the facet %s", facet)
		}
	}
	return result, nil
}
