package shodanrep

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/turbot/steampipe-plugin-sdk/v5/grpc"
	"github.com/turbot/steampipe-plugin-sdk/v5/grpc/proto"
	"google.golang.org/grpc/metadata"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

// A server is the plugin behind the SDK's own server, with one connection, as Steampipe runs it.
type server struct {
	pluginServer
	failed *atomic.Bool // whether a scan has failed
}

// idle are servers whose tests have ended. The SDK never frees the caches of a server, half a megabyte: with a server for
// each test, the garbage collector takes a fifth of the time of all tests.
var idle = make(chan server, 64)

// connect starts the plugin with the text of a connection, as a user writes it. The error is the connection's. A
// connection without a timeout gets a long one.
func connect(t *testing.T, spc string) (server, error) {
	t.Helper()
	spc = shodantest.Patient(spc)
	var s server
	select {
	case s = <-idle:
	default:
		s = server{newPluginServer(), new(atomic.Bool)}
	}
	_, err := s.SetAllConnectionConfigs(&proto.SetAllConnectionConfigsRequest{
		Configs: []*proto.ConnectionConfig{{Connection: "test", Plugin: "shodanrep", Config: spc}},
	})
	t.Cleanup(func() {
		if err != nil || s.failed.Load() {
			return // calls of a scan that failed may still read the connection
		}
		select {
		case idle <- s:
		default:
		}
	})
	return s, err
}

// Execute also remembers that a scan has failed.
func (s server) Execute(request *proto.ExecuteRequest, stream proto.WrapperPlugin_ExecuteServer) error {
	err := s.pluginServer.Execute(request, stream)
	if err != nil {
		s.failed.Store(true)
	}
	return err
}

// mustConnect is connect where the connection is good.
func mustConnect(t *testing.T, spc string) server {
	t.Helper()
	s, err := connect(t, spc)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// A row is a row by column, JSON decoded, times as RFC 3339 text.
type row map[string]any

// A query is what Steampipe asks of a table.
type query struct {
	table   string
	columns []string // all of the table's where nil
	quals   map[string]*proto.QualValue
	others  map[string]*proto.Quals // conditions that are not by equality
	limit   int64                   // none where 0
	exact   bool                    // the limit is one of the command line, which scan.DropLimit leaves in place

	connection  string   // whose table it is, "test" where empty
	connections []string // that are asked, where they are others: the members of an aggregator
}

// inets makes the value of `ip in (…)`, or of `ip = …` for a single address.
func inets(ips ...string) *proto.QualValue {
	values := make([]*proto.QualValue, len(ips))
	for i, ip := range ips {
		values[i] = &proto.QualValue{Value: &proto.QualValue_InetValue{InetValue: encodedInet(ip)}}
	}
	return oneOrList(values)
}

// encodedInet encodes an inet or cidr as Steampipe's foreign data wrapper does: the mask is in Cidr even where the user
// wrote none, and an IPv4-mapped address is written as an IPv4 address.
func encodedInet(text string) *proto.Inet {
	addr, mask, masked := strings.Cut(text, "/")
	bits, version := 32, grpc.IPv4
	if strings.Contains(addr, ":") {
		bits, version = 128, grpc.IPv6
	}
	if masked {
		fmt.Sscan(mask, &bits)
	}
	if parsed := net.ParseIP(addr); parsed != nil {
		addr = parsed.String()
	}
	return &proto.Inet{Mask: int32(bits), Addr: addr, Cidr: fmt.Sprintf("%s/%d", addr, bits), ProtocolVersion: version}
}

// texts makes the value of `column in (…)`, or of `column = …` for a single text.
func texts(list ...string) *proto.QualValue {
	values := make([]*proto.QualValue, len(list))
	for i, text := range list {
		values[i] = &proto.QualValue{Value: &proto.QualValue_StringValue{StringValue: text}}
	}
	return oneOrList(values)
}

// truth makes the value of `column = true`, and numbers that of `column in (…)` for whole numbers.
func truth(value bool) *proto.QualValue {
	return &proto.QualValue{Value: &proto.QualValue_BoolValue{BoolValue: value}}
}

func numbers(list ...int64) *proto.QualValue {
	values := make([]*proto.QualValue, len(list))
	for i, n := range list {
		values[i] = &proto.QualValue{Value: &proto.QualValue_Int64Value{Int64Value: n}}
	}
	return oneOrList(values)
}

func oneOrList(values []*proto.QualValue) *proto.QualValue {
	if len(values) == 1 {
		return values[0]
	}
	return &proto.QualValue{Value: &proto.QualValue_ListValue{ListValue: &proto.QualValueList{Values: values}}}
}

var callID atomic.Int64

// run executes a scan and returns its rows.
func (s server) run(t *testing.T, q query) ([]row, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	return s.runContext(ctx, t, q)
}

func (s server) runContext(ctx context.Context, t *testing.T, q query) ([]row, error) {
	t.Helper()
	stream := &rowStream{ctx: ctx}
	if q.exact {
		err := s.PluginServer.Execute(s.request(t, q), stream)
		return stream.rows, err
	}
	err := s.Execute(s.request(t, q), stream)
	return stream.rows, err
}

// request makes the request of a scan.
func (s server) request(t *testing.T, q query) *proto.ExecuteRequest {
	t.Helper()
	asked := q.connections
	if asked == nil {
		asked = []string{"test"}
	}
	connection := cmp.Or(q.connection, asked[0])
	schema, err := s.GetSchema(&proto.GetSchemaRequest{Connection: connection})
	if err != nil {
		t.Fatal(err)
	}
	table := schema.Schema.Schema[q.table]
	if table == nil {
		t.Fatalf("the plugin has no table %s", q.table)
	}
	columns := q.columns
	if columns == nil {
		for _, c := range table.Columns {
			columns = append(columns, c.Name)
		}
	}
	quals := map[string]*proto.Quals{}
	for name, value := range q.quals {
		quals[name] = &proto.Quals{Quals: []*proto.Qual{{FieldName: name, Operator: &proto.Qual_StringValue{StringValue: "="}, Value: value}}}
	}
	maps.Copy(quals, q.others)
	data := &proto.ExecuteConnectionData{}
	if q.limit > 0 {
		data.Limit = &proto.NullableInt{Value: q.limit}
	}
	executed := map[string]*proto.ExecuteConnectionData{}
	for _, name := range asked {
		executed[name] = data
	}
	return &proto.ExecuteRequest{
		Table: q.table, Connection: connection, CallId: fmt.Sprint("call-", callID.Add(1)),
		QueryContext:          &proto.QueryContext{Columns: columns, Quals: quals},
		ExecuteConnectionData: executed,
	}
}

// mustRun is run where the scan succeeds.
func (s server) mustRun(t *testing.T, q query) []row {
	t.Helper()
	rows, err := s.run(t, q)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// runInTime runs a scan of which some requests fail until the timeout of the connection is over. Where a request had no
// response in that time, because the machine is busy, the scan runs again with a long timeout.
func runInTime(t *testing.T, spc, timeout string, q query) ([]row, error) {
	t.Helper()
	rows, err := mustConnect(t, spc+fmt.Sprintf("timeout = %q\n", timeout)).run(t, q)
	late := func(what any) bool { return strings.Contains(fmt.Sprint(what), "no response within") }
	if late(err) || slices.ContainsFunc(rows, func(r row) bool { return late(r["error"]) }) {
		return mustConnect(t, spc).run(t, q)
	}
	return rows, err
}

// mustRunInTime is runInTime where the scan succeeds.
func mustRunInTime(t *testing.T, spc, timeout string, q query) []row {
	t.Helper()
	rows, err := runInTime(t, spc, timeout, q)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// rowStream is the stream that the SDK's server sends rows on.
type rowStream struct {
	ctx  context.Context
	rows []row
}

func (s *rowStream) Send(r *proto.ExecuteResponse) error {
	if r == nil || r.Row == nil {
		return nil
	}
	decoded := row{}
	for name, column := range r.Row.Columns {
		if name == "_ctx" || strings.HasPrefix(name, "sp_") {
			continue
		}
		decoded[name] = valueOf(column)
	}
	s.rows = append(s.rows, decoded)
	return nil
}

func (s *rowStream) Context() context.Context     { return s.ctx }
func (s *rowStream) SetHeader(metadata.MD) error  { return nil }
func (s *rowStream) SendHeader(metadata.MD) error { return nil }
func (s *rowStream) SetTrailer(metadata.MD)       {}
func (s *rowStream) SendMsg(any) error            { return nil }
func (s *rowStream) RecvMsg(any) error            { return nil }

func valueOf(c *proto.Column) any {
	switch v := c.Value.(type) {
	case *proto.Column_StringValue:
		return v.StringValue
	case *proto.Column_IntValue:
		return v.IntValue
	case *proto.Column_DoubleValue:
		return v.DoubleValue
	case *proto.Column_BoolValue:
		return v.BoolValue
	case *proto.Column_CidrRangeValue:
		return v.CidrRangeValue
	case *proto.Column_TimestampValue:
		return v.TimestampValue.AsTime().Format(time.RFC3339)
	case *proto.Column_JsonValue:
		var decoded any
		if err := json.Unmarshal(v.JsonValue, &decoded); err != nil {
			panic(fmt.Sprintf("a JSON column holds %s: %v", v.JsonValue, err))
		}
		return decoded
	}
	return nil
}

// byIP finds the row of an address.
func byIP(t *testing.T, rows []row, ip string) row {
	t.Helper()
	for _, r := range rows {
		if r["ip"] == ip {
			return r
		}
	}
	t.Fatalf("no row of %s among %d", ip, len(rows))
	return nil
}
