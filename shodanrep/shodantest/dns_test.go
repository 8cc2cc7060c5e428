package shodantest_test

import (
	"fmt"
	"testing"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

func TestTheRecordsOfADomainComeInPages(t *testing.T) {
	t.Parallel()
	sim := shodantest.NewHandler(shodantest.WithPlan("corp"))
	for i := range 150 {
		sim.AddRecords("example.com", shodantest.Record{Subdomain: fmt.Sprint("host-", i), Type: "A", Value: "192.0.2.1"})
	}
	sim.AddRecords("example.com", shodantest.Record{Type: "MX", Value: "old.example.com", Past: true}, shodantest.Record{Type: "MX", Value: "mail.example.com"})
	for query, want := range map[string]string{
		"": "100 true", "page=1&": "100 true", "page=2&": "51 false", "page=3&": "0 false", "page=2&history=true&": "52 false",
		"type=A&page=2&": "50 false", "type=MX&": "1 false", "type=MX&history=true&": "2 false",
	} {
		_, body := getPath(t, sim, "/dns/domain/example.com?"+query+"{key}")
		page := object(t, body)
		if got := fmt.Sprint(len(page["data"].([]any)), " ", page["more"]); got != want {
			t.Errorf("%q: %s, want %s", query, got, want)
		}
	}
	if got := sim.Credits(shodantest.Key); got != 10_000-8 {
		t.Errorf("%d credits are left after 8 pages", got)
	}
}

func TestNamesDoNotDifferByCase(t *testing.T) {
	t.Parallel()
	sim := shodantest.NewHandler()
	sim.AddHost(shodantest.Host{IP: "192.0.2.1", Hostnames: []string{"WWW.example.com"}})
	if _, body := getPath(t, sim, "/dns/resolve?hostnames=www.EXAMPLE.com&{key}"); body != `{"www.EXAMPLE.com":"192.0.2.1"}` {
		t.Error(body)
	}
}
