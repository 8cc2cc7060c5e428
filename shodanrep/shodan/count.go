package shodan

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// errNoTotal means that a response does not have the number of matches.
var errNoTotal = errors.New("the response has no total")

// CountResult is the number of banners that match a query, in total and by the values of facets.
type CountResult struct {
	Total  Null[int64]            `json:"total"`
	Facets map[string]FacetValues `json:"facets"`
}

// FacetValue is a value of a facet, such as US of country, and the number of banners that have it.
type FacetValue struct {
	Count Null[int64] `json:"count"`
	Value Text        `json:"value"` // a number or a boolean in some facets
}

// FacetValues is a JSON list of a facet's values, the most frequent first. It is nil if there is no list.
type FacetValues []FacetValue

// UnmarshalJSON implements json.Unmarshaler and never fails. It skips items that are not JSON objects.
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

// Count requests the number of banners that match a query, and the most frequent values of each facet, size per facet.
// It costs no query credits.
//
// https://developer.shodan.io/api (GET /shodan/host/count)
func Count(query string, facets []string, size int) Call[*CountResult] {
	call := Call[*CountResult]{What: "counting " + query, Path: "/shodan/host/count", Query: url.Values{"query": queryValue(query)}}
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

// parseCount reads a count with the requested facets. It returns an error for anything else.
func parseCount(body []byte, facets []string) (*CountResult, error) {
	result, err := readObject[CountResult](body)
	if err != nil {
		return nil, err
	}
	if !result.Total.Valid || result.Total.V < 0 {
		return nil, errNoTotal
	}
	for _, facet := range facets {
		// Without matches the response may leave the list out.
		if result.Facets[facet] == nil && result.Total.V > 0 {
			return nil, fmt.Errorf("the response has no list of the facet %s", facet)
		}
	}
	return result, nil
}
