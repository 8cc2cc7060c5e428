package cli

import (
	"fmt"

	"github.com/dustin/go-humanize"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/display"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation"
)

// A writtenLevels counts by level what is written in a format of which people make block lists.
type writtenLevels map[reputation.Level]int64

// add counts n addresses that have a level.
func (w *writtenLevels) add(level reputation.Level, n int64) {
	if *w == nil {
		*w = writtenLevels{}
	}
	(*w)[level] += n
}

// notices says how many addresses are no indicators.
func (w writtenLevels) notices() []string {
	all := int64(0)
	for _, n := range w {
		all += n
	}
	others, verb := all, "are"
	for _, level := range indicatorLevels(nil) {
		others -= w[level]
	}
	switch others {
	case 0:
		return nil
	case 1:
		verb = "is"
	}
	line := fmt.Sprintf("%s of %s in the output %s neither critical nor high", humanize.Comma(others), display.Plural(all, "address"), verb)
	if unknown := w[reputation.Unknown]; unknown > 0 {
		line += fmt.Sprintf(" (%s without a score)", humanize.Comma(unknown))
	}
	return []string{line + ": for a block list, select addresses with --only critical,high"}
}
