package shodanrep

import (
	"context"
	"fmt"
	"log"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	"github.com/turbot/steampipe-plugin-sdk/v5/grpc"
	"github.com/turbot/steampipe-plugin-sdk/v5/grpc/proto"
	"github.com/turbot/steampipe-plugin-sdk/v5/grpc/shared"
	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/scan"
)

// noQueryCacheMB is a size that the SDK's query cache refuses. It then allocates nothing, which is safe as long as the
// cache is not enabled. No table uses it, and the smallest size that it accepts allocates 35 MB at once.
const noQueryCacheMB = -1

// Serve serves the plugin to Steampipe, until Steampipe ends it. It is what plugin.Serve of the SDK does, but for what a
// pluginServer adds.
func Serve() {
	defer func() {
		if r := recover(); r != nil {
			// Steampipe reads this line from standard output.
			fmt.Printf("%s%v\n", plugin.PluginStartupFailureMessage, r)
		}
	}()
	server := newPluginServer()
	goplugin.Serve(&goplugin.ServeConfig{
		Plugins:         map[string]goplugin.Plugin{pluginName: &shared.WrapperPlugin{Impl: server}},
		GRPCServer:      goplugin.DefaultGRPCServer,
		HandshakeConfig: shared.Handshake,
	})
	// Steampipe ends the process, and waits up to two seconds for it. "steampipe query" does so after the query if no
	// service was running, and then what the query has looked up may not be in the history yet.
	scan.Shutdown()
}

// A pluginServer is the SDK's server without a query cache and with a quiet logger, and it knows which connections are
// configured.
type pluginServer struct {
	*grpc.PluginServer
	tables map[string]*plugin.Table
}

func newPluginServer() pluginServer {
	var p *plugin.Plugin
	server := plugin.Server(&plugin.ServeOpts{PluginFunc: func(ctx context.Context) *plugin.Plugin {
		p = Plugin(ctx)
		return p
	}})
	p.Logger = quietLogger{p.Logger}
	// The SDK does so too, but only when the first query runs.
	log.SetOutput(p.Logger.StandardWriter(&hclog.StandardLoggerOptions{InferLevels: true}))
	all, err := tables(context.Background(), nil)
	if err != nil {
		panic(err) // it cannot fail
	}
	return pluginServer{server, all}
}

// Execute also returns the errors that the SDK's server loses, see scan.Failure and scan.CheckConditions, and drops a LIMIT
// or a condition of Steampipe that may be wrong, see scan.DropLimit and scan.DropFalse.
func (s pluginServer) Execute(request *proto.ExecuteRequest, stream proto.WrapperPlugin_ExecuteServer) error {
	if table := s.tables[request.Table]; table != nil {
		if err := scan.CheckConditions(table, request.GetQueryContext().GetQuals()); err != nil {
			return fmt.Errorf("%s: %w", request.Connection, err)
		}
		scan.DropLimit(table, request)
		scan.DropFalse(table, request)
	}
	ctx, failure := scan.WithFailure(stream.Context())
	err := s.PluginServer.Execute(request, executeStream{stream, ctx})
	if lost := failure.Err(); err == nil && lost != nil {
		return fmt.Errorf("%s: %w", request.Connection, lost) // as the SDK words it
	}
	return err
}

// An executeStream is the stream of an execution with another context.
type executeStream struct {
	proto.WrapperPlugin_ExecuteServer
	ctx context.Context
}

func (s executeStream) Context() context.Context { return s.ctx }

// SetAllConnectionConfigs disables the query cache, which Steampipe before 0.20 configures here.
func (s pluginServer) SetAllConnectionConfigs(request *proto.SetAllConnectionConfigsRequest) (*proto.SetConnectionConfigResponse, error) {
	if _, err := s.SetCacheOptions(&proto.SetCacheOptionsRequest{}); err != nil {
		return nil, err
	}
	request.MaxCacheSizeMb = -1 // the SDK's sign that SetCacheOptions configures the cache
	return s.PluginServer.SetAllConnectionConfigs(request)
}

// SetCacheOptions disables the query cache.
func (s pluginServer) SetCacheOptions(request *proto.SetCacheOptionsRequest) (*proto.SetCacheOptionsResponse, error) {
	request.Enabled, request.MaxSizeMb = false, noQueryCacheMB
	return s.PluginServer.SetCacheOptions(request)
}

// UpdateConnectionConfigs also ends the effect that removed connections have on the rates of the others.
func (s pluginServer) UpdateConnectionConfigs(request *proto.UpdateConnectionConfigsRequest) (*proto.UpdateConnectionConfigsResponse, error) {
	response, err := s.PluginServer.UpdateConnectionConfigs(request)
	for _, configs := range [][]*proto.ConnectionConfig{request.Deleted, request.Changed} {
		for _, c := range configs {
			scan.ForgetConnection(c.Connection)
		}
	}
	return response, err
}
