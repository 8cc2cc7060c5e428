package shodan_test

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

// A program sets only Key. Here a simulator stands for Shodan.
func ExampleClient() {
	simulator := shodantest.NewHandler()
	simulator.AddHost(shodantest.Host{IP: "192.0.2.1", Ports: []int{443, 22}, Vulns: []string{"CVE-2021-44228"}})
	client := &shodan.Client{Key: shodantest.Key, HTTP: &http.Client{Transport: simulator.Transport()}}

	host, err := client.Host(context.Background(), netip.MustParseAddr("192.0.2.1"), shodan.HostOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(host.Ports, host.Vulns.IDs())

	_, err = client.Host(context.Background(), netip.MustParseAddr("192.0.2.2"), shodan.HostOptions{})
	fmt.Println(shodan.IsKind(err, shodan.NotFound))
	// Output:
	// [22 443] [CVE-2021-44228]
	// true
}

// All requests other than those for hosts are Calls, which Do sends.
func ExampleDo() {
	simulator := shodantest.NewHandler()
	simulator.AddHost(shodantest.Host{IP: "192.0.2.1", Ports: []int{443, 22}})
	client := &shodan.Client{Key: shodantest.Key, HTTP: &http.Client{Transport: simulator.Transport()}}

	result, _, err := shodan.Do(context.Background(), client.Get, shodan.Search("port:22", 1))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, banner := range result.Matches {
		fmt.Println(banner.Addr, banner.Port.V, banner.Product)
	}
	// Output:
	// 192.0.2.1 22 OpenSSH
}
