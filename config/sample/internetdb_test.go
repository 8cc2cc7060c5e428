package main

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/internetdbfile"
)

// TestTheInternetDBFileIsAsGenerated compares rows: the bytes depend on the version of SQLite.
func TestTheInternetDBFileIsAsGenerated(t *testing.T) {
	t.Parallel()
	f := internetdbfile.New(internetdbfile.Options{Path: internetDBFile})
	defer f.Close()
	want := internetDBRows()
	var listed int
	for row, err := range f.All(t.Context()) {
		if err != nil || row.Err != nil {
			t.Fatal(err, row.Err)
		}
		if listed >= len(want) || row.Addr.String() != want[listed].IP {
			t.Fatalf("row %d is %s; run: go run ./config/sample", listed, row.Addr)
		}
		listed++
	}
	if listed != len(want) {
		t.Errorf("%d rows, want %d; run: go run ./config/sample", listed, len(want))
	}
	for _, group := range sample {
		for _, h := range group.hosts {
			merged := h.merged()
			results, _, err := f.Hosts(t.Context(), []netip.Addr{merged.Addr})
			if err != nil || results[0].Host == nil {
				t.Fatalf("%s: %+v, %v", merged.Addr, results, err)
			}
			got := results[0].Host
			if diff := cmp.Diff([]any{merged.Ports, merged.Tags, merged.Vulns.IDs(), len(merged.Hostnames), len(merged.AllCPEs())},
				[]any{got.Ports, got.Tags, got.Vulns.IDs(), len(got.Hostnames), len(got.CPEs)}); diff != "" {
				t.Errorf("%s is not as generated; run: go run ./config/sample: %s", merged.Addr, diff)
			}
		}
	}
}
