//go:build unix

package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/embedded"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/tools/peakmemory"
)

const (
	// processes run at a time; every second one shares the Redis, the others the file.
	processes = 4
	// hangTime is how long a run may take before it counts as hanging.
	hangTime = 2 * time.Minute
	// exitInterrupted is the exit status of a run that was interrupted.
	exitInterrupted = 130
)

// config is a connection to the simulator with a cache, and with a history of the same size.
func (w *environment) config(cache string) string {
	return fmt.Sprintf("internetdb_url = %q\nsource = \"internetdb\"\ninternetdb_requests_per_second = 300\n"+
		"timeout = \"5s\"\ncache = %q\ncache_ttl = \"30s\"\ncache_max_size = \"%d\"\nhistory_max_size = \"%d\"\n",
		w.url+shodantest.InternetDBPath, cache, cacheSize, cacheSize)
}

// runProcesses runs the binary repeatedly until the context ends.
func (w *environment) runProcesses(ctx context.Context, slot int, r *report) {
	rng := rand.New(rand.NewPCG(uint64(slot), 1))
	cache := filepath.Join(w.dir, "cache", "answers.sqlite")
	if slot%2 == 1 {
		cache = "redis://127.0.0.1:" + w.redisPort
	}
	spc := filepath.Join(w.dir, fmt.Sprintf("%d.spc", slot))
	text := "connection \"shodanrep\" {\nplugin = \"shodanrep\"\n" + w.config(cache) + "}\n"
	if err := os.WriteFile(spc, []byte(text), 0o600); err != nil {
		r.problem("files: %v", err)
		return
	}
	for ctx.Err() == nil {
		w.runOnce(rng, slot, spc, r)
	}
}

// runOnce runs the binary once, and kills some runs. A complete run must have a row for each address.
func (w *environment) runOnce(rng *rand.Rand, slot int, spc string, r *report) {
	list := randomList(rng, w.known)
	file := filepath.Join(w.dir, fmt.Sprintf("%d.csv", slot))
	if err := os.WriteFile(file, []byte("ip\n"+strings.Join(list, "\n")+"\n"), 0o600); err != nil {
		r.problem("files: %v", err)
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), hangTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, w.binary, "query", "--config", spc, "--attach", "list="+file, "--output", "csv",
		"select "+columns+" from shodan_ip_reputation where ip in (select ip from list)")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.Env = append(os.Environ(), "XDG_CACHE_HOME="+filepath.Join(w.dir, "cache"), "XDG_DATA_HOME="+filepath.Join(w.dir, "data"), "SHODAN_API_KEY=")
	if err := cmd.Start(); err != nil {
		r.problem("start: %v", err)
		return
	}
	end := []syscall.Signal{0, 0, 0, syscall.SIGKILL, syscall.SIGINT}[rng.IntN(5)]
	if end != 0 {
		timer := time.AfterFunc(time.Duration(rng.IntN(1500))*time.Millisecond, func() { _ = cmd.Process.Signal(end) })
		defer timer.Stop()
	}
	memory := peakmemory.Watch(cmd.Process.Pid)
	err := cmd.Wait()
	peak := memory()
	switch status := cmd.ProcessState.ExitCode(); {
	case ctx.Err() != nil:
		r.problem("hang: a run took longer than %v", hangTime)
	case end == syscall.SIGKILL && status == -1:
		r.add(func(r *report) { r.killed++ })
	case end == syscall.SIGINT && (status == exitInterrupted || status == -1): // -1: it had not started yet
		r.add(func(r *report) { r.interrupted++ })
	case err != nil:
		r.problem("exit: %v: %s", err, stderr.String())
	default:
		rows, err := csv.NewReader(&stdout).ReadAll()
		if err != nil || len(rows) == 0 {
			r.problem("output: %d lines, %v", len(rows), err)
			return
		}
		var result []row
		for _, fields := range rows[1:] {
			result = append(result, row{fields[0], fields[1], fields[2], fields[3], fields[4]})
		}
		checkRows(r, list, result)
		r.add(func(r *report) {
			r.complete++
			r.peaks = append(r.peaks, peak)
		})
	}
}

// runInProcess runs one query after the other in this process, as Steampipe does with the plugin, and measures memory.
func (w *environment) runInProcess(ctx context.Context, r *report) {
	rng := rand.New(rand.NewPCG(99, 1))
	db, err := embedded.Open(context.Background(), embedded.Options{
		PluginFunc: shodanrep.Plugin, Connections: []embedded.Connection{{Name: "shodanrep", Config: w.config("memory")}},
	})
	if err != nil {
		r.problem("open: %v", err)
		return
	}
	defer db.Close()
	for ctx.Err() == nil {
		list := randomList(rng, w.known)
		query, cancel := context.WithTimeout(context.Background(), hangTime)
		var result []row
		err := db.Query(query, "select "+columns+" from shodan_ip_reputation where ip in ('"+strings.Join(list, "', '")+"')",
			func(rows *embedded.Rows) error {
				for rows.Next() {
					var fields [5]string
					for i, v := range rows.Values() {
						if v != nil {
							fields[i] = fmt.Sprint(v)
						}
					}
					result = append(result, row{fields[0], fields[1], fields[2], fields[3], fields[4]})
				}
				return rows.Err()
			})
		cancel()
		if err != nil {
			r.problem("query: %v", err)
			continue
		}
		checkRows(r, list, result)
		runtime.GC()
		var memory runtime.MemStats
		runtime.ReadMemStats(&memory)
		r.add(func(r *report) {
			r.inProcess++
			r.heaps = append(r.heaps, int64(memory.HeapAlloc))
			r.goroutines = append(r.goroutines, int64(runtime.NumGoroutine()))
		})
	}
}
