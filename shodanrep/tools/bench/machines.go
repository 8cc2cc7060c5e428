//go:build unix

package main

import (
	"cmp"
	"fmt"
	"net"
	"net/netip"
	"os/exec"
	"strings"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

// startRedis starts a Redis server, and returns its address and a function that stops it.
func startRedis(b *bench) (address string, stop func(), err error) {
	binary, err := exec.LookPath("redis-server")
	if err != nil {
		return "", nil, fmt.Errorf("%w: apt-get install redis-server (make bench does)", err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	hostPort := listener.Addr().String()
	_, port, _ := net.SplitHostPort(hostPort)
	listener.Close()
	cmd := exec.Command(binary, "--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", b.dir)
	if err := cmd.Start(); err != nil {
		return "", nil, err
	}
	stop = func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if conn, err := net.Dial("tcp", hostPort); err == nil {
			conn.Close()
			return "redis://" + hostPort, stop, nil
		}
	}
	stop()
	return "", nil, fmt.Errorf("%s does not listen on %s", binary, hostPort)
}

// measureMachines runs processes that share a key through Redis, as several machines do, each with other addresses.
func measureMachines(b *bench) ([]figure, error) {
	const processes, each, rate, reach = 10, 4, 1.0, 0.9
	redis, stop, err := startRedis(b)
	if err != nil {
		return nil, err
	}
	defer stop()
	s, err := simulate() // without a limit, so that every request is counted
	if err != nil {
		return nil, err
	}
	defer s.close()
	connection := s.rest(`bulk_lookup = "off"`, fmt.Sprintf("requests_per_second = %v", rate), fmt.Sprintf("cache = %q", redis))

	if err := queryInProcesses(b, s, connection, processes, each); err != nil {
		return nil, err
	}
	requests := s.Requests()
	took := requests[len(requests)-1].Time.Sub(requests[0].Time)
	measured := float64(len(requests)-1) / took.Seconds()
	closest := took
	for i := range requests[1:] {
		closest = min(closest, requests[i+1].Time.Sub(requests[i].Time))
	}
	peak := s.PeakPerSecond(shodantest.Shodan)
	return []figure{{
		what:     "ten processes on one key through Redis",
		measured: fmt.Sprintf("%.3f a second in all, at most %d in any second", measured, peak),
		bound:    "1 request a second in all",
		ratio:    times(measured / rate),
		reach:    fmt.Sprintf("never above; ≥ %s", strings.TrimRight(times(reach), "0")),
		reached:  peak <= rate && measured >= reach*rate && len(requests) == processes*each,
		notes:    []string{fmt.Sprintf("%d requests of %d processes in %s, the closest two %v apart as the service saw them", len(requests), processes, seconds(took), closest.Round(time.Millisecond))},
	}}, nil
}

// queryAll looks up addresses and returns an error unless all are indexed.
func queryAll(b *bench, connection []string, addrs []netip.Addr) error {
	list, err := b.list(addrs)
	if err != nil {
		return err
	}
	r, err := b.query(connection, list)
	return cmp.Or(err, r.want(len(addrs), "indexed"))
}
