package embedded

import (
	"github.com/turbot/steampipe-plugin-sdk/v5/grpc/proto"
)

// A batch is the part of a request that is read with one call.
type batch struct {
	*request
	// first has the values of the first column of equals.
	first []string
	// echo is the only value, if the column cannot hold it: rows with NULL get it instead.
	echo *proto.Column
}

// batches divides a request into batches.
type batches struct {
	request *request
	single  bool // the request has no values, and is one batch
	// rest are the values of the first column, and alone the ones that the column cannot hold, which need a batch each.
	rest, alone []string
}

func newBatches(r *request) *batches {
	b := &batches{request: r}
	if len(r.equals) == 0 {
		b.single = true
		return b
	}
	first := r.equals[0]
	if !isNetwork(first.kind) {
		b.rest = first.values
		return b
	}
	for _, text := range first.values {
		if canHold(first.kind, text) {
			b.rest = append(b.rest, text)
		} else {
			b.alone = append(b.alone, text)
		}
	}
	return b
}

// next returns the next batch, of at most n values, and false if there are no more.
func (b *batches) next(n int) (batch, bool) {
	next := batch{request: b.request}
	switch {
	case b.single:
		b.single = false
		return next, true
	case len(b.rest) > 0:
		n = min(n, len(b.rest))
		next.first, b.rest = b.rest[:n], b.rest[n:]
		return next, true
	case len(b.alone) > 0:
		next.first, b.alone = b.alone[:1], b.alone[1:]
		next.echo = &proto.Column{Value: &proto.Column_StringValue{StringValue: next.first[0]}}
		return next, true
	}
	return next, false
}

// queryContext returns the batch as Steampipe's foreign data wrapper would send it.
func (b batch) queryContext() *proto.QueryContext {
	quals := make(map[string]*proto.Quals)
	add := func(q *proto.Qual) {
		if quals[q.FieldName] == nil {
			quals[q.FieldName] = &proto.Quals{}
		}
		quals[q.FieldName].Quals = append(quals[q.FieldName].Quals, q)
	}
	for i, column := range b.equals {
		values := column.values
		if i == 0 {
			values = b.first
		}
		list := &proto.QualValueList{Values: make([]*proto.QualValue, len(values))}
		for i, text := range values {
			list.Values[i], _ = qualValue(column.kind, text)
		}
		value := &proto.QualValue{Value: &proto.QualValue_ListValue{ListValue: list}}
		if len(list.Values) == 1 {
			value = list.Values[0]
		}
		add(&proto.Qual{FieldName: column.name, Operator: &proto.Qual_StringValue{StringValue: opEqual}, Value: value})
	}
	for _, hint := range b.hints {
		add(hint)
	}
	return &proto.QueryContext{Columns: b.visibleColumns(), Quals: quals}
}

// matches reports whether a row satisfies the conditions by equality. It sets the value of a column that cannot hold it.
func (b batch) matches(r row) bool {
	for i, column := range b.equals {
		value := r[column.at]
		if i == 0 && b.echo != nil && isNull(value) {
			r[column.at] = b.echo
			continue
		}
		if isNull(value) || !column.keys[matchKey(column.kind, columnText(value))] {
			return false
		}
	}
	return true
}
