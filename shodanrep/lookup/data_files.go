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

// openDataset opens the data files of a configuration.
func openDataset(ctx context.Context, cfg Config) (*dataset.Dataset, error) {
	d, err := dataset.Open(ctx, dataset.Options{Files: cfg.DataFiles, Window: cfg.DataWindow, Dir: cache.Dir(cfg.Cache), Logger: cfg.Logger})
	if err != nil {
		return nil, fmt.Errorf("data_files: %w", err)
	}
	return d, nil
}
