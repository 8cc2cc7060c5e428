package report

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"html/template"
	"io"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/display"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation"
)

const (
	// maxPage is how many bytes a page may have. Cards and rows that do not fit are left out, the least important first,
	// and the page says so.
	maxPage = 9_500_000
	// minCards is how many bytes cards may have however many rows there are.
	minCards = 2_500_000
	// maxRows is how many bytes rows may have.
	maxRows = maxPage - maxFrame - minCards
	// maxFrame is more than the page has besides rows and cards: style, script, summary and charts.
	maxFrame = 200_000
)

// The parts of a page. The style and the script are files of their own, so that the Content-Security-Policy can name
// their hashes.
var (
	//go:embed html
	htmlFiles  embed.FS
	htmlStyle  = htmlFile("html/style.css")
	htmlScript = htmlFile("html/script.js")
	// htmlTemplates are parsed when a page is written: most processes write none, and parsing takes milliseconds.
	htmlTemplates = sync.OnceValue(func() *template.Template {
		return template.Must(template.New("page").Funcs(template.FuncMap{"comma": comma}).ParseFS(htmlFiles, "html/*.tmpl"))
	})
	// htmlPolicy allows this style and this script, and nothing else: neither a request nor what a text of an attacker
	// might smuggle in.
	htmlPolicy = "default-src 'none'; style-src '" + htmlHash(htmlStyle) + "'; script-src '" + htmlHash(htmlScript) +
		"'; base-uri 'none'; form-action 'none'"
)

func htmlFile(name string) string {
	text, err := htmlFiles.ReadFile(name)
	if err != nil {
		panic(err) // the file is embedded
	}
	return string(text)
}

func htmlHash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// An htmlWriter writes a page that is complete in one file. Until Close it keeps what the page has of the results. The texts
// of rows and cards are most of it, so it keeps only those of the worst results, as many as can fit.
type htmlWriter struct {
	out     io.Writer
	options Options
	results []*htmlResult
	charts  []*htmlCounts
	scores  htmlScores
	related relatedIndex
	rows    htmlBudget
	cards   htmlBudget
}

// An htmlResult is what a page has of a result.
type htmlResult struct {
	rank, number      int // number is the place among the results as they were added
	prefix            netip.Prefix
	addr              netip.Addr // not valid for a network
	class, ip         string
	level             reputation.Level
	isScored, hasCard bool
	row               *htmlRow  // nil if it cannot fit in a page
	card              *htmlCard // nil without a card, or if it cannot fit in a page
	cardKeys          []relatedKey
}

func newHTMLWriter(out io.Writer, o Options) Writer {
	return &htmlWriter{
		out: out, options: o, charts: newCharts(), related: newRelatedIndex(),
		rows: htmlBudget{limit: maxRows}, cards: htmlBudget{limit: maxPage},
	}
}

func (w *htmlWriter) Write(r Result) error {
	return w.Reduce(r)()
}

func (w *htmlWriter) Reduce(r Result) (add func() error) {
	h := &htmlResult{
		rank: r.Rank(), prefix: r.prefix(), class: r.class(), ip: strings.Clone(shortened(r.IP(), 100)), level: r.Level(),
		isScored: r.Score() != nil, hasCard: hasCard(r),
	}
	if !r.IsNetwork() {
		h.addr = r.Addr
	}
	if w.rows.mayFit(h.rank) {
		h.row = newHTMLRow(r)
	}
	keys := relatedKeys(r.Host())
	if h.hasCard && w.cards.mayFit(h.rank) {
		h.card, h.cardKeys = w.card(r), cloneKeys(keys)
	}
	hashes := hashesOf(keys)
	var score int
	var values [][]string
	if h.isScored {
		score = r.Score().Score
		for _, c := range w.charts {
			values = append(values, c.values(r))
		}
	}
	return func() error {
		w.add(h, hashes, score, values)
		return nil
	}
}

// add adds a result, with the hashes of what it shares with others, and the score and the values of the charts if it has a
// score.
func (w *htmlWriter) add(h *htmlResult, shared []relatedHash, score int, values [][]string) {
	h.number = len(w.results)
	w.results = append(w.results, h)
	w.related.add(h.number, shared)
	if h.isScored {
		w.scores.add(score, h.level)
		for i, c := range w.charts {
			c.add(h.level, values[i])
		}
	}
	if h.row != nil {
		w.rows.add(h, h.row.size(), func(h *htmlResult) { h.row = nil })
	}
	if h.card != nil {
		w.cards.add(h, h.card.size(), func(h *htmlResult) { h.card, h.cardKeys = nil, nil })
	}
}

func (w *htmlWriter) Close() error {
	w.related.sort(w.sortResults())
	page := w.page(w.options.Summary())
	wanted := slices.IndexFunc(w.results, func(r *htmlResult) bool { return !r.hasCard })
	if wanted < 0 {
		wanted = len(w.results)
	}
	rows, err := w.writeRows(&page, wanted)
	if err != nil {
		return err
	}
	cards, err := w.writeCards(&page, wanted, maxPage-maxFrame-rows.Len())
	if err != nil {
		return err
	}
	if page.CardsLeft > 0 { // rows must not link to these
		if rows, err = w.writeRows(&page, page.Cards); err != nil {
			return err
		}
	}
	for _, part := range []struct {
		template string
		buffer   *bytes.Buffer
	}{{"head", rows}, {"between", cards}, {"foot", nil}} {
		if err := htmlTemplates().ExecuteTemplate(w.out, part.template, page); err != nil {
			return err
		}
		if part.buffer == nil {
			continue
		}
		if _, err := part.buffer.WriteTo(w.out); err != nil {
			return err
		}
	}
	return nil
}

// sortResults puts the worst results first, and returns the new place of each number.
func (w *htmlWriter) sortResults() (places []int) {
	slices.SortStableFunc(w.results, func(a, b *htmlResult) int { return cmp.Compare(b.rank, a.rank) })
	places = make([]int, len(w.results))
	for i, r := range w.results {
		places[r.number] = i
	}
	return places
}

// page returns the page without rows and cards.
func (w *htmlWriter) page(s Summary) htmlPage {
	p := htmlPage{
		ContentPolicy: htmlPolicy, Style: template.CSS(htmlStyle), Script: template.JS(htmlScript),
		Policy: shortened(s.Policy, 200), Time: w.options.Now.UTC().Format("2006-01-02 15:04 MST"), Moment: w.options.Now.UTC().Format("2006-01-02T15:04Z07:00"), Sources: cmp.Or(s.sourcesText(), "none"), Cost: s.costText(),
		Counts: summaryCounts(s), Total: s.Total, Unchecked: s.Statuses[lookup.Failed] + s.Networks,
		Unshown: s.Total - len(w.results), Charts: charts(w.charts), Histogram: w.scores.histogram(),
	}
	p.Changes, p.Problem = w.changes()
	p.All = display.Plural(int64(s.Total), "address")
	p.Title = "IP reputation: " + p.All
	_, p.Unknown = s.unknown()
	for i, reason := range p.Unknown {
		p.Unknown[i] = shortened(reason, 1000)
	}
	return p
}

// writeRows renders the rows, as many as fit, and adds to the page what it says of them. The first ones link to their
// cards.
func (w *htmlWriter) writeRows(p *htmlPage, cards int) (*bytes.Buffer, error) {
	order := addressOrder(w.results)
	var b bytes.Buffer
	p.Rows, p.LeftOut = len(w.results), nil
	for i, r := range w.results {
		before, isFull := b.Len(), r.row == nil
		if !isFull {
			row := *r.row
			row.Order = order[i]
			if i < cards {
				row.Card = i + 1
			}
			if err := htmlTemplates().ExecuteTemplate(&b, "row", row); err != nil {
				return nil, err
			}
			isFull = b.Len() > maxRows
		}
		if isFull {
			b.Truncate(before)
			p.Rows, p.LeftOut = i, levelCounts(w.results[i:])
			break
		}
	}
	p.Levels = levelCounts(w.results[:p.Rows])
	return &b, nil
}

// addressOrder returns the rank of each result if they are sorted by address.
func addressOrder(results []*htmlResult) []int {
	indexes := make([]int, len(results))
	for i := range results {
		indexes[i] = i
	}
	slices.SortStableFunc(indexes, func(a, b int) int { return results[a].prefix.Compare(results[b].prefix) })
	order := make([]int, len(results))
	for rank, i := range indexes {
		order[i] = rank
	}
	return order
}

// hasCard reports whether a result has a card.
func hasCard(r Result) bool { return r.Level() == reputation.Critical || r.Level() == reputation.High }

// writeCards renders the cards of the first results, as many as fit, and adds to the page what it says of them.
func (w *htmlWriter) writeCards(p *htmlPage, wanted, limit int) (*bytes.Buffer, error) {
	var b bytes.Buffer
	for i, r := range w.results[:wanted] {
		before, isFull := b.Len(), r.card == nil
		if !isFull {
			card := *r.card
			card.Number, card.Related = i+1, w.related.sharedWith(w.results, i)
			if err := htmlTemplates().ExecuteTemplate(&b, "card", card); err != nil {
				return nil, err
			}
			isFull = b.Len() > limit
		}
		if isFull {
			b.Truncate(before)
			p.CardsLeft = wanted - i
			break
		}
		p.Cards++
	}
	return &b, nil
}

// age returns how long ago a host was seen, for people.
func (w *htmlWriter) age(r Result) string {
	if r.Host() == nil || r.Host().LastUpdate.IsZero() {
		return ""
	}
	days := max(0, int(w.options.Now.Sub(r.Host().LastUpdate.Time)/(24*time.Hour)))
	return r.Host().LastUpdate.UTC().Format(time.DateOnly) + ", " + display.Plural(int64(days), "day") + " ago"
}
