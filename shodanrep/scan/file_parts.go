package scan

import (
	"context"
	"iter"
	"net/netip"
	"runtime"
	"slices"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
)

// windowPart is how many addresses of a window for the file become results at a time: results take much more memory than
// the rows of the file.
const windowPart = 512

// A part is the conversion of some results of a window. An error is about all of them.
type part[T any] struct {
	value T
	err   error
}

// fileParts converts the rows of a file and yields the parts in order. A few parts are converted ahead, on all processors.
func fileParts[T any](ctx context.Context, w *window, rows *lookup.FileRows, first int, convert converter[T]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var ahead []chan part[T]
		next := func() bool {
			p := <-ahead[0]
			ahead = ahead[1:]
			return yield(p.value, p.err) && p.err == nil
		}
		inMemory := runtime.GOMAXPROCS(0)
		if !w.keepsResults { // the conversions are small, so that no processor has to wait while this one fills a window
			inMemory *= 4
		}
		used, addresses := 0, 0 // in parts that were started
		for prefixes := range slices.Chunk(w.prefixes, windowPart) {
			started, firstPrefix, firstAddress := make(chan part[T], 1), first, addresses
			go func() {
				memory := newPartMemory(len(prefixes))
				p := part[T]{err: w.makeResults(ctx, rows, firstAddress, prefixes, memory)}
				if p.err == nil {
					p.value = convert(firstPrefix, memory.results, memory)
				}
				if !w.keepsResults {
					memory.free()
				}
				started <- p
			}()
			first += len(prefixes)
			for _, p := range prefixes {
				if p.IsSingleIP() {
					addresses++
				}
			}
			if ahead = append(ahead, started); len(ahead) > inMemory && !next() {
				return
			}
			if used += len(prefixes); used >= len(w.prefixes)/8*7 {
				w.startNext()
			}
		}
		for len(ahead) > 0 && next() {
		}
	}
}

// makeResults makes the results of some addresses and networks of a window in the memory of a part, of which first is the
// index of the first address in rows.
func (w *window) makeResults(ctx context.Context, rows *lookup.FileRows, first int, prefixes []netip.Prefix, m *partMemory) error {
	for i, p := range prefixes {
		m.targets[i] = targetOf(p, w.source)
		if t := &m.targets[i]; t.Addr.IsValid() {
			m.questions = append(m.questions, t.question(w.need))
		}
	}
	answers := rows.Answers(first, m.questions, &m.file)
	for i := range m.results {
		t := &m.targets[i]
		if !t.Addr.IsValid() {
			result, err := w.scan.Result(ctx, t, w.need) // which needs no lookup
			if err != nil {
				return err
			}
			m.results[i] = *result
			continue
		}
		m.results[i] = w.scan.result(t, answers[0])
		answers = answers[1:]
	}
	return nil
}
