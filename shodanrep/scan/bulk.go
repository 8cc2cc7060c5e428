package scan

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

const (
	// bulkValues is how many values go into one request, and bulkLength how long they may be together: host names can
	// have 253 characters each, and servers refuse a URL that is too long.
	bulkValues = 100
	bulkLength = 4000
)

// A BulkValue is a value of a key column of which one request takes many.
type BulkValue struct {
	Given string // as the query has it, which the row must repeat
	Key   string // as the service takes it; empty if it is not requested
	// Status and Error say why it is not requested.
	Status lookup.Status
	Error  string
	// Count counts the result of its lookup, whose failure is nil if it succeeded.
	Count func(ctx context.Context, failure error)
}

// A BulkRow is the one row of a value.
type BulkRow[V any] struct {
	BulkValue
	Value     V
	CheckedAt time.Time
}

// errLeftOut is the failure of a value that the response does not have.
var errLeftOut = errors.New("the response of Shodan does not say what there is of it: run the query again later")

// Bulk makes the function of FromPages for a table with one row for each value of a key column, of which one request
// takes many. A value whose request failed is a row as well; only what is wrong with the API key fails the scan.
func Bulk[V any](column string, parse func(string) BulkValue, call func(keys []string) shodan.Call[map[string]V], status func(V) lookup.Status) func(context.Context, *ListCall, func(*BulkRow[V]) bool) error {
	return func(ctx context.Context, c *ListCall, emit func(*BulkRow[V]) bool) error {
		if err := c.engine.CheckKey(c.TableName()); err != nil {
			return err
		}
		requests := once(c.Scan, "bulk requests", func() *bulkRequests { return divide(c, column, parse) })
		for _, text := range c.Texts(column) {
			row := &BulkRow[V]{BulkValue: parse(text)}
			if !requests.needed[text] {
				continue
			}
			var failure error
			if row.Status == lookup.Failed {
				failure = errors.New(row.Error)
			}
			if row.Key != "" {
				reply, err := Fetch(ctx, c, call(requests.byKey[row.Key]))
				value, ok := reply.Value[row.Key]
				if err == nil && !ok {
					err = errLeftOut
				}
				switch {
				case FailsScan(ctx, err):
					return err
				case err != nil:
					row.Status, row.Error = lookup.Failed, err.Error()
				default:
					row.Status, row.Value, row.CheckedAt = status(value), value, reply.CheckedAt
				}
				failure = err
			}
			row.Count(ctx, failure)
			if !emit(row) {
				return nil
			}
		}
		return nil
	}
}

// bulkRequests are the requests for the values of a scan.
type bulkRequests struct {
	needed map[string]bool     // the values that become rows: all, or as many as the scan needs
	byKey  map[string][]string // the keys that are in one request with a key
}

// divide divides all the values of a scan among requests. Each value is one row, so that no more are requested than the
// scan needs rows.
func divide(c *ListCall, column string, parse func(string) BulkValue) *bulkRequests {
	values := c.AllTexts(column)
	values = values[:c.Limit(len(values))]
	b := &bulkRequests{needed: map[string]bool{}, byKey: map[string][]string{}}
	var keys []string
	for _, value := range values {
		b.needed[value] = true
		if key := parse(value).Key; key != "" {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	keys = slices.Compact(keys)
	for len(keys) > 0 {
		n, length := 0, 0
		for n < min(len(keys), bulkValues) && (n == 0 || length+len(keys[n]) <= bulkLength) {
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

// FailsScan reports whether an error is one for which a scan fails, and not only the row that it is about: what is wrong
// with the key would be wrong with every row.
func FailsScan(ctx context.Context, err error) bool {
	return err != nil && (ctx.Err() != nil || shodan.IsKind(err, shodan.BadKey, shodan.PlanTooLow, shodan.CreditsSpent))
}
