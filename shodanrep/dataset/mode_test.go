package dataset

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/go-hclog"
)

func TestTheIndexIsForItsOwnerOnly(t *testing.T) {
	t.Parallel()
	for name, before := range map[string]os.FileMode{"new": 0, "of an older version": 0o644} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), indexName)
			if before != 0 {
				if err := os.WriteFile(path, nil, before); err != nil {
					t.Fatal(err)
				}
			}
			x, err := openIndex(t.Context(), path, hclog.NewNullLogger())
			if err != nil {
				t.Fatal(err)
			}
			defer x.Close()
			files, err := filepath.Glob(path + "*")
			if err != nil || len(files) < 2 {
				t.Fatalf("%v, %v: want the log too", files, err)
			}
			for _, file := range files {
				if strings.HasSuffix(file, "-shm") { // it has numbers of pages, and nothing of what is in them
					continue
				}
				if info, err := os.Stat(file); err != nil || info.Mode() != 0o600 {
					t.Errorf("%s: %v, %v", file, info.Mode(), err)
				}
			}
		})
	}
}
