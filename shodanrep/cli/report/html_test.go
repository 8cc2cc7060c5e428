package report

import (
	"net/netip"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/display"
)

// HTML allows the text of a time to be for people only if an attribute has it for programs.
func TestThePageHasItsTimeForPrograms(t *testing.T) {
	t.Parallel()
	var page strings.Builder
	now := time.Date(2026, 1, 31, 7, 0, 0, 0, time.FixedZone("", 3600))
	w := newHTMLWriter(&page, Options{Now: now, Summary: func() Summary { return Summary{} }})
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if want := `<time datetime="2026-01-31T06:00Z">2026-01-31 06:00 UTC</time>`; !strings.Contains(page.String(), want) {
		t.Errorf("the page lacks %s", want)
	}
}

func TestShortened(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                                "",
		"exactly 10":                      "exactly 10",
		"more than 10":                    "more than …",
		"<b>&amp;":                        "<b>&amp;", // the template escapes it
		"a\u202eb":                        `a\u202eb`,
		"a\u202eb\u202ec":                 `a\u202eb\u…`,
		"a\nb\x00c":                       `a\nb\x00c`,
		"\xff\xfe":                        "\ufffd\ufffd",
		"שלום":                            "שלום",
		"e\u0301":                         "e\u0301",
		"e" + strings.Repeat("\u0301", 9): "e" + strings.Repeat("\u0301", 4),
		strings.Repeat("x", 1<<20):        "xxxxxxxxxx…",
	} {
		if got := shortened(text, 10); got != want {
			t.Errorf("%.40q: got %q, want %q", text, got, want)
		}
	}
}

func FuzzShortened(f *testing.F) {
	f.Add("a\u202eb\u0301\u0301", 3)
	f.Fuzz(func(t *testing.T, text string, limit int) {
		limit = min(max(limit, 0), 1000)
		got := shortened(text, limit)
		if n := utf8.RuneCountInString(got); n > limit+1 || !utf8.ValidString(got) {
			t.Errorf("%d characters, want %d: %q", n, limit, got)
		}
		marks := 0
		for _, r := range got {
			if marks++; !unicode.Is(unicode.M, r) {
				marks = 0
			}
			if !unicode.IsPrint(r) || marks > display.MaxMarks {
				t.Errorf("%q has %q", got, r)
			}
		}
	})
}

func TestReferencesLinkOnlyToWebPages(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]htmlLink{
		"https://attack.mitre.org/tactics/TA0011/": {"https://attack.mitre.org/tactics/TA0011/", "attack.mitre.org"},
		"http://intern.example:8080/x?y=<z>":       {"http://intern.example:8080/x?y=<z>", "intern.example"},
		"javascript:alert(1)":                      {"", "javascript:alert(1)"},
		"data:text/html,x":                         {"", "data:text/html,x"},
		"file:///etc/passwd":                       {"", "file:///etc/passwd"},
		"//evil.example/":                          {"", "//evil.example/"},
		"our handbook, page 7":                     {"", "our handbook, page 7"},
		"https://":                                 {"", "https://"},
		"":                                         {},
	} {
		if got := reference(text); got != want {
			t.Errorf("%q: got %+v, want %+v", text, got, want)
		}
	}
}

func TestSegmentsFillTheBar(t *testing.T) {
	t.Parallel()
	got := segments([]htmlCount{{Class: "a", N: 1}, {Class: "b"}, {Class: "c", N: 3}}, 8)
	if len(got) != 2 || got[0] != (htmlSegment{"a", "0.000%", "12.500%"}) || got[1] != (htmlSegment{"c", "12.500%", "37.500%"}) {
		t.Errorf("got %+v", got)
	}
	if got := segments([]htmlCount{{Class: "a", N: 0}}, 0); len(got) != 0 {
		t.Errorf("got %+v", got)
	}
}

// The policy of the page names the hashes of what is between the tags, to the byte.
func TestTheContentPolicyHasTheHashesOfTheFiles(t *testing.T) {
	t.Parallel()
	for _, want := range []string{"default-src 'none';", "style-src 'sha256-", "script-src 'sha256-", "base-uri 'none'", "form-action 'none'"} {
		if !strings.Contains(htmlPolicy, want) {
			t.Errorf("the policy does not have %s: %s", want, htmlPolicy)
		}
	}
	if strings.Contains(htmlPolicy, "unsafe") || strings.Contains(htmlStyle+htmlScript, "http") {
		t.Error("the page may load something")
	}
	if strings.Contains(htmlStyle, "</") || strings.Contains(htmlScript, "</") || strings.Contains(htmlScript, "innerHTML") {
		t.Error("the script or the style has an end tag, or writes HTML")
	}
}

func TestChangesAreCountedByPeriodsUpToNow(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 7, 10, 12, 0, 0, 0, time.UTC)
	ip := netip.MustParseAddr("192.0.2.1")
	ago := func(days int) changeKey { return changeKey{ip, "internetdb", now.AddDate(0, 0, -days)} }
	for name, test := range map[string]struct {
		kinds      map[changeKey]int
		text, note string
	}{
		"none":  {nil, "", ""},
		"today": {map[changeKey]int{ago(0): becameWorse}, "2026-07-10: 1 worse", "Each column is a day."},
		"days": {
			map[changeKey]int{ago(11): becameBetter, ago(1): otherChange, ago(0): becameWorse},
			"2026-06-29: 1 better; 2026-07-09: 1 other; 2026-07-10: 1 worse", "Each column is a day.",
		},
		"months":        {map[changeKey]int{ago(360): becameWorse, ago(0): otherChange}, "2025-07-04: 1 worse; 2026-06-10: 1 other", "Each column is 31 days."},
		"a wrong clock": {map[changeKey]int{ago(-5): becameWorse}, "2026-07-10: 1 worse", "Each column is a day."},
	} {
		chart := changesOverTime(test.kinds, now)
		if chart.Text != test.text || chart.Note != test.note || len(test.kinds) > 0 && len(chart.Columns) != maxPeriods {
			t.Errorf("%s: got %q, %q, %d columns", name, chart.Text, chart.Note, len(chart.Columns))
		}
	}
}
