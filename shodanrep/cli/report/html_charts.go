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

// htmlCounts count the results that have a score by the values that they have of a property.
type htmlCounts struct {
	title, label, value string
	values              func(Result) []string // may be called concurrently
	byValue             map[string]*levelNumbers
	without             int
}

// levelNumbers are how many results have each of scoredLevels.
type levelNumbers [4]int

// add counts a result.
func (n *levelNumbers) add(level reputation.Level) {
	if i := slices.Index(scoredLevels, level); i >= 0 {
		n[i]++
	}
}

// counts returns the numbers with the names of their levels.
func (n *levelNumbers) counts() (counts []htmlCount) {
	for i, level := range scoredLevels {
		counts = append(counts, htmlCount{string(level), string(level), n[i]})
	}
	return counts
}

func (n *levelNumbers) total() (total int) {
	for _, number := range n {
		total += number
	}
	return total
}

// newCharts returns the counts of all charts.
func newCharts() []*htmlCounts {
	return []*htmlCounts{
		newCounts("Top reasons", "Reason", "a reason", func(r Result) []string {
			var names []string
			for _, factor := range r.Score().Factors {
				if factor.Points > 0 {
					names = append(names, strings.ReplaceAll(factor.Factor, "_", " "))
				}
			}
			return names
		}),
		newCounts("Countries", "Country", "a country", func(r Result) []string {
			if name := joined(" ", r.country(), string(r.Host().CountryName)); name != "" {
				return []string{name}
			}
			return nil
		}),
		newCounts("Open ports", "Port", "an open port", func(r Result) []string {
			var names []string
			for _, port := range r.Host().Ports {
				names = append(names, strconv.Itoa(port))
			}
			return names
		}),
		newCounts("Organizations", "Organization", "an organization", func(r Result) []string {
			if name := r.organization(); name != "" {
				return []string{name}
			}
			return nil
		}),
	}
}

func newCounts(title, label, value string, values func(Result) []string) *htmlCounts {
	return &htmlCounts{title: title, label: label, value: value, values: values, byValue: map[string]*levelNumbers{}}
}

// add counts a result with a level and the values.
func (c *htmlCounts) add(level reputation.Level, values []string) {
	slices.Sort(values)
	for _, v := range slices.Compact(values) {
		numbers := c.byValue[v]
		if numbers == nil {
			numbers = new(levelNumbers)
			c.byValue[strings.Clone(v)] = numbers
		}
		numbers.add(level)
	}
	if len(values) == 0 {
		c.without++
	}
}

// charts returns the charts of counts.
func charts(counts []*htmlCounts) (list []htmlChart) {
	for _, c := range counts {
		list = append(list, c.chart())
	}
	return list
}

func (c *htmlCounts) chart() htmlChart {
	chart := htmlChart{Title: c.title, Label: c.label}
	order := slices.SortedFunc(maps.Keys(c.byValue), func(a, b string) int {
		return cmp.Or(cmp.Compare(c.byValue[b].total(), c.byValue[a].total()), compareValues(a, b))
	})
	for i, v := range order {
		if i == maxBars {
			chart.Others = fmt.Sprintf("%s more", comma(len(order)-maxBars))
			break
		}
		numbers := c.byValue[v]
		counts := numbers.counts()
		chart.Bars = append(chart.Bars, htmlBar{
			shortened(v, 60), comma(numbers.total()), countsText(counts), segments(counts, c.byValue[order[0]].total()),
		})
	}
	if c.without > 0 {
		chart.Without = display.Plural(int64(c.without), "address") + " without " + c.value
	}
	return chart
}

// compareValues orders values of equal counts: numbers, such as ports, by their size and before texts.
func compareValues(a, b string) int {
	x, errX := strconv.Atoi(a)
	y, errY := strconv.Atoi(b)
	switch {
	case errX == nil && errY == nil:
		return cmp.Compare(x, y)
	case errX == nil:
		return -1
	case errY == nil:
		return 1
	}
	return cmp.Compare(a, b)
}

// The sizes of a histogram, in units of its view box.
const (
	histogramHeight = 150
	histogramStep   = 32
	histogramBar    = 26
)

// An htmlHistogram has columns that are divided by level.
type htmlHistogram struct {
	Columns []htmlColumn
	Text    string // the same in words
	Note    string
}

// An htmlColumn is a column of a histogram.
type htmlColumn struct {
	Label, Count string
	Axis         string // the label below the column
	X, Middle    int
	Top          int // above the column
	Parts        []htmlPart
	counts       []htmlCount // the first is at the top
}

// Kinds returns what the parts of the column stand for.
func (c htmlColumn) Kinds() []htmlCount { return c.counts }

// An htmlPart is a part of a column.
type htmlPart struct{ Class, X, Y, Size string }

// columnHeight returns how high n of the highest column's count are drawn.
func columnHeight(n, highest int) float64 {
	return float64(n*(histogramHeight-20)) / float64(highest)
}

// newColumns draws columns whose labels and counts are known. What is before each label in words.
func newColumns(columns []htmlColumn, what string) htmlHistogram {
	total, highest := make([]int, len(columns)), 0
	for i, c := range columns {
		for _, count := range c.counts {
			total[i] += count.N
		}
		highest = max(highest, total[i])
	}
	h := htmlHistogram{Columns: columns}
	var texts []string
	for i := range columns {
		c := &columns[i]
		c.X, c.Middle, c.Top = i*histogramStep, i*histogramStep+histogramBar/2, histogramHeight-5
		// The counts are added up, not the heights: sums of rounded numbers, which some processors round otherwise, would put the
		// label of a column a pixel too high.
		below := 0
		for _, count := range slices.Backward(c.counts) {
			if count.N == 0 {
				continue
			}
			size := columnHeight(count.N, highest)
			below += count.N
			y := histogramHeight - columnHeight(below, highest)
			c.Parts = append(c.Parts, htmlPart{count.Class, strconv.Itoa(c.X), fmt.Sprintf("%.2f", y), fmt.Sprintf("%.2f", size)})
			c.Top = int(y) - 5
		}
		if total[i] > 0 {
			c.Count = comma(total[i])
			texts = append(texts, what+c.Label+": "+countsText(c.counts))
		}
	}
	h.Text = strings.Join(texts, "; ")
	return h
}

// lastScores is the index of the column of scores of 100 and more. Before it are 0, 1 to 9, and then tens.
const lastScores = 11

// htmlScores count scores in steps of ten. Scores of 100 and more share a column.
type htmlScores [lastScores + 1]levelNumbers

// add counts a score.
func (s *htmlScores) add(score int, level reputation.Level) {
	i := 0
	if score > 0 {
		i = min(1+score/10, lastScores)
	}
	s[i].add(level)
}

// histogram draws the counts.
func (s *htmlScores) histogram() htmlHistogram {
	var columns []htmlColumn
	for i := range s {
		c := htmlColumn{Label: strconv.Itoa(10*(i-1)) + "–"}
		switch i {
		case 0:
			c.Label = "0"
		case 1:
			c.Label = "1–9"
		case lastScores:
			c.Label = "100+"
		}
		c.Axis, c.counts = c.Label, s[i].counts()
		columns = append(columns, c)
	}
	return newColumns(columns, "score ")
}
