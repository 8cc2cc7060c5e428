//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/embedded"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/scan"
)

const (
	// Small batches are measured several times, each with other addresses: half of them before the large one and half
	// after, so that the size of the cache file does not matter.
	smallBatch, smallBatches = 1_000, 20
	largeBatch               = 100_000
	// The small batches have the numbers from 0 on, and the other ones these.
	largeNumber, warmNumber = -1, -2
	// flatReach is how many times more an address of a large batch may cost than one of a small batch.
	flatReach = 1.25
)

// measureBatches compares the cost per address in a small and in a large batch, with a service that responds at once
// and a cache file.
func measureBatches(b *bench) ([]figure, error) {
	s, err := simulate()
	if err != nil {
		return nil, err
	}
	defer s.close()
	// The last addresses are for a warm-up batch.
	n := smallBatches*smallBatch + largeBatch + smallBatch
	lines := []string{"ip,batch"}
	for i, addr := range s.Generate(n) {
		number := i / smallBatch
		switch {
		case i >= n-smallBatch:
			number = warmNumber
		case number >= smallBatches:
			number = largeNumber
		}
		lines = append(lines, fmt.Sprintf("%v,%d", addr, number))
	}
	list, err := b.write(".csv", lines...)
	if err != nil {
		return nil, err
	}
	connection := strings.Join(s.internetDB(append(lifted, fmt.Sprintf("cache = %q", b.path(".sqlite")))...), "\n")
	var costs struct{ Small, Large cost }
	if err := worker(b, &costs, "batches", connection, list); err != nil {
		return nil, err
	}
	if asked := s.Count(""); asked != n {
		return nil, fmt.Errorf("%d requests for %d addresses", asked, n)
	}
	small, large := costs.Small.each(smallBatch*smallBatches), costs.Large.each(largeBatch)
	bytes, cpu, wall := large.Bytes/small.Bytes, large.CPU/small.CPU, large.Wall/small.Wall
	worst := max(bytes, cpu, wall)
	return []figure{{
		what:     "allocation and time per address, 100,000 in one batch",
		measured: large.String(),
		bound:    "in batches of 1,000: " + small.String(),
		ratio:    fmt.Sprintf("%s, %s, %s", times(bytes), times(cpu), times(wall)),
		reach:    fmt.Sprintf("flat: each ≤ %s", times(flatReach)),
		reached:  worst <= flatReach,
	}}, nil
}

// A cost is what lookups used.
type cost struct {
	Bytes     float64 // allocated
	CPU, Wall float64 // nanoseconds
}

// each is the cost per lookup of n.
func (c cost) each(n float64) cost { return cost{c.Bytes / n, c.CPU / n, c.Wall / n} }

// String returns the cost of one address.
func (c cost) String() string {
	return fmt.Sprintf("%.1f kB, %.3f ms of processor, %.3f ms in all", c.Bytes/1e3, c.CPU/1e6, c.Wall/1e6)
}

// spent is what this process used so far.
func spent() cost {
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	var usage syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &usage) // fails for a bad argument only
	return cost{Bytes: float64(memory.TotalAlloc), CPU: float64(usage.Utime.Nano() + usage.Stime.Nano()), Wall: float64(time.Now().UnixNano())}
}

// runBatches is a worker that looks up a list in batches with the embedded engine.
func runBatches(args []string) (any, error) {
	ctx := context.Background()
	db, err := embedded.Open(ctx, embedded.Options{
		PluginFunc:  shodanrep.Plugin,
		Readers:     scan.ReaderOf,
		Connections: []embedded.Connection{{Name: "shodanrep", Config: args[0]}},
		ListContext: scan.WithListLength,
		Warn:        func(string) {},
	})
	if err != nil {
		return nil, err
	}
	defer scan.Shutdown()
	defer db.Close()
	if err := db.AttachCSV("list", args[1]); err != nil {
		return nil, err
	}
	batch := func(number, size int) error {
		got := 0
		err := db.Query(ctx, "select "+columns+" from shodan_ip_reputation where ip in (select ip from list where batch = "+strconv.Itoa(number)+")", func(rows *embedded.Rows) error {
			for rows.Next() {
				if rows.Values()[statusColumn] == "indexed" {
					got++
				}
			}
			return rows.Err()
		})
		if err == nil && got != size {
			err = fmt.Errorf("batch %d: %d rows with an answer of %d addresses", number, got, size)
		}
		return err
	}

	var failure error
	// measure returns the cost of batches.
	measure := func(size int, numbers ...int) (sum cost) {
		begun := spent()
		for _, number := range numbers {
			failure = errors.Join(failure, batch(number, size))
		}
		return spent().minus(begun)
	}
	var before, after []int
	for i := range smallBatches / 2 {
		before, after = append(before, i), append(after, smallBatches/2+i)
	}
	measure(smallBatch, warmNumber)
	small := measure(smallBatch, before...)
	large := measure(largeBatch, largeNumber)
	small = small.plus(measure(smallBatch, after...))
	return struct{ Small, Large cost }{small, large}, failure
}

// plus adds a cost.
func (c cost) plus(other cost) cost {
	return cost{c.Bytes + other.Bytes, c.CPU + other.CPU, c.Wall + other.Wall}
}

// minus subtracts a cost.
func (c cost) minus(begun cost) cost {
	return cost{c.Bytes - begun.Bytes, c.CPU - begun.CPU, c.Wall - begun.Wall}
}
