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

// The highest column is as high as the chart, by every count that its parts may have and on every processor.
func TestTheHighestColumnFillsTheChart(t *testing.T) {
	t.Parallel()
	for a := 1; a < 40; a++ {
		for b := range 40 {
			chart := newColumns([]htmlColumn{{Label: "a", counts: []htmlCount{{"critical", "critical", a}, {"low", "low", b}}}, {Label: "b"}}, "")
			if c := chart.Columns[0]; c.Top != 15 || c.Parts[len(c.Parts)-1].Y != "20.00" {
				t.Errorf("%d critical and %d low: the label is at %d, the parts are %+v", a, b, c.Top, c.Parts)
			}
		}
	}
}
