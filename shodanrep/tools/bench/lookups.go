//go:build unix

package main

import (
	"cmp"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

// measureLookups looks up many addresses with a service that needs some time to respond, and then again from the cache
// file in a new process.
func measureLookups(b *bench) ([]figure, error) {
	const addresses, latency = 10_000, 50 * time.Millisecond
	const coldReach, warmReach = 1.3, 3 * time.Second
	s, err := simulate(shodantest.WithLatency(latency))
	if err != nil {
		return nil, err
	}
	defer s.close()
	list, err := b.list(s.Generate(addresses))
	if err != nil {
		return nil, err
	}
	connection := s.internetDB(append(lifted, fmt.Sprintf("cache = %q", b.path(".sqlite")))...)
	cold, err := b.query(connection, list)
	if err = cmp.Or(err, cold.want(addresses, "indexed")); err != nil {
		return nil, err
	}
	asked, inFlight := s.Count(""), s.MaxInFlight()
	warm, err := b.query(connection, list)
	if err = cmp.Or(err, warm.want(addresses, "indexed")); err != nil {
		return nil, err
	}
	askedAgain := s.Count("") - asked
	var plain time.Duration
	if err := worker(b, &plain, "ask", s.url+shodantest.InternetDBPath, strconv.Itoa(addresses)); err != nil {
		return nil, err
	}

	bound := latency * addresses / concurrency
	ratio := cold.wall.Seconds() / bound.Seconds()
	return []figure{{
		what:     "10,000 addresses, InternetDB answers in 50 ms, max_concurrency 100, limits lifted",
		measured: seconds(cold.wall),
		bound:    "10,000 / 100 × 50 ms = " + seconds(bound),
		ratio:    times(ratio),
		reach:    "≤ " + times(coldReach),
		reached:  ratio <= coldReach && asked == addresses && inFlight <= concurrency,
		notes: []string{
			fmt.Sprintf("%d requests, at most %d at once; from the start of the process to its end, which used %s of processor time", asked, inFlight, seconds(cold.cpu)),
			fmt.Sprintf("a program that asks for the same with net/http, %d at once, and throws the answers away took %s", concurrency, seconds(plain)),
		},
	}, {
		what:     "the same from a warm cache file in a new process, embedded engine",
		measured: fmt.Sprintf("%s, %d requests", seconds(warm.wall), askedAgain),
		bound:    "no requests",
		reach:    fmt.Sprintf("≤ %s, 0 requests", seconds(warmReach)),
		reached:  warm.wall <= warmReach && askedAgain == 0,
	}}, nil
}

// requestOnly is a worker that requests generated hosts from InternetDB and discards the responses: the bound that this
// machine can reach.
func requestOnly(args []string) (any, error) {
	url := args[0]
	n, err := strconv.Atoi(args[1])
	if err != nil {
		return nil, err
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = concurrency
	client := &http.Client{Transport: transport}
	addrs := make(chan string, n)
	for _, addr := range shodantest.NewHandler().Generate(n) {
		addrs <- addr.String()
	}
	close(addrs)
	var (
		running sync.WaitGroup
		mu      sync.Mutex
		failure error
	)
	begun := time.Now()
	for range concurrency {
		running.Go(func() {
			for addr := range addrs {
				response, err := client.Get(url + "/" + addr)
				if err == nil {
					_, err = io.Copy(io.Discard, response.Body)
					response.Body.Close()
				}
				mu.Lock()
				failure = cmp.Or(failure, err)
				mu.Unlock()
			}
		})
	}
	running.Wait()
	return time.Since(begun), failure
}
