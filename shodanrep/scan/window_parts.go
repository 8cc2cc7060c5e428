package scan

import (
	"context"
	"iter"
	"net/netip"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
)

// A window is some addresses and networks that follow each other.
type window struct {
	scan   *Scan
	source lookup.Source
	need   lookup.Question
	// targets are those of a window that was added to the batch.
	targets []*Target
	// prefixes are those of a window that is looked up in the file of InternetDB, and file receives what it has of them.
	prefixes     []netip.Prefix
	file         chan fileRows
	keepsResults bool
	// startNext starts the next window. It is called when few of the prefixes are left.
	startNext func()
}

// fileRows are what the file of InternetDB has of a window. An error is about all of it.
type fileRows struct {
	rows *lookup.FileRows
	err  error
}

// readFile reads what the file of InternetDB has of the addresses.
func (w *window) readFile(ctx context.Context) (*lookup.FileRows, error) {
	addrs := make([]netip.Addr, 0, len(w.prefixes))
	for _, p := range w.prefixes {
		if p.IsSingleIP() {
			addrs = append(addrs, p.Addr())
		}
	}
	return w.scan.batch.ReadFile(ctx, addrs)
}

// A converter makes a T of consecutive results. First is the index of the first of them in the whole list. It may use the
// memory of the part.
type converter[T any] func(first int, results []Result, memory *partMemory) T

// parts waits for the results of a window and yields their conversions: of each result by itself or, from a file, of many
// together, on all processors. First is the index of the first result in the whole list. An error, which is the last
// element, is about all targets.
func parts[T any](ctx context.Context, w *window, first int, convert converter[T]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		if w.file != nil {
			select {
			case found := <-w.file:
				if found.err != nil {
					yield(none, found.err)
					return
				}
				fileParts(ctx, w, found.rows, first, convert)(yield)
			case <-ctx.Done():
				yield(none, ctx.Err())
			}
			return
		}
		if err := w.scan.batch.Ready(ctx); err != nil {
			yield(none, err)
			return
		}
		for i, t := range w.targets {
			result, err := w.scan.Result(ctx, t, w.need)
			if err != nil {
				yield(none, err)
				return
			}
			if !yield(convert(first+i, []Result{*result}, new(partMemory)), nil) {
				return
			}
		}
	}
}
