package internetdbfile

import "github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"

// A Memory is where results are: many are allocated at a time. The zero value is ready to use.
type Memory struct {
	hosts slab[shodan.Host]
	texts slab[string]
	ports slab[int]
}

// Reset frees the memory for other results. Those that are in it must not be used any more.
func (m *Memory) Reset() {
	m.hosts.reset(func(h *shodan.Host) { // the map stays: it is the largest part of a host
		clear(h.Vulns)
		*h = shodan.Host{Vulns: h.Vulns}
	})
	m.texts.reset(func(text *string) { *text = "" }) // it shares the memory of a whole block
	m.ports.reset(func(port *int) { *port = 0 })
}

// slabLength is how many values a slab allocates at a time.
const slabLength = 64

// A slab allocates many values of a type at a time.
type slab[T any] struct {
	blocks [][]T // of slabLength each
	used   int   // how many values of all blocks
}

// take returns a slice of n values that nothing else uses.
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

// reset frees all values for take, after clear has cleared each.
func (s *slab[T]) reset(clear func(*T)) {
	for i := range s.used {
		clear(&s.blocks[i/slabLength][i%slabLength])
	}
	s.used = 0
}
