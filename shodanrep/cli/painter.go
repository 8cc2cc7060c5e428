package cli

import (
	"io"
	"os"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/pflag"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation"
)

// levelColors are the colours of levels. Unknown has its own: it is neither good nor bad.
var levelColors = map[reputation.Level]text.Colors{
	reputation.Critical: {text.FgHiWhite, text.BgRed, text.Bold},
	reputation.High:     {text.FgRed, text.Bold},
	reputation.Medium:   {text.FgYellow},
	reputation.Low:      {text.FgGreen},
	reputation.Unknown:  {text.FgMagenta},
}

// A painter colours texts, or leaves them as they are.
type painter bool

// level colours a text by a level. Without one it stays as it is.
func (p painter) level(level reputation.Level, shown string) string {
	if !p || levelColors[level] == nil {
		return shown
	}
	return levelColors[level].EscapeSeq() + shown + text.Reset.EscapeSeq()
}

// bold makes a text bold.
func (p painter) bold(shown string) string {
	if !p || shown == "" {
		return shown
	}
	return text.Bold.EscapeSeq() + shown + text.Reset.EscapeSeq()
}

// addNoColor adds the flag that turns colours off.
func addNoColor(flags *pflag.FlagSet, off *bool) {
	flags.BoolVar(off, "no-color", false, "no colours on a terminal; the same as the environment variable NO_COLOR")
}

// painterFor returns a painter for a stream: one that colours where the stream is a terminal, and neither a flag nor the
// environment turns colours off.
func painterFor(w io.Writer, off bool) painter {
	return painter(isTerminal(w) && takesEscapes(w) && !off && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb")
}

// levelIn returns the level that a cell names: a level, or as unknown a status that has no score. It is empty where the
// cell names neither.
func levelIn(cell string) reputation.Level {
	word := strings.ToLower(cell)
	switch {
	case slices.Contains(levels, word):
		return reputation.Level(word)
	case word != string(lookup.Indexed) && slices.Contains(shodanrep.Statuses(), word):
		return reputation.Unknown
	}
	return ""
}
