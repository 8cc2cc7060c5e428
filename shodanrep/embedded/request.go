package embedded

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/ncruces/go-sqlite3"
	"github.com/turbot/steampipe-plugin-sdk/v5/grpc/proto"
)

// batchSize is how many values of a list are passed to the SDK at a time. The SDK starts a goroutine and copies the
// query's data for all values at once, so a list of a hundred thousand would need much memory. Batches of this size
// cost as little per value as larger ones, and the plugin's own batches fit into them.
const batchSize = 200

// readerBatchSize is batchSize for a [Reader]. A batch costs it as much as some ten values.
const readerBatchSize = 500

// A request is what one scan reads from the plugin.
type request struct {
	table *Table
	// read are the columns of the table that rows have, the hidden ones last, and at is the index of each column of the
	// table in a row, or -1.
	read, at []int
	// equals are the conditions by equality, one per column.
	equals []equalColumn
	// hints are the conditions with other operators.
	hints []*proto.Qual
	// limit is how many rows are enough; 0 is all.
	limit int64
	// none says that no row can satisfy the conditions, and emptyList names the column of a list without values.
	none      bool
	emptyList string
	// notTime is the first condition that compares a column of times with a text that is no time, if there is one, and
	// asText the first that compares its texts with one in another form.
	notTime, asText string
}

// An equalColumn is a column with the values that it may have, each once and in the order of the query.
type equalColumn struct {
	name   string
	kind   proto.ColumnType
	at     int // its index in a row
	values []string
	// keys has the matchKey of every value.
	keys map[string]bool
}

// newRequest returns the request of a plan with the arguments of Filter.
func newRequest(t *Table, p plan, args []sqlite3.Value) (*request, error) {
	for _, arg := range p.Args {
		if arg.Op == opEqual && !arg.Unsent {
			p.Used |= columnBit(arg.Column)
		}
	}
	r := &request{table: t, read: t.usedColumns(p.Used)}
	r.at = slices.Repeat([]int{-1}, len(t.Columns))
	for index, column := range r.read {
		r.at[column] = index
	}
	var limit, offset int64
	for i, arg := range p.Args {
		if arg.AsText {
			r.noteText(t.Columns[arg.Column], arg.Op, args[i])
		}
		if arg.Unsent {
			continue
		}
		switch arg.Op {
		case opLimit:
			limit = args[i].Int64()
			r.none = r.none || limit == 0
		case opOffset:
			offset = max(args[i].Int64(), 0)
		case opEqual:
			if err := r.addEquals(arg.Column, arg.In, args[i]); err != nil {
				return nil, err
			}
		default:
			r.addHint(t.Columns[arg.Column], arg.Op, args[i])
		}
	}
	if limit > 0 {
		r.limit = limit + offset
	}
	// The list that is divided into batches comes first: a list of addresses, because an address may need a batch of
	// its own, or else the longest list.
	slices.SortStableFunc(r.equals, func(a, b equalColumn) int {
		if isNetwork(a.kind) != isNetwork(b.kind) {
			if isNetwork(a.kind) {
				return -1
			}
			return 1
		}
		return cmp.Compare(len(b.values), len(a.values))
	})
	return r, nil
}

// addEquals adds a condition by equality. Several conditions on one column leave the values that satisfy all of them.
func (r *request) addEquals(i int, in bool, value sqlite3.Value) error {
	c := r.table.Columns[i]
	column := equalColumn{name: c.Name, kind: c.kind, at: r.at[i], keys: make(map[string]bool)}
	given := 0
	err := eachValue(in, value, func(v sqlite3.Value) {
		given++
		text, ok := conditionText(c.kind, v)
		if ok {
			column.add(text)
		} else {
			r.noteNotTime(c, opEqual, v, text)
		}
	})
	if err != nil {
		return err
	}
	if given == 0 {
		r.emptyList = c.Name
	}
	if i := slices.IndexFunc(r.equals, func(e equalColumn) bool { return e.name == c.Name }); i >= 0 {
		r.equals[i].intersect(column)
		column = r.equals[i]
	} else {
		r.equals = append(r.equals, column)
	}
	// Nothing equals NULL, or a value of another type.
	r.none = r.none || len(column.values) == 0
	return nil
}

// addHint adds a condition with another operator, if its value has the type of the column.
func (r *request) addHint(c TableColumn, operator string, value sqlite3.Value) {
	qual := &proto.Qual{FieldName: c.Name, Operator: &proto.Qual_StringValue{StringValue: operator}}
	if operator != operators[sqlite3.INDEX_CONSTRAINT_ISNULL] && operator != operators[sqlite3.INDEX_CONSTRAINT_ISNOTNULL] {
		text, ok := conditionText(c.kind, value)
		if !ok {
			r.noteNotTime(c, operator, value, text)
			// Nothing is before or after NULL. Of columns of other types SQLite finds that out row by row.
			r.none = r.none || c.kind == proto.ColumnType_TIMESTAMP && value.Type() == sqlite3.NULL
			return
		}
		qual.Value, _ = qualValue(c.kind, text)
	}
	r.hints = append(r.hints, qual)
}

// noteNotTime notes a condition on a column of times whose value has no place in it, if that is a text.
func (r *request) noteNotTime(c TableColumn, operator string, value sqlite3.Value, text string) {
	if c.kind == proto.ColumnType_TIMESTAMP && value.Type() == sqlite3.TEXT && r.notTime == "" {
		r.notTime = fmt.Sprintf("%s %s '%s'", c.Name, operator, text)
	}
}

// noteText notes a condition that compares the texts of a column of times with a time in another form.
func (r *request) noteText(c TableColumn, operator string, value sqlite3.Value) {
	if value.Type() == sqlite3.TEXT && r.asText == "" && !isComparable(value.Text()) {
		r.asText = fmt.Sprintf("%s %s '%s'", c.Name, operator, value.Text())
	}
}

// listDone is SQLite's error at the end of a list.
const listDone = sqlite3.ErrorCode(101)

// eachValue calls do with the value, or with every value of a list.
func eachValue(in bool, value sqlite3.Value, do func(sqlite3.Value)) error {
	if !in {
		do(value)
		return nil
	}
	v, err := value.InFirst()
	for ; err == nil; v, err = value.InNext() {
		do(v)
	}
	if errors.Is(err, listDone) {
		return nil
	}
	return err
}

func (a *equalColumn) add(text string) {
	// Different texts of the same value are looked up separately, because a row has the text of its condition. SQLite
	// has already removed duplicates from a list.
	a.values = append(a.values, text)
	a.keys[matchKey(a.kind, text)] = true
}

func (a *equalColumn) intersect(b equalColumn) {
	a.values = slices.DeleteFunc(a.values, func(text string) bool { return !b.keys[matchKey(a.kind, text)] })
	clear(a.keys)
	for _, text := range a.values {
		a.keys[matchKey(a.kind, text)] = true
	}
}

// visibleColumns returns the names of the columns that rows have, without those that the SDK adds.
func (r *request) visibleColumns() []string {
	var names []string
	for _, i := range r.read {
		if c := r.table.Columns[i]; !c.hidden {
			names = append(names, c.Name)
		}
	}
	return names
}
