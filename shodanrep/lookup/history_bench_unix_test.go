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

// BenchmarkHistory looks addresses up without and with a history, in turns. Responses take 20 ms, and the rate is far above
// what the services allow. In a round all that is recorded is new, or all is known. The query may be slower by a twentieth;
// the processor time is that of the whole, with what is written after the query.
func BenchmarkHistory(b *testing.B) {
	const addresses = 300
	sim := shodantest.NewHandler(shodantest.WithLatency(20 * time.Millisecond))
	list := questions(sim.Generate(addresses))
	for _, what := range []string{"new", "known"} {
		b.Run(what, func(b *testing.B) {
			var took, processor [2]time.Duration // without and with a history
			round := func(with int, place string) {
				cfg := config(sim)
				cfg.InternetDBRequestsPerSecond, cfg.Cache, cfg.HistoryStore = 1e6, filepath.Join(b.TempDir(), "cache.sqlite"), place
				cfg.RefreshBefore = time.Now().Add(time.Hour) // nothing is from the cache
				e, err := lookup.New(b.Context(), cfg)
				if err != nil {
					b.Fatal(err)
				}
				if what == "known" {
					lookUpAll(b, e, list)
					if err := e.History().Flush(b.Context()); err != nil {
						b.Fatal(err)
					}
				}
				begin, used := time.Now(), processorTime()
				lookUpAll(b, e, list)
				took[with] += time.Since(begin)
				if err := e.Close(); err != nil {
					b.Fatal(err)
				}
				processor[with] += processorTime() - used
			}
			for range b.N {
				round(0, "off")
				round(1, filepath.Join(b.TempDir(), "history.sqlite"))
				round(1, filepath.Join(b.TempDir(), "history.sqlite"))
				round(0, "off")
			}
			b.ReportMetric(100*(took[1].Seconds()/took[0].Seconds()-1), "%-slower")
			b.ReportMetric(float64((processor[1]-processor[0]).Microseconds())/float64(2*b.N*addresses), "cpu-µs/address")
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
