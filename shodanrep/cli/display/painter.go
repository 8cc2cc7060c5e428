package display

import (
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation"
)

// levelColors are the colours of levels. Unknown has a colour of its own: it is neither good nor bad.
var levelColors = map[reputation.Level]text.Colors{
	reputation.Critical: {text.FgHiWhite, text.BgRed, text.Bold},
	reputation.High:     {text.FgRed, text.Bold},
	reputation.Medium:   {text.FgYellow},
	reputation.Low:      {text.FgGreen},
	reputation.Unknown:  {text.FgMagenta},
}

// Unscored are the statuses that have no score, which are all that the tables have but indexed. They are written here again,
// so that a program that shows text need not have the plugin in it; a test of package cli compares them.
var Unscored = []string{
	"not_indexed", "reserved", "not_a_host", "not_checked", "error", "resolved", "not_resolved",
	"submitting", "queue", "processing", "done",
}

// A Painter colours text if it is true, and leaves text as it is if it is false.
type Painter bool

// Level colours a text by a level. Without a level the text stays as it is.
func (p Painter) Level(level reputation.Level, shown string) string {
	if !p || levelColors[level] == nil {
		return shown
	}
	return levelColors[level].EscapeSeq() + shown + text.Reset.EscapeSeq()
}

// Bold makes a text bold.
func (p Painter) Bold(shown string) string {
	if !p || shown == "" {
		return shown
	}
	return text.Bold.EscapeSeq() + shown + text.Reset.EscapeSeq()
}

// LevelIn returns the level that a cell names: a level, or Unknown for a status that has no score. It is empty if the
// cell names neither.
func LevelIn(cell string) reputation.Level {
	word := strings.ToLower(cell)
	switch {
	case levelColors[reputation.Level(word)] != nil:
		return reputation.Level(word)
	case slices.Contains(Unscored, word):
		return reputation.Unknown
	}
	return ""
}
