package browsertest

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/chromedp"
	"github.com/google/go-cmp/cmp"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/history"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

func TestThePageLoadsNothingAndReportsNoErrors(t *testing.T) {
	file := sampleReport(t)
	for _, screen := range [][]action{{width(1280)}, {width(390)}, {width(1280), dark()}} {
		p := open(t, file, screen...)
		p.do(chromedp.Click("#list thead th:nth-child(1) button"), chromedp.SendKeys("#find", "apache"))
		requests, messages := p.noticed()
		if !slices.Equal(requests, []string{addressOf(file)}) || len(messages) > 0 {
			t.Errorf("requests %q, messages %q", requests, messages)
		}
	}
}

// TestTheContentSecurityPolicyIsActive does to the page what an attacker would who found a way to write into it.
func TestTheContentSecurityPolicyIsActive(t *testing.T) {
	file := sampleReport(t)
	p := open(t, file, width(1280))
	for blocked, attack := range map[string]string{
		"script-src-elem": `e = document.createElement("script"); e.textContent = "window.hacked = 1"; document.body.append(e)`,
		"script-src-attr": `e = document.createElement("b"); e.setAttribute("onclick", "window.hacked = 1"); document.body.append(e); e.click()`,
		"style-src-elem":  `e = document.createElement("style"); e.textContent = "body { display: none }"; document.body.append(e)`,
		"style-src-attr":  `document.body.setAttribute("style", "display: none")`,
		"img-src":         `e = document.createElement("img"); e.src = "http://evil.example/x"; document.body.append(e)`,
		"connect-src":     `fetch("http://evil.example/x").catch(() => {})`,
		"frame-src":       `e = document.createElement("iframe"); e.src = "http://evil.example/"; document.body.append(e)`,
		"base-uri":        `e = document.createElement("base"); e.href = "http://evil.example/"; document.head.append(e)`,
		"form-action":     `e = document.createElement("form"); e.action = "http://evil.example/"; document.body.append(e); e.submit()`,
		"font-src":        `new FontFace("f", "url(http://evil.example/f)").load().catch(() => {})`,
	} {
		got := get(p, chromedp.Evaluate[string](`new Promise(done => {
			document.addEventListener("securitypolicyviolation", v => done(v.effectiveDirective), {once: true});
			let e;
			`+attack+`
		})`, chromedp.EvalAwaitPromise))
		if got != blocked {
			t.Errorf("the page blocks %s, want %s", got, blocked)
		}
	}
	succeeded := value[bool](p, `"hacked" in window || getComputedStyle(document.body).display === "none"`)
	requests, _ := p.noticed()
	requests = slices.DeleteFunc(requests, func(url string) bool { return !strings.Contains(url, "evil") })
	if succeeded || len(requests) > 0 {
		t.Errorf("an attack succeeded; requests: %q", requests)
	}
}

func TestNothingIsWiderThanTheScreen(t *testing.T) {
	file := sampleReport(t)
	for _, pixels := range []int64{320, 390, 600, 820, 1280, 2560} {
		checkWidth(t, open(t, file, width(pixels)), pixels)
	}
}

// contrasts returns the texts that are hard to read: each text of the page is compared with the ground that is behind
// it, as WCAG 2 says.
const contrasts = `(() => {
	const rgb = text => { const m = text.match(/[\d.]+/g).map(Number); return {c: m.slice(0, 3), a: m[3] ?? 1}; };
	const light = c => { const [r, g, b] = c.map(v => (v /= 255) <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4); return .2126 * r + .7152 * g + .0722 * b; };
	const ground = e => { for (; e; e = e.parentElement) { const {c, a} = rgb(getComputedStyle(e).backgroundColor); if (a === 1) return c; } return [255, 255, 255]; };
	const bad = new Set();
	for (const e of document.querySelectorAll("body *")) {
		if (!e.checkVisibility() || e.closest(".unseen")) continue;
		if (!Array.from(e.childNodes).some(n => n.nodeType === 3 && n.data.trim())) continue;
		const s = getComputedStyle(e), a = light(rgb(e.closest("svg") ? s.fill : s.color).c), b = light(ground(e));
		const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
		if (ratio < 4.5) bad.add(ratio.toFixed(2) + " " + e.tagName + "." + (e.getAttribute("class") ?? "") + " " + e.textContent.slice(0, 30));
	}
	return Array.from(bad);
})()`

func TestTextsAreEasyToRead(t *testing.T) {
	for name, file := range map[string]string{"sample": sampleReport(t), "not checked": uncheckedReport(t)} {
		for scheme, screen := range map[string][]action{"light": {width(1280)}, "dark": {width(1280), dark()}, "small": {width(390)}, "small and dark": {width(390), dark()}} {
			if bad := value[[]string](open(t, file, screen...), contrasts); len(bad) > 0 {
				t.Errorf("%s, %s: a contrast of less than 4.5: %q", name, scheme, bad)
			}
		}
	}
}

// uncheckedReport is a report of addresses of which most have no score. InternetDB answers for two, has no data on one,
// and refuses one.
func uncheckedReport(t *testing.T, args ...string) string {
	t.Helper()
	sim := shodantest.New(t)
	known := sim.Generate(3)
	sim.Fault(shodantest.Fault{Target: known[2].String(), Status: 400, Body: `{"detail":"<b>refused</b>"}`})
	input := fmt.Sprintf("%s %s %s 93.184.216.34 10.0.0.1 198.51.100.0/24", known[0], known[1], known[2])
	return reportOn(t, fmt.Sprintf("internetdb_url = %q", sim.InternetDBURL()), input, args...)
}

func TestThePageSaysWhatWasNotChecked(t *testing.T) {
	for name, args := range map[string][]string{"all": nil, "only some": {"--only", "critical"}} {
		p := open(t, uncheckedReport(t, args...), width(1280))
		counts := value[string](p, `Array.from(document.querySelectorAll(".counts li"), e => e.textContent.trim()).filter(t => t[0] !== "0").join(", ")`)
		if !strings.HasSuffix(counts, "2 not checked, 1 not indexed, 1 reserved") {
			t.Errorf("%s: the counts are %s", name, counts)
		}
		if bar := value[string](p, `document.querySelector(".levels").getAttribute("aria-label")`); !strings.HasSuffix(bar, "2 not checked, 1 not indexed, 1 reserved") {
			t.Errorf("%s: the bar is %s", name, bar)
		}
		notice := value[string](p, `document.querySelector(".notice.warning").innerText`)
		for _, want := range []string{"Not everything was checked", "1 not checked (InternetDB refused the request", "1 network not checked (--expand)", "1 not indexed", "1 reserved", "Unknown does not mean low"} {
			if !strings.Contains(notice, want) {
				t.Errorf("%s: the notice does not have %q: %s", name, want, notice)
			}
		}
	}
	p := open(t, uncheckedReport(t), width(1280))
	p.screenshot("unchecked")
	rows := value[[]string](p, `Array.from(document.querySelectorAll("tr.unchecked"), r => r.cells[1].textContent + " " + r.cells[2].textContent + " " + r.cells[4].textContent)`)
	if len(rows) != 2 || !strings.HasPrefix(rows[0], "unknown - not checked: ") || !strings.HasPrefix(rows[1], "unknown - not checked: a network of 256 addresses") {
		t.Errorf("the rows are %q", rows)
	}
}

// TestThePageShowsChanges checks the chart of changes, of which the history has one a week ago and one today.
func TestThePageShowsChanges(t *testing.T) {
	sim := shodantest.New(t)
	ip := sim.Generate(2)[1]
	path := filepath.Join(t.TempDir(), "history.sqlite")
	store := history.Open(history.Options{Location: path})
	for days, ports := range map[int][]int{9: {443}, 7: {22, 443}, 5: {443}} {
		store.Record(history.Observation{
			Addr: ip, Source: "internetdb", CheckedAt: time.Now().AddDate(0, 0, -days),
			Host: &shodan.Host{Addr: ip, Ports: ports, Tags: shodan.Texts{}, Hostnames: shodan.Texts{}, CPEs: shodan.Texts{}, Vulns: shodan.VulnMap{}},
		})
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	file := reportOn(t, fmt.Sprintf("internetdb_url = %q\nhistory_store = %q", sim.InternetDBURL(), path), ip.String())
	p := open(t, file, width(1280))
	p.screenshot("changes")
	if got := value[string](p, `document.querySelector("figure:last-child svg").getAttribute("aria-label")`); strings.Count(got, ": 1 ") != 3 || !strings.HasSuffix(got, "1 worse") {
		t.Errorf("the chart is %s", got)
	}
	if bad := value[[]string](p, contrasts); len(bad) > 0 {
		t.Errorf("a contrast of less than 4.5: %q", bad)
	}
	for _, pixels := range []int64{390, 820, 1280} {
		checkWidth(t, open(t, file, width(pixels)), pixels)
	}
}

// outline describes the structure of the page: its landmarks, headings, tables and controls with their names.
const outline = `(() => {
	const lines = [];
	const own = e => Array.from(e.childNodes).filter(n => n.nodeType === 3).map(n => n.data.trim()).filter(Boolean).join(" ");
	const walk = (e, depth) => {
		const name = e.localName, shown = "header nav main section h1 h2 h3 h4 figure figcaption table caption thead th search fieldset legend label input button article dl dt footer svg a".split(" ");
		let inner = depth;
		const skip = name === "article" && e.id !== "host-1" || name === "tr" && e.parentElement.localName === "tbody" || name === "a" && e.closest("article, tbody") ||
			name === "svg" && !e.hasAttribute("role");
		if (skip) return;
		if (shown.includes(name)) {
			const facts = ["id", "role", "scope", "aria-sort", "aria-label", "aria-labelledby", "aria-controls", "type", "href"].filter(a => e.hasAttribute(a)).map(a => a + "=" + e.getAttribute(a));
			const text = ["section", "main", "figure", "table", "article", "header", "svg"].includes(name) ? "" : own(e);
			lines.push("  ".repeat(depth) + [name, ...facts].join(" ") + (text ? ": " + text : ""));
			inner++;
		}
		for (const child of e.children) walk(child, inner);
	};
	walk(document.body, 0);
	return lines.join("\n") + "\n";
})()`

func TestTheStructureOfThePage(t *testing.T) {
	p := open(t, sampleReport(t), width(1280))
	got := value[string](p, outline)
	const golden = "testdata/outline.txt"
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("the structure changed (-want +got); if it should, run the test with -update: %s", diff)
	}
}

// TestScreenReadersSeeTables checks that the table is still one on a small screen, where its rows look like cards.
func TestScreenReadersSeeTables(t *testing.T) {
	file := sampleReport(t)
	for _, pixels := range []int64{390, 1280} {
		p := open(t, file, width(pixels))
		tree := get(p, func(ctx context.Context, t *chromedp.Target) (accessibility.GetFullAXTreeResult, error) {
			return cdp.Call(ctx, t, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{})
		})
		roles := map[string]int{}
		for _, node := range tree.Nodes {
			role := textOf(node.Role)
			if node.Ignored {
				continue
			}
			roles[role]++
			mustHaveName := slices.Contains([]string{"button", "link", "searchbox", "checkbox", "heading", "image", "region", "article"}, role)
			if mustHaveName && textOf(node.Name) == "" {
				t.Errorf("at %d pixels a %s has no name", pixels, role)
			}
		}
		for role, want := range map[string]int{"main": 1, "banner": 1, "contentinfo": 1, "navigation": 1, "search": 1, "status": 1, "article": 5, "region": 4} {
			if roles[role] != want {
				t.Errorf("at %d pixels there are %d of %s, want %d", pixels, roles[role], role, want)
			}
		}
		tables, rows := value[int](p, `document.querySelectorAll("table").length`), value[int](p, `document.querySelectorAll("tr").length`)
		if roles["table"] != tables || roles["row"] != rows {
			t.Errorf("at %d pixels there are %d tables of %d and %d rows of %d", pixels, roles["table"], tables, roles["row"], rows)
		}
	}
}

// textOf returns a value of the accessibility tree.
func textOf(v *accessibility.Value) string {
	var text string
	if v != nil {
		_ = json.Unmarshal(v.Value, &text) // a value that is not a text has none
	}
	return text
}

// TestScreenshots writes pictures for people to look at.
func TestScreenshots(t *testing.T) {
	if *screenshots == "" {
		t.Skip("the flag -screenshots names no folder")
	}
	file := sampleReport(t)
	for _, pixels := range []int64{390, 820, 1280} {
		open(t, file, width(pixels)).screenshot(fmt.Sprint(pixels))
		open(t, file, width(pixels), dark()).screenshot(fmt.Sprint(pixels, "-dark"))
	}
	pdf := get(open(t, file, width(1280), dark()), chromedp.PrintToPDF(chromedp.PDFPrintBackground(), chromedp.PDFPreferCSSPageSize()))
	if err := os.WriteFile(filepath.Join(*screenshots, "print.pdf"), pdf, 0o600); err != nil {
		t.Fatal(err)
	}
}
