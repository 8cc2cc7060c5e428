package report

import (
	"slices"
	"testing"
)

func TestCompareValues(t *testing.T) {
	t.Parallel()
	got := []string{"b", "100", "10", "1a", "9", "a", "1"}
	slices.SortFunc(got, compareValues)
	if want := []string{"1", "9", "10", "100", "1a", "a", "b"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
