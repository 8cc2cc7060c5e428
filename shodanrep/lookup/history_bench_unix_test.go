//go:build unix

package lookup_test

import (
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

// BenchmarkHistory looks addresses up while responses take some time, with and without a history. In a round each state
// is new, or each is known. It measures the processor time of both, of which a history may cost a twentieth more.
func BenchmarkHistory(b *testing.B) {
	const addresses = 300
	sim := shodantest.NewHandler(shodantest.WithLatency(20 * time.Millisecond))
	list := questions(sim.Generate(addresses))
	for _, place := range []string{"off", "new", "known"} {
		b.Run(place, func(b *testing.B) {
			cfg := config(sim)
			cfg.InternetDBRequestsPerSecond, cfg.MaxConcurrency, cfg.Cache = 1e6, 32, filepath.Join(b.TempDir(), "cache.sqlite")
			var processor time.Duration
			for i := range b.N {
				cfg.HistoryStore = "off"
				if place != "off" {
					cfg.HistoryStore = filepath.Join(b.TempDir(), "history.sqlite")
				}
				cfg.RefreshBefore = time.Now().Add(time.Hour) // nothing is from the cache
				e, err := lookup.New(b.Context(), cfg)
				if err != nil {
					b.Fatal(err)
				}
				if place == "known" {
					b.StopTimer()
					lookUpAll(b, e, list)
					if err := e.History().Flush(b.Context()); err != nil {
						b.Fatal(err)
					}
					b.StartTimer()
				}
				before := processorTime()
				lookUpAll(b, e, list)
				if i%2 == 0 { // the other rounds end as a plugin's queries do: the history is written after them
					if err := e.History().Flush(b.Context()); err != nil {
						b.Fatal(err)
					}
				}
				processor += processorTime() - before
				b.StopTimer()
				if err := e.Close(); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
			}
			b.ReportMetric(float64(processor.Microseconds())/float64(b.N)/addresses, "cpu-µs/address")
		})
	}
}

func lookUpAll(b *testing.B, e *lookup.Engine, list []lookup.Question) {
	batch := e.Batch(b.Context(), len(list))
	batch.Add(list...)
	for _, q := range list {
		if a, err := batch.Answer(b.Context(), q); err != nil || a.Status != lookup.Indexed {
			b.Fatal(a, err)
		}
	}
}

// processorTime returns the processor time of this process.
func processorTime() time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		return 0
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
