//go:build unix

package main

import "fmt"

const (
	// memoryReach is how much memory a batch may use, and growthReach how much each further address may add: its text in the
	// list, its row, and what the progress keeps of it. A ratio of two peaks would grow with everything else that shrinks.
	memoryReach = 300_000_000
	growthReach = 500
)

// measureMemory runs batches of three sizes, each in its own process, with a service that responds at once.
func measureMemory(b *bench) ([]figure, error) {
	s, err := simulate()
	if err != nil {
		return nil, err
	}
	defer s.close()
	sizes := []int{1_000, 10_000, 100_000}
	peaks := make([]int64, len(sizes))
	for i, size := range sizes {
		list, err := b.list(s.Generate(size))
		if err != nil {
			return nil, err
		}
		r, err := b.query(s.internetDB(append(lifted, fmt.Sprintf("cache = %q", b.path(".sqlite")))...), list)
		if err == nil {
			err = r.want(size, "indexed")
		}
		if err != nil {
			return nil, err
		}
		peaks[i] = r.peak
	}
	growth := float64(peaks[2]-peaks[1]) / float64(sizes[2]-sizes[1])
	return []figure{{
		what:     "peak memory, 100,000 addresses in one batch",
		measured: fmt.Sprintf("%s; 10,000: %s; 1,000: %s", megabytes(peaks[2]), megabytes(peaks[1]), megabytes(peaks[0])),
		bound:    "that of 10,000",
		ratio:    times(float64(peaks[2]) / float64(peaks[1])),
		reach:    fmt.Sprintf("≤ %s, and ≤ %d bytes more for each address above 10,000", megabytes(memoryReach), growthReach),
		reached:  peaks[2] <= memoryReach && growth <= growthReach,
		notes:    []string{fmt.Sprintf("from 10,000 to 100,000 addresses the peak grows by %.0f bytes an address", growth)},
	}}, nil
}
