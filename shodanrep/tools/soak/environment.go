//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

const (
	// faultTime is how long the services have one kind of fault, and redisTime how long Redis runs or is stopped.
	faultTime = 10 * time.Second
	redisTime = 15 * time.Second
	// cacheSize is the maximum size of the cache, small enough to be reached.
	cacheSize = 4 << 20
)

// An environment is the services and the files that the processes share.
type environment struct {
	binary, dir string
	sim         *shodantest.Simulator
	server      *http.Server
	url         string
	redisPort   string
	known       []netip.Addr
}

func newEnvironment(binary string) (*environment, error) {
	path, err := filepath.Abs(binary)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("%w: run make build first", err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	port, err := freePort()
	var dir string
	if err == nil {
		dir, err = os.MkdirTemp("", "shodanrep-soak-")
	}
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	w := &environment{
		binary: path, dir: dir, url: "http://" + listener.Addr().String(), redisPort: port,
		// Many times the rate of the connections, so that a refusal is an event and not the rule.
		// It keeps no requests: it runs in the process whose heap is measured.
		sim: shodantest.NewHandler(shodantest.WithRateLimit(shodantest.InternetDB, 2000, 500), shodantest.WithLatency(5*time.Millisecond),
			shodantest.WithoutRequests()),
	}
	w.known = w.sim.Generate(knownAddresses)
	w.server = &http.Server{Handler: w.sim, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = w.server.Serve(listener) }()
	return w, nil
}

func freePort() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer listener.Close()
	_, port, err := net.SplitHostPort(listener.Addr().String())
	return port, err
}

func (w *environment) close() {
	_ = w.server.Close()
	_ = os.RemoveAll(w.dir)
}

// breakServices gives the services one kind of fault after the other, with healthy periods in between.
func (w *environment) breakServices(ctx context.Context) {
	faults := []shodantest.Fault{
		{Probability: 0.2, Status: 500, Body: `{"error": "Internal error"}`},
		{Probability: 0.1, Kind: shodantest.Dropped},
		{Probability: 0.1, Kind: shodantest.Truncated},
		{Probability: 0.1, Kind: shodantest.BrokenOff},
		{Probability: 0.02, Kind: shodantest.Hang},
		{Probability: 0.2, Body: shodantest.BodyChallenge},
		{Status: 503}, // always: the service is down
	}
	for i := 0; ; i++ {
		fault := faults[i%len(faults)]
		fault.Seed = uint64(i)
		w.sim.Fault(fault)
		if !wait(ctx, faultTime) {
			return
		}
		w.sim.ClearFaults()
		if !wait(ctx, faultTime) {
			return
		}
	}
}

// restartRedis runs a Redis server, kills it and starts it again.
func (w *environment) restartRedis(ctx context.Context, r *report) {
	for ctx.Err() == nil {
		cmd := exec.Command("redis-server", "--port", w.redisPort, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", w.dir)
		if err := cmd.Start(); err != nil {
			r.problem("redis: %v", err)
			return
		}
		r.add(func(r *report) { r.redisUp++ })
		wait(ctx, redisTime)
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		wait(ctx, redisTime)
	}
}

// measureFiles reports a cache or a history that is too large, and files that are not removed.
func (w *environment) measureFiles(r *report) {
	var files []string
	err := filepath.WalkDir(w.dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		files = append(files, filepath.Base(path))
		// A write-ahead log comes on top of the file.
		if info.Size() > 2*cacheSize {
			r.problem("growth: %s has %d bytes, and its maximum is %d", path, info.Size(), cacheSize)
		}
		return nil
	})
	if err != nil {
		r.problem("files: %v", err)
	}
	// Each slot has a configuration and a list, the cache some files of its own.
	if most := 2*processes + 12; len(files) > most {
		r.problem("growth: %d files where %d are expected at most: %v", len(files), most, files)
	}
}

// wait waits, and reports whether the context has not ended.
func wait(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}
