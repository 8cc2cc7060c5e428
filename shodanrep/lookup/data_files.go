package lookup

import (
	"context"
	"fmt"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cache"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/dataset"
)

// DataFileStats describe what the data files of a configuration hold, and what is left out of them.
type DataFileStats struct {
	dataset.Stats
	dataset.Omissions
}

// InspectDataFiles opens the data files of a configuration, which builds their index if it is missing.
func InspectDataFiles(ctx context.Context, cfg Config) (DataFileStats, error) {
	d, err := openDataset(ctx, cfg)
	if err != nil {
		return DataFileStats{}, err
	}
	stats := DataFileStats{d.Stats(), d.Omissions()}
	return stats, d.Close()
}

// openDataset opens the data files of a configuration.
func openDataset(ctx context.Context, cfg Config) (*dataset.Dataset, error) {
	d, err := dataset.Open(ctx, dataset.Options{Files: cfg.DataFiles, Window: cfg.DataWindow, Dir: cache.Dir(cfg.Cache), Logger: cfg.Logger})
	if err != nil {
		return nil, fmt.Errorf("data_files: %w", err)
	}
	return d, nil
}
