package scan

import (
	"strings"
	"testing"

	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
)

// TestAPanicIsAnErrorThatIsNotLost calls both functions of a table as the SDK does. The SDK makes an error of a panic
// too, but reports it beside the end of the rows, and then loses it now and then.
func TestAPanicIsAnErrorThatIsNotLost(t *testing.T) {
	outOfOrder := func(Columns) lookup.Question { panic("out of order") }
	table := Define(withColumns("ip", "score"), Table{
		Keys: plugin.KeyColumnSlice{AnyOf("ip")}, Echoes: []string{"ip"}, Rows: OnePerTarget(outOfOrder),
	}, func(*plugin.Connection) (Settings, error) { panic("no settings") })
	for name, tt := range map[string]struct {
		call plugin.HydrateFunc
		want string
	}{
		"List":   {table.List.Hydrate, "no settings"},
		"lookUp": {table.HydrateConfig[0].Func, "out of order"},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, failure := WithFailure(t.Context())
			d := &plugin.QueryData{Table: table, Connection: &plugin.Connection{Name: "c"}, QueryContext: &plugin.QueryContext{}}
			if _, err := tt.call(ctx, d, &plugin.HydrateData{Item: &Target{}}); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("returned %v", err)
			}
			if err := failure.Err(); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("the execution has %v", err)
			}
		})
	}
}
