package embedded_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/sqlitefile"
)

func TestAQueryWithoutEnoughMemoryFails(t *testing.T) {
	t.Parallel()
	for name, sql := range map[string]string{
		"a value that SQLite makes":        "select length(randomblob(400000000))",
		"a value of many rows":             "with recursive i(n) as (select 1 union all select n+1 from i where n < 40) select group_concat(zeroblob(10000000)) from i",
		"a statement that makes a table":   "create temp table t as select zeroblob(200000000) || 'x' as v",
		"a second statement after a first": "select 1; select hex(randomblob(150000000))",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := open(t, 0).run(t.Context(), sql)
			if !errors.Is(err, sqlitefile.ErrOutOfMemory) || !strings.Contains(err.Error(), "read fewer rows or shorter values") {
				t.Errorf("got %v", err)
			}
		})
	}
}
