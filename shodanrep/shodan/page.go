package shodan

import (
	"encoding/json"
	"errors"
	"fmt"
)

// Page is a part of a list.
type Page[T any] struct {
	Matches []T
	Total   Null[int64] // the length of the whole list
}

// readPage reads a page of objects. It returns an error for anything else.
func readPage[T any](body []byte) (*Page[T], error) {
	raw, err := readObject[struct {
		Matches json.RawMessage `json:"matches"`
		Total   Null[int64]     `json:"total"`
	}](body)
	if err != nil {
		return nil, err
	}
	if raw.Matches == nil {
		return nil, errors.New("the response has no list of matches")
	}
	matches, err := readObjects[T](raw.Matches)
	if err != nil {
		return nil, err
	}
	return &Page[T]{Matches: matches, Total: raw.Total}, nil
}

// readObjects reads a response that is a list of JSON objects. It returns an error for anything else, also for a list
// with one other item, because nothing says what is missing then.
func readObjects[T any](body []byte) ([]T, error) {
	items, err := readList[json.RawMessage](body)
	if err != nil {
		return nil, err
	}
	objects := make([]T, len(items))
	for i, item := range items {
		if err := unmarshalObject(item, &objects[i]); err != nil {
			return nil, fmt.Errorf("item %d of the list: %w", i+1, err)
		}
	}
	return objects, nil
}
