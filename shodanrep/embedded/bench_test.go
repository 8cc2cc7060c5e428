package embedded_test

import (
	"fmt"
	"strings"
	"testing"
)

// list returns n addresses as the text of an IN list.
func list(n int) string {
	values := make([]string, n)
	for i := range values {
		values[i] = fmt.Sprintf("'198.51.%d.%d'", i/256, i%256)
	}
	return "(" + strings.Join(values, ", ") + ")"
}

func BenchmarkList(b *testing.B) {
	for _, n := range []int{1000, 3000, 10000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			f := open(b, 0)
			sql := "select count(*), sum(score) from fake_address where ip in " + list(n)
			b.ReportAllocs()
			for b.Loop() {
				f.query(b, sql)
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*n), "µs/address")
		})
	}
}

func BenchmarkJoin(b *testing.B) {
	const n = 1000
	f := open(b, 0)
	f.query(b, "create table t as with recursive i(n) as (select 0 union all select n+1 from i where n < 999) select '198.51.100.' || n%256 ip from i")
	for b.Loop() {
		f.query(b, "select count(*), sum(score) from t join fake_address a on a.ip = t.ip")
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*n), "µs/address")
}
