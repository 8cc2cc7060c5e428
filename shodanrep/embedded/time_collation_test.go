package embedded

import (
	"slices"
	"testing"
)

func TestCompareTimes(t *testing.T) {
	t.Parallel()
	ascending := [][]string{
		{"-62135596801", "-1e30"},
		{"0", "1970-01-01", "0.0", "2440587.5"},
		{"1700000000", "2023-11-14T22:13:20Z"},
		{"20260130", "2026-01-30"},
		{"1769839200", "1769839200.0", "2461071.75", "2026-01-31T06:00:00Z", "2026-01-31 06:00:00", "2026-01-31 06:00", "2026-01-31T07:00:00+01:00", "2026-01-31T06:00", "2026-01-31T06:00Z",
			"2026-01-31 06:00:00+00", "2026-01-31 05:00:00.000-01", "2026-01-31T06:00:00.000Z"},
		{"2026-01-31T06:00:00.5Z", "1769839200.5"},
		{"2026-01-31T06:00:01Z", "2026-01-31 06:00:01"},
		{"2026-02-01", "2026-02-01T00:00:00Z"},
		{"2026-02-01T00:00:00.000001Z"},
		{"9999-12-31T23:59:59Z", "1769839200000", "1e300"},
	}
	for i, earlier := range ascending {
		for j, later := range ascending {
			for _, a := range earlier {
				for _, b := range later {
					if got, mixed := compareTimes([]byte(a), []byte(b)); got != slices.Compare([]int{i}, []int{j}) || mixed {
						t.Errorf("%s and %s: got %d, mixed %t", a, b, got, mixed)
					}
				}
			}
		}
	}
	for _, text := range []string{"yesterday", "", "2026-02", "2026", "-", "1e", "Inf", "NaN", "0x10", "1e999"} { // compared as texts
		if got, mixed := compareTimes([]byte("2026-01-31T06:00:00Z"), []byte(text)); (got < 0) != ("2026-01-31T06:00:00Z" < text) || !mixed {
			t.Errorf("%q: got %d, mixed %t", text, got, mixed)
		}
	}
}
