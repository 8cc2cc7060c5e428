package cli

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

const (
	// cardVulnerabilities is how many vulnerabilities a card names, and cardServices how many services.
	cardVulnerabilities, cardServices = 8, 12
	cardLabel                         = 14 // how wide the labels are
)

// A card writes the lines of a card, which wrap.
type card struct {
	b     *bytes.Buffer
	width int
}

// line writes a label and a text.
func (c card) line(label, value string) { c.item(label, "", value) }

// item writes a label, a mark that later lines of the text are not under, and the text.
func (c card) item(label, mark, value string) {
	if value == "" {
		return
	}
	width := 0
	if c.width > 0 {
		width = max(leastWidth, c.width-cardLabel-2-len(mark))
	}
	for i, part := range wrapped(printable(value), width) {
		if i > 0 {
			label, mark = "", strings.Repeat(" ", len(mark))
		}
		fmt.Fprintf(c.b, "  %-*s%s%s\n", cardLabel, label, mark, part)
	}
}

// writeCard writes all that matters of an address.
func (c *check) writeCard(b *bytes.Buffer, f finding, width int, colors painter) {
	b.WriteString(colors.bold(f.IP()) + "  " + colors.level(f.Level(), string(f.Level())))
	r, h := f.Score(), f.Host()
	if r != nil {
		fmt.Fprintf(b, "  score %d", r.Score)
		if r.Confidence != nil {
			fmt.Fprintf(b, ", confidence %.2f", *r.Confidence)
		}
	}
	b.WriteByte('\n')
	out := card{b, width}
	if r == nil {
		out.line("Status", c.reasonText(f))
	}
	if l := f.Listing(); l.List != "" {
		out.line("On the list", strings.TrimSuffix(string(l.List)+": "+l.Reason, ": "))
	}
	if r != nil {
		c.writeFactors(out, r)
	}
	if h != nil {
		out.line("Organization", joined(", ", string(h.Organization), different(string(h.ISP), string(h.Organization)), string(h.ASN)))
		out.line("Location", joined(", ", string(h.City), string(h.CountryName)))
		if r != nil && r.Hosting.Type != "" && r.Hosting.Type != "unknown" {
			out.line("Network", joined(": ", r.Hosting.Type, r.Hosting.Reason))
		}
		out.line("Names", some(h.Hostnames, 6))
		out.line("Tags", strings.Join(h.Tags, ", "))
		c.writeServices(out, f, h)
		out.line("Vulnerable to", vulnerabilitiesText(h))
	}
	out.line("Data", c.ageText(f))
	if f.line > 0 || f.hits > 1 {
		found := plural(f.hits, "time")
		if f.line > 0 {
			found += ", first in line " + humanize.Comma(f.line)
		}
		out.line("Found", found)
	}
}

// writeFactors writes a line for each reason, with its points and what it rests on.
func (c *check) writeFactors(out card, r *reputation.Result) {
	if len(r.Factors) == 0 {
		out.line("Reasons", "nothing found against it")
		return
	}
	factors := slices.Clone(r.Factors)
	slices.SortStableFunc(factors, func(a, b reputation.Factor) int { return cmp.Compare(b.Points, a.Points) })
	for i, factor := range factors {
		label := ""
		if i == 0 {
			label = "Reasons"
		}
		text := factor.Detail
		if evidence := evidenceText(factor.Evidence, factor.Detail); evidence != "" {
			text += " (" + evidence + ")"
		}
		out.item(label, fmt.Sprintf("%+4d  ", factor.Points), text)
	}
}

// evidenceText is what a factor rests on, unless its detail says so already.
func evidenceText(evidence any, detail string) string {
	var list []string
	switch e := evidence.(type) {
	case []int:
		for _, n := range e {
			list = append(list, strconv.Itoa(n))
		}
	case []string:
		list = e
	case map[string]any:
		var parts []string
		for _, name := range slices.Sorted(maps.Keys(e)) {
			if text := evidenceText(e[name], detail); text != "" {
				parts = append(parts, strings.ReplaceAll(name, "_", " ")+" "+text)
			}
		}
		return strings.Join(parts, "; ")
	}
	list = slices.DeleteFunc(slices.Clone(list), func(item string) bool { return strings.Contains(detail, item) })
	return some(list, 8)
}

// writeServices writes a line for each service, or the open ports where the source has no services.
func (c *check) writeServices(out card, f finding, h *shodan.Host) {
	if len(h.Banners) == 0 {
		out.line("Open ports", f.ports(20))
		return
	}
	for i := range h.Banners {
		label := ""
		if i == 0 {
			label = "Services"
		}
		if i == cardServices {
			out.line(label, fmt.Sprintf("and %d more", len(h.Banners)-cardServices))
			break
		}
		banner := &h.Banners[i]
		software := joined(" ", string(banner.Product), string(banner.Version))
		text := fmt.Sprintf("%d/%s", banner.Port.V, cmp.Or(string(banner.Transport), "tcp"))
		out.line(label, joined("  ", text, joined(", ", string(banner.Module), software)))
	}
}

// vulnerabilitiesText names the vulnerabilities that matter most: those that are known to be exploited, were verified,
// or are likely to be exploited. A source without details gives the first.
func vulnerabilitiesText(h *shodan.Host) string {
	ids := h.Vulns.IDs()
	if len(ids) == 0 {
		return ""
	}
	details := map[string]shodan.Vuln{}
	for i := range h.Banners {
		for id, v := range h.Banners[i].Vulns {
			known := details[id]
			if v.KEV.V {
				known.KEV = v.KEV
			}
			if v.Verified.V {
				known.Verified = v.Verified
			}
			if v.EPSS.V > known.EPSS.V {
				known.EPSS = v.EPSS
			}
			details[id] = known
		}
	}
	weight := func(id string) float64 {
		v, w := details[id], 0.0
		if v.KEV.V {
			w += 4
		}
		if v.Verified.V {
			w += 2
		}
		return w + v.EPSS.V
	}
	slices.SortStableFunc(ids, func(a, b string) int { return cmp.Compare(weight(b), weight(a)) })
	var shown []string
	for i, id := range ids {
		if i == cardVulnerabilities {
			shown = append(shown, fmt.Sprintf("and %d more", len(ids)-i))
			break
		}
		var marks []string
		v := details[id]
		if v.KEV.V {
			marks = append(marks, "exploited")
		}
		if v.Verified.V {
			marks = append(marks, "verified")
		}
		if v.EPSS.V >= 0.1 {
			marks = append(marks, fmt.Sprintf("EPSS %.0f %%", 100*v.EPSS.V))
		}
		if len(marks) > 0 {
			id += " (" + strings.Join(marks, ", ") + ")"
		}
		shown = append(shown, id)
	}
	return strings.Join(shown, ", ")
}

// ageText says how old what is known is, and where it is from.
func (c *check) ageText(f finding) string {
	a := f.Answer()
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

// joined joins the texts that are not empty.
func joined(separator string, texts ...string) string {
	return strings.Join(slices.DeleteFunc(texts, func(s string) bool { return s == "" }), separator)
}

// different returns a text, unless it is the same as another.
func different(s, other string) string {
	if s == other {
		return ""
	}
	return s
}

// some lists the first of a list, and how many more there are.
func some(list []string, most int) string {
	if len(list) <= most {
		return strings.Join(list, ", ")
	}
	return strings.Join(list[:most], ", ") + fmt.Sprintf(", and %d more", len(list)-most)
}
