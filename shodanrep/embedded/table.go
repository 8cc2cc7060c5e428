package embedded

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/ncruces/go-sqlite3"
	"github.com/turbot/steampipe-plugin-sdk/v5/grpc/proto"
	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"
)

// A Table is a table of the plugin.
type Table struct {
	Name        string
	Description string
	Columns     []TableColumn
	Keys        []KeyColumn

	connection Connection
	// index finds a column by its name.
	index map[string]int
	// The List and the Get function of a table need their own conditions.
	listKeys, getKeys []*proto.KeyColumn
	// getOnly says that the table has no List function.
	getOnly bool
}

// A TableColumn is a column of a table. Type is the name of its type in Steampipe's database.
type TableColumn struct {
	Name        string
	Type        string
	Description string

	kind   proto.ColumnType
	hidden bool
}

// A KeyColumn is a column whose conditions are passed to the plugin. Require is "required", "optional" or "any_of": at
// least one of the table's columns with any_of is required.
type KeyColumn struct {
	Name      string
	Operators []string
	Require   string
}

// connectionColumn is the column with the name of a row's connection.
const connectionColumn = "sp_connection_name"

// hiddenColumns are the columns that Steampipe adds to every table. "select *" does not have them.
var hiddenColumns = []string{connectionColumn, "sp_ctx", "_ctx"}

// newTable returns the table of a schema. The plugin's definition of the table, which may be nil, says which of the
// functions List and Get it has: the schema has key columns for both.
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

// declaration returns the statement that declares the table's columns to SQLite.
func (t *Table) declaration() string {
	columns := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		columns[i] = sqlite3.QuoteIdentifier(c.Name) + " " + cmp.Or(columnTypes[c.kind].declared, "TEXT")
		if c.kind == proto.ColumnType_TIMESTAMP {
			columns[i] += " COLLATE " + timeCollation
		}
		if c.hidden {
			columns[i] += " HIDDEN"
		}
	}
	return "CREATE TABLE t (" + strings.Join(columns, ", ") + ")"
}

// accepts reports whether conditions with the operator on the column are passed to the plugin.
func (t *Table) accepts(column int, operator string) bool {
	if column < 0 || column >= len(t.Columns) {
		return false
	}
	if t.Columns[column].Name == connectionColumn && len(t.connection.Members) > 0 && operator == opEqual {
		return true // the SDK then calls only those members of the aggregator
	}
	for _, key := range slices.Concat(t.listKeys, t.getKeys) {
		if key.Name == t.Columns[column].Name && slices.Contains(key.Operators, operator) {
			return true
		}
	}
	return false
}

// satisfied reports whether the given conditions, each a column and an operator, are enough for the plugin.
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

// connections returns the names of the connections whose rows the table has: its own, or the members of an aggregator.
func (t *Table) connections() []string {
	if len(t.connection.Members) > 0 {
		return t.connection.Members
	}
	return []string{t.connection.Name}
}

// usedColumns returns the indexes of the columns in SQLite's mask colUsed, the hidden ones last.
func (t *Table) usedColumns(used uint64) []int {
	var columns, hidden []int
	for i, c := range t.Columns {
		switch {
		case used&columnBit(i) == 0:
		case c.hidden:
			hidden = append(hidden, i)
		default:
			columns = append(columns, i)
		}
	}
	return append(columns, hidden...)
}

// columnBit returns the bit of a column in SQLite's mask colUsed. The last one is that of column 63 and all later ones.
func columnBit(column int) uint64 { return 1 << min(column, 63) }

// Visible returns the columns that "select *" has.
func (t *Table) Visible() []TableColumn {
	return slices.DeleteFunc(slices.Clone(t.Columns), func(c TableColumn) bool { return c.hidden })
}

// requirement says which conditions the table needs, with an example.
func (t *Table) requirement() string {
	keys := t.listKeys
	if len(keys) == 0 {
		keys = t.getKeys
	}
	var required, anyOf []string
	for _, key := range keys {
		switch key.Require {
		case "any_of":
			anyOf = append(anyOf, key.Name)
		case "optional":
		default:
			required = append(required, key.Name)
		}
	}
	conditions := make([]string, 0, len(required)+1)
	for _, name := range required {
		conditions = append(conditions, t.example(name))
	}
	what := strings.Join(required, " and ")
	if len(anyOf) > 0 {
		conditions = append(conditions, t.example(anyOf[0]))
		choice := strings.Join(anyOf, " or ")
		if what != "" && len(anyOf) > 1 {
			choice = "on " + choice
		}
		what = strings.TrimPrefix(what+" and "+choice, " and ")
	}
	message := fmt.Sprintf("%s needs a condition on %s, for example: select * from %s where %s",
		t.Name, what, t.Name, strings.Join(conditions, " and "))
	if len(conditions) == 1 {
		name, value, _ := strings.Cut(conditions[0], " = ")
		message += fmt.Sprintf(" (or %s in (%s, …))", name, value)
	}
	return message
}

// example returns a condition on a column, with a value of its type.
func (t *Table) example(column string) string {
	value := "'…'"
	if i, ok := t.index[column]; ok {
		switch t.Columns[i].kind {
		case proto.ColumnType_INET, proto.ColumnType_IPADDR:
			value = "'8.8.8.8'"
		case proto.ColumnType_CIDR:
			value = "'8.8.8.0/24'"
		case proto.ColumnType_INT:
			value = "443"
		case proto.ColumnType_DOUBLE:
			value = "1.5"
		case proto.ColumnType_BOOL:
			value = "true"
		case proto.ColumnType_TIMESTAMP:
			value = "'2026-01-31T00:00:00Z'"
		}
	}
	return column + " = " + value
}
