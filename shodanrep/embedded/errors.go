package embedded

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/ncruces/go-sqlite3"
	"github.com/turbot/steampipe-plugin-sdk/v5/grpc/proto"
)

// rpcNoise is what gRPC and the SDK put before a message that no wire has carried.
var rpcNoise = regexp.MustCompile(`rpc error: code = \w+ desc = `)

// cleanMessage returns the plugin's own words: without gRPC's preamble, and without the names of the connections that
// the SDK puts in front.
func cleanMessage(message string, connections ...string) string {
	message = strings.TrimSpace(rpcNoise.ReplaceAllString(message, ""))
	for _, name := range connections {
		message = strings.TrimPrefix(message, name+": ")
	}
	return strings.TrimSpace(message)
}

// sqlError returns an error of SQLite in its own words, with the place in the statement where it names none itself.
func sqlError(err error) error {
	var coded *sqlite3.Error
	if !errors.As(err, &coded) {
		return err
	}
	message := strings.TrimPrefix(strings.TrimPrefix(err.Error(), "sqlite3: "), "SQL logic error: ")
	if strings.Contains(message, "syntax error") && coded.SQL() != "" {
		message += fmt.Sprintf(", at: %.60s", strings.Join(strings.Fields(coded.SQL()), " "))
	}
	return errors.New(message)
}

// needs says which conditions a table cannot do without, with a statement that has them.
func (t *Table) needs() string {
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

// example returns a condition on a column with a value of its type.
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
