package cli

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/display"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
)

// What has no score is coloured as such, and nothing else is.
func TestUnscoredStatusesAreAllButIndexed(t *testing.T) {
	t.Parallel()
	want := slices.DeleteFunc(shodanrep.Statuses(), func(status string) bool { return status == string(lookup.Indexed) })
	if diff := cmp.Diff(slices.Sorted(slices.Values(want)), slices.Sorted(slices.Values(display.Unscored))); diff != "" {
		t.Errorf("the statuses of the tables (-) and those that display knows (+) differ:\n%s", diff)
	}
}
