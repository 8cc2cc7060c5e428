package rowformat

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/embedded"
)

// writeParquet writes rows, and returns the file.
func writeParquet(t *testing.T, columns []embedded.Column, o Options, rows ...[]any) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := New(Parquet, &b, columns, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		if err := w.Write(row); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// openParquet opens a file.
func openParquet(t *testing.T, file []byte) *parquet.File {
	t.Helper()
	f, err := parquet.OpenFile(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// typed returns the options of columns that are those of a table, with the types of their JSON.
func typed(columns []embedded.Column, types map[string]reflect.Type) Options {
	o := Options{JSONType: func(origin embedded.Origin) reflect.Type { return types[origin.Column] }}
	for _, c := range columns {
		o.Origins = append(o.Origins, embedded.Origin{Table: "t", Column: c.Name})
	}
	return o
}

type parquetFactor struct {
	Factor   string             `json:"factor"`
	Points   int                `json:"points"`
	Subject  map[string]*string `json:"subject"`
	Expires  *time.Time         `json:"expires"`
	Evidence any                `json:"evidence"`
}

func TestParquetHasTheTypesOfTheTables(t *testing.T) {
	t.Parallel()
	columns := []embedded.Column{
		{Name: "ip", Type: "inet"}, {Name: "Score", Type: "int8"}, {Name: "confidence", Type: "float8"}, {Name: "is_honeypot", Type: "bool"},
		{Name: "checked_at", Type: "timestamptz"}, {Name: "ports", Type: "jsonb"}, {Name: "factors", Type: "jsonb"},
		{Name: "raw", Type: "jsonb"}, {Name: "b", Type: "bytea"},
	}
	o := typed(columns, map[string]reflect.Type{"ports": reflect.TypeFor[[]int](), "factors": reflect.TypeFor[[]parquetFactor]()})
	file := writeParquet(t, columns, o,
		[]any{
			"192.0.2.1", int64(-3), 0.5, true, "2026-01-02T03:04:05.6Z", json.RawMessage(`[22, 9007199254740993]`),
			json.RawMessage(`[{"factor":"a\u0000\ud800","points":5,"subject":{"O":null,"CN":"x"},"expires":"2030-01-01T00:00:00+01:00","evidence":{"tags":["c2"]}},
				{"points":-1,"subject":{},"evidence":[1]}, null]`),
			json.RawMessage(`{"x": 1}`), []byte{0xff},
		},
		[]any{nil, nil, nil, nil, nil, nil, nil, nil, nil},
		[]any{"a\xff", int64(0), 1e300, false, "0001-01-01T00:00:00Z", json.RawMessage(`[]`), json.RawMessage(`[]`), json.RawMessage(`[]`), []byte{}},
	)
	wantSchema := `message rows {
	optional binary ip (STRING);
	optional int64 Score (INT(64,true));
	optional double confidence;
	optional boolean is_honeypot;
	optional int64 checked_at (TIMESTAMP(isAdjustedToUTC=true,unit=MICROS));
	optional group ports (LIST) {
		repeated group list {
			optional int64 element (INT(64,true));
		}
	}
	optional group factors (LIST) {
		repeated group list {
			optional group element {
				optional binary factor (STRING);
				optional int64 points (INT(64,true));
				optional group subject (MAP) {
					repeated group key_value {
						required binary key (STRING);
						optional binary value (STRING);
					}
				}
				optional int64 expires (TIMESTAMP(isAdjustedToUTC=true,unit=MICROS));
				optional binary evidence (JSON);
			}
		}
	}
	optional binary raw (JSON);
	optional binary b;
}`
	f := openParquet(t, file)
	if diff := cmp.Diff(wantSchema, f.Schema().String()); diff != "" {
		t.Error(diff)
	}
	for _, column := range f.Metadata().RowGroups[0].Columns {
		if column.MetaData.Codec.String() != "ZSTD" {
			t.Errorf("%v is compressed with %v", column.MetaData.PathInSchema, column.MetaData.Codec)
		}
	}
	type row struct {
		IP         *string  `parquet:"ip,optional"`
		Score      *int64   `parquet:"Score,optional"`
		Confidence *float64 `parquet:"confidence,optional"`
		Honeypot   *bool    `parquet:"is_honeypot,optional"`
		Checked    *int64   `parquet:"checked_at,optional,timestamp(microsecond)"`
		Raw        *string  `parquet:"raw,optional,json"`
		B          *[]byte  `parquet:"b,optional"`
	}
	got, err := parquet.Read[row](bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 1, 2, 3, 4, 5, 600_000_000, time.UTC).UnixMicro()
	want := []row{
		{new("192.0.2.1"), new(int64(-3)), new(0.5), new(true), &at, new(`{"x": 1}`), new([]byte{0xff})},
		{},
		{new("a\ufffd"), new(int64(0)), new(1e300), new(false), new(time.Time{}.UnixMicro()), new("[]"), new([]byte{})},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{
		"ports: 22 r0 d3, 9007199254740993 r1 d3; null r0 d0; null r0 d1",
		"factors.factor: a\x00\ufffd r0 d4, null r1 d3, null r1 d2; null r0 d0; null r0 d1",
		"factors.points: 5 r0 d4, -1 r1 d4, null r1 d2; null r0 d0; null r0 d1",
		"factors.subject.key: CN r0 d5, O r2 d5, null r1 d4, null r1 d2; null r0 d0; null r0 d1",
		"factors.subject.value: x r0 d6, null r2 d5, null r1 d4, null r1 d2; null r0 d0; null r0 d1",
		"factors.expires: 1893452400000000 r0 d4, null r1 d3, null r1 d2; null r0 d0; null r0 d1",
		`factors.evidence: {"tags":["c2"]} r0 d4, [1] r1 d4, null r1 d2; null r0 d0; null r0 d1`,
	}, levels(t, f, "ports", "factors")); diff != "" {
		t.Error(diff)
	}
}

// levels returns the values of leaf columns with their repetition and definition levels, with a semicolon between rows.
func levels(t *testing.T, f *parquet.File, columns ...string) []string {
	t.Helper()
	rows := f.RowGroups()[0].Rows()
	defer rows.Close()
	buffer := make([]parquet.Row, 100)
	n, err := rows.ReadRows(buffer)
	if err != nil && !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	var found []string
	for i, path := range f.Schema().Columns() {
		isWanted := false
		for _, c := range columns {
			isWanted = isWanted || c == path[0]
		}
		if !isWanted {
			continue
		}
		var texts []string
		for _, row := range buffer[:n] {
			var values []string
			for _, v := range row {
				if v.Column() == i {
					text := "null"
					if !v.IsNull() {
						text = v.String()
					}
					values = append(values, fmt.Sprintf("%s r%d d%d", text, v.RepetitionLevel(), v.DefinitionLevel()))
				}
			}
			texts = append(texts, strings.Join(values, ", "))
		}
		name := strings.NewReplacer(".list.element", "", ".key_value", "").Replace(strings.Join(path, "."))
		found = append(found, name+": "+strings.Join(texts, "; "))
	}
	return found
}

func TestParquetTypesOfExpressionsAreThoseOfTheFirstRows(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		declared string
		values   []any
		want     string
	}{
		"whole numbers":              {"int8", []any{nil, int64(1), int64(2)}, "int64 x (INT(64,true)): null, 1, 2"},
		"whole and other numbers":    {"int8", []any{int64(1), 2.5}, "double x: 1, 2.5"},
		"too large a number":         {"int8", []any{int64(1<<53 + 1), 2.5}, "binary x (STRING): 9007199254740993, 2.5"},
		"numbers and text":           {"int8", []any{int64(1), "a", true, []byte("b"), json.RawMessage(`[1]`)}, "binary x (STRING): 1, a, true, Yg==, [1]"},
		"booleans":                   {"bool", []any{true, nil}, "boolean x: true, null"},
		"JSON":                       {"jsonb", []any{json.RawMessage(`[1]`), nil}, "binary x (JSON): [1], null"},
		"text that is not JSON":      {"jsonb", []any{json.RawMessage(`[1]`), "["}, "binary x (STRING): [1], ["},
		"bytes":                      {"bytea", []any{[]byte{0xff}}, "binary x: \xff"},
		"nothing but nulls":          {"text", []any{nil, nil}, "binary x (STRING): null, null"},
		"nulls of a declared type":   {"float8", []any{nil}, "double x: null"},
		"times of a declared type":   {"timestamptz", []any{"1970-01-01T00:00:01Z"}, "int64 x (TIMESTAMP(isAdjustedToUTC=true,unit=MICROS)): 1000000"},
		"no rows":                    {"text", nil, "binary x (STRING): "},
		"no rows of a declared type": {"int8", nil, "int64 x (INT(64,true)): "},
	} {
		var rows [][]any
		for _, v := range test.values {
			rows = append(rows, []any{v})
		}
		f := openParquet(t, writeParquet(t, []embedded.Column{{Name: "x", Type: test.declared}}, Options{}, rows...))
		schema := strings.TrimSuffix(strings.TrimPrefix(f.Schema().String(), "message rows {\n\toptional "), ";\n}")
		var values []string
		if len(rows) > 0 {
			_, list, _ := strings.Cut(levels(t, f, "x")[0], ": ")
			for value := range strings.SplitSeq(list, "; ") {
				value, _, _ = strings.Cut(value, " r0 ")
				values = append(values, value)
			}
		}
		if got := schema + ": " + strings.Join(values, ", "); got != test.want {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
}

func TestParquetNamesEachColumnOnce(t *testing.T) {
	t.Parallel()
	columns := []embedded.Column{{Name: "ip"}, {Name: "IP"}, {Name: "ip_2"}, {Name: "count(*)"}, {Name: ""}, {Name: "a.b"}, {Name: "a\xff"}}
	var got []string
	for _, path := range openParquet(t, writeParquet(t, columns, Options{}, []any{"a", "b", "c", "d", "e", "f", "g"})).Schema().Columns() {
		got = append(got, path...)
	}
	if diff := cmp.Diff([]string{"ip", "IP_2", "ip_2_2", "count(*)", "column", "a.b", "a\ufffd"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestParquetSaysWhichValueDoesNotFit(t *testing.T) {
	t.Parallel()
	list := json.RawMessage(`["` + strings.Repeat("é", 100) + `"]`)
	for want, test := range map[string]struct {
		o      Options
		column embedded.Column
		first  any
		bad    any
	}{
		`column "x" of row 11: 1.5 is not a whole number, which the first rows have: select cast("x" as text) as "x"`: {Options{}, embedded.Column{Name: "x"}, int64(1), 1.5},
		`column "x" of row 11: "a" is not a number, which the first rows have: select cast("x" as text) as "x"`:       {Options{}, embedded.Column{Name: "x"}, 1.5, "a"},
		`column "x" of row 11: "soon" is not a time, which the first rows have: select cast("x" as text) as "x"`:      {Options{}, embedded.Column{Name: "x", Type: "timestamptz"}, "2026-01-02T03:04:05Z", "soon"},
		`column "x" of row 11: "` + strings.Repeat("é", 29) + `… is not a whole number`:                               {typed([]embedded.Column{{Name: "x"}}, map[string]reflect.Type{"x": reflect.TypeFor[[]int]()}), embedded.Column{Name: "x", Type: "jsonb"}, nil, list},
		`column "x" of row 11: {"a":1} is not a list`:                                                                 {typed([]embedded.Column{{Name: "x"}}, map[string]reflect.Type{"x": reflect.TypeFor[[]int]()}), embedded.Column{Name: "x", Type: "jsonb"}, nil, json.RawMessage(`{"a":1}`)},
	} {
		w, err := New(Parquet, io.Discard, []embedded.Column{test.column}, test.o)
		if err != nil {
			t.Fatal(err)
		}
		w.(*parquetWriter).limits.typingRows = 10
		for range 10 {
			if err := w.Write([]any{test.first}); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Write([]any{test.bad}); err == nil || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
}

// A countingWriter counts bytes.
type countingWriter struct{ n int }

func (w *countingWriter) Write(p []byte) (int, error) {
	w.n += len(p)
	return len(p), nil
}

func TestParquetWritesRowGroupsAsRowsArrive(t *testing.T) {
	t.Parallel()
	columns := []embedded.Column{{Name: "n", Type: "int8"}, {Name: "text", Type: "text"}}
	random := rand.New(rand.NewChaCha8([32]byte{}))
	byRows := parquetLimits{typingRows: 10, typingBytes: 1 << 30, groupRows: 100, groupBytes: 1 << 30}
	byBytes := parquetLimits{typingRows: 1 << 30, typingBytes: 10 << 10, groupRows: 1 << 30, groupBytes: 100 << 10}
	for name, test := range map[string]struct {
		o      Options
		limits parquetLimits
	}{
		"many rows":                    {typed(columns, nil), byRows},
		"many rows of unknown types":   {Options{}, byRows},
		"large values":                 {typed(columns, nil), byBytes},
		"large values of unknown type": {Options{}, byBytes},
	} {
		var out countingWriter
		var b bytes.Buffer
		w, err := New(Parquet, io.MultiWriter(&out, &b), columns, test.o)
		if err != nil {
			t.Fatal(err)
		}
		w.(*parquetWriter).limits = test.limits
		flushed, last := 0, 0
		const rows = 201
		for i := range rows {
			text := make([]byte, 1<<10) // which is not made smaller by compression
			for j := range text {
				text[j] = byte(' ' + random.IntN(95))
			}
			if err := w.Write([]any{int64(i), string(text)}); err != nil {
				t.Fatal(err)
			}
			if out.n != last {
				flushed, last = flushed+1, out.n
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		f := openParquet(t, b.Bytes())
		if len(f.RowGroups()) != 3 || flushed != 2 || f.NumRows() != rows {
			t.Errorf("%s: %d row groups, %d of them before the end, %d rows", name, len(f.RowGroups()), flushed, f.NumRows())
		}
	}
}

func TestParquetIsNotReadableBeforeItsEnd(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	columns := []embedded.Column{{Name: "n", Type: "int8"}}
	w, err := New(Parquet, &b, columns, typed(columns, nil))
	if err != nil {
		t.Fatal(err)
	}
	for i := range defaultParquetLimits.groupRows {
		if err := w.Write([]any{int64(i)}); err != nil {
			t.Fatal(err)
		}
	}
	if f, err := parquet.OpenFile(bytes.NewReader(b.Bytes()), int64(b.Len())); err == nil || b.Len() == 0 {
		t.Errorf("%d bytes are a file of %d rows", b.Len(), f.NumRows())
	}
}

// FuzzParquetOfJSON writes any JSON into columns of any shape: it is written or refused, and what is written is read.
func FuzzParquetOfJSON(f *testing.F) {
	f.Add(`[{"factor":"a","points":1,"subject":{"CN":"x"},"expires":"2030-01-01T00:00:00Z","evidence":[1]}]`)
	f.Add(`{"a":["b",null]}`)
	f.Add(`[[1],[]]`)
	types := []reflect.Type{
		reflect.TypeFor[[]parquetFactor](), reflect.TypeFor[map[string][]string](), reflect.TypeFor[[][]float64](), nil,
	}
	f.Fuzz(func(t *testing.T, text string) {
		if !json.Valid([]byte(text)) {
			t.Skip()
		}
		columns := []embedded.Column{{Name: "x", Type: "jsonb"}, {Name: "n", Type: "int8"}}
		for _, shape := range types {
			var b bytes.Buffer
			w, err := New(Parquet, &b, columns, typed(columns, map[string]reflect.Type{"x": shape}))
			if err != nil {
				t.Fatal(err)
			}
			if err := w.Write([]any{json.RawMessage(text), int64(7)}); err != nil {
				continue
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			got := levels(t, openParquet(t, b.Bytes()), "n")
			if diff := cmp.Diff([]string{"n: 7 r0 d1"}, got); diff != "" {
				t.Error(diff)
			}
		}
	})
}
