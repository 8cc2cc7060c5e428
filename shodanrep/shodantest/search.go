package shodantest

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// pageSize is the number of matches per page.
const pageSize = 100

// found is the response to a search or a count, with the fields in the order of the captures.
type found struct {
	Matches []map[string]any       `json:"matches"`
	Facets  map[string][]facetItem `json:"facets,omitempty"`
	Total   int                    `json:"total"`
}

type facetItem struct {
	Count int `json:"count"`
	Value any `json:"value"` // a string, or a number such as a port
}

// search handles GET /shodan/host/search, which may cost a credit, and GET /shodan/host/count, which is free.
func (s *Simulator) search(c *call, values url.Values) *response {
	q, err := parseQuery(values.Get("query"))
	facets, facetsErr := parseFacets(values.Get("facets"))
	page, pageErr := 1, error(nil)
	if text := values.Get("page"); text != "" {
		page, pageErr = strconv.Atoi(text)
	}
	if err != nil || facetsErr != nil || pageErr != nil || page < 1 {
		return errorResponse(http.StatusBadRequest, queryRefused) // the status is the simulator's choice
	}
	counting := c.Endpoint == EndpointCount
	if !counting && (q.filtered() || page > 1) && !s.spend(c.Key) {
		return errorResponse(http.StatusUnauthorized, creditsSpent)
	}
	banners := s.find(q)
	result := found{Matches: []map[string]any{}, Total: len(banners), Facets: countFacets(facets, banners)}
	if !counting {
		first := min(len(banners), (page-1)*pageSize)
		for _, banner := range banners[first:min(len(banners), first+pageSize)] {
			result.Matches = append(result.Matches, shape(banner, values))
		}
	}
	return ok(result)
}

// find returns the banners that match a query, newest first.
func (s *Simulator) find(q query) []map[string]any {
	type match struct {
		timestamp string
		banner    map[string]any
	}
	var matches []match
	for _, e := range s.entries() {
		for _, banner := range e.banners() {
			if q.matches(banner) {
				matches = append(matches, match{fmt.Sprint(banner["timestamp"]), banner})
			}
		}
	}
	slices.SortStableFunc(matches, func(a, b match) int { return cmp.Compare(b.timestamp, a.timestamp) })
	banners := make([]map[string]any, len(matches))
	for i, m := range matches {
		banners[i] = m.banner
	}
	return banners
}

// shape returns a match in the requested form: without "opts" unless minify=false, and only with the fields of fields=.
func shape(banner map[string]any, values url.Values) map[string]any {
	if names := values.Get("fields"); names != "" {
		only := map[string]any{}
		for path := range strings.SplitSeq(names, ",") {
			pick(only, banner, strings.Split(path, "."))
		}
		return only
	}
	if minify := values.Get("minify"); minify == "" || isTrue(minify) {
		banner = maps.Clone(banner)
		delete(banner, "opts")
	}
	return banner
}

// pick copies the value at a path from one object into another.
func pick(into, from map[string]any, path []string) {
	value, found := from[path[0]]
	if !found {
		return
	}
	object, isObject := value.(map[string]any)
	if len(path) == 1 || !isObject {
		into[path[0]] = value
		return
	}
	inner, ok := into[path[0]].(map[string]any)
	if !ok {
		inner = map[string]any{}
		into[path[0]] = inner
	}
	pick(inner, object, path[1:])
}

// facet is a property by which matches are counted.
type facet struct {
	name string
	top  int // the number of values
}

// parseFacets reads "country:5,org": names, each with the number of values. The default is 10.
func parseFacets(text string) ([]facet, error) {
	if text == "" {
		return nil, nil
	}
	var facets []facet
	for item := range strings.SplitSeq(text, ",") {
		name, top, limited := strings.Cut(item, ":")
		f := facet{name: name, top: 10}
		if limited {
			var err error
			if f.top, err = strconv.Atoi(top); err != nil || f.top < 1 {
				return nil, errors.New("the number of values of a facet must be positive")
			}
		}
		if _, known := filters[name]; !known {
			return nil, fmt.Errorf("there is no facet %q", name)
		}
		facets = append(facets, f)
	}
	return facets, nil
}

// countFacets counts banners by the values of each facet, most frequent first.
func countFacets(facets []facet, banners []map[string]any) map[string][]facetItem {
	if len(facets) == 0 {
		return nil
	}
	counted := map[string][]facetItem{}
	for _, f := range facets {
		counts := map[string]int{}
		for _, banner := range banners {
			for _, value := range distinct(filters[f.name].values(banner)) {
				counts[value]++
			}
		}
		values := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
			return cmp.Or(counts[b]-counts[a], cmp.Compare(a, b))
		})
		items := []facetItem{}
		for _, value := range values[:min(len(values), f.top)] {
			item := facetItem{Count: counts[value], Value: value}
			if filters[f.name].whole && isNumber(value) == nil {
				item.Value = json.Number(value)
			}
			items = append(items, item)
		}
		counted[f.name] = items
	}
	return counted
}

// tokens handles GET /shodan/host/search/tokens, which explains how Shodan reads a query.
func tokens(text string) *response {
	attributes, faults, names, words := map[string][]string{}, []string{}, []string{}, []string{}
	q, err := parseQuery(text)
	if err != nil {
		faults = append(faults, err.Error())
	}
	for _, t := range q {
		if t.filter == "" {
			words = append(words, t.values...)
			continue
		}
		names = append(names, t.filter)
		attributes[t.filter] = append(attributes[t.filter], t.values...)
	}
	return ok(map[string]any{"attributes": attributes, "errors": faults, "string": strings.Join(words, " "), "filters": names})
}
