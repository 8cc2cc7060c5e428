package embedded

import (
	"strings"
	"testing"

	"github.com/turbot/steampipe-plugin-sdk/v5/grpc/proto"
)

func FuzzSkipBlank(f *testing.F) {
	for _, seed := range []string{"", ";", "-- a\n;select 1", "/* a */ /* b", "--", "/*", "select ';' -- x", "\ufeff select 1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, sql string) {
		got := skipBlank(sql)
		if !strings.HasSuffix(sql, got) || skipBlank(got) != got {
			t.Errorf("%q became %q", sql, got)
		}
	})
}

func TestFillEmptyLists(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"select 1 where a in ()":                     "select 1 where a in (select null where false)",
		"where a not IN\n( ) or b in ()":             "where a not in (select null where false) or b in (select null where false)",
		"where a = 'in ()' and \"in ()\" = 1":        "where a = 'in ()' and \"in ()\" = 1",
		"where a = 'it''s in ()' -- in ()\n/* in ()": "where a = 'it''s in ()' -- in ()\n/* in (select null where false)",
		"where begin() and a in (1)":                 "where begin() and a in (1)",
	} {
		if got := fillEmptyLists(in); got != want {
			t.Errorf("%q: got %q", in, got)
		}
	}
}

// A value that is asked for has one key however often its text is taken for it, and one that the SDK cannot hold goes
// out as a string.
func FuzzValues(f *testing.F) {
	for _, seed := range []string{"192.0.2.1", "192.0.2.1/32", "::ffff:192.0.2.1", "2001:DB8::/32", "fe80::1%eth0", "999.1.1.1", "",
		"2026-01-02", "2026-01-02T03:04:05.6+01:00", "true", "T", "1", "-0", "1e5", "NaN", `{"a": [1, 2]}`, "\x00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for kind := range columnTypes {
			key := matchKey(kind, text)
			if again := matchKey(kind, key); again != key && kind != proto.ColumnType_DOUBLE {
				t.Errorf("%v %q: %q, then %q", kind, text, key, again)
			}
			value, ok := qualValue(kind, text)
			if isNetwork(kind) && (!ok || (value.GetInetValue() != nil) != canHold(kind, text) ||
				value.GetInetValue().GetCidr()+value.GetStringValue() != text) {
				t.Errorf("%v %q: %v", kind, text, value)
			}
		}
	})
}
