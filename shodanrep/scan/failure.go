package scan

import (
	"context"
	"errors"
	"sync"
)

// A Failure is the error for which a scan failed. The SDK can lose it: where rows are still on their way when List
// returns an error, it chooses at random between the error and the end of the rows, and then reports some of the rows as
// a success. Whoever serves the plugin gives each execution a context with a Failure, and looks at it at the end.
type Failure struct {
	mu  sync.Mutex
	err error
}

type failureKey struct{}

// WithFailure returns a context for one execution, and where its first error will be.
func WithFailure(ctx context.Context) (context.Context, *Failure) {
	f := &Failure{}
	return context.WithValue(ctx, failureKey{}, f), f
}

// Err returns the error, or nil.
func (f *Failure) Err() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.err
}

// noteFailure keeps an error, if there is one, in the Failure of a context, if it has one. An execution that ended has not failed.
func noteFailure(ctx context.Context, err error) {
	f, _ := ctx.Value(failureKey{}).(*Failure)
	if f == nil || err == nil || ctx.Err() != nil || errors.Is(err, context.Canceled) {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err == nil {
		f.err = err
	}
}
