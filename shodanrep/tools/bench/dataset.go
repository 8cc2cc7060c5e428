//go:build unix

package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
)

const (
	bulkBanners  = 200_000
	largeBanners = 1_000_000

	// A dataset may take so much longer than DuckDB, the first time and with its index, its index so much less space than
	// the file, and reading it so much memory, however long the file is.
	firstReach         = 1.5
	againReach         = 0.3
	indexReach         = 0.6
	datasetMemoryReach = 400_000_000
	datasetGrowthReach = 1.25
)

// scoreDataset counts the hosts of a dataset by their level.
const scoreDataset = "select level, count(*) as hosts from shodan_ip_reputation where source = 'dataset' %s group by level"

// dataset is a connection with a data file. Its index is beside the cache file.
func (b *bench) dataset(path string) (spc, dir string, err error) {
	dir = b.path(".cache")
	spc, err = b.config([]string{fmt.Sprintf("data_files = [%q]", path), fmt.Sprintf("cache = %q", filepath.Join(dir, "cache.sqlite"))})
	return spc, dir, err
}

// measureDataset scores a file of banners, without and with its index, and does the same with DuckDB.
func measureDataset(b *bench) ([]figure, error) {
	path := b.path(".json.gz")
	size, err := writeBulkFile(path, bulkBanners, 4300, 1100)
	if err != nil {
		return nil, err
	}
	defer os.Remove(path)
	duck, noDuckDB := installDuckDB(b)
	var extended result
	var index int64
	var again []result
	first, bound, err := inTurn(func() (result, error) {
		spc, dir, err := b.dataset(path)
		if err != nil {
			return result{}, err
		}
		defer os.RemoveAll(dir)
		score := func(condition string) (result, error) {
			return b.run("query", "--config", spc, "--output", "csv", fmt.Sprintf(scoreDataset, condition))
		}
		first, err := score("")
		if err != nil {
			return result{}, err
		}
		second, err := score("")
		if err != nil {
			return result{}, err
		}
		again = append(again, second)
		if extended, err = score("and policy = 'extended'"); err != nil {
			return result{}, err
		}
		index, err = indexSize(dir)
		return first, err
	}, func() (result, error) {
		if noDuckDB != nil {
			return result{}, nil
		}
		return duck.score(path)
	})
	if err != nil {
		return nil, err
	}
	figures := []figure{{
		what:     "index of 200,000 banners",
		measured: megabytes(index),
		bound:    "their gzip file: " + megabytes(size),
		ratio:    times(float64(index) / float64(size)),
		reach:    fmt.Sprintf("≤ %.2f ×", indexReach),
		reached:  float64(index) <= indexReach*float64(size),
	}}
	if noDuckDB != nil {
		fmt.Fprintln(os.Stderr, "the comparison with DuckDB is skipped, because it cannot be installed:", noDuckDB)
		return figures, nil
	}
	for i, what := range []string{"score of 66,667 hosts in a file of 200,000 banners, the first time", "the same with the index"} {
		r, reach := []result{first, median(again)}[i], []float64{firstReach, againReach}[i]
		if got, want := levelsOf(r), levelsOf(bound); !maps.Equal(got, want) {
			return figures, fmt.Errorf("the levels are %v, and by DuckDB %v", got, want)
		}
		f := figure{
			what:     what,
			measured: seconds(r.wall),
			bound:    "DuckDB, the same rule over read_json: " + seconds(bound.wall),
			ratio:    times(r.wall.Seconds() / bound.wall.Seconds()),
			reach:    fmt.Sprintf("≤ %.2f ×", reach),
			reached:  r.wall.Seconds() <= reach*bound.wall.Seconds(),
			notes:    []string{fmt.Sprintf("processor time %s, and %s of DuckDB", seconds(r.cpu), seconds(bound.cpu))},
		}
		if i == 1 {
			f.notes = append(f.notes, fmt.Sprintf("with the extended policy %s, %s of processor time", seconds(extended.wall), seconds(extended.cpu)))
		}
		figures = append(figures, f)
	}
	return figures, nil
}

// indexSize returns the size of the index in a folder, with its log.
func indexSize(dir string) (size int64, err error) {
	paths, err := filepath.Glob(filepath.Join(dir, "dataset-*"))
	for _, path := range paths {
		info, statErr := os.Stat(path)
		if statErr != nil {
			return 0, statErr
		}
		size += info.Size()
	}
	if err == nil && size == 0 {
		err = fmt.Errorf("there is no index in %s", dir)
	}
	return size, err
}

// measureDatasetMemory reads a long file and one of a tenth of its length.
func measureDatasetMemory(b *bench) ([]figure, error) {
	sizes := []int{largeBanners / 10, largeBanners}
	peaks := make([]int64, len(sizes))
	for i, banners := range sizes {
		path := b.path(".json.gz")
		if _, err := writeBulkFile(path, banners, 200, 0); err != nil {
			return nil, err
		}
		spc, _, err := b.dataset(path)
		if err != nil {
			return nil, err
		}
		r, err := b.run("query", "--config", spc, "--output", "csv", fmt.Sprintf(scoreDataset, ""))
		if err != nil {
			return nil, err
		}
		peaks[i] = r.peak
		if err := os.Remove(path); err != nil {
			return nil, err
		}
	}
	growth := float64(peaks[1]) / float64(peaks[0])
	return []figure{{
		what:     "peak memory, 1,000,000 banners read and scored",
		measured: fmt.Sprintf("%s; 100,000: %s", megabytes(peaks[1]), megabytes(peaks[0])),
		bound:    "that of 100,000",
		ratio:    times(growth),
		reach:    fmt.Sprintf("≤ %s, ≤ %.2f ×", megabytes(datasetMemoryReach), datasetGrowthReach),
		reached:  peaks[1] <= datasetMemoryReach && growth <= datasetGrowthReach,
	}}, nil
}
