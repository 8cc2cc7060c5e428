package scan

import (
	"context"
	"iter"
	"runtime"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
)

const (
	// batchWindow is how many targets are added to the batch at a time. The next window is looked up while the results of
	// the last are used, and no more than two are in memory.
	batchWindow = 1000
	// fileWindow is how many targets are looked up in the file of InternetDB at a time: the more, the more of them are on
	// the same pages of the file.
	fileWindow = 2048
)

// windows divide the targets of a long list into windows that are looked up in parallel and used in order.
type windows struct {
	scan  *Scan
	next  func() (*Target, bool)
	need  lookup.Question
	ahead []*window
	held  *Target // that is in none of them yet
	ended bool
	added bool // whether a window was added to the batch
}

// A window is some targets that follow each other.
type window struct {
	scan    *Scan
	targets []*Target
	need    lookup.Question
	// file receives the results if they are from the file of InternetDB. It is nil for those of the batch, and ready says
	// whether to wait until it is known that the services may be used.
	file  chan fileResults
	ready bool
}

// fileResults are the results of a window from the file of InternetDB. An error is about all of them.
type fileResults struct {
	results []Result
	err     error
}

// following returns the next window, and starts those that follow.
func (w *windows) following(ctx context.Context) (*window, bool) {
	for !w.ended && len(w.ahead) < w.parallel() {
		if next := w.start(ctx); next != nil {
			w.ahead = append(w.ahead, next)
		}
	}
	if len(w.ahead) == 0 {
		return nil, false
	}
	first := w.ahead[0]
	w.ahead = w.ahead[1:]
	return first, true
}

// parallel returns how many windows to start ahead.
func (w *windows) parallel() int {
	if n := len(w.ahead); n > 0 && w.ahead[n-1].file == nil {
		return 2
	}
	return max(2, runtime.GOMAXPROCS(0)+1)
}

// start begins the lookups of the next window. It returns nil if there are no more targets.
func (w *windows) start(ctx context.Context) *window {
	s := w.scan
	var targets []*Target
	var usesFile, known bool // known when there is a target that is looked up
	for len(targets) < fileWindow {
		t := w.held
		if t == nil {
			var ok bool
			if t, ok = w.next(); !ok {
				w.ended = true
				break
			}
		}
		w.held = nil
		if t.Addr.IsValid() {
			uses := t.known == nil && s.batch.UsesFile(t.question(w.need))
			if known && uses != usesFile {
				w.held = t
				break
			}
			usesFile, known = uses, true
		}
		if targets = append(targets, t); !usesFile && len(targets) >= batchWindow {
			break
		}
	}
	if len(targets) == 0 {
		return nil
	}
	started := &window{scan: s, targets: targets, need: w.need}
	if usesFile {
		started.file = make(chan fileResults, 1)
		go func() { started.file <- started.fromFile(ctx) }()
		return started
	}
	for _, t := range targets {
		w.added = w.added || t.Addr.IsValid() // the batch is ready only when there was something to look up
	}
	started.ready = w.added
	s.lookUp(targets, w.need)
	return started
}

// fromFile looks up the targets in the file of InternetDB.
func (w *window) fromFile(ctx context.Context) fileResults {
	questions := make([]lookup.Question, 0, len(w.targets))
	for _, t := range w.targets {
		if t.Addr.IsValid() {
			questions = append(questions, t.question(w.need))
		}
	}
	answers, err := w.scan.batch.FromFile(ctx, questions)
	if err != nil {
		return fileResults{err: err}
	}
	results := make([]Result, len(w.targets))
	for i, t := range w.targets {
		if t.Addr.IsValid() {
			results[i] = w.scan.result(t, answers[0])
			answers = answers[1:]
			if w.scan.policies[t.Policy] != nil {
				// Here, where the windows ahead use the other processors.
				results[i].verdict = results[i].Verdict()
			}
			continue
		}
		result, err := w.scan.Result(ctx, t, w.need) // which needs no lookup
		if err != nil {
			return fileResults{err: err}
		}
		results[i] = *result
	}
	return fileResults{results: results}
}

// wait waits until the results come, and yields them. An error is about all targets.
func (w *window) wait(ctx context.Context) (iter.Seq2[*Result, error], error) {
	if w.file != nil {
		select {
		case found := <-w.file:
			return func(yield func(*Result, error) bool) {
				for i := range found.results {
					if !yield(&found.results[i], nil) {
						return
					}
				}
			}, found.err
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	if w.ready {
		if err := w.scan.batch.Ready(ctx); err != nil {
			return nil, err
		}
	}
	return func(yield func(*Result, error) bool) {
		for _, t := range w.targets {
			if result, err := w.scan.Result(ctx, t, w.need); !yield(result, err) || err != nil {
				return
			}
		}
	}, nil
}
