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

// noQueryCacheMB is a size that the SDK's query cache refuses. It then allocates nothing, which is safe as long as the
// cache is not enabled. No call of ours uses it, and the smallest size that it accepts allocates 35 MB at once.
const noQueryCacheMB = -1

// server is the SDK's server with the plugin in it.
type server struct {
	grpc    *grpc.PluginServer
	plugin  *plugin.Plugin
	callIDs atomic.Int64
}

// startServer builds the plugin, and hands it its connections.
func startServer(create plugin.PluginFunc, connections []Connection, logger hclog.Logger) (s *server, err error) {
	defer func() {
		if r := recover(); r != nil {
			s, err = nil, fmt.Errorf("the plugin could not be started: %v", r)
		}
	}()
	traceCalls()
	s = &server{}
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

// call is one Execute of the SDK's server, and the stream to which the SDK sends its rows.
type call struct {
	// ctx is the SDK's, and never ends; stop is the one whose end the plugin's functions see.
	ctx, stop context.Context
	send      func(*proto.Row)

	mu  sync.Mutex
	err error
}

type callKey struct{}

// execute asks the plugin for rows, and returns its first error in its own words. After stop has ended it returns as
// soon as the plugin's functions do.
func (s *server) execute(c *call, t *Table, q *proto.QueryContext, limit int64) error {
	c.ctx = context.WithValue(c.ctx, callKey{}, c)
	request := &proto.ExecuteRequest{
		Table:        t.Name,
		QueryContext: q,
		Connection:   t.connection.Name,
		// Two calls of one id would share rows in the SDK.
		CallId:                "embedded-" + strconv.FormatInt(s.callIDs.Add(1), 10),
		ExecuteConnectionData: make(map[string]*proto.ExecuteConnectionData),
	}
	asked := t.connection.Members
	if len(asked) == 0 {
		asked = []string{t.connection.Name}
	}
	for _, name := range asked {
		data := &proto.ExecuteConnectionData{}
		if limit > 0 {
			data.Limit = &proto.NullableInt{Value: limit}
		}
		request.ExecuteConnectionData[name] = data
	}
	err := s.grpc.Execute(request, c)
	if own := c.failure(); own != nil {
		return own
	}
	if err != nil && c.stop.Err() == nil {
		return errors.New(cleanMessage(err.Error(), asked...))
	}
	return nil
}

// collectErrors has every error of the plugin's functions noted in the call that it belongs to, and the SDK go on as
// if there had been none. The SDK's own way with errors loses some of them to a race between two channels, and leaves
// goroutines of the other rows behind for ever. Functions with an IgnoreConfig of their own keep the SDK's way.
func collectErrors(p *plugin.Plugin) {
	own := p.DefaultIgnoreConfig
	p.DefaultIgnoreConfig = &plugin.IgnoreConfig{
		ShouldIgnoreErrorFunc: func(ctx context.Context, d *plugin.QueryData, h *plugin.HydrateData, err error) bool {
			if own != nil && own.ShouldIgnoreErrorFunc != nil && own.ShouldIgnoreErrorFunc(ctx, d, h, err) {
				return true
			}
			c, ours := ctx.Value(callKey{}).(*call)
			if ours {
				c.fail(err)
			}
			return ours
		},
	}
}

func (c *call) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	// What fails because it was stopped did not fail on its own.
	if c.err == nil && c.stop.Err() == nil {
		c.err = err
	}
}

func (c *call) failure() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// Send takes a row from the SDK. It never fails: the SDK would report the failure as the plugin's.
func (c *call) Send(response *proto.ExecuteResponse) error {
	if row := response.GetRow(); row != nil && c.failure() == nil {
		c.send(row)
	}
	return nil
}

// Context returns the SDK's context.
func (c *call) Context() context.Context { return c.ctx }

// The rest of proto.WrapperPlugin_ExecuteServer is of use between processes only.

func (c *call) SetHeader(metadata.MD) error  { return nil }
func (c *call) SendHeader(metadata.MD) error { return nil }
func (c *call) SetTrailer(metadata.MD)       {}
func (c *call) SendMsg(any) error            { return nil }
func (c *call) RecvMsg(any) error            { return io.EOF }

// pluginLogger passes on what the plugin itself logs. Of what the SDK logs, a dozen lines a row, it passes on nothing
// below debug level: then the standard logger doesn't even format the lines.
type pluginLogger struct{ hclog.Logger }

// Named leaves out the name, which is the id of a call.
func (l pluginLogger) Named(string) hclog.Logger { return l }

// StandardWriter is where the SDK's own lines go.
func (l pluginLogger) StandardWriter(options *hclog.StandardLoggerOptions) io.Writer {
	if !l.IsDebug() {
		return io.Discard
	}
	return l.Logger.StandardWriter(options)
}
