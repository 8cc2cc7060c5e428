package embedded

import (
	"cmp"
	"slices"
	"strings"

	"github.com/ncruces/go-sqlite3"
	"github.com/turbot/steampipe-plugin-sdk/v5/grpc/proto"
	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"
)

// Table describes a table of the plugin.
type Table struct {
	Name        string
	Description string
	Columns     []TableColumn
	Keys        []KeyColumn

	connection Connection
	// index finds a column by its name.
	index map[string]int
	// The conditions of a list call and of a get call are satisfied separately.
	listKeys, getKeys []*proto.KeyColumn
	// getOnly says that the plugin has no way to list the table.
	getOnly bool
}

// TableColumn describes a column of a table. Type is the name that Steampipe's database has for it.
type TableColumn struct {
	Name        string
	Type        string
	Description string

	kind   proto.ColumnType
	hidden bool
}

// KeyColumn describes a column whose conditions the plugin is told of. Require is "required", "optional" or "any_of":
// one of all those of a table.
type KeyColumn struct {
	Name      string
	Operators []string
	Require   string
}

// connectionColumn is the column that says which connection a row is of.
const connectionColumn = "sp_connection_name"

// hiddenColumns are the ones that Steampipe adds to every table. They can be asked for, but "select *" leaves them out.
var hiddenColumns = []string{connectionColumn, "sp_ctx", "_ctx"}

// newTable takes a table over from the SDK's description, and from the plugin's own definition if that is at hand: the
// description has key columns of the SDK's own for get and list calls even where the plugin has no such call.
func newTable(name string, schema *proto.TableSchema, c Connection, definition *plugin.Table) *Table {
	ours := func(keys []*proto.KeyColumn) []*proto.KeyColumn {
		return slices.DeleteFunc(slices.Clone(keys), func(k *proto.KeyColumn) bool { return slices.Contains(hiddenColumns, k.Name) })
	}
	t := &Table{
		Name: name, Description: schema.Description, connection: c, index: make(map[string]int),
		listKeys: ours(schema.ListCallKeyColumnList), getKeys: ours(schema.GetCallKeyColumnList),
	}
	if definition != nil {
		t.getOnly = definition.List == nil
		if definition.Get == nil {
			t.getKeys = nil
		}
	}
	for i, column := range schema.Columns {
		t.index[column.Name] = i
		t.Columns = append(t.Columns, TableColumn{
			Name: column.Name, Type: columnTypes[column.Type].steampipe, Description: column.Description,
			kind: column.Type, hidden: slices.Contains(hiddenColumns, column.Name),
		})
	}
	for _, key := range slices.Concat(t.listKeys, t.getKeys) {
		if !slices.ContainsFunc(t.Keys, func(k KeyColumn) bool { return k.Name == key.Name }) {
			t.Keys = append(t.Keys, KeyColumn{Name: key.Name, Operators: key.Operators, Require: key.Require})
		}
	}
	return t
}

// declaration returns the statement that tells SQLite of the table's columns.
func (t *Table) declaration() string {
	columns := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		columns[i] = sqlite3.QuoteIdentifier(c.Name) + " " + cmp.Or(columnTypes[c.kind].declared, "TEXT")
		if c.hidden {
			columns[i] += " HIDDEN"
		}
	}
	return "CREATE TABLE t (" + strings.Join(columns, ", ") + ")"
}

// takes reports whether the plugin is told of conditions with the operator on the column.
func (t *Table) takes(column int, operator string) bool {
	if column < 0 || column >= len(t.Columns) {
		return false
	}
	if t.Columns[column].Name == connectionColumn && len(t.connection.Members) > 0 && operator == opEqual {
		return true // the SDK then asks only those members of the aggregator
	}
	for _, key := range slices.Concat(t.listKeys, t.getKeys) {
		if key.Name == t.Columns[column].Name && slices.Contains(key.Operators, operator) {
			return true
		}
	}
	return false
}

// satisfied reports whether the plugin can answer when it is told of the given conditions, each a column and an
// operator.
func (t *Table) satisfied(given func(column, operator string) bool) bool {
	if len(t.getKeys) > 0 && satisfies(t.getKeys, given) {
		return true
	}
	return !t.getOnly && satisfies(t.listKeys, given)
}

func satisfies(keys []*proto.KeyColumn, given func(column, operator string) bool) bool {
	anyOf, anyGiven := false, false
	for _, key := range keys {
		has := slices.ContainsFunc(key.Operators, func(operator string) bool { return given(key.Name, operator) })
		switch key.Require {
		case "optional":
		case "any_of":
			anyOf, anyGiven = true, anyGiven || has
		default:
			if !has {
				return false
			}
		}
	}
	return anyGiven || !anyOf
}

// columnNames returns the names of the columns in the mask that SQLite calls colUsed: its last bit stands for column
// 63 and all that come after it.
func (t *Table) columnNames(used uint64) []string {
	var names []string
	for i, c := range t.Columns {
		if !c.hidden && used&(1<<min(i, 63)) != 0 {
			names = append(names, c.Name)
		}
	}
	return names
}

// Visible returns the columns that "select *" has.
func (t *Table) Visible() []TableColumn {
	return slices.DeleteFunc(slices.Clone(t.Columns), func(c TableColumn) bool { return c.hidden })
}
