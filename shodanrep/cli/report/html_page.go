package report

import (
	"html/template"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/display"
)

// An htmlPage is what the templates of the page show besides rows and cards.
type htmlPage struct {
	ContentPolicy string
	Style         template.CSS
	Script        template.JS

	Title     string
	All       string // how many addresses and networks were checked
	Policy    string
	Time      string
	Moment    string // the time as HTML needs it for programs
	Sources   string
	Cost      string
	Counts    []htmlCount
	Total     int
	Unknown   []string // why addresses have no score
	Unchecked int      // how many addresses could not be checked
	Unshown   int      // how many addresses the flags of the command do not select
	Histogram htmlHistogram
	Charts    []htmlChart
	Changes   htmlHistogram
	Problem   string      // why the changes are not known
	Levels    []htmlCount // of the rows, for the filter
	Rows      int
	LeftOut   []htmlCount // rows that did not fit
	Cards     int
	CardsLeft int // cards that did not fit
}

// Shown returns how many addresses the table has.
func (p htmlPage) Shown() string { return display.Plural(int64(p.Rows), "address") }
