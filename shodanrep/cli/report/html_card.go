package report

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

// What a card of the page lists at most. The rest is counted.
const (
	htmlNames     = 12
	htmlServices  = 40
	htmlExploited = 25
	htmlVulns     = 30
)

// An htmlCard is everything that matters about one address.
type htmlCard struct {
	Number                  int
	Class, IP, Level, Score string
	Confidence, Age         string
	Reasons                 []htmlReason
	Facts                   []htmlFact
	Services                []htmlService
	MoreServices            int
	OtherPorts              string // those whose service is unknown
	Exploited               []htmlVulnerability
	MoreExploited           int
	ExploitedUnknown        bool // the source does not say which vulnerabilities are exploited
	Vulnerabilities         []string
	MoreVulnerabilities     int
	AllVulnerabilities      string // how many there are, or ""
	Related                 []htmlRelated
}

// An htmlReason is a reason for a score.
type htmlReason struct {
	Points, Detail, Evidence string
	Reference                htmlLink
}

// An htmlFact is a labelled text.
type htmlFact struct{ Label, Text string }

// An htmlService is a service of a host.
type htmlService struct{ Port, Protocol, Software, Detail string }

// An htmlVulnerability is a vulnerability that is known to be exploited.
type htmlVulnerability struct {
	Link          htmlLink
	Marks, Detail string
}

// card returns the card of a result, without its number and the related addresses. It refers to no text of the result.
func (w *htmlWriter) card(r Result) *htmlCard {
	c := &htmlCard{
		Class: r.class(), IP: shortened(r.IP(), 100), Level: string(r.Level()), Score: r.score(), Confidence: r.confidence(),
		Age: w.age(r),
	}
	for _, factor := range byPoints(r.Score().Factors) {
		c.Reasons = append(c.Reasons, htmlReason{
			fmt.Sprintf("%+d", factor.Points), shortened(factor.Detail, 500), shortened(evidenceText(factor.Evidence, factor.Detail), 300),
			reference(r.Reference(factor.Factor)),
		})
	}
	h := r.Host()
	c.addServices(r, h)
	c.addFacts(r, h)
	c.addVulnerabilities(r, h)
	for _, text := range c.texts() {
		*text = strings.Clone(*text)
	}
	return c
}

// texts returns all texts that can be long or come from a response.
func (c *htmlCard) texts() []*string {
	texts := []*string{&c.IP, &c.OtherPorts}
	for i := range c.Reasons {
		r := &c.Reasons[i]
		texts = append(texts, &r.Detail, &r.Evidence, &r.Reference.URL, &r.Reference.Text)
	}
	for i := range c.Facts {
		texts = append(texts, &c.Facts[i].Text)
	}
	for i := range c.Services {
		s := &c.Services[i]
		texts = append(texts, &s.Port, &s.Protocol, &s.Software, &s.Detail)
	}
	for i := range c.Exploited {
		v := &c.Exploited[i]
		texts = append(texts, &v.Link.URL, &v.Link.Text, &v.Marks, &v.Detail)
	}
	for i := range c.Vulnerabilities {
		texts = append(texts, &c.Vulnerabilities[i])
	}
	return texts
}

// size returns at least how many bytes the card has.
func (c *htmlCard) size() (size int) {
	for _, text := range c.texts() {
		size += len(*text)
	}
	return size
}

// fact adds a fact, if there is one.
func (c *htmlCard) fact(label, text string, limit int) {
	if text = shortened(text, limit); text != "" {
		c.Facts = append(c.Facts, htmlFact{label, text})
	}
}

func (c *htmlCard) addFacts(r Result, h *shodan.Host) {
	if l := r.Listing(); l.List != "" {
		c.fact("On the list", strings.TrimSuffix(string(l.List)+": "+l.Reason, ": "), 200)
	}
	isp := string(h.ISP)
	if h.ISP == h.Organization {
		isp = ""
	}
	c.fact("Organization", joined(", ", string(h.Organization), isp, string(h.ASN)), 200)
	c.fact("Location", joined(", ", string(h.City), string(h.CountryName)), 120)
	if hosting := r.Score().Hosting; hosting.Type != "" && hosting.Type != "unknown" {
		c.fact("Network", joined(": ", hosting.Type, hosting.Reason), 200)
	}
	names, more := shortenedList(h.Hostnames, htmlNames, 100)
	c.fact("Names", moreText(names, more), 1500)
	tags, more := shortenedList(h.Tags, htmlNames, 40)
	c.fact("Tags", moreText(tags, more), 600)
	c.fact("Data", dataText(r.Answer()), 200)
	c.fact("Found", foundText(r), 300)
}

// moreText joins texts, and says how many more there are.
func moreText(list []string, more int) string {
	if more > 0 {
		list = append(list, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(list, ", ")
}

func (c *htmlCard) addServices(r Result, h *shodan.Host) {
	if len(h.Banners) == 0 {
		c.fact("Open ports", r.ports(60), 500)
		return
	}
	var others []string // ports whose service is unknown
	for i := range h.Banners {
		switch s := newHTMLService(&h.Banners[i]); {
		case s.Software == "" && s.Detail == "" && (s.Protocol == "" || s.Protocol == "auto"):
			others = append(others, s.Port)
		case len(c.Services) == htmlServices:
			c.MoreServices++
		default:
			c.Services = append(c.Services, s)
		}
	}
	others, more := shortenedList(others, htmlServices, 20)
	c.OtherPorts = moreText(others, more)
}

func newHTMLService(b *shodan.Banner) htmlService {
	var details []string
	if b.HTTP != nil && b.HTTP.Title != "" {
		details = append(details, "“"+shortened(string(b.HTTP.Title), 100)+"”")
	}
	if name := shodan.SubjectCN.Value(b); name != "" {
		details = append(details, "certificate of "+shortened(name, 80))
	}
	if b.SSL != nil && b.SSL.Cert.Expired.V {
		details = append(details, "expired")
	}
	return htmlService{
		fmt.Sprintf("%d/%s", b.Port.V, shortened(cmp.Or(string(b.Transport), "tcp"), 10)), shortened(string(b.Module), 40),
		shortened(joined(" ", string(b.Product), string(b.Version)), 100), strings.Join(details, ", "),
	}
}

func (c *htmlCard) addVulnerabilities(r Result, h *shodan.Host) {
	list := vulnerabilities(h)
	if len(list) == 0 {
		return
	}
	if c.AllVulnerabilities = "1 known vulnerability"; len(list) > 1 {
		c.AllVulnerabilities = comma(len(list)) + " known vulnerabilities"
	}
	c.ExploitedUnknown = r.VulnerabilitySummary().Exploited == nil
	for _, v := range list {
		switch {
		case v.KEV.V && len(c.Exploited) == htmlExploited:
			c.MoreExploited++
		case v.KEV.V:
			c.Exploited = append(c.Exploited, newHTMLVulnerability(v))
		case len(c.Vulnerabilities) == htmlVulns:
			c.MoreVulnerabilities++
		default:
			c.Vulnerabilities = append(c.Vulnerabilities, joined(" ", v.id, bracketed(v.marks())))
		}
	}
}

// bracketed returns a text in brackets, and nothing for nothing.
func bracketed(text string) string {
	if text == "" {
		return ""
	}
	return "(" + text + ")"
}

func newHTMLVulnerability(v vulnerability) htmlVulnerability {
	link := htmlLink{Text: v.id}
	if isCVE(v.id) {
		link.URL = "https://www.cve.org/CVERecord?id=" + v.id
	}
	return htmlVulnerability{link, v.marks(), shortened(string(v.Summary), 220)}
}
