package report

import (
	"net/url"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/display"
)

// shortened returns a text of up to so many characters that cannot disturb the page: [display.Printable] escapes what
// is not visible or changes the direction of writing.
func shortened(text string, limit int) string {
	whole := display.Printable(cut(display.DropMarks(text), limit+1)) // which is not shorter than the text
	if short := cut(whole, limit); short != whole {
		return short + "…"
	}
	return whole
}

// cut returns the first characters of a text.
func cut(text string, limit int) string {
	n := 0
	for i := range text {
		if n++; n > limit {
			return text[:i]
		}
	}
	return text
}

// shortenedList is [shortened] for the first texts of a list, and how many more there are.
func shortenedList(list []string, limit, length int) (shown []string, more int) {
	for i, text := range list {
		if i == limit {
			return shown, len(list) - limit
		}
		shown = append(shown, shortened(text, length))
	}
	return shown, 0
}

// An htmlLink is a link to another site. Without a URL it is a text.
type htmlLink struct{ URL, Text string }

// reference returns a link to a page that supports a factor. A policy may name anything, which then is not a link.
func reference(text string) htmlLink {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return htmlLink{Text: shortened(text, 200)}
	}
	return htmlLink{URL: text, Text: shortened(u.Hostname(), 100)}
}
