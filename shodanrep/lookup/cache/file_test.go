package cache

import (
	"path/filepath"
	"testing"
)

func openTestFile(t testing.TB, path string, opts Options) *File {
	t.Helper()
	f, err := OpenFile(t.Context(), path, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func TestFile(t *testing.T) {
	t.Parallel()
	open := func(t *testing.T, c *clock) Store {
		return openTestFile(t, filepath.Join(t.TempDir(), "a", "b", "c.sqlite"), Options{Now: c.now})
	}
	testStore(t, open)
	t.Run("prunes what has expired", func(t *testing.T) { testPrune(t, open) })
}

func BenchmarkFile(b *testing.B) {
	c := newClock()
	entries := c.batch(10_000, 300)
	keys := keysOf(entries)
	b.Run("put 10000", func(b *testing.B) {
		f := openTestFile(b, filepath.Join(b.TempDir(), "c.sqlite"), Options{})
		for b.Loop() {
			mustPut(b, f, entries...)
		}
	})
	b.Run("get 10000", func(b *testing.B) {
		f := openTestFile(b, filepath.Join(b.TempDir(), "c.sqlite"), Options{})
		mustPut(b, f, entries...)
		for b.Loop() {
			if n := len(mustGet(b, f, keys...)); n != len(keys) {
				b.Fatal(n)
			}
		}
	})
}

func BenchmarkRedis(b *testing.B) {
	c := newClock()
	entries := c.batch(10_000, 300)
	keys := keysOf(entries)
	r := openTestRedis(b, startRedis(b, ""), Options{})
	b.Run("put 10000", func(b *testing.B) {
		for b.Loop() {
			mustPut(b, r, entries...)
		}
	})
	b.Run("get 10000", func(b *testing.B) {
		for b.Loop() {
			if n := len(mustGet(b, r, keys...)); n != len(keys) {
				b.Fatal(n)
			}
		}
	})
}
