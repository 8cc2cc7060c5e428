package iptext

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// separatorsIn returns the indexes of all separators of a text.
func separatorsIn(b []byte) (all []int) {
	for at := separatorAt(b, 0, len(b)); at < len(b); at = separatorAt(b, at+1, len(b)) {
		all = append(all, at)
	}
	return all
}

func TestSeparators(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]int{
		"1.2": {1}, "1[.]2": {1}, "1(dot)2": {1, 3}, "1 [.] 2": {2}, "1 . 2": {2}, `1\.2`: {1}, `1"."2`: {2}, "1<.>2": {2}, "1.": {1},
		"1 dot 2": {3}, "1dot2": {2}, "1 DOT 2": {3}, "1%2E2": {2}, "1%252e2": {2}, "1&#46;2": {2}, "1\u30022": {1}, "1\u200b.2": {1}, "\uff11.2": {0, 3},
		"a:b": {1}, "::1": {0}, "1[:]2": {1}, "http://a": {4}, `http:\/\/a`: {4}, "http[://]a": {4}, "https%3A%2F%2Fa": {5}, "http%253A": {4, 5},
		"": nil, ".": nil, ":": nil, "a.b": nil, `{"key":"value"}`: nil, `\"key\": \"value\"`: nil, `C:\dir`: nil, "done": nil, "f(x)": nil, "a [b] (c)": nil, "#8%20%2F%3D": nil, "http%/a": nil,
	} {
		if got := separatorsIn([]byte(text)); !slices.Equal(got, want) {
			t.Errorf("%q: got %v, want %v", text, got, want)
		}
	}
}

// TestSeparatorAt compares the search in each part of a text with that in the whole text.
func TestSeparatorAt(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	for range 1000 {
		b := make([]byte, rng.IntN(12))
		for i := range b {
			b[i] = `%235eEdoOtTD. x1:[\/&#p`[rng.IntN(23)]
		}
		all := separatorsIn(b)
		for end := range len(b) + 1 {
			for at := range end + 1 {
				want := end
				if i, _ := slices.BinarySearch(all, at); i < len(all) {
					want = min(end, all[i])
				}
				if got := separatorAt(b, at, end); got != want {
					t.Fatalf("%q from %d to %d: got %d, want %d", b, at, end, got, want)
				}
			}
		}
	}
}
