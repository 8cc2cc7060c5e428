package scan

import (
	"cmp"
	"context"
	"slices"

	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"
)

// A Table declares how the rows of a table are made. Define joins it with the plugin.Table, which is what SQL sees.
type Table struct {
	// Keys are the key columns. A table that scores also has the key column policy.
	Keys plugin.KeyColumnSlice
	// Echoes are the columns that only repeat conditions of the query, and those made of them such as title. A scan of
	// no other column needs no lookup.
	Echoes []string
	// Scores says that rows have a score, by the connection's policy or by those that the query names.
	Scores bool
	// Unscored are the columns of a table that scores whose values do not depend on the score. For a scan of no other column
	// nothing is scored. Without it everything is.
	Unscored []string
	// ReadBy makes ReaderOf return a function for a table of FromPages. It names the key column that may have a long list:
	// List is called for each of its values, in parallel. It is for tables that can have very many rows.
	ReadBy string
	// Findings are the key columns of type boolean whose values come from the service, see DropFalse.
	Findings []string
	// AllRows says that a LIMIT saves little: rows cost no query credits, and come from this machine or in few responses.
	// It is for tables of FromPages, see DropLimit.
	AllRows bool
	// Service and Action are the tags by which a user's own limiters find the table's calls. They are "shodan" and
	// "list" if empty.
	Service, Action string
	// Rows makes the rows: OnePerTarget, ManyPerTarget, FromCall or FromPages.
	Rows Rows
}

// Rows are made by one of the four builders, see the package comment.
type Rows interface {
	// list emits the items of a call of List.
	list(ctx context.Context, c *ListCall) error
}

// A table is a Table with where it finds the settings of a connection.
type table struct {
	Table
	readSettings ReadSettings
}

// Define joins what SQL sees of a table with how its rows are made. The SDK's query cache is off: past some 2,500
// addresses it returns truncated rows, and package lookup caches responses.
func Define(seen *plugin.Table, made Table, read ReadSettings) *plugin.Table {
	t := &table{Table: made, readSettings: read}
	t.Service, t.Action = cmp.Or(t.Service, "shodan"), cmp.Or(t.Action, "list")
	if t.Scores {
		t.Keys = append(slices.Clip(t.Keys), Optional("policy"))
	}
	seen.Cache = &plugin.TableCacheOptions{Enabled: false}
	seen.List = &plugin.ListConfig{KeyColumns: t.Keys, Hydrate: t.list, Tags: t.tags(t.Action)}
	if rows, ok := t.Rows.(onePerTarget); ok {
		seen.List.Tags = t.tags("list") // it sends no request
		lookUp := targetHydrate{rows, t}.lookUp
		seen.HydrateConfig = []plugin.HydrateConfig{{Func: lookUp, Tags: t.tags(t.Action)}}
		for _, column := range seen.Columns {
			if !slices.Contains(t.Echoes, column.Name) {
				column.Hydrate = lookUp
			}
		}
	}
	t.remember(seen)
	for _, name := range slices.Concat(t.Echoes, t.Unscored) {
		if !slices.ContainsFunc(seen.Columns, func(c *plugin.Column) bool { return c.Name == name }) {
			panic(seen.Name + ": Echoes or Unscored has " + name + ", which is no column")
		}
	}
	return seen
}

// list is the List function. It is a method and not a closure, as is lookUp: the SDK knows hydrate functions by the last
// part of their names, which is func1 for every closure.
func (t *table) list(ctx context.Context, d *plugin.QueryData, _ *plugin.HydrateData) (any, error) {
	if err := t.listRows(ctx, d); err != nil {
		return nil, t.scanOf(ctx, d).fail(ctx, err)
	}
	return nil, nil
}

func (t *table) listRows(ctx context.Context, d *plugin.QueryData) (err error) {
	defer catchPanic(&err)
	c, err := t.listCall(ctx, d, d.RowsRemaining)
	if err != nil || !c.repeated.allow(c.own) {
		return err
	}
	return t.Rows.list(ctx, c)
}

// needsNoScore reports whether a scan of some columns needs no score.
func (t *table) needsNoScore(selected []string) bool {
	return t.Unscored != nil && Columns(selected).AllIn(t.Unscored)
}

// tags returns tags that are the caller's: the SDK adds to those of a List function.
func (t *table) tags(action string) map[string]string {
	return map[string]string{"service": t.Service, "action": action}
}

// Required makes a key column that every query must compare with =.
func Required(name string) *plugin.KeyColumn { return keyColumn(name, plugin.Required) }

// Optional makes a key column that a query may compare with =.
func Optional(name string) *plugin.KeyColumn { return keyColumn(name, plugin.Optional) }

// AnyOf makes a key column that a query may compare with =. It must do so with one of a table's AnyOf columns.
func AnyOf(name string) *plugin.KeyColumn { return keyColumn(name, plugin.AnyOf) }

func keyColumn(name, require string) *plugin.KeyColumn {
	return &plugin.KeyColumn{Name: name, Require: require, Operators: []string{"="}}
}

// Columns are the columns that a scan selects.
type Columns []string

// Any reports whether a scan selects any of some columns.
func (c Columns) Any(names ...string) bool {
	return slices.ContainsFunc(names, func(name string) bool { return slices.Contains(c, name) })
}

// AllIn reports whether a scan selects no other column than some.
func (c Columns) AllIn(names []string) bool {
	return !slices.ContainsFunc(c, func(name string) bool { return !slices.Contains(names, name) })
}
