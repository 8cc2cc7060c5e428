package dataset

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/go-hclog"
)

// Another Dataset deletes the rows of a file that none has used for days. One whose clock stood still while the machine
// slept still uses it, and reads it again: its addresses would look as if no file had them.
func TestRowsThatAnotherDatasetHasDeletedAreReadAgain(t *testing.T) {
	t.Parallel()
	dir, index := t.TempDir(), t.TempDir()
	day(t, in(dir, "0.json"), 0)
	day(t, in(dir, "40.json"), 40)
	d := open(t, index, in(dir, "*.json"))
	for name, look := range map[string]func() int{
		"looked up": func() int { return len(hosts(t, d, "192.0.2.0", "192.0.2.40")) },
		"listed":    func() int { return len(listed(t, d)) },
	} {
		ago := time.Now().Add(-3 * recheck).Unix()
		if err := d.index.write(t.Context(), func(c conn) error { return c.Run("update file set used = ?", ago) }); err != nil {
			t.Fatal(err)
		}
		recent := openWindow(t, index, month, hclog.NewNullLogger(), in(dir, "*.json"))
		if diff := cmp.Diff([]string{"192.0.2.40"}, listed(t, recent)); diff != "" {
			t.Error(diff)
		}
		if err := d.Refresh(t.Context()); err != nil { // as each lookup does
			t.Fatal(err)
		}
		if n := look(); n != 2 {
			t.Errorf("%s: %d hosts", name, n)
		}
	}
}
