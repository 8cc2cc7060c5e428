package report

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/display"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/scan"
)

// A Summary counts results, whether or not they are selected.
type Summary struct {
	Policy string
	// Total is how many addresses and networks were checked.
	Total int
	// Levels counts the results with a score by level, and Statuses those without a score by status.
	Levels   map[reputation.Level]int
	Statuses map[lookup.Status]int
	Sources  map[lookup.Source]int
	// Networks are those that were not expanded, and LargeNetworks those of them with more addresses than network_limit.
	Networks, LargeNetworks int
	// Failures are why addresses could not be checked.
	Failures []lookup.Reason
	// What the lookups cost.
	Requests, Credits, FromCache int64
	Duration                     time.Duration
}

// An Outcome is what a Summary counts of a result.
type Outcome struct {
	Level     reputation.Level
	Status    lookup.Status
	Source    lookup.Source
	IsNetwork bool
	IsLarge   bool // a network with more addresses than network_limit
}

// OutcomeOf returns the outcome of a verdict.
func OutcomeOf(v *scan.Verdict, networkLimit int) Outcome {
	isLarge := v.IsNetwork() && !scan.Fits(prefixOf(v), networkLimit)
	return Outcome{v.Level(), v.Status(), v.Answer().Source, v.IsNetwork(), isLarge}
}

// Add counts n results with the same outcome.
func (s *Summary) Add(o Outcome, n int) {
	if s.Levels == nil {
		s.Levels, s.Statuses, s.Sources = map[reputation.Level]int{}, map[lookup.Status]int{}, map[lookup.Source]int{}
	}
	if o.Level != reputation.Unknown {
		s.Levels[o.Level] += n
	} else {
		s.Statuses[o.Status] += n
	}
	if o.Source != "" {
		s.Sources[o.Source] += n
	}
	if o.IsNetwork {
		s.Networks += n
	}
	if o.IsLarge {
		s.LargeNetworks += n
	}
}

// write writes the summary as paragraphs of a width. Shown is how many results were selected.
func (s Summary) write(b *bytes.Buffer, shown, width int, painter display.Painter) {
	paragraph := func(text string) {
		for _, line := range display.Wrap(text, width) {
			b.WriteString(line + "\n")
		}
	}
	var levels []string
	for _, level := range []reputation.Level{reputation.Critical, reputation.High, reputation.Medium, reputation.Low} {
		if n := s.Levels[level]; n > 0 {
			levels = append(levels, painter.Level(level, humanize.Comma(int64(n))+" "+string(level)))
		}
	}
	unknown, why := s.unknown()
	if unknown > 0 {
		levels = append(levels, painter.Level(reputation.Unknown, humanize.Comma(int64(unknown))+" unknown"))
	}
	first := fmt.Sprintf("%s by the policy %s", display.Plural(int64(s.Total), "address"), display.Printable(s.Policy))
	if s.Total == 0 {
		first = "No addresses"
	}
	if len(levels) > 0 {
		first += ": " + strings.Join(levels, ", ")
	}
	paragraph(first)
	if unknown > 0 {
		paragraph("Unknown: " + strings.Join(why, "; "))
	}
	if shown < s.Total {
		paragraph(fmt.Sprintf("Shown: %s", humanize.Comma(int64(shown))))
	}
	paragraph(s.cost())
}

// unknown returns how many addresses have no score, and why.
func (s Summary) unknown() (n int, why []string) {
	add := func(status lookup.Status, text string) {
		if count := s.Statuses[status]; count > 0 {
			n += count
			why = append(why, humanize.Comma(int64(count))+" "+text)
		}
	}
	add(lookup.Failed, "not checked ("+display.Printable(ReasonsText(s.Failures))+")")
	if s.Networks > 0 {
		n += s.Networks
		reason := "--expand"
		switch s.LargeNetworks {
		case 0:
		case s.Networks:
			reason = "larger than network_limit"
		default:
			reason += ", but " + humanize.Comma(int64(s.LargeNetworks)) + " larger than network_limit"
		}
		why = append(why, fmt.Sprintf("%s not checked (%s)", display.Plural(int64(s.Networks), "network"), reason))
	}
	add(lookup.NotIndexed, "not indexed")
	add(lookup.Reserved, "reserved")
	return n, why
}

// cost returns the sources, and what the lookups cost, as one text.
func (s Summary) cost() string {
	text := "Cost: " + s.costText()
	if sources := s.sourcesText(); sources != "" {
		text = "Source: " + sources + ". " + text
	}
	return text
}

// costText returns what the lookups cost.
func (s Summary) costText() string {
	cost := display.Plural(s.Requests, "request")
	if s.Credits > 0 {
		cost += ", " + display.Plural(s.Credits, "query credit")
	}
	if s.FromCache > 0 {
		cost += ", " + humanize.Comma(s.FromCache) + " from the cache"
	}
	return cost + ", " + s.Duration.Round(time.Millisecond).String()
}

// sourcesText lists the sources with the numbers of their answers.
func (s Summary) sourcesText() string {
	var sources []string
	for _, source := range []lookup.Source{lookup.Dataset, lookup.Shodan, lookup.InternetDB} {
		if n := s.Sources[source]; n > 0 {
			sources = append(sources, string(source)+" "+humanize.Comma(int64(n)))
		}
	}
	return strings.Join(sources, ", ")
}

// maxReasons is how many different reasons are listed; the others are counted together.
const maxReasons = 3

// ReasonsText lists the most frequent reasons, with their counts if there are several.
func ReasonsText(reasons []lookup.Reason) string {
	if len(reasons) == 1 {
		return reasons[0].Text
	}
	others := 0
	var texts []string
	for i, reason := range reasons {
		if i >= maxReasons {
			others += reason.Addresses
			continue
		}
		texts = append(texts, fmt.Sprintf("%s: %s", humanize.Comma(int64(reason.Addresses)), reason.Text))
	}
	if others > 0 {
		texts = append(texts, humanize.Comma(int64(others))+": other reasons")
	}
	return strings.Join(texts, "; ")
}
