package shodantest_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

func TestListsComeInPages(t *testing.T) {
	t.Parallel()
	sim := shodantest.NewHandler(shodantest.WithScans(130), shodantest.WithAlerts(0))
	for path, want := range map[string]string{
		"/shodan/query?{key}":                        "10 of 23",
		"/shodan/query?page=3&{key}":                 "3 of 23",
		"/shodan/query?page=4&{key}":                 "0 of 23",
		"/shodan/query/search?query=nginx&{key}":     "6 of 6",
		"/shodan/query/search?query=nothing&{key}":   "0 of 0",
		"/shodan/query/tags?size=2&{key}":            "2 of 4",
		"/shodan/scans?{key}":                        "100 of 130",
		"/shodan/scans?page=2&{key}":                 "30 of 130",
		"/shodan/query?page=0&{key}":                 "400",
		"/shodan/query/tags?size=none&{key}":         "400",
		"/shodan/query/search?query=x&page=-1&{key}": "400",
	} {
		resp, body := getPath(t, sim, path)
		got := fmt.Sprint(resp.StatusCode)
		if list, ok := object(t, body)["matches"].([]any); ok {
			got = fmt.Sprintf("%d of %v", len(list), object(t, body)["total"])
		}
		if got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
	if _, body := getPath(t, sim, "/shodan/alert/info?{key}"); body != "[]" {
		t.Errorf("an account without alerts: %s", body)
	}
}

func TestSavedQueriesAreSortedAsAsked(t *testing.T) {
	t.Parallel()
	sim := shodantest.NewHandler(shodantest.WithSavedQueries(5))
	for values, field := range map[string]string{"": "timestamp", "sort=timestamp&order=asc&": "timestamp", "sort=votes&": "votes", "sort=votes&order=asc&": "votes"} {
		_, body := getPath(t, sim, "/shodan/query?"+values+"{key}")
		var texts []string
		for _, match := range object(t, body)["matches"].([]any) {
			texts = append(texts, fmt.Sprint(match.(map[string]any)[field]))
		}
		for i := range texts[1:] {
			if ascending := strings.Contains(values, "asc"); ascending && texts[i] > texts[i+1] || !ascending && texts[i] < texts[i+1] {
				t.Errorf("%q: %v", values, texts)
			}
		}
	}
}
