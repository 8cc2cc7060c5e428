package cache

import (
	"testing"
	"time"
)

func openMemory(_ *testing.T, c *clock) Store { return newMemory(0, c.now) }

func TestMemory(t *testing.T) {
	t.Parallel()
	testStore(t, openMemory)
	t.Run("prunes what has expired", func(t *testing.T) { testPrune(t, openMemory) })
}

func TestMemoryKeepsTheMostRecentlyUsedWithinItsBound(t *testing.T) {
	t.Parallel()
	c := newClock()
	entries := c.batch(4, 100)
	m := newMemory(3*cost(entries[0].Key, entries[0].Body), c.now)
	mustPut(t, m, entries[:3]...)
	mustGet(t, m, entries[0].Key)
	mustPut(t, m, entries[3])
	got := mustGet(t, m, keysOf(entries)...)
	for i, want := range []bool{true, false, true, true} {
		if _, ok := got[entries[i].Key]; ok != want {
			t.Errorf("entry %d is there: %v, want %v", i, ok, want)
		}
	}
}

func TestMemoryCountsItsBytes(t *testing.T) {
	t.Parallel()
	c := newClock()
	const bound = 10_000
	m := newMemory(bound, c.now)
	steps := map[string]func(){
		"many":         func() { mustPut(t, m, c.batch(1000, 100)...) },
		"larger ones":  func() { mustPut(t, m, c.batch(20, 500)...) },
		"the same":     func() { mustPut(t, m, c.batch(20, 500)...) },
		"one too huge": func() { mustPut(t, m, c.batch(1, bound)...) },
		"none": func() {
			c.forward(2 * time.Hour)
			if _, err := m.Prune(t.Context()); err != nil {
				t.Error(err)
			}
		},
	}
	for _, name := range []string{"many", "larger ones", "the same", "one too huge", "none"} {
		steps[name]()
		var want int64
		for _, k := range m.entries.Keys() {
			v, _ := m.entries.Peek(k)
			want += cost(k, v.body)
		}
		if m.bytes != want || want > bound {
			t.Errorf("after %s: %d bytes counted, %d held, bound %d", name, m.bytes, want, bound)
		}
		if name == "one too huge" && len(mustGet(t, m, c.batch(1, 0)[0].Key)) != 0 {
			t.Error("an entry that could not be replaced is still there in its old form")
		}
	}
	if m.bytes != 0 {
		t.Errorf("%d bytes left of nothing", m.bytes)
	}
}

func BenchmarkMemory(b *testing.B) {
	c := newClock()
	entries := c.batch(100_000, 300)
	keys := keysOf(entries)
	b.Run("put 100000", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			mustPut(b, newMemory(0, c.now), entries...)
		}
	})
	b.Run("get 100000", func(b *testing.B) {
		m := newMemory(0, c.now)
		mustPut(b, m, entries...)
		b.ReportAllocs()
		for b.Loop() {
			mustGet(b, m, keys...)
		}
	})
}
