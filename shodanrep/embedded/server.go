package embedded

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/hashicorp/go-hclog"
	"github.com/turbot/steampipe-plugin-sdk/v5/grpc"
	"github.com/turbot/steampipe-plugin-sdk/v5/grpc/proto"
	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"
	"google.golang.org/grpc/metadata"
)

// noQueryCacheMB is a size that the SDK's query cache rejects. The SDK then allocates nothing, which is safe while the
// cache is not enabled. The query cache is not used here, and the smallest size that the SDK accepts allocates 35 MB.
const noQueryCacheMB = -1

// A server is the SDK's server of the plugin.
type server struct {
	grpc    *grpc.PluginServer
	plugin  *plugin.Plugin
	readers Readers
	callIDs atomic.Int64
}

// startServer creates the plugin and sets its connections.
func startServer(create plugin.PluginFunc, readers Readers, connections []Connection, logger hclog.Logger) (s *server, err error) {
	defer func() {
		if r := recover(); r != nil {
			s, err = nil, fmt.Errorf("the plugin could not be started: %v", r)
		}
	}()
	installTracer()
	s = &server{readers: readers}
	s.grpc = plugin.Server(&plugin.ServeOpts{PluginFunc: func(ctx context.Context) *plugin.Plugin {
		s.plugin = create(ctx)
		collectErrors(s.plugin)
		return s.plugin
	}})
	logger = pluginLogger{logger}
	s.plugin.Logger = logger
	log.SetOutput(logger.StandardWriter(&hclog.StandardLoggerOptions{InferLevels: true}))

	if _, err := s.grpc.SetCacheOptions(&proto.SetCacheOptionsRequest{MaxSizeMb: noQueryCacheMB}); err != nil {
		return nil, errors.New(cleanMessage(err.Error(), ""))
	}
	// The SDK takes -1 as the sign that SetCacheOptions has configured its cache.
	request := &proto.SetAllConnectionConfigsRequest{MaxCacheSizeMb: -1}
	for _, c := range connections {
		config := &proto.ConnectionConfig{Connection: c.Name, Config: c.Config, ChildConnections: c.Members}
		if len(c.Members) > 0 {
			config.Type = "aggregator"
		}
		request.Configs = append(request.Configs, config)
	}
	response, err := s.grpc.SetAllConnectionConfigs(request)
	if response != nil {
		for _, c := range connections {
			if reason, failed := response.FailedConnections[c.Name]; failed {
				return nil, fmt.Errorf("connection %q: %s", c.Name, cleanMessage(reason, c.Name))
			}
		}
	}
	if err != nil {
		return nil, errors.New(cleanMessage(err.Error(), ""))
	}
	return s, nil
}

// schema returns the tables of a connection.
func (s *server) schema(connection string) (map[string]*proto.TableSchema, error) {
	response, err := s.grpc.GetSchema(&proto.GetSchemaRequest{Connection: connection})
	if err != nil {
		return nil, fmt.Errorf("connection %q: %s", connection, cleanMessage(err.Error(), connection))
	}
	return response.Schema.Schema, nil
}

// A call reads the rows of a batch. It is also the stream to which the SDK sends them.
type call struct {
	batch batch
	limit int64 // 0 is none
	send  func(row)
	// ctx is the context of the SDK, which never ends, and running the context of the plugin's functions. See
	// callContext.
	ctx, running context.Context

	mu  sync.Mutex
	err error
}

type callKey struct{}

// execute reads rows from the plugin through the SDK's server, and returns its first error. After c.running has ended it
// returns as soon as the plugin's functions do.
func (s *server) execute(c *call) error {
	c.ctx = context.WithValue(c.ctx, callKey{}, c)
	t := c.batch.table
	request := &proto.ExecuteRequest{
		Table:        t.Name,
		QueryContext: c.batch.queryContext(),
		Connection:   t.connection.Name,
		// In the SDK, calls with the same id share rows.
		CallId:                "embedded-" + strconv.FormatInt(s.callIDs.Add(1), 10),
		ExecuteConnectionData: make(map[string]*proto.ExecuteConnectionData),
	}
	connections := t.connections()
	for _, name := range connections {
		request.ExecuteConnectionData[name] = &proto.ExecuteConnectionData{Limit: c.nullableLimit()}
	}
	err := s.grpc.Execute(request, c)
	if first := c.failure(); first != nil {
		return first
	}
	if err != nil && c.running.Err() == nil {
		return errors.New(cleanMessage(err.Error(), connections...))
	}
	return nil
}

// nullableLimit returns the limit as the SDK has it.
func (c *call) nullableLimit() *proto.NullableInt {
	if c.limit == 0 {
		return nil
	}
	return &proto.NullableInt{Value: c.limit}
}

// collectErrors records every error and panic of the plugin's functions in its call, and makes the SDK ignore the
// errors. The SDK's own error handling loses errors in a race between two channels, and leaks the goroutines of other
// rows. A panic cannot be ignored, but the SDK asks whether to retry it. Functions with an IgnoreConfig or a RetryConfig
// of their own keep the SDK's error handling, as do panics of a List function that has made rows.
func collectErrors(p *plugin.Plugin) {
	ignore, retry := p.DefaultIgnoreConfig, p.DefaultRetryConfig
	p.DefaultIgnoreConfig = &plugin.IgnoreConfig{
		ShouldIgnoreErrorFunc: func(ctx context.Context, d *plugin.QueryData, h *plugin.HydrateData, err error) bool {
			if ignore != nil && ignore.ShouldIgnoreErrorFunc != nil && ignore.ShouldIgnoreErrorFunc(ctx, d, h, err) {
				return true
			}
			return failCall(ctx, err)
		},
	}
	p.DefaultRetryConfig = &plugin.RetryConfig{
		ShouldRetryErrorFunc: func(ctx context.Context, d *plugin.QueryData, h *plugin.HydrateData, err error) bool {
			if retry != nil && retry.ShouldRetryErrorFunc != nil && retry.ShouldRetryErrorFunc(ctx, d, h, err) {
				return true
			}
			failCall(ctx, errors.New(cleanMessage(err.Error())))
			return false
		},
	}
}

// failCall records an error in the call of a context, and reports whether there is one.
func failCall(ctx context.Context, err error) bool {
	c, found := ctx.Value(callKey{}).(*call)
	if found {
		c.fail(err)
	}
	return found
}

func (c *call) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	// A function that was stopped has not failed.
	if c.err == nil && c.running.Err() == nil {
		c.err = err
	}
}

func (c *call) failure() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// Send receives a row from the SDK. It never fails: the SDK would report the error as the plugin's.
func (c *call) Send(response *proto.ExecuteResponse) error {
	if r := response.GetRow(); r != nil && c.failure() == nil {
		c.send(c.batch.row(r))
	}
	return nil
}

// Context returns the SDK's context.
func (c *call) Context() context.Context { return c.ctx }

// The other methods of proto.WrapperPlugin_ExecuteServer are only used between processes.

func (c *call) SetHeader(metadata.MD) error  { return nil }
func (c *call) SendHeader(metadata.MD) error { return nil }
func (c *call) SetTrailer(metadata.MD)       {}
func (c *call) SendMsg(any) error            { return nil }
func (c *call) RecvMsg(any) error            { return io.EOF }

// A pluginLogger logs what the plugin logs. It drops what the SDK logs, a dozen lines per row, unless the level is
// debug: the standard logger then does not even format the lines.
type pluginLogger struct{ hclog.Logger }

// Named ignores the name, which is the id of a call.
func (l pluginLogger) Named(string) hclog.Logger { return l }

// StandardWriter returns the writer of the SDK's log.
func (l pluginLogger) StandardWriter(options *hclog.StandardLoggerOptions) io.Writer {
	if !l.IsDebug() {
		return io.Discard
	}
	return l.Logger.StandardWriter(options)
}
