package scan

import (
	"testing"
	"time"
)

// What a state was before is read only for changes: to read its facts takes as long as to read those of a row.
func TestTheStateBeforeATimeIsReadForChangesOnly(t *testing.T) {
	t.Parallel()
	since := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for _, changes := range []bool{false, true} {
		need := HistoryNeed{Bounds: Since(since), Changes: changes}
		if f := need.filter(nil); !f.Since.Equal(since) || f.WithoutBefore == changes {
			t.Errorf("changes %t: %+v", changes, f)
		}
	}
}
