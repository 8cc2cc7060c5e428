package rowformat

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode"
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
