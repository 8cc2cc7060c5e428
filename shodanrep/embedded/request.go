package embedded

import (
	"cmp"
	"errors"
	"slices"

	"github.com/ncruces/go-sqlite3"
	"github.com/turbot/steampipe-plugin-sdk/v5/grpc/proto"
)

// sliceValues is how many values of a list the SDK is handed at a time. It starts a goroutine and copies the query's
// data for every value at once, so a list of a hundred thousand would cost memory accordingly. Slices of this length
// cost as little a value as longer ones, and the plugin's own batches fit in.
const sliceValues = 200

// request is what one scan asks the plugin for.
type request struct {
	table   *Table
	columns []string
	// asked holds the values of every column that is asked for by equality, each once, in the order of the query.
	asked []askedColumn
	// hints holds the conditions with other operators.
	hints []*proto.Qual
	// limit is how many rows are enough; 0 means all.
	limit int64
	// none says that no row can satisfy the conditions; emptyList is the column of a list that holds nothing at all.
	none      bool
	emptyList string
}

// askedColumn is a column with the values that it may have.
type askedColumn struct {
	name string
	kind proto.ColumnType
	text []string
	// keys holds the matchKey of every value.
	keys map[string]bool
}

// newRequest takes over what SQLite hands to Filter.
func newRequest(t *Table, p plan, args []sqlite3.Value) (*request, error) {
	r := &request{table: t, columns: t.columnNames(p.Used)}
	var limit, offset int64
	for i, arg := range p.Args {
		switch arg.Op {
		case opLimit:
			limit = args[i].Int64()
			r.none = r.none || limit == 0
		case opOffset:
			offset = max(args[i].Int64(), 0)
		case opEqual:
			if err := r.ask(t.Columns[arg.Column], arg.In, args[i]); err != nil {
				return nil, err
			}
		default:
			r.hint(t.Columns[arg.Column], arg.Op, args[i])
		}
	}
	if limit > 0 {
		r.limit = limit + offset
	}
	// The list that is handed over in slices comes first: one of addresses, since an address may have to go alone,
	// else the longest.
	slices.SortStableFunc(r.asked, func(a, b askedColumn) int {
		if isNetwork(a.kind) != isNetwork(b.kind) {
			if isNetwork(a.kind) {
				return -1
			}
			return 1
		}
		return cmp.Compare(len(b.text), len(a.text))
	})
	return r, nil
}

// ask adds a condition by equality. Several on one column leave the values that satisfy all of them.
func (r *request) ask(c TableColumn, in bool, value sqlite3.Value) error {
	asked := askedColumn{name: c.Name, kind: c.kind, keys: make(map[string]bool)}
	given := 0
	err := eachValue(in, value, func(v sqlite3.Value) {
		given++
		if text, ok := askedText(c.kind, v); ok {
			asked.add(text)
		}
	})
	if err != nil {
		return err
	}
	if given == 0 {
		r.emptyList = c.Name
	}
	if i := slices.IndexFunc(r.asked, func(a askedColumn) bool { return a.name == c.Name }); i >= 0 {
		r.asked[i].intersect(asked)
		asked = r.asked[i]
	} else {
		r.asked = append(r.asked, asked)
	}
	// What equals none of the values, or is compared with NULL, is no row.
	r.none = r.none || len(asked.text) == 0
	return nil
}

// hint adds a condition with another operator, if its value is one that the plugin can be told.
func (r *request) hint(c TableColumn, operator string, value sqlite3.Value) {
	qual := &proto.Qual{FieldName: c.Name, Operator: &proto.Qual_StringValue{StringValue: operator}}
	if operator != operators[sqlite3.INDEX_CONSTRAINT_ISNULL] && operator != operators[sqlite3.INDEX_CONSTRAINT_ISNOTNULL] {
		text, ok := askedText(c.kind, value)
		if !ok {
			return
		}
		qual.Value, _ = qualValue(c.kind, text)
	}
	r.hints = append(r.hints, qual)
}

// listDone is SQLite's answer when a list has no more values.
const listDone = sqlite3.ErrorCode(101)

// eachValue calls do with the value, or with every value of the list that it is.
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

func (a *askedColumn) add(text string) {
	// Texts that differ are asked for separately, since a row echoes the one that it was asked for by. SQLite has
	// taken repeats out of a list already.
	a.text = append(a.text, text)
	a.keys[matchKey(a.kind, text)] = true
}

func (a *askedColumn) intersect(b askedColumn) {
	a.text = slices.DeleteFunc(a.text, func(text string) bool { return !b.keys[matchKey(a.kind, text)] })
	clear(a.keys)
	for _, text := range a.text {
		a.keys[matchKey(a.kind, text)] = true
	}
}

// slice is the part of a request that one call asks for.
type slice struct {
	*request
	// text holds the values of the first of the asked columns.
	text []string
	// echo is set where the only value is one that no row can hold: it is shown in rows that have NULL in its place.
	echo *proto.Column
}

// cutter cuts a request into slices.
type cutter struct {
	request    *request
	whole      bool
	held, lone []string
}

func (r *request) cutter() *cutter {
	c := &cutter{request: r}
	if len(r.asked) == 0 {
		c.whole = true
		return c
	}
	first := r.asked[0]
	if !isNetwork(first.kind) {
		c.held = first.text
		return c
	}
	for _, text := range first.text {
		if holdable(first.kind, text) {
			c.held = append(c.held, text)
		} else {
			c.lone = append(c.lone, text)
		}
	}
	return c
}

// next returns the next slice, of at most n values, and false when there are no more.
func (c *cutter) next(n int) (slice, bool) {
	s := slice{request: c.request}
	switch {
	case c.whole:
		c.whole = false
		return s, true
	case len(c.held) > 0:
		n = min(n, len(c.held))
		s.text, c.held = c.held[:n], c.held[n:]
		return s, true
	case len(c.lone) > 0:
		s.text, c.lone = c.lone[:1], c.lone[1:]
		s.echo = &proto.Column{Value: &proto.Column_StringValue{StringValue: s.text[0]}}
		return s, true
	}
	return s, false
}

// query returns what the SDK is told, as Steampipe's foreign data wrapper would say it.
func (s slice) query() *proto.QueryContext {
	quals := make(map[string]*proto.Quals)
	add := func(q *proto.Qual) {
		if quals[q.FieldName] == nil {
			quals[q.FieldName] = &proto.Quals{}
		}
		quals[q.FieldName].Quals = append(quals[q.FieldName].Quals, q)
	}
	for i, column := range s.asked {
		text := column.text
		if i == 0 {
			text = s.text
		}
		list := &proto.QualValueList{Values: make([]*proto.QualValue, len(text))}
		for i := range text {
			list.Values[i], _ = qualValue(column.kind, text[i])
		}
		value := &proto.QualValue{Value: &proto.QualValue_ListValue{ListValue: list}}
		if len(list.Values) == 1 {
			value = list.Values[0]
		}
		add(&proto.Qual{FieldName: column.name, Operator: &proto.Qual_StringValue{StringValue: opEqual}, Value: value})
	}
	for _, hint := range s.hints {
		add(hint)
	}
	return &proto.QueryContext{Columns: s.columns, Quals: quals}
}

// wanted reports whether a row is one that the request asked for, and shows in it what it was asked for by where it
// could not hold that itself.
func (s slice) wanted(row *proto.Row) bool {
	for i, column := range s.asked {
		value := row.Columns[column.name]
		if i == 0 && s.echo != nil && isNull(value) {
			row.Columns[column.name] = s.echo
			continue
		}
		if isNull(value) || !column.keys[matchKey(column.kind, columnText(value))] {
			return false
		}
	}
	return true
}
