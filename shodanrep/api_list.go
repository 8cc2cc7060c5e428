package shodanrep

import (
	"context"
	"time"

	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

// listOf configures the list of a table that is not about addresses. Each has tags of its own: the SDK adds to them.
func listOf(hydrate plugin.HydrateFunc, keys ...*plugin.KeyColumn) *plugin.ListConfig {
	return &plugin.ListConfig{KeyColumns: keys, Hydrate: hydrate, Tags: map[string]string{"service": "shodan", "action": "list"}}
}

// fromAnswer makes the List function of a table whose rows are all in the answer to one call.
func fromAnswer[T, R any](call shodan.Call[T], rows func(*request, T) []R) plugin.HydrateFunc {
	return listing(func(ctx context.Context, r *request, emit func(R) bool) error {
		reply, err := fetch(ctx, r.query, call)
		if err != nil {
			return err
		}
		for _, row := range rows(r, reply.Value) {
			if !emit(row) {
				break
			}
		}
		return nil
	})
}

// items are the rows of an answer that is a list of them.
func items[R any](_ *request, list []R) []R { return list }

// A part is an item of a list that comes in pages, with how many the list has in all, where that is said.
type part[T any] struct {
	item  T
	total *int64
	// checkedAt is when the service was asked for the page of the item.
	checkedAt time.Time
}

// paged emits the items of page after page, each once and at most as many as the scan needs or most. It ends with the
// list, or with a page that has nothing new: what comes in between moves items from one page to the next.
func paged[T any](ctx context.Context, r *request, most int, page func(int) shodan.Call[*shodan.Page[T]], key func(T) string, emit func(part[T]) bool) error {
	seen := map[string]bool{}
	for number, limit := 1, r.limit(most); len(seen) < limit; number++ {
		reply, err := fetch(ctx, r.query, page(number))
		if err != nil {
			return err
		}
		before, total := len(seen), reply.Value.Total.Ptr()
		for _, item := range reply.Value.Matches {
			if seen[key(item)] || len(seen) == limit {
				continue
			}
			seen[key(item)] = true
			if !emit(part[T]{item, total, reply.CheckedAt}) {
				return nil
			}
		}
		if len(seen) == before || total != nil && int64(len(seen)) >= *total {
			return nil
		}
	}
	return nil
}
