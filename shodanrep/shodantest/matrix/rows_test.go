package matrix

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// A row is a row of a result by column, as text, and empty for null.
type row map[string]string

// moving are the columns whose values differ from query to query.
var moving = []string{"checked_at", "requests_spent", "query_credits_spent", "query_credits", "unlocked_left", "fresh_until"}

// sorted returns rows in an order, without the columns that differ from query to query.
func sorted(rows []row) []string {
	var texts []string
	for _, r := range rows {
		text, _ := json.Marshal(still(r))
		texts = append(texts, string(text))
	}
	slices.Sort(texts)
	return texts
}

func still(r row) row {
	kept := row{}
	for name, value := range r {
		if !slices.Contains(moving, name) {
			kept[name] = value
		}
	}
	return kept
}

// keysOf returns the values of the key column.
func keysOf(column string, rows []row) []string {
	var keys []string
	for _, r := range rows {
		if !slices.Contains(keys, r[column]) {
			keys = append(keys, r[column])
		}
	}
	return keys
}

func withKey(column, key string, rows []row) []row {
	var found []row
	for _, r := range rows {
		if r[column] == key {
			found = append(found, still(r))
		}
	}
	slices.SortFunc(found, func(a, b row) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	return found
}
