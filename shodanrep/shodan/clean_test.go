package shodan_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

func TestCleanMakesTextsFitForPostgreSQL(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`{"a":"b"}`:                `{"a":"b"}`,
		`"a\u0000b"`:               `"ab"`,
		`"\u0000\u0000"`:           `""`,
		`"a\\u0000b"`:              `"a\\u0000b"`, // a backslash and then text, no escape
		`"a\\\u0000b"`:             `"a\\b"`,
		`"\ud83d\ude00"`:           `"\ud83d\ude00"`, // a whole pair
		`"\ud83d"`:                 `"\ufffd"`,
		`"\ude00\ud83d"`:           `"\ufffd\ufffd"`,
		`"\uD83D\u0041"`:           `"\ufffd\u0041"`,
		"\"\xff\"":                 "\"\uFFFD\"",
		`"line\nbreak \u00e9 \/ "`: `"line\nbreak \u00e9 \/ "`,
	} {
		if got := string(shodan.Clean([]byte(in))); got != want {
			t.Errorf("%s becomes %s, want %s", in, got, want)
		}
	}
}

func FuzzClean(f *testing.F) {
	for _, seed := range []string{`{"a":"\u0000"}`, `"\ud800\udc00\ud800"`, `"\\u0000"`, "\"\xed\xa0\x80\"", `\u`, `"\u000`, `{"\ud8":1}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		before := bytes.Clone(body)
		cleaned := shodan.Clean(body)
		if !bytes.Equal(body, before) {
			t.Fatal("the input is changed")
		}
		if !utf8.Valid(cleaned) {
			t.Fatalf("%q is no UTF-8", cleaned)
		}
		if !json.Valid(before) {
			return
		}
		if !json.Valid(cleaned) {
			t.Fatalf("%q becomes %q, which is no JSON", before, cleaned)
		}
		if again := shodan.Clean(cleaned); !bytes.Equal(again, cleaned) {
			t.Fatalf("%q becomes %q, and that %q", before, cleaned, again)
		}
		var value any
		if err := json.Unmarshal(cleaned, &value); err == nil {
			if text, _ := value.(string); strings.ContainsRune(text, 0) {
				t.Fatalf("%q still has a NUL", cleaned)
			}
		}
	})
}

// nested returns a list in a list, and so on.
func nested(levels int) string { return strings.Repeat("[", levels) + strings.Repeat("]", levels) }

func TestCleanCutsWhatIsNestedTooDeep(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		nested(shodan.MaxDepth):              nested(shodan.MaxDepth),
		nested(shodan.MaxDepth + 1):          strings.Repeat("[", shodan.MaxDepth) + "null" + strings.Repeat("]", shodan.MaxDepth),
		nested(shodan.MaxDepth * 100):        strings.Repeat("[", shodan.MaxDepth) + "null" + strings.Repeat("]", shodan.MaxDepth),
		`{"a": "` + nested(20_000) + `"}`:    `{"a": "` + nested(20_000) + `"}`, // a text is not nested
		`["\"[", {"a": "\\"}, "\\\"[{"]`:     `["\"[", {"a": "\\"}, "\\\"[{"]`,
		`{"a": ` + nested(1000) + `, "b":1}`: `{"a": ` + strings.Repeat("[", shodan.MaxDepth-1) + "null" + strings.Repeat("]", shodan.MaxDepth-1) + `, "b":1}`,
		strings.Repeat("[1,", shodan.MaxDepth-1) + `[{"a": [1e400000, "\""]}, 2, {}, "x"]` + strings.Repeat("]", shodan.MaxDepth-1): strings.Repeat("[1,", shodan.MaxDepth-1) +
			`[null, 2, null, "x"]` + strings.Repeat("]", shodan.MaxDepth-1),
		"]]]" + nested(3): "]]]" + nested(3), // not JSON
	} {
		got := string(shodan.Clean([]byte(in)))
		if got != want {
			t.Errorf("%.60s… of %d becomes %.60s… of %d, want %d", in, len(in), got, len(got), len(want))
		}
	}
}

func TestCleanQuotesNumbersThatReadersCannotHold(t *testing.T) {
	t.Parallel()
	zeros := func(n int) string { return strings.Repeat("0", n) }
	nines := func(n int) string { return strings.Repeat("9", n) }
	for number, fits := range map[string]bool{
		"0": true, "-1": true, "443": true, "1e5": true, "-1.5E-3": true, "123456789": true, "1e308": true, "5e-324": true,
		// float64
		"1.7976931348623157e308": true, "1.8e308": false, "1e309": false, "-1E+309": false, "0.1e309": true, "0.01e311": false, "1e131072": false,
		nines(308): true, nines(309): false, "-" + nines(308) + ".5": true, nines(309) + "e-1": true, nines(131073): false,
		// numeric
		"1e-16383": true, "1e-16384": false, "1.5e-16382": true, "1.5e-16383": false, "1e-20000": false, "0e-20000": false, "0e131072": true, "0.0e999999": true,
		"1e99999999999999999999": false, "1e-99999999999999999999": false, "0e99999999999999999999": false, "1e0000000000000005": true,
		"0." + zeros(16382) + "1": true, "0." + zeros(16383) + "1": false, "1." + zeros(16384): false,
		"0." + zeros(20_000) + "1e5000": true, nines(200_000) + "e-16384": false, nines(200_000) + "e-16383": false,
	} {
		want := number
		if !fits {
			want = `"` + number + `"`
		}
		for _, text := range []string{`%`, `[%]`, `{"a":%}`, `{"a": [1, %, 2], "b": "%"}`} {
			in := strings.Replace(text, "%", number, 1)
			if got := string(shodan.Clean([]byte(in))); got != strings.Replace(text, "%", want, 1) || !json.Valid([]byte(got)) {
				t.Errorf("%.40s becomes %.40s, fits: %v", in, got, fits)
			}
		}
	}
	b, err := shodan.ParseBanner([]byte(`{"ip_str": "192.0.2.1", "port": 443, "hash": 1e131072, "product": 1e-20000, "x": ` + nested(5000) + `}`))
	if err != nil || b.Hash.Valid || b.Product != "1e-20000" || len(b.Raw) > 2*shodan.MaxDepth+100 {
		t.Errorf("%+v, %v", b, err)
	}
}
