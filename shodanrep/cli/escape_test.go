package cli

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/embedded/embeddedtest"
)

// hostile has what would move a terminal's cursor, change its colours or hide a text, in each of its characters.
const hostile = `select 'a' || char(27) || '[31m' || char(155) || '1m' || char(8) || char(13) || char(127) || char(8238) || char(917505) || 'é' as "b` + "\x1b" + `[2J", json_object('k', char(27) || char(155)) as j`

// What goes to a file or a program is as it is.
func TestWhatGoesToAFileIsNotEscaped(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"csv", "json"} {
		got := run(t, &embeddedtest.Plugin{}, "", "query", "--output", format, hostile)
		if got.status != exitDone || !strings.Contains(got.stdout, "\x7f\u202e") {
			t.Errorf("%s: %+v", format, got)
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
