package browsertest

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/google/go-cmp/cmp"
)

// addresses returns the addresses of the rows that the table shows, in order.
func (p *tab) addresses() []string {
	p.t.Helper()
	return value[[]string](p, `Array.from(document.querySelectorAll("#list tbody tr")).filter(r => r.checkVisibility()).map(r => r.cells[0].textContent)`)
}

// header returns the selector of the button that sorts by a column.
func header(column int) string {
	return "#list thead th:nth-child(" + strconv.Itoa(column) + ") button"
}

// The orders of the rows of the sample.
var (
	worstFirst = []string{"203.0.113.10", "2001:db8:bad::10", "198.51.100.66", "203.0.113.25", "192.0.2.44", "192.0.2.80", "192.168.1.10"}
	byAddress  = []string{"192.0.2.44", "192.0.2.80", "192.168.1.10", "198.51.100.66", "203.0.113.10", "203.0.113.25", "2001:db8:bad::10"}
	// The last has neither a score nor an organization, and is last in both directions.
	bestFirst      = []string{"192.0.2.80", "192.0.2.44", "203.0.113.25", "198.51.100.66", "203.0.113.10", "2001:db8:bad::10", "192.168.1.10"}
	byOrganization = []string{"192.0.2.44", "198.51.100.66", "203.0.113.25", "203.0.113.10", "192.0.2.80", "2001:db8:bad::10", "192.168.1.10"}
)

func TestTheTableSortsByMouseAndKeyboard(t *testing.T) {
	file := sampleReport(t)
	for name, press := range map[string]func(*tab, int){
		"mouse": func(p *tab, column int) { p.do(chromedp.Click(header(column))) },
		"Enter": func(p *tab, column int) { p.do(chromedp.Focus(header(column)), chromedp.KeyEvent(kb.Enter)) },
		"Space": func(p *tab, column int) { p.do(chromedp.Focus(header(column)), chromedp.KeyEvent(" ")) },
	} {
		p := open(t, file, width(1280))
		if diff := cmp.Diff(worstFirst, p.addresses()); diff != "" {
			t.Errorf("at first: %s", diff)
		}
		for _, step := range []struct {
			column int
			sorted string
			want   []string
		}{
			{1, "ascending", byAddress},
			{1, "descending", reversed(byAddress)},
			{3, "descending", worstFirst},
			{3, "ascending", bestFirst},
			{2, "descending", worstFirst},
			{6, "ascending", byOrganization},
			{6, "descending", append(reversed(byOrganization[:6]), byOrganization[6])},
		} {
			press(p, step.column)
			if diff := cmp.Diff(step.want, p.addresses()); diff != "" {
				t.Errorf("%s, column %d %s: %s", name, step.column, step.sorted, diff)
			}
			marks := value[[]string](p, `Array.from(document.querySelectorAll("#list [aria-sort]"), h => h.cellIndex + 1 + " " + h.getAttribute("aria-sort"))`)
			if want := []string{strconv.Itoa(step.column) + " " + step.sorted}; !slices.Equal(marks, want) {
				t.Errorf("%s: sorted by %q, want %q", name, marks, want)
			}
		}
	}
}

// reversed returns a list from its end to its beginning.
func reversed(list []string) []string {
	list = slices.Clone(list)
	slices.Reverse(list)
	return list
}

func TestTheTableFilters(t *testing.T) {
	file := sampleReport(t)
	p := open(t, file, width(1280))
	check := func(what, status string, want ...string) {
		t.Helper()
		if got := p.addresses(); !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", what, got, want)
		}
		if got := value[string](p, `document.querySelector("[role=status]").textContent`); got != status {
			t.Errorf("%s: the status is %q, want %q", what, got, status)
		}
	}
	check("at first", "7 addresses", worstFirst...)
	p.do(chromedp.Click("#find"), chromedp.KeyEvent("CLOUD 22"))
	check("two words", "1 of 7 addresses", "198.51.100.66")
	p.do(chromedp.KeyEvent(" nothing"))
	check("words that no row has", "0 of 7 addresses")
	p.do(chromedp.Click("#reset"))
	check("after a reset", "7 addresses", worstFirst...)
	p.do(chromedp.Click("input[value=critical]"))
	check("without critical", "3 of 7 addresses", worstFirst[4:]...)
	// From the first box to the last with the keyboard alone.
	p.do(chromedp.Focus("input[value=critical]"), chromedp.KeyEvent(kb.Tab), chromedp.KeyEvent(" "), chromedp.KeyEvent(kb.Tab), chromedp.KeyEvent(" "))
	check("only unknown", "1 of 7 addresses", "192.168.1.10")
	p.do(chromedp.Click(header(1)))
	check("sorted", "1 of 7 addresses", "192.168.1.10")
	p.do(chromedp.Click("#reset"))
	check("sorted, after a reset", "7 addresses", byAddress...)
}

func TestTheKeyboardReachesEverything(t *testing.T) {
	p := open(t, sampleReport(t), width(1280))
	var order []string
	seen := map[string]bool{}
	for range 200 {
		p.do(chromedp.KeyEvent(kb.Tab))
		at := value[string](p, `(e => e === document.body ? "" : e.tagName + "|" + (e.textContent.trim() || e.value || e.id) + "|" + (e.getAttribute("href") || ""))(document.activeElement)`)
		if at == "" {
			break
		}
		if !value[bool](p, `(e => { const s = getComputedStyle(e), b = e.getBoundingClientRect();
			return s.outlineStyle !== "none" && parseFloat(s.outlineWidth) >= 2 && b.width > 0 && b.bottom > 0 && b.top < innerHeight; })(document.activeElement)`) {
			t.Errorf("the focus on %q is not visible", at)
		}
		if !seen[at] {
			seen[at], order = true, append(order, at)
		}
	}
	all := strings.Join(order, "\n")
	if want := "A|Skip to the addresses|#addresses"; order[0] != want {
		t.Errorf("first is %q, want %q", order[0], want)
	}
	for _, want := range []string{
		"A|Charts|#charts", "INPUT|find|", "INPUT|critical|", "INPUT|unknown|", "BUTTON|Reset|", "BUTTON|Address|", "BUTTON|Ports|",
		"A|203.0.113.10|#host-1", "A|192.0.2.44|#host-5", "A|attack.mitre.org|https://attack.mitre.org/tactics/TA0011/",
		"A|CVE-2021-40438|https://www.cve.org/CVERecord?id=CVE-2021-40438",
	} {
		if !seen[want] {
			t.Errorf("the keyboard does not reach %q in %s", want, all)
		}
	}
	if dead := value[[]string](p, `Array.from(document.querySelectorAll("a[href^='#']")).map(a => a.getAttribute("href")).filter(h => !document.querySelector(h))`); len(dead) > 0 {
		t.Errorf("links to what does not exist: %q", dead)
	}
}

func TestThePageIsReadableWithoutItsScript(t *testing.T) {
	p := open(t, sampleReport(t), width(1280), command(emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}))
	if diff := cmp.Diff(worstFirst, p.addresses()); diff != "" {
		t.Error(diff)
	}
	if got := value[int](p, `document.querySelectorAll("#list button").length`); got != 0 {
		t.Error("the script ran")
	}
	if controls := value[[]string](p, `Array.from(document.querySelectorAll("input, button")).filter(e => e.checkVisibility()).map(e => e.outerHTML)`); len(controls) > 0 {
		t.Errorf("there are controls that do nothing: %q", controls)
	}
	if got := value[int](p, `Array.from(document.querySelectorAll("article.host")).filter(e => e.checkVisibility()).length`); got != 5 {
		t.Errorf("%d cards, want 5", got)
	}
}

func TestThePrintedPageHasAllSelectedRowsAndNoControls(t *testing.T) {
	banners, addresses := manyBanners(150)
	p := open(t, report(t, datasetOf(t, banners), strings.Join(addresses, "\n")), width(1280), dark())
	if got := len(p.addresses()); got != 100 {
		t.Errorf("the screen shows %d addresses, want the first 100", got)
	}
	p.do(chromedp.Click("input[value=critical]"))
	media := emulation.SetEmulatedMediaParams{Media: "print", Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}}}
	p.do(command(emulation.SetEmulatedMedia, media))
	if got, want := len(p.addresses()), value[int](p, `document.querySelectorAll("#list tbody tr:not(.critical)").length`); got != want || got <= 100 {
		t.Errorf("the printed page has %d addresses, want %d", got, want)
	}
	if got := value[[]string](p, `Array.from(document.querySelectorAll("nav, search, .more, [role=status], .skip")).filter(e => e.checkVisibility()).map(e => e.outerHTML)`); len(got) > 0 {
		t.Errorf("the printed page has %q", got)
	}
	if got := value[string](p, `getComputedStyle(document.body).backgroundColor`); got != "rgb(255, 255, 255)" {
		t.Errorf("the paper is %s", got)
	}
	if pdf := get(p, chromedp.PrintToPDF(chromedp.PDFPrintBackground(), chromedp.PDFPageRanges("1-3"))); len(pdf) < 50_000 || string(pdf[:5]) != "%PDF-" {
		t.Errorf("the PDF has %d bytes", len(pdf))
	}
}

func TestMoreRowsAreShownOnRequest(t *testing.T) {
	banners, addresses := manyBanners(250)
	p := open(t, report(t, datasetOf(t, banners), strings.Join(addresses, "\n")), width(390))
	for _, step := range []struct {
		button string
		want   int
		status string
	}{{"", 100, "The first 100 of 250 addresses"}, {"#more", 200, "The first 200 of 250 addresses"}, {"#all", 250, "250 addresses"}} {
		if step.button != "" {
			p.do(chromedp.Click(step.button))
		}
		if got := len(p.addresses()); got != step.want {
			t.Errorf("%s: %d addresses, want %d", step.button, got, step.want)
		}
		if got := value[string](p, `document.querySelector("[role=status]").textContent`); got != step.status {
			t.Errorf("%s: the status is %q, want %q", step.button, got, step.status)
		}
	}
	p.do(chromedp.Click("input[value=critical]"))
	if got := value[string](p, `document.querySelector("[role=status]").textContent`); got != "The first 100 of 225 addresses that match" {
		t.Errorf("without critical the status is %q", got)
	}
	p.do(chromedp.Click("#all"))
	if value[bool](p, `document.querySelector("#all").checkVisibility()`) {
		t.Error("there are still buttons for more rows")
	}
}
