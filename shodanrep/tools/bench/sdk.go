//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/turbot/steampipe-plugin-sdk/v5/grpc"
	"github.com/turbot/steampipe-plugin-sdk/v5/grpc/proto"
	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"
	"google.golang.org/grpc/metadata"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

// sdkScans is how often the list is scanned from memory; the median is the figure.
const sdkScans = 9

// measureSDK scans a list with the SDK's server, as Steampipe does, with all responses in memory.
func measureSDK(b *bench) ([]figure, error) {
	const addresses, reach = 3_000, 250 * time.Microsecond
	s, err := simulate()
	if err != nil {
		return nil, err
	}
	defer s.close()
	s.Generate(addresses)
	var result sdkResult
	connection := strings.Join(s.internetDB(append(lifted, `cache = "memory"`)...), "\n")
	if err := worker(b, &result, "sdk", connection, strconv.Itoa(addresses)); err != nil {
		return nil, err
	}
	if n := s.Count(""); n != addresses {
		return nil, fmt.Errorf("%d requests for %d addresses that were scanned %d times", n, addresses, 1+sdkScans)
	}
	measured := result.Median / addresses
	return []figure{{
		what:     "the SDK path alone, 3,000 addresses through the in-process server from memory",
		measured: fmt.Sprintf("%.3f ms an address", float64(measured)/1e6),
		reach:    fmt.Sprintf("≤ %v ms an address", float64(reach)/1e6),
		reached:  measured <= reach,
		notes:    []string{fmt.Sprintf("the median of %d scans of one IN list and all columns that need no banner; the fastest %.3f, the slowest %.3f ms an address", sdkScans, float64(result.Fastest)/addresses/1e6, float64(result.Slowest)/addresses/1e6)},
	}}, nil
}

// sdkResult is the durations of whole scans.
type sdkResult struct{ Median, Fastest, Slowest time.Duration }

// scanRepeatedly is a worker that scans a list with the SDK's server. A first scan loads the responses into memory.
func scanRepeatedly(args []string) (any, error) {
	server := plugin.Server(&plugin.ServeOpts{PluginFunc: shodanrep.Plugin})
	_, err := server.SetAllConnectionConfigs(&proto.SetAllConnectionConfigsRequest{
		Configs: []*proto.ConnectionConfig{{Connection: "test", Plugin: "shodanrep", Config: args[0]}},
	})
	if err != nil {
		return nil, err
	}
	n, err := strconv.Atoi(args[1])
	if err != nil {
		return nil, err
	}
	request, err := scanRequest(server, n)
	if err != nil {
		return nil, err
	}
	var took []time.Duration
	for i := range 1 + sdkScans {
		request.CallId = "scan-" + strconv.Itoa(i)
		rows := &rowCounter{}
		begun := time.Now()
		if err := server.Execute(request, rows); err != nil {
			return nil, err
		}
		if i > 0 {
			took = append(took, time.Since(begun))
		}
		if rows.indexed != n {
			return nil, fmt.Errorf("scan %d: %d rows with an answer of %d addresses", i, rows.indexed, n)
		}
	}
	slices.Sort(took)
	return sdkResult{Median: took[len(took)/2], Fastest: took[0], Slowest: took[len(took)-1]}, nil
}

// scanRequest is Steampipe's request for a list of n generated hosts and all columns that need only the host's summary.
func scanRequest(server *grpc.PluginServer, n int) (*proto.ExecuteRequest, error) {
	const table = "shodan_ip_reputation"
	schema, err := server.GetSchema(&proto.GetSchemaRequest{Connection: "test"})
	if err != nil {
		return nil, err
	}
	if schema.Schema.Schema[table] == nil {
		return nil, errors.New("the plugin has no table " + table)
	}
	var names []string
	for _, c := range schema.Schema.Schema[table].Columns {
		if c.Name != "services" && c.Name != "cpes" && !strings.HasPrefix(c.Name, "sp_") && c.Name != "_ctx" {
			names = append(names, c.Name)
		}
	}
	list := &proto.QualValueList{}
	for _, addr := range shodantest.NewHandler().Generate(n) {
		inet := &proto.Inet{Mask: 32, Addr: addr.String(), Cidr: addr.String() + "/32"}
		list.Values = append(list.Values, &proto.QualValue{Value: &proto.QualValue_InetValue{InetValue: inet}})
	}
	return &proto.ExecuteRequest{
		Table: table, Connection: "test",
		QueryContext: &proto.QueryContext{Columns: names, Quals: map[string]*proto.Quals{"ip": {Quals: []*proto.Qual{{
			FieldName: "ip", Operator: &proto.Qual_StringValue{StringValue: "="},
			Value: &proto.QualValue{Value: &proto.QualValue_ListValue{ListValue: list}},
		}}}}},
		ExecuteConnectionData: map[string]*proto.ExecuteConnectionData{"test": {}},
	}, nil
}

// A rowCounter is the stream to which the SDK's server sends rows.
type rowCounter struct{ indexed int }

// Send counts the rows of addresses that are indexed.
func (r *rowCounter) Send(response *proto.ExecuteResponse) error {
	if response.GetRow().GetColumns()["status"].GetStringValue() == "indexed" {
		r.indexed++
	}
	return nil
}

// Context never ends.
func (r *rowCounter) Context() context.Context { return context.Background() }

// The other methods of proto.WrapperPlugin_ExecuteServer are only used between processes.

func (r *rowCounter) SetHeader(metadata.MD) error  { return nil }
func (r *rowCounter) SendHeader(metadata.MD) error { return nil }
func (r *rowCounter) SetTrailer(metadata.MD)       {}
func (r *rowCounter) SendMsg(any) error            { return nil }
func (r *rowCounter) RecvMsg(any) error            { return nil }
