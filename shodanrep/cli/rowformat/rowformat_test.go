package rowformat

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"unicode"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/embedded"
)

func TestListsAreReadable(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`["c2","malware"]`:             "c2, malware",
		`[22,443]`:                     "22, 443",
		`[]`:                           "",
		`[true,null,1.5]`:              "true, null, 1.5",
		`["a, b","say \"x\"",""," c"]`: `"a, b", "say \"x\"", "", " c"`,
		`["\u001b[31m"]`:               `\x1b[31m`,
		`[["a"]]`:                      `[["a"]]`,
		`[{"port":22}]`:                `[{"port":22}]`,
		`{"tags":["a"]}`:               `{"tags":["a"]}`,
		`"text"`:                       `"text"`,
		`[ "a" , "<b>" ]`:              "a, <b>",
		`["half`:                       `["half`,
	} {
		if got := readable(json.RawMessage(in)); got != want {
			t.Errorf("%s: got %q, want %q", in, got, want)
		}
	}
}

// Readers of CSV skip empty lines.
func TestARowOfOneEmptyFieldIsNoEmptyLine(t *testing.T) {
	t.Parallel()
	for format, want := range map[string]string{"csv": "a\n\"\"\nx\n\"\"\n", "tsv": "a\n\"\"\nx\n\"\"\n"} {
		var b bytes.Buffer
		w, err := NewText(format, &b, []embedded.Column{{Name: "a"}}, Options{})
		for _, value := range []any{nil, "x", ""} {
			err = errors.Join(err, w.Write([]any{value}))
		}
		if err = errors.Join(err, w.Close()); err != nil || b.String() != want {
			t.Errorf("%s: %q, %v, want %q", format, b.String(), err, want)
		}
	}
	var b bytes.Buffer
	w, err := NewText("csv", &b, []embedded.Column{{Name: "a"}, {Name: "b"}}, Options{NoHeader: true})
	if err = errors.Join(err, w.Write([]any{nil, nil})); err != nil || b.String() != ",\n" {
		t.Errorf("%q, %v", b.String(), err)
	}
}

func FuzzJSONEscaper(f *testing.F) {
	f.Add("a\x1b\u009b\U000e0001\xff")
	f.Fuzz(func(t *testing.T, s string) {
		document, err := json.Marshal(s)
		if err != nil {
			t.Skip()
		}
		var b bytes.Buffer
		if _, err := (jsonEscaper{&b}).Write(document); err != nil {
			t.Fatal(err)
		}
		var want, got string
		if err := json.Unmarshal(document, &want); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(b.Bytes(), &got); err != nil || got != want || strings.ContainsFunc(b.String(), func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("%q: %q, %v", s, b.String(), err)
		}
	})
}

func FuzzCSVIsThatOfTheStandardLibrary(f *testing.F) {
	f.Add("a", `say "x"`, "tab\there")
	f.Add(`\.`, `\.x`, ``)
	f.Add(" a", "\u00a0b", "\x85")
	f.Add(`[{"a":"12345678"},"",""]`, `"""""""""""""""""`, "0123456\"89012345678")
	f.Add("a,b", "\r\n", "\xff\"\x80\"")
	f.Fuzz(func(t *testing.T, a, b, c string) {
		for _, separator := range []byte{',', '\t'} {
			var want, got bytes.Buffer
			standard := csv.NewWriter(&want)
			standard.Comma = rune(separator)
			if err := standard.Write([]string{a, b, c, a, "1.5", "true"}); err != nil {
				t.Fatal(err)
			}
			standard.Flush()
			w, err := newCSVWriter(&got, nil, separator, Options{NoHeader: true})
			if err != nil {
				t.Fatal(err)
			}
			if err := w.Write([]any{a, json.RawMessage(b), json.RawMessage(c), a, 1.5, true}); err != nil {
				t.Fatal(err)
			}
			if got.String() != want.String() {
				t.Errorf("got %q, want %q", got.String(), want.String())
			}
		}
	})
}

func FuzzStringsAreThoseOfEncodingJSON(f *testing.F) {
	f.Add("plain", "<a href=\"x\">&\\")
	f.Add("\u2028\x7f\x00\xff", "é")
	f.Fuzz(func(t *testing.T, a, b string) {
		want, err := json.Marshal([]string{a, b})
		if err != nil {
			t.Fatal(err)
		}
		if got := JSONQuote.AppendStrings([]byte("x"), []string{a, b}); string(got) != "x"+string(want) {
			t.Errorf("got %q, want %q", got, want)
		}
		for _, separator := range []byte{',', '\t'} {
			var out bytes.Buffer
			w, err := newCSVWriter(&out, nil, separator, Options{NoHeader: true})
			if err != nil {
				t.Fatal(err)
			}
			e := w.NewEncoder()
			e.Begin(nil)
			e.JSONTexts([]string{a, b})
			text, quote := e.BeginJSON()
			e.EndJSON(quote.AppendString(text, a))
			if err := w.WriteRows(e.End()); err != nil {
				t.Fatal(err)
			}
			r := csv.NewReader(&out)
			r.Comma = rune(separator)
			fields, err := r.Read()
			if single, _ := json.Marshal(a); err != nil || len(fields) != 2 || fields[0] != string(want) || fields[1] != string(single) {
				t.Errorf("the fields %q, %v, want %s and %s", fields, err, want, single)
			}
		}
	})
}

func BenchmarkCSV(b *testing.B) {
	factors := json.RawMessage(`[{"factor":"suspicious_ports","points":10,"detail":"what seldom serves a good purpose: 4444","evidence":{"ports":[4444]}}]`)
	w, err := newCSVWriter(io.Discard, nil, ',', Options{NoHeader: true})
	if err != nil {
		b.Fatal(err)
	}
	row := []any{"203.0.113.7", "203.0.113.7", "internetdb", "indexed", nil, int64(10), "low", "extended", 0.63, factors, nil, true, factors}
	b.ReportAllocs()
	for b.Loop() {
		if err := w.Write(row); err != nil {
			b.Fatal(err)
		}
	}
}
