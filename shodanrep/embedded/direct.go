package embedded

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/turbot/steampipe-plugin-sdk/v5/grpc/proto"
	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"
	"github.com/turbot/steampipe-plugin-sdk/v5/plugin/context_key"
	"github.com/turbot/steampipe-plugin-sdk/v5/version"
)

// A Reader reads rows of a table without the SDK's server, which costs more for a row than most lookups: it starts
// several goroutines, and makes maps and lines of a log. send gets the values of the columns, row by row and not
// concurrently. The query data is as in the SDK, but for a list, which it has whole. A Reader returns its first error,
// and ends soon after its context.
type Reader = func(ctx context.Context, d *plugin.QueryData, columns []*plugin.Column, send func([]*proto.Column)) error

// Readers returns the Reader of a table of the plugin, or nil for a table that only the SDK's server can read.
type Readers = func(*plugin.Table) Reader

// A directReader is the Reader of a table of one connection.
type directReader struct {
	connection *plugin.Connection
	table      *plugin.Table
	read       Reader
}

// readersOf returns the readers of a table, one for each connection. There are none if any of them has none, or if rows
// must have the SDK's diagnostics.
func (s *server) readersOf(t *Table) []directReader {
	if s.readers == nil || wantsDiagnostics() {
		return nil
	}
	var readers []directReader
	for _, name := range t.connections() {
		c := s.plugin.ConnectionMap[name]
		if c == nil || c.TableMap[t.Name] == nil {
			return nil
		}
		r := directReader{connection: c.Connection, table: c.TableMap[t.Name]}
		if r.read = s.readers(r.table); r.read == nil {
			return nil
		}
		readers = append(readers, r)
	}
	return readers
}

// wantsDiagnostics reports whether the column _ctx has to say how the SDK made a row.
func wantsDiagnostics() bool {
	level, set := os.LookupEnv(plugin.EnvDiagnosticsLevel)
	if !set {
		level = os.Getenv(plugin.EnvLegacyDiagnosticsLevel)
	}
	return strings.EqualFold(level, plugin.DiagnosticsAll)
}

// readDirectly is execute with the readers of the table. Those of an aggregator read in parallel.
func (s *server) readDirectly(c *call, readers []directReader) error {
	ctx := callContext{Context: context.WithValue(c.ctx, context_key.Logger, s.plugin.Logger), running: c.running}
	var reading sync.WaitGroup
	for _, r := range readers {
		if !c.batch.wants(r.connection.Name) {
			continue
		}
		reading.Go(func() {
			if err := r.readCall(ctx, c); err != nil {
				c.fail(err)
			}
		})
	}
	reading.Wait()
	return c.failure()
}

// wants reports whether the rows of a connection satisfy the condition on its name, if there is one.
func (b batch) wants(connection string) bool {
	for i, column := range b.equals {
		values := column.values
		if i == 0 {
			values = b.first
		}
		if column.name == connectionColumn && !slices.Contains(values, connection) {
			return false
		}
	}
	return true
}

// readCall reads the rows of a call.
func (r directReader) readCall(ctx context.Context, c *call) error {
	b := c.batch
	query := b.queryContext()
	conditions := plugin.NewKeyColumnQualValueMap(query.Quals, r.table.List.KeyColumns)
	d := &plugin.QueryData{
		Table: r.table, Connection: r.connection, Quals: conditions, EqualsQuals: conditions.ToEqualsQualValueMap(),
		QueryContext: plugin.NewQueryContext(query, c.nullableLimit(), false, 0, r.table),
	}
	// Columns that the SDK adds come last.
	var columns []*plugin.Column
	var added []*proto.Column
	for _, i := range b.read {
		name := b.table.Columns[i].Name
		if b.table.Columns[i].hidden {
			added = append(added, addedColumn(name, r.connection.Name))
			continue
		}
		n := slices.IndexFunc(r.table.Columns, func(c *plugin.Column) bool { return c.Name == name })
		if n < 0 {
			return fmt.Errorf("the connection %s has no column %s of %s", r.connection.Name, name, r.table.Name)
		}
		columns = append(columns, r.table.Columns[n])
	}
	return r.read(ctx, d, columns, func(values []*proto.Column) { c.send(append(values, added...)) })
}

// addedColumn returns the value of a column that the SDK adds to the rows of a connection.
func addedColumn(name, connection string) *proto.Column {
	if name == connectionColumn {
		return &proto.Column{Value: &proto.Column_StringValue{StringValue: connection}}
	}
	type steampipe struct {
		Version string `json:"sdk_version"`
	}
	text, _ := json.Marshal(struct { // it has only strings
		Connection string    `json:"connection_name"`
		Steampipe  steampipe `json:"steampipe"`
	}{connection, steampipe{version.String()}})
	return &proto.Column{Value: &proto.Column_JsonValue{JsonValue: text}}
}
