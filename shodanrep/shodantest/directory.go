package shodantest

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	queriesPerPage = 10
	// scansPerPage is the number in python3-shodan.
	scansPerPage = 100
)

// listed is a page of a list, with the fields in the order of the captures.
type listed[T any] struct {
	Matches []T `json:"matches"`
	Total   int `json:"total"`
}

// pageOf returns the requested page of a list. The default is the first.
func pageOf[T any](list []T, size int, values url.Values) *response {
	page, err := strconv.Atoi(cmp.Or(values.Get("page"), "1"))
	if err != nil || page < 1 {
		return errorResponse(http.StatusBadRequest, queryRefused) // the simulator's choice
	}
	first := min(len(list), (page-1)*size)
	return ok(listed[T]{Matches: append([]T{}, list[first:min(len(list), first+size)]...), Total: len(list)})
}

// savedQuery is a shared query.
type savedQuery struct {
	Votes       int      `json:"votes"`
	Description string   `json:"description"`
	Title       string   `json:"title"`
	Timestamp   string   `json:"timestamp"`
	Tags        []string `json:"tags"`
	Query       string   `json:"query"`
}

// sampleQueries are the queries of which the saved queries are made. A query without tags has one empty tag at Shodan.
var sampleQueries = []savedQuery{
	{Title: "Webcams", Description: "Cameras that show a picture", Tags: []string{"webcam", "cam"}, Query: "webcam has_screenshot:true"},
	{Title: "nginx", Tags: []string{""}, Query: `product:"nginx"`},
	{Title: "Databases without a password", Description: "MongoDB servers that list their databases", Tags: []string{"database"}, Query: `product:MongoDB "Set-Cookie"`},
	{Title: "Remote desktops", Description: "RDP in Germany", Tags: []string{"rdp"}, Query: "port:3389 country:DE"},
}

// savedQueries returns the shared queries, newest first.
func (s *Simulator) savedQueries() []savedQuery {
	list := make([]savedQuery, s.saved)
	for i := range list {
		list[i] = sampleQueries[i%len(sampleQueries)]
		list[i].Title += fmt.Sprintf(" (%d)", i+1)
		list[i].Votes = i * 7 % 10
		list[i].Timestamp = moment(i)
	}
	return list
}

// moment returns a time in Shodan's form, some days before the simulator's current date.
func moment(days int) string {
	return time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC).AddDate(0, 0, -days).Format("2006-01-02T15:04:05.000000")
}

// directory handles GET /shodan/query.
func (s *Simulator) directory(values url.Values) *response {
	list := s.savedQueries()
	slices.SortStableFunc(list, func(a, b savedQuery) int {
		order := cmp.Compare(a.Timestamp, b.Timestamp)
		if values.Get("sort") == "votes" {
			order = cmp.Compare(a.Votes, b.Votes)
		}
		if values.Get("order") != "asc" {
			order = -order
		}
		return order
	})
	return pageOf(list, queriesPerPage, values)
}

// findQueries handles GET /shodan/query/search.
func (s *Simulator) findQueries(values url.Values) *response {
	wanted := strings.ToLower(values.Get("query"))
	return pageOf(slices.DeleteFunc(s.savedQueries(), func(q savedQuery) bool {
		return !strings.Contains(strings.ToLower(fmt.Sprint(q.Title, q.Description, q.Query, q.Tags)), wanted)
	}), queriesPerPage, values)
}

// queryTags handles GET /shodan/query/tags.
func (s *Simulator) queryTags(values url.Values) *response {
	size, err := strconv.Atoi(cmp.Or(values.Get("size"), "10"))
	if err != nil || size < 1 {
		return errorResponse(http.StatusBadRequest, queryRefused)
	}
	counts := map[string]int{}
	for _, q := range s.savedQueries() {
		for _, tag := range q.Tags {
			counts[tag]++
		}
	}
	delete(counts, "")
	tags := []facetItem{}
	for tag, count := range counts {
		tags = append(tags, facetItem{Count: count, Value: tag})
	}
	slices.SortFunc(tags, func(a, b facetItem) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(fmt.Sprint(a.Value), fmt.Sprint(b.Value)))
	})
	return ok(listed[facetItem]{Matches: tags[:min(len(tags), size)], Total: len(tags)})
}

// scans handles GET /shodan/scans, newest first. Shodan's response contains the API key, and so does this one.
func (s *Simulator) scans(key string, values url.Values) *response {
	list := make([]map[string]any, s.scanned)
	for i := range list {
		status := "DONE"
		if i == 0 {
			status = "PROCESSING"
		}
		list[i] = map[string]any{
			"id": fmt.Sprintf("INVENTEDscan%04d", i+1), "status": status, "size": 1 + i%256, "credits_left": 100 + i, "api_key": key,
			"created": moment(i), "status_check": moment(i),
		}
	}
	return pageOf(list, scansPerPage, values)
}

// alerts handles GET /shodan/alert/info. Only the newest alert has a notifier, a webhook whose URL is a secret.
func (s *Simulator) alerts() *response {
	list := make([]map[string]any, s.watched)
	for i := range list {
		triggers, notifiers := map[string]any{}, []any{}
		if i == 0 {
			triggers["new_service"] = map[string]any{}
			triggers["malware"] = map[string]any{"ignore": []any{map[string]any{"ip": "192.0.2.80", "port": 443}}}
			notifiers = append(notifiers, map[string]any{
				"id": "INVENTEDnotifier", "provider": "webhook", "description": "On call", "args": map[string]any{"url": "https://example.com/hook/" + HookSecret},
			})
		}
		list[i] = map[string]any{
			"id": fmt.Sprintf("INVENTEDalert%03d", i+1), "name": fmt.Sprintf("Office %d", i+1), "created": moment(i), "expires": 0, "expiration": nil,
			"filters": map[string]any{"ip": []string{"192.0.2.0/24", "2001:db8::7"}}, "size": 257,
			"triggers": triggers, "has_triggers": len(triggers) > 0, "notify": map[string]any{}, "notifiers": notifiers,
		}
	}
	return ok(list)
}
