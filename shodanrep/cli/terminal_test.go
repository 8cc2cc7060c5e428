package cli

import (
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/jedib0t/go-pretty/v6/text"
)

func TestFit(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		widths    []int
		available int
		want      []int
	}{
		"what fits stays":                        {[]int{5, 10}, 40, []int{5, 10}},
		"the wide ones give way":                 {[]int{5, 100}, 40, []int{5, 28}},
		"the wide ones share":                    {[]int{100, 5, 100}, 65, []int{25, 5, 25}},
		"one that is little wider keeps its own": {[]int{100, 22, 100}, 80, []int{24, 22, 24}},
		"too many columns do not fit":            {[]int{100, 100, 100, 100}, 50, nil},
		"none":                                   {nil, 80, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, fits := fit(tt.widths, tt.available)
			if !slices.Equal(got, tt.want) || fits != (tt.want != nil || tt.widths == nil) {
				t.Errorf("got %v, %v", got, fits)
			}
		})
	}
}

func TestWrap(t *testing.T) {
	t.Parallel()
	if got := wrap("short", 10); got != "short" {
		t.Errorf("got %q", got)
	}
	if got := wrap("one word after another", 10); got != "one word  \nafter     \nanother" && got != "one word\nafter\nanother" {
		t.Errorf("got %q", got)
	}
	long := wrap(strings.Repeat("abcdefghij", 100), 20)
	if lines := strings.Split(long, "\n"); len(lines) != maxLines || !strings.HasSuffix(long, "…") {
		t.Errorf("%d lines: %q", len(lines), long)
	}
}

func TestPrintable(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"plain – ünïcödé 漢字":        "plain – ünïcödé 漢字",
		"\x1b[31mred\x1b]0;title\a": `\x1b[31mred\x1b]0;title\a`,
		"one\r\ntwo\tthree":         `one\r\ntwo\tthree`,
		"\u202eright to left\u200b": `\u202eright to left\u200b`,
		"not \xff UTF-8":            `not � UTF-8`,
		"\x00\x7f\u009b":            `\x00\x7f\u009b`,
	} {
		if got := printable(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func FuzzPrintable(f *testing.F) {
	f.Add("a\x1bb")
	f.Fuzz(func(t *testing.T, s string) {
		got := printable(s)
		if strings.ContainsFunc(got, func(r rune) bool { return !unicode.IsPrint(r) && r != unicode.ReplacementChar }) {
			t.Errorf("%q", got)
		}
		for _, line := range strings.Split(wrap(got, 20), "\n") {
			if text.StringWidth(strings.TrimRight(line, " ")) > 20 {
				t.Errorf("a line of %d: %q", text.StringWidth(line), line)
			}
		}
	})
}
