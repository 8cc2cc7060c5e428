package cli

import (
	"slices"
	"strings"
	"testing"
)

func TestSelectors(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		words          []string
		exact, orWorse []string
	}{
		"the worst level":       {[]string{"critical"}, []string{"critical"}, []string{"critical"}},
		"a level":               {[]string{"medium"}, []string{"medium"}, []string{"critical", "high", "medium"}},
		"the best level":        {[]string{"low"}, []string{"low"}, []string{"critical", "high", "medium", "low"}},
		"no score":              {[]string{"unknown"}, []string{"unknown"}, []string{"unknown"}},
		"several levels":        {[]string{"high", "critical", "high"}, []string{"high", "critical"}, []string{"critical", "high"}},
		"a status":              {[]string{"not_indexed"}, []string{"not_indexed"}, []string{"not_indexed"}},
		"the words of a check":  {[]string{"alarm", "ok", "info", "skip", "error"}, []string{"alarm", "ok", "info", "skip", "error"}, []string{"alarm", "ok", "info", "skip", "error"}},
		"another case, spaces":  {[]string{" ERROR", "High "}, []string{"error", "high"}, []string{"error", "critical", "high"}},
		"the status of a scan":  {[]string{"DONE"}, []string{"done"}, []string{"done"}},
		"a level and a status":  {[]string{"high", "error"}, []string{"high", "error"}, []string{"critical", "high", "error"}},
		"a word that is none":   {[]string{"high", "crtical"}, nil, nil},
		"a part of a word":      {[]string{"index"}, nil, nil},
		"an empty word":         {[]string{""}, nil, nil},
		"a comma too many":      {[]string{"high", " "}, nil, nil},
		"no word":               {nil, nil, nil},
		"a wildcard, a control": {[]string{"\x1b[31m"}, nil, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, way := range []struct {
				parse func(string, []string, vocabulary) (selector, error)
				want  []string
			}{{newSelector, tt.exact}, {newThreshold, tt.orWorse}} {
				got, err := way.parse("only", tt.words, rowWords)
				if way.want == nil {
					if err == nil || !strings.HasPrefix(err.Error(), "--only: ") || !strings.Contains(err.Error(), "use levels (critical, high, medium, low, unknown), statuses (indexed, ") || strings.ContainsRune(err.Error(), '\x1b') {
						t.Errorf("got %v, %v", got, err)
					}
					continue
				}
				if err != nil || !slices.Equal(got.values, way.want) {
					t.Errorf("got %v, %v; want %v", got.values, err, way.want)
				}
			}
		})
	}
}

func TestSelectorsMatch(t *testing.T) {
	t.Parallel()
	s, err := newThreshold("fail-on", []string{"high", "error"}, rowWords)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ level, status, want string }{
		{"critical", "indexed", "critical"},
		{"High", "", "high"},
		{"medium", "indexed", ""},
		{"unknown", "ERROR", "error"},
		{"", "error", "error"},
		{"unknown", "not_indexed", ""},
		{"", "", ""},
		{"", "high", "high"}, // a query may call a level its status
	} {
		if got, ok := s.match(tt.level, tt.status); got != tt.want || ok != (tt.want != "") {
			t.Errorf("level %q, status %q: got %q, %v", tt.level, tt.status, got, ok)
		}
	}
	if !s.needsLevel() || !s.needsStatus() {
		t.Error("a selector of a level and a status needs both columns")
	}
	status, _ := newSelector("only", []string{"error"}, rowWords)
	level, _ := newSelector("only", []string{"unknown"}, rowWords)
	if status.needsLevel() || !status.needsStatus() || !level.needsLevel() || level.needsStatus() {
		t.Error("a selector needs only the columns that its words are about")
	}
}

// A status of other tables would never match a verdict: --fail-on not_checked would let every failed lookup pass.
func TestVerdictsHaveOnlyTheirOwnWords(t *testing.T) {
	for _, command := range [][]string{{"check"}, {"report"}, {"annotate"}, {"load", "--to", "postgres://127.0.0.1:1/x"}} {
		for _, flag := range []string{"--only", "--fail-on"} {
			if command[0] == "load" && flag == "--only" {
				continue
			}
			for _, word := range []string{"not_checked", "Alarm", "ok", "resolved", "done"} {
				got := runCheck(t, offlineConnection, "11.0.0.1", append(command, flag, "high,"+word)...)
				want := "shodanrep: " + flag + ": no address has the status \"" + word + "\" here, and one whose lookup failed has error; use levels (critical, high, medium, low, unknown), statuses (indexed, not_indexed, reserved, not_a_host, error), with commas between them\n"
				if got.stdout != "" || got.status != exitUsage || !strings.HasPrefix(got.stderr, want) {
					t.Errorf("%q %s %s: %+v", command, flag, word, got)
				}
			}
		}
	}
}
