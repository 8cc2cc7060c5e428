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

// A call has to be stopped when its rows are no longer needed, because the plugin's functions may be waiting for a
// service. But the SDK cannot stop: if its own context ends, the readers of a call's channels return at once, and
// everything that still writes to them, a goroutine per row, blocks forever. So the SDK gets a context that never ends,
// and the plugin's functions one that does. When they return, the SDK ends the call as usual.
//
// The only place where the SDK lets a context be put between itself and the plugin's functions is tracing: it starts a
// span around each function, and passes on the context that the tracer returns.

// hydrateSpan is the prefix of the names of those spans.
const hydrateSpan = "rowData.callHydrateWithRetries "

var tracerOnce sync.Once

// installTracer installs the tracer before the existing one.
func installTracer() {
	tracerOnce.Do(func() {
		next := otel.GetTracerProvider()
		// If tracing is not configured, the global provider would delegate to this one.
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

// Tracer returns a tracer that sets the context of calls, and delegates to the next one.
func (p tracerProvider) Tracer(name string, options ...trace.TracerOption) trace.Tracer {
	return tracer{next: p.next.Tracer(name, options...)}
}

type tracer struct {
	embedded.Tracer
	next trace.Tracer
}

// Start starts a span. The context of a span around a function of the plugin ends with c.running of its call.
func (t tracer) Start(ctx context.Context, name string, options ...trace.SpanStartOption) (context.Context, trace.Span) {
	if c, ours := ctx.Value(callKey{}).(*call); ours && strings.HasPrefix(name, hydrateSpan) {
		ctx = callContext{Context: ctx, running: c.running}
	}
	return t.next.Start(ctx, name, options...)
}

// A callContext has the values of the SDK's context, and ends with the context running.
type callContext struct {
	context.Context
	running context.Context
}

func (c callContext) Done() <-chan struct{} { return c.running.Done() }
func (c callContext) Err() error            { return c.running.Err() }

// Value also looks in running: package context finds its own key there, and derives contexts without a goroutine.
func (c callContext) Value(key any) any {
	if v := c.Context.Value(key); v != nil {
		return v
	}
	return c.running.Value(key)
}
