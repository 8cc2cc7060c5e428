//go:build unix

// Command soak runs the binary for minutes while its environment fails: processes share caches and are killed, services
// have faults, and Redis stops and starts. At the end there must be a row for every address, and nothing may have
// grown.
//
//	make soak
//	go run ./shodanrep/tools/soak -binary bin/shodanrep -for 10m
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"time"
)

func main() {
	binary := flag.String("binary", "bin/shodanrep", "the `FILE` to run")
	length := flag.Duration("for", 10*time.Minute, "how long to run, at most an hour")
	flag.Parse()
	if flag.NArg() > 0 || *length <= 0 || *length > time.Hour {
		flag.Usage()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	problems, err := soak(ctx, *binary, *length)
	if err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(1)
	}
	if problems > 0 {
		os.Exit(1)
	}
}

// soak runs everything, prints what happened, and returns the number of problems.
func soak(ctx context.Context, binary string, length time.Duration) (problems int, err error) {
	w, err := newEnvironment(binary)
	if err != nil {
		return 0, err
	}
	defer w.close()
	ctx, cancel := context.WithTimeout(ctx, length)
	defer cancel()

	r := &report{}
	var running sync.WaitGroup
	running.Go(func() { w.breakServices(ctx) })
	running.Go(func() { w.restartRedis(ctx, r) })
	for i := range processes {
		running.Go(func() { w.runProcesses(ctx, i, r) })
	}
	running.Go(func() { w.runInProcess(ctx, r) })
	running.Wait()
	w.measureFiles(r)
	return r.print(os.Stdout), nil
}
