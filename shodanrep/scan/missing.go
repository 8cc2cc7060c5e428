package scan

import (
	"fmt"
	"strings"

	"github.com/turbot/steampipe-plugin-sdk/v5/grpc/proto"
	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"
)

// CheckConditions returns an error if a query lacks the conditions that a table needs. The SDK does the same, but now and
// then it loses its error, and returns no rows as a success; and it does not say what to write.
func CheckConditions(table *plugin.Table, conditions map[string]*proto.Quals) error {
	keys := table.List.KeyColumns
	missing := plugin.NewKeyColumnQualValueMap(conditions, keys).GetUnsatisfiedKeyColumns(keys)
	if len(missing) == 0 {
		return nil
	}
	names := make([]string, len(missing))
	for i, key := range missing {
		names[i] = key.Name
	}
	word := " and "
	if missing[0].Require == plugin.AnyOf {
		word = " or "
	}
	return fmt.Errorf("missing required qual: %s needs a condition with = or in on %s, whose value is known when the scan begins: %s",
		table.Name, strings.Join(names, word), workingForms(table.Name, names[0]))
}
