package cli

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation"
)

// writeSummary says how many addresses have which level, what is unknown and why, and what it cost.
func (c *check) writeSummary(b *bytes.Buffer, shown, width int, colors painter) {
	paragraph := func(s string) {
		for _, line := range wrapped(s, width) {
			b.WriteString(line + "\n")
		}
	}
	var levels []string
	for _, level := range scoredLevels {
		if n := c.counts[level]; n > 0 {
			levels = append(levels, colors.level(reputation.Level(level), humanize.Comma(int64(n))+" "+level))
		}
	}
	unknown, why := c.unknown()
	if unknown > 0 {
		levels = append(levels, colors.level(reputation.Unknown, humanize.Comma(int64(unknown))+" unknown"))
	}
	total := c.list.len()
	first := fmt.Sprintf("%s by the policy %s", plural(int64(total), "address"), printable(c.policy))
	if total == 0 {
		first = "No addresses"
	}
	if len(levels) > 0 {
		first += ": " + strings.Join(levels, ", ")
	}
	paragraph(first)
	if unknown > 0 {
		paragraph("Unknown: " + strings.Join(why, "; "))
	}
	if shown < total {
		paragraph(fmt.Sprintf("Shown: %s", humanize.Comma(int64(shown))))
	}
	paragraph(c.costText())
}

// unknown says how many addresses have no score, and why.
func (c *check) unknown() (n int, why []string) {
	add := func(status lookup.Status, text string) {
		if count := c.counts[string(status)]; count > 0 {
			n += count
			why = append(why, humanize.Comma(int64(count))+" "+text)
		}
	}
	add(lookup.Failed, "not checked ("+printable(reasonsText(c.meter.Summary().Failures))+")")
	if networks := c.counts["not_a_host"]; networks > 0 {
		n += networks
		why = append(why, plural(int64(networks), "network")+" not checked (--expand)")
	}
	add(lookup.NotIndexed, "not indexed")
	add(lookup.Reserved, "reserved")
	return n, why
}

// costText says what was asked of whom.
func (c *check) costText() string {
	requests, credits := c.cost()
	cost := plural(requests, "request")
	if credits > 0 {
		cost += ", " + plural(credits, "query credit")
	}
	if cached := c.meter.State().FromCache; cached > 0 {
		cost += ", " + humanize.Comma(cached) + " from the cache"
	}
	var sources []string
	for _, source := range []lookup.Source{lookup.Dataset, lookup.Shodan, lookup.InternetDB} {
		if n := c.bySource[source]; n > 0 {
			sources = append(sources, string(source)+" "+humanize.Comma(int64(n)))
		}
	}
	text := "Cost: " + cost + ", " + time.Since(c.began).Round(time.Millisecond).String()
	if len(sources) > 0 {
		text = "Source: " + strings.Join(sources, ", ") + ". " + text
	}
	return text
}
