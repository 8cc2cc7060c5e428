package rowformat

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/parquet-go/parquet-go"
)

// A parquetKind is what the values of a type of Parquet are.
type parquetKind int

const (
	parquetText parquetKind = iota
	parquetBool
	parquetInt
	parquetDouble
	parquetTime
	parquetBytes
	parquetJSON
	parquetList
	parquetMap // of texts
	parquetStruct
)

// parquetKindNames are the names of the kinds in errors.
var parquetKindNames = [...]string{"text", "a boolean", "a whole number", "a number", "a time", "bytes", "JSON", "a list", "an object", "an object"}

// A parquetType is the type of a column, of the elements of a list, of the values of a map, or of a field of a struct.
// Every value may be null. The last four kinds read JSON.
type parquetType struct {
	kind   parquetKind
	elem   *parquetType // of a list or map
	fields []parquetField
	// leaf is the number of the leaf column with the values, and of a map that with the keys.
	leaf int
}

type parquetField struct {
	name string
	kind *parquetType
}

var (
	timeType       = reflect.TypeFor[time.Time]()
	rawMessageType = reflect.TypeFor[json.RawMessage]()
)

// parquetTypeOf returns the type of the JSON of a Go type. It is JSON if the values have no fixed shape.
func parquetTypeOf(t reflect.Type) *parquetType {
	switch {
	case t == nil || t == rawMessageType:
		return &parquetType{kind: parquetJSON}
	case t == timeType:
		return &parquetType{kind: parquetTime}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return parquetTypeOf(t.Elem())
	case reflect.String:
		return &parquetType{kind: parquetText}
	case reflect.Bool:
		return &parquetType{kind: parquetBool}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return &parquetType{kind: parquetInt}
	case reflect.Float32, reflect.Float64:
		return &parquetType{kind: parquetDouble}
	case reflect.Slice:
		return &parquetType{kind: parquetList, elem: parquetTypeOf(t.Elem())}
	case reflect.Map:
		return &parquetType{kind: parquetMap, elem: parquetTypeOf(t.Elem())}
	case reflect.Struct:
		s := &parquetType{kind: parquetStruct}
		for i := range t.NumField() {
			name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
			s.fields = append(s.fields, parquetField{name, parquetTypeOf(t.Field(i).Type)})
		}
		return s
	}
	return &parquetType{kind: parquetJSON}
}

// isNested reports whether values have more than one part.
func (t *parquetType) isNested() bool { return t.kind >= parquetList }

// node returns the type as a node of a schema.
func (t *parquetType) node() parquet.Node {
	switch t.kind {
	case parquetBool:
		return parquet.Optional(parquet.Leaf(parquet.BooleanType))
	case parquetInt:
		return parquet.Optional(parquet.Int(64))
	case parquetDouble:
		return parquet.Optional(parquet.Leaf(parquet.DoubleType))
	case parquetTime:
		return parquet.Optional(parquet.Timestamp(parquet.Microsecond))
	case parquetBytes:
		return parquet.Optional(parquet.Leaf(parquet.ByteArrayType))
	case parquetJSON:
		return parquet.Optional(parquet.JSON())
	case parquetList:
		return parquet.Optional(parquet.List(t.elem.node()))
	case parquetMap:
		return parquet.Optional(parquet.Map(parquet.String(), t.elem.node()))
	case parquetStruct:
		return parquet.Optional(newParquetGroup(t.fields))
	}
	return parquet.Optional(parquet.String())
}

// number numbers the leaf columns, the first of which is next. It returns the number after them.
func (t *parquetType) number(next int) int {
	t.leaf = next
	switch t.kind {
	case parquetList:
		return t.elem.number(next)
	case parquetMap:
		return t.elem.number(next + 1)
	case parquetStruct:
		for _, f := range t.fields {
			next = f.kind.number(next)
		}
		return next
	}
	return next + 1
}

// mismatch returns the error of a value that a type cannot hold.
func (t *parquetType) mismatch(v any) error {
	text := Text(v)
	if encoded, err := json.Marshal(v); err == nil {
		text = string(encoded)
	}
	if len(text) > maxShownValue {
		text = strings.ToValidUTF8(text[:maxShownValue], "") + "…"
	}
	return fmt.Errorf("%s is not %s", text, parquetKindNames[t.kind])
}

// maxShownValue is how many bytes of a value an error shows.
const maxShownValue = 60

// value returns a value that has one part. It reports false if the type cannot hold it.
func (t *parquetType) value(v any) (parquet.Value, bool) {
	switch t.kind {
	case parquetBool:
		b, ok := v.(bool)
		return parquet.BooleanValue(b), ok
	case parquetInt:
		if n, ok := v.(json.Number); ok {
			i, err := n.Int64()
			return parquet.Int64Value(i), err == nil
		}
		i, ok := v.(int64)
		return parquet.Int64Value(i), ok
	case parquetDouble:
		f, ok := parquetFloat(v)
		return parquet.DoubleValue(f), ok
	case parquetTime:
		text, _ := v.(string)
		at, err := time.Parse(time.RFC3339Nano, text)
		return parquet.Int64Value(at.UnixMicro()), err == nil
	case parquetBytes:
		b, ok := v.([]byte)
		return parquet.ByteArrayValue(slices.Clone(b)), ok
	case parquetJSON:
		raw, ok := v.(json.RawMessage)
		if !ok {
			var err error
			if raw, err = json.Marshal(v); err != nil {
				return parquet.Value{}, false
			}
		}
		return parquet.ByteArrayValue(validText(string(raw))), true
	}
	if text, ok := v.(json.Number); ok {
		return parquet.ByteArrayValue([]byte(text)), true
	}
	return parquet.ByteArrayValue(validText(Text(v))), true
}

// validText returns a text without bytes that are not UTF-8, which readers of Parquet refuse.
func validText(s string) []byte { return []byte(strings.ToValidUTF8(s, "\ufffd")) }

// parquetFloat returns a number, unless a float64 cannot hold it.
func parquetFloat(v any) (float64, bool) {
	switch v := v.(type) {
	case float64:
		return v, true
	case int64:
		return float64(v), isExact(v)
	case json.Number:
		f, err := v.Float64()
		return f, err == nil
	}
	return 0, false
}

// isExact reports whether a float64 can hold a whole number.
func isExact(i int64) bool { return i >= -1<<53 && i <= 1<<53 }
