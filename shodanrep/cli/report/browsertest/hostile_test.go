package browsertest

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestHostileData checks that texts of attackers stay texts, and do not break the layout.
func TestHostileData(t *testing.T) {
	banners, addresses := hostileBanners()
	file := report(t, datasetOf(t, banners), strings.Join(addresses, "\n"))
	for _, pixels := range []int64{320, 390, 820} {
		checkWidth(t, open(t, file, width(pixels)), pixels)
	}
	p := open(t, file, width(1280))
	checkWidth(t, p, 1280)
	requests, messages := p.noticed()
	if !slices.Equal(requests, []string{addressOf(file)}) || len(messages) > 0 {
		t.Errorf("requests %q, messages %q", requests, messages)
	}
	if value[bool](p, `"hacked" in window`) {
		t.Error("a script of an attacker ran")
	}
	for selector, want := range map[string]int{
		"script": 1, "style": 1, "meta": 5, "h1": 1, "main": 1, "table#list": 1,
		"img, iframe, object, embed, base, link, form, audio, video, frame, template, body svg [href], [style]": 0,
	} {
		if got := value[int](p, `document.querySelectorAll(`+quoted(selector)+`).length`); got != want {
			t.Errorf("%d elements %s, want %d", got, selector, want)
		}
	}
	if handlers := value[[]string](p, `Array.from(document.querySelectorAll("*")).flatMap(e => e.getAttributeNames()).filter(n => n.startsWith("on"))`); len(handlers) > 0 {
		t.Errorf("elements have the attributes %q", handlers)
	}
	if links := value[[]string](p, `Array.from(document.links, a => a.protocol + "//" + a.host).filter(l => !/^(file:\/\/|https:\/\/[a-z.]+(org|com|io|gov))$/.test(l))`); len(links) > 0 {
		t.Errorf("links to %q", links)
	}
	// Each text is in the page as written, in the table and in its card.
	text := value[string](p, `document.body.textContent`)
	for _, h := range hostile {
		if n := strings.Count(text, h); n < 5 {
			t.Errorf("%q is %d times in the text of the page", h, n)
		}
	}
	if found := regexp.MustCompile(`[\x{200b}-\x{200f}\x{061c}\x{2028}-\x{202e}\x{2060}-\x{206f}\x{feff}\x00-\x08\x0e-\x1f\x{ad}]`).FindString(text); found != "" {
		t.Errorf("the page has the character %q", found)
	}
	if marks := regexp.MustCompile(`\pM{5,}`).FindString(text); marks != "" {
		t.Errorf("the page has %q", marks)
	}
	p.screenshot("hostile")
}

// checkWidth checks that nothing is wider than the screen, and that nothing is out of the box that it is in.
func checkWidth(t *testing.T, p *tab, pixels int64) {
	t.Helper()
	if got := value[int64](p, `document.documentElement.scrollWidth`); got > pixels {
		t.Errorf("the page is %d pixels wide on a screen of %d", got, pixels)
	}
	// An element whose text is cut with an ellipsis has all of it, and shows a part.
	outside := value[[]string](p, `Array.from(document.querySelectorAll("main *, header *, footer *")).filter(e => {
		const box = e.getBoundingClientRect();
		if (e.closest(".unseen, figure th, svg, .fixed") || box.width === 0) return false;
		return box.right > innerWidth + 1 || box.left < -1 || e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display !== "inline";
	}).map(e => e.tagName + " " + e.className + " " + e.textContent.slice(0, 50))`)
	if len(outside) > 0 {
		t.Errorf("at %d pixels these do not fit: %q", pixels, outside)
	}
}
