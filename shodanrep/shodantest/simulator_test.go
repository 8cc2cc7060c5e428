package shodantest_test

import (
	"context"
	"io"
	"net/http"
	"testing"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

// get asks for an address and returns the answer with its body.
func get(t testing.TB, client *http.Client, url string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}

func TestASimulatorAnswersAsTheServicesDo(t *testing.T) {
	t.Parallel()
	sim := shodantest.New(t)
	sim.AddHost(shodantest.Host{IP: "192.0.2.1", Ports: []int{22, 443}, Tags: []string{"cloud"}, Vulns: []string{"CVE-2021-44228"}})
	for _, test := range []struct {
		name, url string
		status    int
		body      string // whole, where not empty
	}{
		{"a host", sim.APIURL() + "/shodan/host/192.0.2.1?key=" + shodantest.Key, 200, ""},
		{"a host nothing is known of", sim.APIURL() + "/shodan/host/192.0.2.9?key=" + shodantest.Key, 404, `{"error": "No information available for that IP."}`},
		{"no address", sim.APIURL() + "/shodan/host/999.1.1.1?key=" + shodantest.Key, 404, `{"error": "Invalid IP"}`},
		{"a wrong key", sim.APIURL() + "/shodan/host/192.0.2.1?key=wrong", 401, ""},
		{"no key", sim.APIURL() + "/shodan/host/192.0.2.1", 401, ""},
		{"many hosts with a plan too low", sim.APIURL() + "/shodan/host/192.0.2.1,192.0.2.2?key=" + shodantest.Key, 403, `{"error": "Requires membership or higher to access"}`},
		{"InternetDB", sim.InternetDBURL() + "/192.0.2.1", 200,
			`{"cpes":["cpe:/a:openbsd:openssh:8.9p1","cpe:/a:f5:nginx:1.18.0"],"hostnames":[],"ip":"192.0.2.1","ports":[22,443],"tags":["cloud"],"vulns":["CVE-2021-44228"]}`},
		{"InternetDB without information", sim.InternetDBURL() + "/192.0.2.9", 404, `{"detail":"No information available"}`},
		{"InternetDB without an address", sim.InternetDBURL() + "/example.com", 422, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			resp, body := get(t, http.DefaultClient, test.url)
			if resp.StatusCode != test.status || test.body != "" && body != test.body {
				t.Errorf("got %d %s", resp.StatusCode, body)
			}
		})
	}
	if all, api := sim.Count(""), sim.Count(shodantest.Shodan); all != 9 || api != 6 {
		t.Errorf("counted %d requests, %d of them to the REST API", all, api)
	}
}
