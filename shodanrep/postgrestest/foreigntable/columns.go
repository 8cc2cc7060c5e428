// Package foreigntable gives tests the columns that Steampipe gives the foreign tables of a plugin. It is apart from package
// postgrestest, which tests need that have no plugin in them.
package foreigntable

import (
	"strings"

	"github.com/turbot/steampipe-plugin-sdk/v5/grpc/proto"
	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"
)

// columnTypes are the types of the columns of Steampipe's foreign tables.
var columnTypes = map[proto.ColumnType]string{
	proto.ColumnType_BOOL: "boolean", proto.ColumnType_INT: "bigint", proto.ColumnType_DOUBLE: "double precision",
	proto.ColumnType_STRING: "text", proto.ColumnType_INET: "inet", proto.ColumnType_JSON: "jsonb",
	proto.ColumnType_TIMESTAMP: "timestamp with time zone",
}

// Columns returns the columns of a table of the plugin, with the types that Steampipe gives them.
func Columns(table *plugin.Table) string {
	var columns []string
	for _, c := range table.Columns {
		columns = append(columns, c.Name+" "+columnTypes[c.Type])
	}
	return strings.Join(columns, ", ")
}
