package shodan

import (
	"cmp"
	"errors"
	"net/url"
	"slices"
	"strconv"
)

// errEmpty means that a list is empty that Shodan never leaves empty.
var errEmpty = errors.New("the response has no item that can be read")

// Ports requests the ports that Shodan crawls.
//
// https://developer.shodan.io/api (GET /shodan/ports)
func Ports() Call[[]int64] {
	return Call[[]int64]{What: "the list of ports", Path: "/shodan/ports", Read: func(body []byte) ([]int64, error) {
		items, err := readList[Null[int64]](body)
		if err != nil {
			return nil, err
		}
		var ports []int64
		for _, port := range items {
			if isPort(port.V) {
				ports = append(ports, port.V)
			}
		}
		return ports, orEmpty(ports)
	}}
}

// Protocol is a protocol that Shodan's crawlers speak.
type Protocol struct{ Name, Description Text }

// Protocols requests the protocols that a scan of the internet can use.
//
// https://developer.shodan.io/api (GET /shodan/protocols)
func Protocols() Call[[]Protocol] {
	return Call[[]Protocol]{What: "the list of protocols", Path: "/shodan/protocols", Read: func(body []byte) ([]Protocol, error) {
		descriptions, err := readObject[map[Text]Text](body)
		if err != nil {
			return nil, err
		}
		var protocols []Protocol
		for name, description := range *descriptions {
			protocols = append(protocols, Protocol{Name: name, Description: description})
		}
		if !slices.ContainsFunc(protocols, func(p Protocol) bool { return p.Description != "" }) {
			return nil, errEmpty // one has none: this is another object
		}
		slices.SortFunc(protocols, func(a, b Protocol) int { return cmp.Compare(a.Name, b.Name) })
		return protocols, nil
	}}
}

// ServiceName is the name of the service that Shodan expects on a port.
type ServiceName struct {
	Port int64
	Name Text
}

// ServiceNames requests the names of the services that Shodan expects on ports.
//
// https://developer.shodan.io/api (GET /shodan/services)
func ServiceNames() Call[[]ServiceName] {
	return Call[[]ServiceName]{What: "the list of services", Path: "/shodan/services", Read: func(body []byte) ([]ServiceName, error) {
		names, err := readObject[map[string]Text](body)
		if err != nil {
			return nil, err
		}
		var services []ServiceName
		for port, name := range *names {
			if number, ok := parseInt(port); ok && isPort(number) {
				services = append(services, ServiceName{Port: number, Name: name})
			}
		}
		slices.SortFunc(services, func(a, b ServiceName) int { return cmp.Or(cmp.Compare(a.Port, b.Port), cmp.Compare(a.Name, b.Name)) })
		return services, orEmpty(services)
	}}
}

// SearchFilters requests the names of the search filters.
//
// https://developer.shodan.io/api (GET /shodan/host/search/filters)
func SearchFilters() Call[[]string] {
	return Call[[]string]{What: "the list of search filters", Path: "/shodan/host/search/filters", Read: readTexts}
}

// SearchFacets requests the names of the facets by which matches can be counted.
//
// https://developer.shodan.io/api (GET /shodan/host/search/facets)
func SearchFacets() Call[[]string] {
	return Call[[]string]{What: "the list of search facets", Path: "/shodan/host/search/facets", Read: readTexts}
}

// readTexts reads a list of names. It skips items that are not names.
func readTexts(body []byte) ([]string, error) {
	items, err := readList[Text](body)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, name := range items {
		if name != "" {
			names = append(names, string(name))
		}
	}
	return names, orEmpty(names)
}

// orEmpty returns errEmpty for an empty list.
func orEmpty[T any](list []T) error {
	if len(list) == 0 {
		return errEmpty
	}
	return nil
}

// SavedQuery is a search query that a user of Shodan has shared.
type SavedQuery struct {
	Title       Text        `json:"title"`
	Description Text        `json:"description"`
	Query       Text        `json:"query"`
	Votes       Null[int64] `json:"votes"`
	Timestamp   Time        `json:"timestamp"`
	Tags        Texts       `json:"tags"`
}

// SavedQueries requests a page of the shared queries, ten per page. The newest come first, or those with the most votes
// if sort is "votes".
//
// https://developer.shodan.io/api (GET /shodan/query)
func SavedQueries(sort string, page int) Call[*Page[SavedQuery]] {
	values := url.Values{"page": {strconv.Itoa(page)}, "order": {"desc"}, "sort": {cmp.Or(sort, "timestamp")}}
	return Call[*Page[SavedQuery]]{What: "the directory of saved queries", Path: "/shodan/query", Query: values, Read: readPage[SavedQuery]}
}

// FindSavedQueries requests a page of the shared queries that have a text in their title, description, query or tags.
//
// https://developer.shodan.io/api (GET /shodan/query/search)
func FindSavedQueries(text string, page int) Call[*Page[SavedQuery]] {
	values := url.Values{"page": {strconv.Itoa(page)}, "query": {text}}
	return Call[*Page[SavedQuery]]{What: "searching the saved queries for " + text, Path: "/shodan/query/search", Query: values, Read: readPage[SavedQuery]}
}
