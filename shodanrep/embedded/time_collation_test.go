package embedded

import (
	"slices"
	"testing"
)

func TestCompareTimes(t *testing.T) {
	t.Parallel()
	ascending := [][]string{
		{"2026-01-31T06:00:00Z", "2026-01-31 06:00:00", "2026-01-31 06:00", "2026-01-31T07:00:00+01:00", "2026-01-31T06:00:00.000Z"},
		{"2026-01-31T06:00:00.5Z"},
		{"2026-01-31T06:00:01Z", "2026-01-31 06:00:01"},
		{"2026-02-01", "2026-02-01T00:00:00Z"},
		{"2026-02-01T00:00:00.000001Z"},
	}
	for i, earlier := range ascending {
		for j, later := range ascending {
			for _, a := range earlier {
				for _, b := range later {
					if got, want := compareTimes([]byte(a), []byte(b)), slices.Compare([]int{i}, []int{j}); got != want {
						t.Errorf("%s and %s: got %d, want %d", a, b, got, want)
					}
				}
			}
		}
	}
	for _, text := range []string{"yesterday", "", "2026-02", "2026"} { // compared as texts
		if got := compareTimes([]byte("2026-01-31T06:00:00Z"), []byte(text)); (got < 0) != ("2026-01-31T06:00:00Z" < text) {
			t.Errorf("%q: got %d", text, got)
		}
	}
}
