package internetdbfile

import (
	"iter"
	"slices"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

// A Memory is where results are: many are allocated at a time. The zero value is ready to use.
type Memory struct {
	hosts slab[shodan.Host]
	texts slab[string]
	ports slab[int]
}

// Reset frees the memory for other results. Those that are in it must not be used any more.
func (m *Memory) Reset() {
	for block := range m.hosts.inUse() {
		for i := range block {
			h := &block[i]
			clear(h.Vulns) // the map stays: it is the largest part of a host
			*h = shodan.Host{Vulns: h.Vulns}
		}
	}
	for block := range m.texts.inUse() {
		clear(block) // a text keeps the memory of a whole block of rows
	}
	m.hosts.used, m.texts.used, m.ports.used = 0, 0, 0
}

// slabLength is how many values a slab allocates at a time.
const slabLength = 64

// A slab allocates many values of a type at a time.
type slab[T any] struct {
	blocks [][]T // of slabLength each
	used   int   // how many values of all blocks
}

// take returns a slice of n values that nothing else uses. They are zero, or what Reset has left.
func (s *slab[T]) take(n int) []T {
	if n > slabLength {
		return make([]T, n)
	}
	block, at := s.used/slabLength, s.used%slabLength
	if at+n > slabLength { // the rest stays unused
		block, at = block+1, 0
	}
	if block == len(s.blocks) {
		s.blocks = append(s.blocks, make([]T, slabLength))
	}
	s.used = block*slabLength + at + n
	return s.blocks[block][at : at+n : at+n]
}

// inUse yields the blocks that have values in use.
func (s *slab[T]) inUse() iter.Seq[[]T] {
	return slices.Values(s.blocks[:(s.used+slabLength-1)/slabLength])
}
