package shodanrep

import (
	"context"
	"slices"
	"time"

	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

const (
	// batchValues is how many values go into one request, and batchLength how long they may be together: host names
	// can have 253 characters each, and servers refuse an address that is too long.
	batchValues = 100
	batchLength = 4000
)

// A batchedValue is a value of a key column of which many are asked for in one request.
type batchedValue struct {
	given string // as it was asked for, which the row has to echo
	key   string // as the service is asked for it; empty where it is not asked
	// status and error say why it is not asked.
	status lookup.Status
	error  string
}

// A batchedRow is what became of a value: one row each.
type batchedRow[V any] struct {
	batchedValue
	value     V
	checkedAt time.Time
}

// batched makes the List function of a table with one row for each value of a key column, of which many are asked for
// in one request. A value that could not be asked for is a row as well; only what is wrong with the key fails the query.
func batched[V any](column string, read func(string) batchedValue, call func([]string) shodan.Call[map[string]V], found func(V) lookup.Status) plugin.HydrateFunc {
	return listing(func(ctx context.Context, r *request, emit func(*batchedRow[V]) bool) error {
		if err := r.engine.CheckKey(r.d.Table.Name); err != nil {
			return err
		}
		batches := inScan(r.query, "batches", func() *batches { return divide(r, column, read) })
		for _, text := range r.texts(column) {
			row := &batchedRow[V]{batchedValue: read(text)}
			if !batches.needed[text] {
				continue
			}
			if row.key != "" {
				reply, err := fetch(ctx, r.query, call(batches.byKey[row.key]))
				value, ok := reply.Value[row.key]
				switch {
				case failsQuery(ctx, err):
					return err
				case err != nil:
					row.status, row.error = lookup.Failed, err.Error()
				case !ok:
					row.status, row.error = lookup.Failed, "Shodan's answer does not say what there is of it: ask again later"
				default:
					row.status, row.value, row.checkedAt = found(value), value, reply.CheckedAt
				}
			}
			if !emit(row) {
				return nil
			}
		}
		return nil
	})
}

// batches are the requests for the values of a scan.
type batches struct {
	// needed are the values that are to be rows: all, or so many as the scan needs.
	needed map[string]bool
	byKey  map[string][]string
}

// divide makes batches of all the values of a scan. Each value is one row, so that no more are asked for than the scan
// needs rows.
func divide(r *request, column string, read func(string) batchedValue) *batches {
	values := r.whole(column)
	values = values[:r.limit(len(values))]
	b := &batches{needed: map[string]bool{}, byKey: map[string][]string{}}
	var keys []string
	for _, value := range values {
		b.needed[value] = true
		if key := read(value).key; key != "" {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	keys = slices.Compact(keys)
	for len(keys) > 0 {
		n, length := 0, 0
		for n < min(len(keys), batchValues) && (n == 0 || length+len(keys[n]) <= batchLength) {
			length += len(keys[n]) + len("%2C")
			n++
		}
		for _, key := range keys[:n] {
			b.byKey[key] = keys[:n]
		}
		keys = keys[n:]
	}
	return b
}

// echoed is the value of a key column as it was asked for, also where that is an empty text: from would make it null,
// and who asked for it would see no row.
func echoed(given *string) any { return given }

// failsQuery reports whether an error is one for which a query fails, and not only the row that it is about: what is
// wrong with the key would be wrong with every row.
func failsQuery(ctx context.Context, err error) bool {
	return err != nil && (ctx.Err() != nil || shodan.IsKind(err, shodan.BadKey, shodan.PlanTooLow, shodan.CreditsSpent))
}
