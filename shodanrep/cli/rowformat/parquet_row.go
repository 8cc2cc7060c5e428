package rowformat

import (
	"maps"
	"slices"

	"github.com/parquet-go/parquet-go"
)

// A parquetRow is a row by leaf columns. Levels are those of the encoding of Parquet: a value's definition level says
// how many of the optional and repeated nodes above it are there, and its repetition level which of them repeats.
type parquetRow [][]parquet.Value

// add adds a value whose parent has the given levels. repeated is how many repeated nodes are above it. Values are those
// of [embedded.Rows.Values], and those that encoding/json decodes.
func (r parquetRow) add(t *parquetType, v any, repetition, definition, repeated int) error {
	if v == nil {
		r.addNulls(t, repetition, definition)
		return nil
	}
	switch t.kind {
	case parquetList:
		list, ok := v.([]any)
		if !ok {
			return t.mismatch(v)
		}
		if len(list) == 0 {
			r.addNulls(t, repetition, definition+1)
		}
		for _, element := range list {
			if err := r.add(t.elem, element, repetition, definition+2, repeated+1); err != nil {
				return err
			}
			repetition = repeated + 1
		}
		return nil
	case parquetMap:
		object, ok := v.(map[string]any)
		if !ok {
			return t.mismatch(v)
		}
		if len(object) == 0 {
			r.addNulls(t, repetition, definition+1)
		}
		for _, key := range slices.Sorted(maps.Keys(object)) {
			r.addLeaf(t.leaf, parquet.ByteArrayValue([]byte(key)), repetition, definition+2)
			if err := r.add(t.elem, object[key], repetition, definition+2, repeated+1); err != nil {
				return err
			}
			repetition = repeated + 1
		}
		return nil
	case parquetStruct:
		object, ok := v.(map[string]any)
		if !ok {
			return t.mismatch(v)
		}
		for _, f := range t.fields {
			if err := r.add(f.kind, object[f.name], repetition, definition+1, repeated); err != nil {
				return err
			}
		}
		return nil
	}
	value, ok := t.value(v)
	if !ok {
		return t.mismatch(v)
	}
	r.addLeaf(t.leaf, value, repetition, definition+1)
	return nil
}

// addNulls adds a null to every leaf column of a type.
func (r parquetRow) addNulls(t *parquetType, repetition, definition int) {
	switch t.kind {
	case parquetStruct:
		for _, f := range t.fields {
			r.addNulls(f.kind, repetition, definition)
		}
		return
	case parquetMap:
		r.addLeaf(t.leaf, parquet.NullValue(), repetition, definition)
		r.addNulls(t.elem, repetition, definition)
		return
	case parquetList:
		r.addNulls(t.elem, repetition, definition)
		return
	}
	r.addLeaf(t.leaf, parquet.NullValue(), repetition, definition)
}

func (r parquetRow) addLeaf(column int, v parquet.Value, repetition, definition int) {
	r[column] = append(r[column], v.Level(repetition, definition, column))
}
