package iptext

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func TestSeparatorAt(t *testing.T) {
	t.Parallel()
	words := []string{"%2e", "%2E", "%25", "%3a", "%3A", "dot", "DOT"}
	isSeparatorAt := func(b []byte, i int) bool {
		return separators[b[i]] || i+3 <= len(b) && slices.Contains(words, string(b[i:i+3]))
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		b := make([]byte, rng.IntN(12))
		for i := range b {
			b[i] = `%235eEaAdoOtTD. x`[rng.IntN(17)]
		}
		at := rng.IntN(len(b) + 1)
		end := at + rng.IntN(len(b)+1-at)
		want := at
		for want < end && !isSeparatorAt(b, want) {
			want++
		}
		if got := separatorAt(b, at, end); got != want {
			t.Fatalf("%q from %d to %d: got %d, want %d", b, at, end, got, want)
		}
	}
}
