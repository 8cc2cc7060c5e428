package rowformat

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"strings"
	"testing"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/embedded"
)

func TestFormulasAreEscapedOnRequest(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"=1+1":                    "'=1+1",
		"@SUM(1+1)*cmd|' /C x'!A": "'@SUM(1+1)*cmd|' /C x'!A",
		"+1":                      "'+1",
		"-1":                      "'-1",
		"＝1":                      "'＝1",
		"\t=1":                    "\t'=1",
		"\r\n\x00 =1":             "\r\n\x00 '=1",
		`a;"=1`:                   `a;"'=1`,
		"\u00a0\u200b=1":          "\u00a0\u200b'=1",
		"==1":                     "'==1",
		"nginx;=1;-2":             "nginx;'=1;'-2",
		"HTTP/1.1 200 OK\r\n=1":   "HTTP/1.1 200 OK\r\n'=1",
		"a\tb\n\n @x | +y":        "a\tb\n\n '@x | '+y",
		"a=b, -c 1-2 d@e":         "a=b, -c 1-2 d@e",
		"'=1":                     "'=1",
		"":                        "",
		"198.51.100.66":           "198.51.100.66",
	} {
		if got := escapeFormulas(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

// Numbers are none: a spreadsheet takes -1.5 for what it is. JSON stays JSON.
func TestOnlyTextsAndNamesOfColumnsAreEscaped(t *testing.T) {
	t.Parallel()
	for _, separator := range []byte{',', '\t'} {
		var b bytes.Buffer
		columns := []embedded.Column{{Name: "=name"}, {Name: "ip"}}
		w, err := newCSVWriter(&b, columns, separator, Options{EscapeFormulas: true})
		if err != nil {
			t.Fatal(err)
		}
		row := []any{"=1", int64(-1), -1.5, true, nil, json.RawMessage(`{"a":"x;=1","b":-1}`), "plain"}
		if err := w.Write(row); err != nil {
			t.Fatal(err)
		}
		w.encoder.Begin(nil)
		w.encoder.JSONTexts([]string{"-a", ";=b"})
		w.encoder.JSONInts([]int{-1, -2})
		if err := w.WriteRows(w.encoder.End()); err != nil {
			t.Fatal(err)
		}
		r := csv.NewReader(&b)
		r.Comma, r.FieldsPerRecord = rune(separator), -1
		records, err := r.ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		want := [][]string{
			{"'=name", "ip"},
			{"'=1", "-1", "-1.5", "true", "", `{"a":"x;'=1","b":-1}`, "plain"},
			{`["-a",";'=b"]`, "[-1,-2]"},
		}
		for i := range want {
			if got := strings.Join(records[i], "§"); got != strings.Join(want[i], "§") {
				t.Errorf("got %q, want %q", got, want[i])
			}
		}
	}
}

func FuzzNoFormulaIsLeft(f *testing.F) {
	f.Add("=1", ";\t=1")
	f.Add("\r\n;=", "a\n-1")
	f.Fuzz(func(t *testing.T, a, b string) {
		for _, separator := range []byte{',', '\t'} {
			var out bytes.Buffer
			w, err := newCSVWriter(&out, nil, separator, Options{NoHeader: true, EscapeFormulas: true})
			if err != nil {
				t.Fatal(err)
			}
			if err := w.Write([]any{a, b}); err != nil {
				t.Fatal(err)
			}
			// However a spreadsheet divides the line: no cell begins with a formula.
			for _, cell := range strings.FieldsFunc(out.String(), func(r rune) bool { return strings.ContainsRune(";|\t\r\n", r) }) {
				if cell = strings.Trim(cell, " \x00\""); cell != "" && strings.ContainsRune("=+-@", rune(cell[0])) {
					t.Errorf("%q and %q make the cell %q", a, b, cell)
				}
			}
		}
	})
}
