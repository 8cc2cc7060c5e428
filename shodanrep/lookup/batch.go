package lookup

import (
	"context"
	"math"
	"sync"

	"golang.org/x/sync/semaphore"
)

// A Batch is the questions of one query. They are added as they become known, looked up in parallel, and each answered
// on its own.
type Batch struct {
	engine *Engine
	ctx    context.Context
	size   int
	window *semaphore.Weighted // questions that are looked up at once

	mu      sync.Mutex
	items   map[Question]*item
	added   bool // whether there ever was a question
	running int  // goroutines that look up

	refusal error // why the REST API is not used for the rest of the batch

	ready    chan struct{} // closed when it is known whether the services may be used at all
	readyErr error         // why they may not
	readied  sync.Once
	progress *Progress
}

// An item is a question of a batch.
type item struct {
	added    int // how often it was added and not yet answered
	answered chan struct{}
	answer   Answer
}

// UnknownSize is the size of a list whose length is not known before its end. It is longer than any limit.
const UnknownSize = math.MaxInt

// Add starts to look up questions, and returns at once. Each needs one call of Answer, which frees its host: a batch
// must not keep thousands of hosts until its end.
func (b *Batch) Add(questions ...Question) {
	b.mu.Lock()
	b.added = b.added || len(questions) > 0
	var fresh []Question
	for _, q := range questions {
		q = q.canonical()
		if it := b.items[q]; it != nil {
			it.added++
			continue
		}
		b.items[q] = &item{added: 1, answered: make(chan struct{})}
		fresh = append(fresh, q)
	}
	b.mu.Unlock()
	if len(fresh) > 0 {
		b.spawn(func() { b.lookup(fresh) })
	}
}

// spawn runs f beside its caller. The last to end, which need not be the last of the batch, writes the responses to the
// cache: the next query must find there what this one has requested, in this process and in others.
func (b *Batch) spawn(f func()) {
	b.mu.Lock()
	b.running++
	b.mu.Unlock()
	go func() {
		f()
		b.mu.Lock()
		b.running--
		last := b.running == 0
		b.mu.Unlock()
		if last {
			_ = b.engine.cache.Flush(context.WithoutCancel(b.ctx))
		}
	}()
}

// AddTotal adds addresses to the total, if more are looked up than the list is long.
func (b *Batch) AddTotal(addresses int) { b.progress.AddTotal(addresses) }

// Ready waits until it is known whether the services may be used at all. An error means that no question of the
// batch will be answered, because the key is refused or its plan too low for the source that was named. It does not wait
// if there is no question yet: nothing would end the wait.
func (b *Batch) Ready(ctx context.Context) error {
	b.mu.Lock()
	added := b.added
	b.mu.Unlock()
	if !added {
		return nil
	}
	select {
	case <-b.ready:
		return b.readyErr
	case <-ctx.Done():
		return ctx.Err()
	}
}

// setReady says that the services may be used, or why not. Only the first call counts.
func (b *Batch) setReady(err error) {
	b.readied.Do(func() {
		b.readyErr = err
		close(b.ready)
	})
}

// Answer waits for the answer to a question. It fails only if its context ends, or the batch's.
func (b *Batch) Answer(ctx context.Context, q Question) (Answer, error) {
	q = q.canonical()
	b.mu.Lock()
	it := b.items[q]
	b.mu.Unlock()
	if it == nil {
		b.Add(q)
		return b.Answer(ctx, q)
	}
	select {
	case <-it.answered:
	case <-ctx.Done():
		return Answer{}, ctx.Err()
	case <-b.ctx.Done():
		return Answer{}, b.ctx.Err()
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	// The question may have been added again after others took this answer: then there is another item.
	if it.added--; it.added <= 0 && b.items[q] == it {
		delete(b.items, q)
	}
	return it.answer, nil
}

// resolve answers a question. The response's text, as large as all that was read of it, goes only to who needs it.
func (b *Batch) resolve(q Question, answer Answer) {
	if answer.Host != nil && answer.Host.Raw != nil && !q.Raw {
		host := *answer.Host // it is shared
		host.Raw = nil
		answer.Host = &host
	}
	b.window.Release(1)
	b.mu.Lock()
	defer b.mu.Unlock()
	if it := b.items[q]; it != nil {
		it.answer = answer
		close(it.answered)
		b.progress.count(b, q, answer)
	}
}

// fail answers a question with an error.
func (b *Batch) fail(q Question, source Source, err error) {
	b.resolve(q, Answer{Status: Failed, Source: source, Error: err.Error(), failure: err})
}
