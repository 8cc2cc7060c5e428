package embedded

import (
	"context"
	"strings"
	"sync"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/embedded"
	"go.opentelemetry.io/otel/trace/noop"
)

// A call has to be stopped when its rows are no longer wanted: the plugin's functions may be waiting for a service. But
// the SDK cannot stop. If its own context ends, its readers of a call's channels return at once, and all that still
// writes to them, a goroutine a row, waits for ever. So the SDK is given a context that never ends, and the plugin's
// functions one that does; then they return, and the SDK runs a call to its end as usual.
//
// The one place where the SDK lets anyone put a context between it and the plugin's functions is its tracing: it starts
// a span around each of them, and passes on the context that the tracer returns.

// functionSpan is how the names of those spans begin.
const functionSpan = "rowData.callHydrateWithRetries "

var traceOnce sync.Once

// traceCalls puts our tracer before the one that there is.
func traceCalls() {
	traceOnce.Do(func() {
		next := otel.GetTracerProvider()
		// Unless tracing is set up, the global provider is one that would hand everything on to ours.
		if _, real := next.(interface{ Shutdown(context.Context) error }); !real {
			next = noop.NewTracerProvider()
		}
		otel.SetTracerProvider(tracerProvider{next: next})
	})
}

type tracerProvider struct {
	embedded.TracerProvider
	next trace.TracerProvider
}

// Tracer returns a tracer that stops calls and leaves the rest to the next one.
func (p tracerProvider) Tracer(name string, options ...trace.TracerOption) trace.Tracer {
	return tracer{next: p.next.Tracer(name, options...)}
}

type tracer struct {
	embedded.Tracer
	next trace.Tracer
}

// Start starts a span; the context of one around a function of the plugin ends with its call.
func (t tracer) Start(ctx context.Context, name string, options ...trace.SpanStartOption) (context.Context, trace.Span) {
	if c, ours := ctx.Value(callKey{}).(*call); ours && strings.HasPrefix(name, functionSpan) {
		ctx = stoppable{Context: ctx, stop: c.stop}
	}
	return t.next.Start(ctx, name, options...)
}

// stoppable is a context with the values of one, which never ends, and the end of another.
type stoppable struct {
	context.Context
	stop context.Context
}

func (s stoppable) Done() <-chan struct{} { return s.stop.Done() }
func (s stoppable) Err() error            { return s.stop.Err() }

// Value finds in stop what package context looks for to derive a context without a goroutine.
func (s stoppable) Value(key any) any {
	if v := s.Context.Value(key); v != nil {
		return v
	}
	return s.stop.Value(key)
}
