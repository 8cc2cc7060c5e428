package scan

import (
	"context"
	"iter"
	"net/netip"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
)

const (
	// batchWindow is how many addresses are added to the batch at a time. The next window is looked up while the results
	// of the last are used, and no more than two are in memory.
	batchWindow = 1000
	// firstFileWindow is how many addresses are looked up in the file of InternetDB first. The windows grow: the more
	// addresses are looked up at a time, the more of them are on the same pages of the file. maxFileWindow is how many
	// there are at most if results are kept, because then two windows are in memory, and maxOnlyWindow if they are not.
	firstFileWindow, maxFileWindow, maxOnlyWindow = 2048, 65_536, 262_144
	// takenAtOnce is how many addresses are taken from a list at a time.
	takenAtOnce = 512
	// listParts is what part of a long list the first window has: more would let its first result wait for longer.
	listParts = 16
)

// windows divide a long list into windows that are looked up in parallel and used in order.
type windows struct {
	scan *Scan
	// next returns the next addresses and networks of the list, which stay valid until it is called again. rest are those
	// that were not taken yet.
	next   func() ([]netip.Prefix, bool)
	rest   []netip.Prefix
	source lookup.Source
	need   lookup.Question
	ahead  []*window
	ended  bool
	// size is how long the list is, as far as it is known.
	size int
	// keepsResults is whether what is made of results of the file refers to them. If so, the next window is read while one
	// is used. If not, making takes most of the time and uses all processors, as reading does: then the next window is
	// begun with the last eighth of the one in use.
	keepsResults bool
	// fileWindow is how long the next window for the file of InternetDB is.
	fileWindow int
}

// following returns the next window, and starts the one that follows it.
func (w *windows) following(ctx context.Context) (*window, bool) {
	inMemory := 2
	if w.usesFile() && !w.keepsResults {
		inMemory = 1
	}
	w.fill(ctx, inMemory)
	if len(w.ahead) == 0 {
		return nil, false
	}
	first := w.ahead[0]
	w.ahead = w.ahead[1:]
	first.startNext = func() { w.fill(ctx, 1) }
	return first, true
}

// fill starts windows until so many are ahead, or there are no more addresses.
func (w *windows) fill(ctx context.Context, ahead int) {
	for !w.ended && len(w.ahead) < ahead {
		if next := w.start(ctx); next != nil {
			w.ahead = append(w.ahead, next)
		}
	}
}

// start begins the lookups of the next window. It returns nil if there are no more addresses.
func (w *windows) start(ctx context.Context) *window {
	s := w.scan
	started := &window{scan: s, source: w.source, need: w.need, keepsResults: w.keepsResults}
	if w.usesFile() {
		longest := maxOnlyWindow
		if w.keepsResults {
			longest = maxFileWindow
		}
		w.fileWindow = min(max(2*w.fileWindow, firstFileWindow, w.size/listParts), longest)
		if started.prefixes = w.take(w.fileWindow); len(started.prefixes) == 0 {
			return nil
		}
		started.file = make(chan fileRows, 1)
		go func() {
			rows, err := started.readFile(ctx)
			started.file <- fileRows{rows, err}
		}()
		return started
	}
	for _, p := range w.take(batchWindow) {
		t := targetOf(p, w.source)
		started.targets = append(started.targets, &t)
	}
	if started.targets == nil {
		return nil
	}
	s.lookUp(started.targets, w.need)
	return started
}

// usesFile reports whether the addresses are looked up in the file of InternetDB. Which source answers does not depend on
// the address.
func (w *windows) usesFile() bool {
	return w.scan.batch.UsesFile((&Target{Options: Options{Source: w.source}}).question(w.need))
}

// take returns the next n addresses and networks, or as many as there are.
func (w *windows) take(n int) []netip.Prefix {
	taken := make([]netip.Prefix, 0, n)
	for len(taken) < n {
		if len(w.rest) == 0 {
			var ok bool
			if w.rest, ok = w.next(); !ok {
				w.ended = true
				break
			}
		}
		more := min(n-len(taken), len(w.rest))
		taken, w.rest = append(taken, w.rest[:more]...), w.rest[more:]
	}
	return taken
}

// inParts yields a list in parts of up to n elements, each of which is valid until the next is made: to call iter.Pull's
// next takes much longer than all else that is done with an address.
func inParts[T any](list iter.Seq[T], n int) iter.Seq[[]T] {
	return func(yield func([]T) bool) {
		part := make([]T, 0, n)
		for element := range list {
			if part = append(part, element); len(part) == n {
				if !yield(part) {
					return
				}
				part = part[:0]
			}
		}
		if len(part) > 0 {
			yield(part)
		}
	}
}
