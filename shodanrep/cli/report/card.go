package report

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/dustin/go-humanize"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/display"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

const (
	cardVulnerabilities = 8  // how many vulnerabilities a card lists
	cardServices        = 12 // how many services a card lists
	cardNames           = 6  // how many host names a card lists
	cardTags            = 20 // how many tags a card lists
	cardLabel           = 14 // the width of the labels
	// cardText is how much a card shows of a text that the owner of the host may have chosen: a name of 20,000 characters
	// would push the verdict off the screen.
	cardText = 200
	// cardTransport is how much it shows of the name of a transport, which stands left of the service.
	cardTransport = 10
	// cardReason and cardEvidence are how much it shows of a reason and of its evidence, which quote the host: the name of a
	// program that it says it runs.
	cardReason, cardEvidence = 500, 300
)

// A card writes everything that matters about one result, one labelled fact per line.
type card struct {
	b       *bytes.Buffer
	width   int
	painter display.Painter
}

// line writes a label and a text, which wraps.
func (c card) line(label, value string) { c.item(label, "", value) }

// item writes a label, a mark and a text, which wraps to the right of the mark.
func (c card) item(label, mark, value string) {
	if value == "" {
		return
	}
	mark = display.Printable(mark)
	width, indent := 0, utf8.RuneCountInString(mark)
	if c.width > 0 {
		width = max(display.MinWidth, c.width-cardLabel-2-indent)
	}
	for i, part := range display.Wrap(display.Printable(value), width) {
		if i > 0 {
			label, mark = "", strings.Repeat(" ", indent)
		}
		fmt.Fprintf(c.b, "  %-*s%s%s\n", cardLabel, label, mark, part)
	}
}

// write writes the card of a result.
func (c card) write(f Result) {
	c.b.WriteString(c.painter.Bold(f.IP()) + "  " + c.painter.Level(f.Level(), string(f.Level())))
	r, h := f.Score(), f.Host()
	if r != nil {
		fmt.Fprintf(c.b, "  score %d", r.Score)
		if r.Confidence != nil {
			fmt.Fprintf(c.b, ", confidence %.2f", *r.Confidence)
		}
	}
	c.b.WriteByte('\n')
	if r == nil {
		c.line("Status", f.reasonText())
	}
	if l := f.Listing(); l.List != "" {
		c.line("On the list", strings.TrimSuffix(string(l.List)+": "+l.Reason, ": "))
	}
	if r != nil {
		c.factors(r)
	}
	if h != nil {
		c.host(f, h)
	}
	c.line("Data", dataText(f.Answer()))
	c.line("Found", foundText(f))
}

// factors writes each reason with its points and evidence.
func (c card) factors(r *reputation.Result) {
	if len(r.Factors) == 0 {
		c.line("Reasons", "nothing found against it")
		return
	}
	for i, factor := range byPoints(r.Factors) {
		label := ""
		if i == 0 {
			label = "Reasons"
		}
		text := display.Shorten(display.Printable(factor.Detail), cardReason)
		if evidence := evidenceText(factor.Evidence, factor.Detail); evidence != "" {
			text += " (" + display.Shorten(display.Printable(evidence), cardEvidence) + ")"
		}
		c.item(label, fmt.Sprintf("%+4d  ", factor.Points), text)
	}
}

// host writes what is known of the host.
func (c card) host(f Result, h *shodan.Host) {
	isp := string(h.ISP)
	if h.ISP == h.Organization {
		isp = ""
	}
	c.line("Organization", joined(", ", brief(string(h.Organization)), brief(isp), brief(string(h.ASN))))
	c.line("Location", joined(", ", brief(string(h.City)), brief(string(h.CountryName))))
	if r := f.Score(); r != nil && r.Hosting.Type != "" && r.Hosting.Type != "unknown" {
		c.line("Network", joined(": ", r.Hosting.Type, brief(r.Hosting.Reason)))
	}
	c.line("Names", firstOf(h.Hostnames, cardNames))
	c.line("Tags", firstOf(h.Tags, cardTags))
	c.services(f, h)
	c.line("Not known", unknownText(f.Answer().Source, h))
	c.line("Vulnerable to", vulnerabilitiesText(h))
}

// brief returns as much of a text of a host as a card shows.
func brief(s string) string { return display.Shorten(display.Printable(s), cardText) }

// unknownText says what a response leaves out: without it a host that is only known in part looks like one that has
// nothing to hide. InternetDB, whose name is in the card, never says what answers.
func unknownText(source lookup.Source, h *shodan.Host) string {
	if source == lookup.InternetDB || len(h.Ports) == 0 {
		return ""
	}
	if len(h.Banners) == 0 {
		return "what answers there, and what only that shows: the response has no banners"
	}
	var unknown []string
	for _, port := range h.Ports {
		hasPort := func(b shodan.Banner) bool { return int(b.Port.V) == port }
		if !slices.ContainsFunc(h.Banners, hasPort) {
			unknown = append(unknown, strconv.Itoa(port))
		}
	}
	switch len(unknown) {
	case 0:
		return ""
	case 1:
		return "what answers on the open port " + unknown[0] + ": the response has no banner of it"
	}
	return "what answers on the open ports " + firstOf(unknown, 8) + ": the response has no banners of them"
}

// services writes a line per service, or the open ports if the source has no services.
func (c card) services(f Result, h *shodan.Host) {
	if len(h.Banners) == 0 {
		c.line("Open ports", f.ports(20))
		return
	}
	for i := range h.Banners {
		label := ""
		if i == 0 {
			label = "Services"
		}
		if i == cardServices {
			c.line(label, fmt.Sprintf("and %d more", len(h.Banners)-cardServices))
			break
		}
		banner := &h.Banners[i]
		software := brief(joined(" ", string(banner.Product), string(banner.Version)))
		endpoint := fmt.Sprintf("%d/%s", banner.Port.V, cmp.Or(display.Shorten(display.Printable(string(banner.Transport)), cardTransport), "tcp"))
		if service := joined(", ", brief(string(banner.Module)), software); service != "" {
			c.item(label, endpoint+"  ", service)
		} else {
			c.line(label, endpoint)
		}
	}
}

// evidenceText returns the evidence of a factor, unless the detail has it already.
func evidenceText(evidence any, detail string) string {
	var list []string
	switch e := evidence.(type) {
	case []int:
		for _, n := range e {
			list = append(list, strconv.Itoa(n))
		}
	case []string:
		list = e
	case reputation.Evidence:
		var parts []string
		for _, fact := range e {
			if text := evidenceText(fact.Values(), detail); text != "" {
				parts = append(parts, strings.ReplaceAll(fact.Fact, "_", " ")+" "+text)
			}
		}
		return strings.Join(parts, "; ")
	}
	list = slices.DeleteFunc(slices.Clone(list), func(item string) bool { return strings.Contains(detail, item) })
	return firstOf(list, 8)
}

// dataText returns the source of the data and its age.
func dataText(a lookup.Answer) string {
	if a.Source == "" {
		return ""
	}
	text := "from " + string(a.Source)
	if a.Host != nil && !a.Host.LastUpdate.IsZero() {
		text += ", last seen " + a.Host.LastUpdate.UTC().Format(time.DateOnly)
	}
	if !a.CheckedAt.IsZero() {
		text += ", looked up " + a.CheckedAt.UTC().Format("2006-01-02 15:04 MST")
	}
	return text
}

// foundText returns how often and where the result was found. It is empty for an argument that was given once.
func foundText(f Result) string {
	if f.Line == 0 && f.Hits <= 1 {
		return ""
	}
	found := display.Plural(f.Hits, "time")
	if f.Line > 0 {
		found += ", first in line " + humanize.Comma(f.Line)
		if f.SeveralInputs {
			found += " of " + f.Input
		}
	}
	return found
}

// joined joins the texts that are not empty.
func joined(separator string, texts ...string) string {
	return strings.Join(slices.DeleteFunc(texts, func(s string) bool { return s == "" }), separator)
}

// firstOf lists the first elements of a list, each as [brief] does, and how many more there are.
func firstOf(list []string, limit int) string {
	var shown []string
	for _, text := range list[:min(len(list), limit)] {
		shown = append(shown, brief(text))
	}
	if more := len(list) - len(shown); more > 0 {
		shown = append(shown, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(shown, ", ")
}
