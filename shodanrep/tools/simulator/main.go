// Command simulator serves Shodan's REST API, InternetDB and CVEDB on this machine, with hosts from files or generated
// hosts:
//
//	go run ./shodanrep/tools/simulator -hosts DIR -latency 50ms -rate 1
//
// DIR has responses of /shodan/host/{ip}, or what `shodan download` writes, in files named *.json or *.json.gz.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	switch err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "simulator:", err)
		os.Exit(1)
	}
}

var plans = []string{"oss", "dev", "plus", "corp"}

// run serves until the context ends.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("simulator", flag.ContinueOnError)
	flags.SetOutput(stderr)
	var (
		addr       = flags.String("addr", "127.0.0.1:0", "`address` to listen on; port 0 takes a free one")
		hosts      = flags.String("hosts", "", "`folder` or file of captured hosts")
		generate   = flags.Int("generate", 0, "how `many` hosts to invent, from 11.0.0.1 on")
		key        = flags.String("key", shodantest.Key, "the API `key` to take")
		plan       = flags.String("plan", "dev", "the key's `plan`: "+strings.Join(plans, ", "))
		credits    = flags.Int("credits", 100, "the key's query `credits`")
		latency    = flags.Duration("latency", 0, "how `long` every response takes")
		apiRate    = flags.Float64("rate", 0, "REST API `requests` a second of a key before 429; 0: no limit")
		apiBurst   = flags.Int("burst", 1, "REST API `requests` that may come at once")
		freeRate   = flags.Float64("internetdb-rate", 0, "InternetDB `requests` a second before 429; 0: no limit")
		freeBurst  = flags.Int("internetdb-burst", 1, "InternetDB `requests` that may come at once")
		cveRate    = flags.Float64("cvedb-rate", 0, "CVEDB `requests` a second before 429; 0: no limit")
		cveBurst   = flags.Int("cvedb-burst", 1, "CVEDB `requests` that may come at once")
		banAfter   = flags.Int("ban-after", 0, "InternetDB 429s before a ban; 0: never")
		banFor     = flags.Duration("ban-for", time.Hour, "how `long` InternetDB bans")
		retryAfter = flags.Duration("retry-after", 0, "Retry-After of every 429; 0: none")
		failing    = flags.Float64("fail", 0, "`share` of requests that are answered with a 502 page, from 0 to 1")
		quiet      = flags.Bool("quiet", false, "do not print a line for every request")
	)
	if err := flags.Parse(args); err != nil {
		return err
	}
	switch {
	case flags.NArg() > 0:
		return fmt.Errorf("unexpected argument %q; -hosts takes the folder of hosts", flags.Arg(0))
	case !slices.Contains(plans, *plan):
		return fmt.Errorf("-plan %s: must be one of %s", *plan, strings.Join(plans, ", "))
	case *apiRate < 0 || *freeRate < 0 || *cveRate < 0:
		return errors.New("-rate, -internetdb-rate and -cvedb-rate must not be below 0")
	case *failing < 0 || *failing > 1:
		return fmt.Errorf("-fail %v: must be from 0 to 1", *failing)
	}

	opts := []shodantest.Option{
		shodantest.WithKey(*key), shodantest.WithPlan(*plan), shodantest.WithCredits(*credits),
		shodantest.WithLatency(*latency), shodantest.WithRetryAfter(*retryAfter), shodantest.WithBan(*banAfter, *banFor),
	}
	if *apiRate > 0 {
		opts = append(opts, shodantest.WithRateLimit(shodantest.Shodan, *apiRate, *apiBurst))
	}
	if *freeRate > 0 {
		opts = append(opts, shodantest.WithRateLimit(shodantest.InternetDB, *freeRate, *freeBurst))
	}
	if *cveRate > 0 {
		opts = append(opts, shodantest.WithRateLimit(shodantest.CVEDB, *cveRate, *cveBurst))
	}
	if !*quiet {
		opts = append(opts, shodantest.WithLog(stderr))
	}
	sim := shodantest.NewHandler(append(opts, shodantest.WithoutRequests())...)
	if *failing > 0 {
		sim.Fault(shodantest.Fault{Probability: *failing, Status: http.StatusBadGateway, Body: shodantest.BodyPage(http.StatusBadGateway)})
	}
	if *hosts != "" {
		if _, err := sim.Load(*hosts); err != nil {
			return err
		}
	}
	sim.Generate(*generate)
	return serve(ctx, sim, *addr, *key, *generate, stdout)
}

// serve listens on an address, and prints the address and how to use it.
func serve(ctx context.Context, sim *shodantest.Simulator, addr, key string, generated int, stdout io.Writer) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	url := "http://" + listener.Addr().String()
	fmt.Fprintf(stdout, "REST API    %s%s\nInternetDB  %s%s\nCVEDB       %s%s\nExploits    %s%s\n", url, shodantest.APIPath, url, shodantest.InternetDBPath, url, shodantest.CVEDBPath, url, shodantest.ExploitsPath)
	if key == shodantest.Key { // a key of the user is not printed
		fmt.Fprintf(stdout, "API key     %s\n", key)
	}
	fmt.Fprintf(stdout, "hosts       %d from files, %d invented\n", len(sim.Hosts()), generated)
	for _, example := range sim.Hosts()[:min(1, len(sim.Hosts()))] {
		fmt.Fprintf(stdout, "try         curl %s%s/%s\n", url, shodantest.InternetDBPath, example)
	}

	server := &http.Server{Handler: sim, ReadHeaderTimeout: 10 * time.Second}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
		return server.Close()
	}
}
