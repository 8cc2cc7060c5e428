// Package embeddedtest is a Steampipe plugin for tests of code that runs plugins. It has a column of every type, key
// columns of every kind, and functions that fail or block, and it records its calls.
package embeddedtest

import (
	"context"
	"os"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/turbot/steampipe-plugin-sdk/v5/grpc/proto"
	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"
	"github.com/turbot/steampipe-plugin-sdk/v5/plugin/transform"
)

// A Plugin is a plugin that records its calls. Its zero value is ready to use.
type Plugin struct {
	// Rows is how many rows the tables that can be listed have.
	Rows int
	// Notify, if it is set, is called with "block" when a function starts to block, and with "row" for each row of a
	// table that can be listed.
	Notify func(event string)

	mu       sync.Mutex
	calls    []Call
	hydrated []string
	streamed atomic.Int64
	self     *plugin.Plugin
}

func (p *Plugin) notify(event string) {
	if p.Notify != nil {
		p.Notify(event)
	}
}

// A Call is a call of a table's List function.
type Call struct {
	Table string
	// Columns are the columns that the query uses.
	Columns []string
	// Batch is the length of the list that the call is part of; 0 is no list.
	Batch int
	// Limit is the LIMIT; -1 is none.
	Limit int64
	// Values are the values of key columns with a condition by equality.
	Values map[string]string
	// Operators are all conditions on key columns, as "column operator".
	Operators []string
}

// Config is the configuration of a connection.
type Config struct {
	Word  *string `hcl:"word,optional"`
	Count *int    `hcl:"count,optional"`
}

// Func is the plugin's plugin.PluginFunc.
func (p *Plugin) Func(context.Context) *plugin.Plugin {
	// By default the SDK collects garbage and hands memory back at the first row of every call. The plugin that is tested
	// for leaves that out, see shodanrep.Plugin, and it takes half of the time of the tests.
	os.Setenv("STEAMPIPE_FREE_MEM_INTERVAL", "0")
	p.self = &plugin.Plugin{
		Name:                   "steampipe-plugin-fake",
		DefaultTransform:       transform.FromGo(),
		ConnectionConfigSchema: &plugin.ConnectionConfigSchema{NewInstance: func() any { return &Config{} }},
		ConnectionKeyColumns:   []plugin.ConnectionKeyColumn{{Name: "sp_connection_name", Hydrate: connectionName}},
		TableMap: map[string]*plugin.Table{
			"fake_address": p.addressTable(),
			"fake_event":   p.eventTable(),
			"fake_pair":    p.pairTable(),
			"fake_failure": p.failureTable(),
			"fake_wide":    p.wideTable(),
			"fake_block":   p.blockTable(),
		},
	}
	return p.self
}

func connectionName(_ context.Context, d *plugin.QueryData, _ *plugin.HydrateData) (any, error) {
	return d.Connection.Name, nil
}

// Warn logs a message as the plugin's functions do.
func (p *Plugin) Warn(message string) { p.self.Logger.Named("call").Warn(message) }

// Calls returns the calls of a table's List function.
func (p *Plugin) Calls(table string) []Call {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(p.calls), func(c Call) bool { return c.Table != table })
}

// Values returns the values of a key column in all calls, sorted.
func (p *Plugin) Values(table, column string) []string {
	var values []string
	for _, c := range p.Calls(table) {
		values = append(values, c.Values[column])
	}
	slices.Sort(values)
	return values
}

// Hydrated returns the rows whose columns with a hydrate function were read.
func (p *Plugin) Hydrated() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.hydrated)
}

// Streamed returns how many rows of fake_event were sent to the SDK.
func (p *Plugin) Streamed() int { return int(p.streamed.Load()) }

// Reset deletes the recorded calls.
func (p *Plugin) Reset() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls, p.hydrated = nil, nil
}

// note records a call.
func (p *Plugin) note(d *plugin.QueryData) {
	c := Call{
		Table: d.Table.Name, Columns: slices.Clone(d.QueryContext.Columns), Limit: d.QueryContext.GetLimit(),
		Values: make(map[string]string),
	}
	for name, value := range d.EqualsQuals {
		c.Values[name] = text(value)
	}
	for name, quals := range d.Quals {
		for _, q := range quals.Quals {
			c.Operators = append(c.Operators, name+" "+q.Operator)
		}
	}
	slices.Sort(c.Operators)
	for _, quals := range d.QueryContext.UnsafeQuals {
		for _, q := range quals.Quals {
			c.Batch = max(c.Batch, len(q.Value.GetListValue().GetValues()))
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls = append(p.calls, c)
}

// text returns the value of a condition as it is written.
func text(v *proto.QualValue) string {
	switch v := v.GetValue().(type) {
	case *proto.QualValue_InetValue:
		return v.InetValue.Cidr
	case *proto.QualValue_StringValue:
		return v.StringValue
	case *proto.QualValue_JsonbValue:
		return v.JsonbValue
	case *proto.QualValue_TimestampValue:
		return v.TimestampValue.AsTime().UTC().Format("2006-01-02T15:04:05Z")
	case *proto.QualValue_ListValue:
		joined := ""
		for i, element := range v.ListValue.Values {
			if i > 0 {
				joined += ","
			}
			joined += text(element)
		}
		return joined
	}
	return v.String()
}
