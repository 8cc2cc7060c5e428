package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/display"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation"
)

// The charts are SVG elements in templates. The libraries that draw charts, such as gonum.org/v1/plot, write colours
// and fonts into style attributes, which the Content-Security-Policy forbids, and know neither dark mode nor texts of
// any length.

// maxBars is how many bars a chart has.
const maxBars = 8

// An htmlSegment is the part of a bar that has one level.
type htmlSegment struct {
	Class    string
	At, Size string // in percent
}

// segments divides a bar into levels. The bar is as long as all is, of a whole.
func segments(counts []htmlCount, whole int) []htmlSegment {
	var list []htmlSegment
	at := 0.0
	for _, c := range counts {
		if c.N == 0 || whole == 0 {
			continue
		}
		size := 100 * float64(c.N) / float64(whole)
		list = append(list, htmlSegment{c.Class, percentText(at), percentText(size)})
		at += size
	}
	return list
}

func percentText(p float64) string { return strconv.FormatFloat(p, 'f', 3, 64) + "%" }

// Bar returns the bar of all counts.
func (p htmlPage) Bar() []htmlSegment { return segments(p.Counts, p.Total) }

// BarText says what the bar shows.
func (p htmlPage) BarText() string { return countsText(p.Counts) }

// countsText lists counts that are not zero.
func countsText(counts []htmlCount) string {
	var texts []string
	for _, c := range counts {
		if c.N > 0 {
			texts = append(texts, c.Count()+" "+c.Name)
		}
	}
	return cmp.Or(strings.Join(texts, ", "), "none")
}

// An htmlChart counts addresses by a property, with a bar for each of its most frequent values.
type htmlChart struct {
	Title, Label string
	Bars         []htmlBar
	// Others is how many more values there are, and Without how many of the addresses with a score have none.
	Others, Without string
}

// An htmlBar is a bar of a chart.
type htmlBar struct {
	Label, Count, Detail string
	Segments             []htmlSegment
}

// charts returns the charts of results.
func charts(results []Result) []htmlChart {
	return []htmlChart{
		newChart(results, "Top reasons", "Reason", "a reason", func(r Result) []string {
			var names []string
			for _, factor := range r.Score().Factors {
				if factor.Points > 0 {
					names = append(names, strings.ReplaceAll(factor.Factor, "_", " "))
				}
			}
			return names
		}),
		newChart(results, "Countries", "Country", "a country", func(r Result) []string {
			if name := joined(" ", r.country(), string(r.Host().CountryName)); name != "" {
				return []string{name}
			}
			return nil
		}),
		newChart(results, "Open ports", "Port", "an open port", func(r Result) []string {
			var names []string
			for _, port := range r.Host().Ports {
				names = append(names, strconv.Itoa(port))
			}
			return names
		}),
		newChart(results, "Organizations", "Organization", "an organization", func(r Result) []string {
			if name := r.organization(); name != "" {
				return []string{name}
			}
			return nil
		}),
	}
}

// newChart counts the results that have a score by the values that a function returns.
func newChart(results []Result, title, label, value string, values func(Result) []string) htmlChart {
	byValue := map[string]map[reputation.Level]int{}
	total := map[string]int{}
	without := 0
	for _, r := range results {
		if r.Score() == nil {
			continue
		}
		found := slices.Clone(values(r))
		slices.Sort(found)
		for _, v := range slices.Compact(found) {
			if byValue[v] == nil {
				byValue[v] = map[reputation.Level]int{}
			}
			byValue[v][r.Level()]++
			total[v]++
		}
		if len(found) == 0 {
			without++
		}
	}
	c := htmlChart{Title: title, Label: label}
	order := slices.SortedFunc(maps.Keys(total), func(a, b string) int { return cmp.Or(cmp.Compare(total[b], total[a]), cmp.Compare(a, b)) })
	for i, v := range order {
		if i == maxBars {
			c.Others = fmt.Sprintf("%s more", comma(len(order)-maxBars))
			break
		}
		var counts []htmlCount
		for _, level := range scoredLevels {
			counts = append(counts, htmlCount{string(level), string(level), byValue[v][level]})
		}
		c.Bars = append(c.Bars, htmlBar{shortened(v, 60), comma(total[v]), countsText(counts), segments(counts, total[order[0]])})
	}
	if without > 0 {
		c.Without = display.Plural(int64(without), "address") + " without " + value
	}
	return c
}

// The sizes of the histogram, in units of its view box.
const (
	histogramHeight = 150
	histogramStep   = 32
	histogramBar    = 26
)

// An htmlHistogram counts scores in steps of ten.
type htmlHistogram struct {
	Columns []htmlColumn
	Text    string // the same in words
}

// An htmlColumn is a column of the histogram.
type htmlColumn struct {
	Label, Count string
	X, Middle    int
	Top          int // above the column
	Parts        []htmlPart
}

// An htmlPart is the part of a column that has one level.
type htmlPart struct {
	Class      string
	X, Y, Size string
}

// newHistogram counts the scores of results. Scores of 100 and more share a column.
func newHistogram(results []Result) htmlHistogram {
	const last = 11 // 0, 1 to 9, then tens, then 100 and more
	var byLevel [last + 1]map[reputation.Level]int
	var total [last + 1]int
	highest := 0
	for _, r := range results {
		if r.Score() == nil {
			continue
		}
		i := 0
		if score := r.Score().Score; score > 0 {
			i = min(1+score/10, last)
		}
		if byLevel[i] == nil {
			byLevel[i] = map[reputation.Level]int{}
		}
		byLevel[i][r.Level()]++
		total[i]++
		highest = max(highest, total[i])
	}
	var h htmlHistogram
	var texts []string
	for i, n := range total {
		label := []string{"0", "1–9"}[min(i, 1)]
		if i > 1 {
			label = strconv.Itoa(10*(i-1)) + "–"
		}
		if i == last {
			label = "100+"
		}
		column := htmlColumn{Label: label, X: i * histogramStep, Middle: i*histogramStep + histogramBar/2, Top: histogramHeight - 5}
		y := float64(histogramHeight)
		for _, level := range slices.Backward(scoredLevels) {
			if byLevel[i][level] == 0 {
				continue
			}
			size := float64(byLevel[i][level]) / float64(highest) * (histogramHeight - 20)
			y -= size
			column.Parts = append(column.Parts, htmlPart{string(level), strconv.Itoa(column.X), fmt.Sprintf("%.2f", y), fmt.Sprintf("%.2f", size)})
			column.Top = int(y) - 5
		}
		if n > 0 {
			column.Count = comma(n)
			texts = append(texts, fmt.Sprintf("score %s: %s", label, display.Plural(int64(n), "address")))
		}
		h.Columns = append(h.Columns, column)
	}
	h.Text = strings.Join(texts, "; ")
	return h
}
