package shodanrep

import (
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

// A ValueEncoder takes the value of a column in the type that it has. Unlike a value of the type any, most of them then
// need no memory.
type ValueEncoder interface {
	Null()
	Int(n int64)
	Float(f float64)
	Text(s string)
	Time(t time.Time)
	// JSONTexts, JSONInts and JSON take values of the type jsonb that are not null: lists of texts and of integers, and
	// what else encoding/json marshals.
	JSONTexts(list []string)
	JSONInts(list []int)
	JSON(v any)
	// Value takes a value of a type that is not known before: nil, a string, bool, int64 or float64.
	Value(v any)
}

// encoderOf returns the function encode of the getter of a column.
func encoderOf[T, V any](get func(T) V) func(hydrated any, e ValueEncoder) {
	switch get := any(get).(type) {
	case func(T) string:
		return encodeWith(get, func(s string) bool { return s == "" }, ValueEncoder.Text)
	case func(T) *float64:
		return encodeWith(get, isNil[float64], func(e ValueEncoder, f *float64) { e.Float(*f) })
	case func(T) *int:
		return encodeWith(get, isNil[int], func(e ValueEncoder, n *int) { e.Int(int64(*n)) })
	case func(T) time.Time:
		return encodeWith(get, time.Time.IsZero, encodeTime)
	case func(T) []string:
		return encodeWith(get, isNilList[[]string], ValueEncoder.JSONTexts)
	case func(T) shodan.Texts:
		return encodeWith(get, isNilList[shodan.Texts], func(e ValueEncoder, list shodan.Texts) { e.JSONTexts(list) })
	case func(T) []int:
		return encodeWith(get, isNilList[[]int], ValueEncoder.JSONInts)
	case func(T) []serviceSummary:
		return encodeWith(get, isNilList[[]serviceSummary], func(e ValueEncoder, list []serviceSummary) { e.JSON(list) })
	case func(T) shodan.Ints:
		return encodeWith(get, isNilList[shodan.Ints], func(e ValueEncoder, list shodan.Ints) { e.JSONInts(list) })
	}
	return nil
}

// encodeWith returns a function that gets a value and encodes it, or null.
func encodeWith[T, V any](get func(T) V, isNull func(V) bool, encode func(ValueEncoder, V)) func(hydrated any, e ValueEncoder) {
	return func(hydrated any, e ValueEncoder) {
		if item, ok := hydrated.(T); ok {
			if value := get(item); !isNull(value) {
				encode(e, value)
				return
			}
		}
		e.Null()
	}
}

func isNil[V any](p *V) bool { return p == nil }

func isNilList[L ~[]V, V any](list L) bool { return list == nil }

// encodeTime encodes a time as the SDK returns the table's.
func encodeTime(e ValueEncoder, t time.Time) { e.Time(plainTime(t)) }
