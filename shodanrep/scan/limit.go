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
	request.QueryContext.Limit = nil
	for _, data := range request.ExecuteConnectionData {
		data.Limit = nil
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
