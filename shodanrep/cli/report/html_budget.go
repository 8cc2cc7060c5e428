package report

import (
	"cmp"
	"container/heap"
	"sync/atomic"
)

// An htmlBudget finds the results whose texts cannot fit in a page: the page shows the worst first until it is full, so a text
// for which the texts of worse results leave no room is not needed.
type htmlBudget struct {
	limit int
	kept  htmlHeap
	size  int // of what is kept
	// full is the rank of the result that is kept as the last one, if there is no room after it. It is read concurrently.
	full atomic.Pointer[int]
}

// An htmlSized is a result whose text has at least so many bytes.
type htmlSized struct {
	*htmlResult
	size int
}

// mayFit reports whether the text of a result that is added from now on may fit. It may be called concurrently.
func (b *htmlBudget) mayFit(rank int) bool {
	full := b.full.Load()
	return full == nil || rank > *full
}

// add adds a result, and drops the texts that cannot fit any more.
func (b *htmlBudget) add(r *htmlResult, size int, drop func(*htmlResult)) {
	heap.Push(&b.kept, htmlSized{r, size})
	b.size += size
	for b.size-b.kept[0].size > b.limit {
		best := heap.Pop(&b.kept).(htmlSized)
		b.size -= best.size
		drop(best.htmlResult)
	}
	if b.size > b.limit {
		if rank := b.kept[0].rank; b.full.Load() == nil || *b.full.Load() != rank {
			b.full.Store(&rank)
		}
	}
}

// An htmlHeap has the result that the page would show last at its top.
type htmlHeap []htmlSized

func (h htmlHeap) Len() int { return len(h) }
func (h htmlHeap) Less(i, j int) bool {
	return cmp.Or(cmp.Compare(h[i].rank, h[j].rank), cmp.Compare(h[j].number, h[i].number)) < 0
}
func (h htmlHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *htmlHeap) Push(r any)   { *h = append(*h, r.(htmlSized)) }
func (h *htmlHeap) Pop() any {
	last := len(*h) - 1
	r := (*h)[last]
	(*h)[last] = htmlSized{}
	*h = (*h)[:last]
	return r
}

// textSize returns how many bytes texts have.
func textSize(texts ...string) (size int) {
	for _, text := range texts {
		size += len(text)
	}
	return size
}
