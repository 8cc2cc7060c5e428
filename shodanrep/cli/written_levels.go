package cli

import (
	"fmt"
	"slices"

	"github.com/dustin/go-humanize"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/display"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation"
)

// A writtenLevels counts what is written in a format of which people make block lists.
type writtenLevels struct {
	all, others, unknown int64 // others are below the levels of indicators
}

func (w *writtenLevels) count(level reputation.Level) {
	w.all++
	if !slices.Contains(indicatorLevels(nil), level) {
		w.others++
	}
	if level == reputation.Unknown {
		w.unknown++
	}
}

// notices says how many addresses are no indicators.
func (w *writtenLevels) notices() []string {
	if w.others == 0 {
		return nil
	}
	verb := "are"
	if w.others == 1 {
		verb = "is"
	}
	line := fmt.Sprintf("%s of %s in the output %s neither critical nor high", humanize.Comma(w.others), display.Plural(w.all, "address"), verb)
	if w.unknown > 0 {
		line += fmt.Sprintf(" (%s without a score)", humanize.Comma(w.unknown))
	}
	return []string{line + ": for a block list, select addresses with --only critical,high"}
}
