package shodan

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// escaped writes a text as a JSON string, with the characters of a set as \u and four digits.
func escaped(t *testing.T, text, set string) string {
	t.Helper()
	quoted, err := json.Marshal(text)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	for i := 0; i < len(quoted); i++ {
		c := quoted[i]
		switch {
		case c == '\\' && quoted[i+1] == 'n' && strings.Contains(set, "\n"), c == '\\' && quoted[i+1] == '"' && strings.Contains(set, `"`):
			i++
			fmt.Fprintf(&out, `\u%04X`, map[byte]byte{'n': '\n', '"': '"'}[quoted[i]])
		case c == '\\':
			length := 2
			if quoted[i+1] == 'u' {
				length = 6
			}
			out.Write(quoted[i : i+length])
			i += length - 1
		case c == '/' && strings.Contains(set, `\`):
			out.WriteString(`\/`)
		case c < 0x80 && i > 0 && i < len(quoted)-1 && strings.IndexByte(set, c) >= 0:
			fmt.Fprintf(&out, `\u%04x`, c)
		default:
			out.WriteByte(c)
		}
	}
	return out.String()
}

// FuzzNoMarkOfADatabaseIsMissed compares the marks with those that are found in the decoded response.
func FuzzNoMarkOfADatabaseIsMissed(f *testing.F) {
	for _, database := range httpDatabases {
		for _, mark := range database.marks {
			for _, set := range []string{"", "\n\"", `\`, mark[1:2], mark[:1], " ", "/", ":", "-"} {
				f.Add(mark, "", set)
				f.Add("<p>\\"+mark+"</p>", "Date: x\r"+mark, set)
				f.Add(strings.TrimPrefix(mark, "\n"), mark, set)
				f.Add(mark[1:], mark[:len(mark)-1], set)
			}
		}
	}
	f.Fuzz(func(t *testing.T, page, data, set string) {
		text := fmt.Appendf(nil, `{"ip_str": "192.0.2.1", "port": 80, "data": %s, "http": {"html": %s}}`, escaped(t, data, set), escaped(t, page, set))
		full, err := ParseBanner(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		summary, err := ParseBannerSummary(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		var want []string
		response := responseOf(full)
		for _, database := range httpDatabases {
			if i := slices.IndexFunc(database.marks, func(mark string) bool { return strings.Contains(response, mark) }); i >= 0 {
				want = append(want, database.marks[i])
			}
		}
		if !slices.Equal(full.DatabaseMarks(), want) || !slices.Equal(summary.Marks, want) {
			t.Errorf("%s: %q, in the summary %q, want %q", text, full.DatabaseMarks(), summary.Marks, want)
		}
	})
}
