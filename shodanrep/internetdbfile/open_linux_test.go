package internetdbfile

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/internetdbfile/internetdbtest"
)

// TestACallThatEndsWhileItOpensLeavesNothingOpen counts the descriptors of this process that are of the file.
func TestACallThatEndsWhileItOpensLeavesNothingOpen(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "internetdb.sqlite")
	if err := internetdbtest.Write(path, slices.Values([]internetdbtest.Row{{IP: "11.0.0.1"}})); err != nil {
		t.Fatal(err)
	}
	f := New(Options{Path: path})
	t.Cleanup(func() { _ = f.Close() })
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // the file is opened all the same: that takes too little time to look at the context
	if _, err := f.openNewest(ctx); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	descriptors, err := filepath.Glob("/proc/self/fd/*")
	if err != nil || len(descriptors) == 0 {
		t.Fatalf("%d descriptors, %v", len(descriptors), err)
	}
	for _, descriptor := range descriptors {
		if target, err := os.Readlink(descriptor); err == nil && target == path {
			t.Errorf("%s is still open", descriptor)
		}
	}
}
