package scan

import (
	"github.com/turbot/steampipe-plugin-sdk/v5/grpc/proto"
	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"
)

// DropLimit removes the LIMIT from a request of Steampipe if the first rows of the table need not be the first rows of the
// query, and rows beyond them cost little. Steampipe's foreign data wrapper passes the LIMIT even if the query orders by an
// expression, has a window function, or has a function in its select list that returns rows: PostgreSQL needs more rows
// then, and the query would lose some without an error. Without a LIMIT the scan is correct, and Steampipe ends it when
// PostgreSQL has enough rows. The LIMIT remains where rows cost query credits or a list has no end.
func DropLimit(seen *plugin.Table, request *proto.ExecuteRequest) {
	t := definedAs(seen)
	if t == nil || !t.takesAllRows() && !comparesWithUnknownTime(request.GetQueryContext().GetQuals()) {
		return
	}
	//lint:ignore SA1019 older versions of Steampipe pass it, and none for each connection
	request.QueryContext.Limit = nil
	for _, data := range request.ExecuteConnectionData {
		data.Limit = nil
	}
}

// DropFalse removes the condition that a finding is false from a request of Steampipe without a LIMIT. Steampipe also
// passes false for a value that is known only when the query runs, such as (select true), and PostgreSQL checks the rows
// again. With a LIMIT the rows that it drops would count. SQLite does not check again, so the command line needs the
// condition.
func DropFalse(seen *plugin.Table, request *proto.ExecuteRequest) {
	t := definedAs(seen)
	//lint:ignore SA1019 older versions of Steampipe pass it, and none for each connection
	if t == nil || request.GetQueryContext().GetLimit() != nil {
		return
	}
	for _, data := range request.ExecuteConnectionData {
		if data.Limit != nil {
			return
		}
	}
	for _, column := range t.Findings {
		list := request.GetQueryContext().GetQuals()[column].GetQuals()
		if len(list) != 1 || list[0].GetStringValue() != "=" {
			continue
		}
		if value, isBool := list[0].GetValue().GetValue().(*proto.QualValue_BoolValue); isBool && !value.BoolValue {
			delete(request.QueryContext.Quals, column)
		}
	}
}

// takesAllRows reports whether a row that is not needed costs little.
func (t *table) takesAllRows() bool {
	_, isOneCall := t.Rows.(interface{ oneCall() })
	return t.AllRows || isOneCall || t.takesLists()
}

// comparesWithUnknownTime reports whether a query may compare with a time that Steampipe does not pass.
func comparesWithUnknownTime(quals map[string]*proto.Quals) bool {
	for _, list := range quals {
		for _, qual := range list.GetQuals() {
			if at := qual.GetValue().GetTimestampValue(); at != nil && at.AsTime().Equal(unknownTime) {
				return true
			}
		}
	}
	return false
}
