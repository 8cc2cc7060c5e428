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
