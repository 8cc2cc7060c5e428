//go:build unix

package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

// sharingProcesses is how many processes share one cache file and its rates.
const sharingProcesses = 3

// measureProcesses runs processes with one cache file, each with other addresses: with an InternetDB that bans, and
// with a REST API whose rate they share.
func measureProcesses(b *bench) ([]figure, error) {
	const (
		addresses, allowed, strikes, burst = 250, 12, 8, 12
		slow, reach                        = 25, 1.1
	)
	internetDB, err := simulate(shodantest.WithRateLimit(shodantest.InternetDB, allowed, burst), shodantest.WithBan(strikes, time.Hour), shodantest.WithLatency(50*time.Millisecond))
	if err != nil {
		return nil, err
	}
	defer internetDB.close()
	rest, err := simulate() // without a limit: what it would refuse is to be seen
	if err != nil {
		return nil, err
	}
	defer rest.close()
	var (
		running         sync.WaitGroup
		freeErr, keyErr error
		free            time.Duration
	)
	running.Go(func() {
		begun := time.Now()
		freeErr = queryInProcesses(b, internetDB, internetDB.internetDB(cacheFile(b)), sharingProcesses, addresses)
		free = time.Since(begun)
	})
	running.Go(func() {
		keyErr = queryInProcesses(b, rest, rest.rest(`bulk_lookup = "off"`, cacheFile(b)), sharingProcesses, slow)
	})
	running.Wait()
	if err := cmp.Or(freeErr, keyErr); err != nil {
		return nil, err
	}
	requests := rest.Requests()
	took := requests[len(requests)-1].Time.Sub(requests[0].Time)
	bound := time.Duration(sharingProcesses*slow-1) * time.Second
	closest := took
	for i := range requests[1:] {
		closest = min(closest, requests[i+1].Time.Sub(requests[i].Time))
	}
	ratio, peak := took.Seconds()/bound.Seconds(), rest.PeakPerSecond(shodantest.Shodan)
	return []figure{{
		what:     "three processes on one cache file: 250 addresses each at an InternetDB that allows 12 a second and bans after eight 429s; 25 each on one key at 1 a second",
		measured: fmt.Sprintf("all answered, %d bans; %s, at most %d in any second", internetDB.Bans(), seconds(took), peak),
		bound:    fmt.Sprintf("no ban; %d intervals, %s", sharingProcesses*slow-1, seconds(bound)),
		ratio:    times(ratio),
		reach:    fmt.Sprintf("all answered, no ban; never above 1 a second, ≤ %s", strings.TrimRight(times(reach), "0")),
		reached:  internetDB.Bans() == 0 && peak <= 1 && ratio <= reach && len(requests) == sharingProcesses*slow,
		notes: []string{
			fmt.Sprintf("InternetDB: %d requests in %s, %d refused", internetDB.Count(""), seconds(free), internetDB.refused()),
			fmt.Sprintf("REST: %d requests, the closest two %v apart as the service saw them", len(requests), closest.Round(time.Millisecond)),
		},
	}}, nil
}

// cacheFile is the argument for a new cache file.
func cacheFile(b *bench) string { return fmt.Sprintf("cache = %q", b.path(".sqlite")) }

// queryInProcesses looks up addresses of a service in several processes in parallel.
func queryInProcesses(b *bench, s *service, connection []string, processes, each int) error {
	var (
		running sync.WaitGroup
		mu      sync.Mutex
		failure error
	)
	for addrs := range slices.Chunk(s.Generate(processes*each), each) {
		running.Go(func() {
			err := queryAll(b, connection, addrs)
			mu.Lock()
			failure = cmp.Or(failure, err)
			mu.Unlock()
		})
	}
	running.Wait()
	return failure
}
