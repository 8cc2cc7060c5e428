package pgtext

import (
	"slices"
	"testing"
)

func TestCharactersThatAnEncodingLacksBecomeQuestionMarks(t *testing.T) {
	t.Parallel()
	for name, limited := range map[string]bool{"UTF8": false, "SQL_ASCII": false, "": false, "LATIN1": true, "EUC_JP": true} {
		text, json := "Telefónica 日本", `{"a":"Telefónica 日本"}`
		want, wantJSON := text, json
		if limited {
			want, wantJSON = "Telef?nica ??", `{"a":"Telef?nica ??"}`
		}
		e := named(name)
		if got := e.Text(text); got != want {
			t.Errorf("%s: %q", name, got)
		}
		if got := e.Texts([]string{text, "b"}); !slices.Equal(got, []string{want, "b"}) {
			t.Errorf("%s: %q", name, got)
		}
		if got := string(e.JSON([]byte(json))); got != wantJSON {
			t.Errorf("%s: %s", name, got)
		}
		if e.Texts(nil) != nil { // null, and not an empty list
			t.Errorf("%s: a list for nil", name)
		}
	}
}
