package reputation

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A template is a sentence with places for what was found, such as "{count} ports open".
type template []templatePart

type templatePart struct{ text, place string }

// parseTemplate reads a sentence that may have some places.
func parseTemplate(text string, places ...string) (template, error) {
	var t template
	for text != "" {
		before, rest, found := strings.Cut(text, "{")
		if before != "" {
			t = append(t, templatePart{text: before})
		}
		if !found {
			break
		}
		place, after, closed := strings.Cut(rest, "}")
		if !closed || !slices.Contains(places, place) {
			return nil, fmt.Errorf("what is in braces must be one of {%s}", strings.Join(places, "}, {"))
		}
		t = append(t, templatePart{place: place})
		text = after
	}
	return t, nil
}

// finding is what a factor found, for its sentence.
type finding struct {
	count, over int
	values      [mostShown]shown
	shown, more int // how many values there are, and how many besides
}

// shown is a value with what is said of it.
type shown struct{ value, reason string }

// mostShown is how many values a sentence names; the evidence has them all.
const mostShown = 10

func (t template) fill(f *finding) string {
	var b strings.Builder
	b.Grow(128)
	for _, part := range t {
		b.WriteString(part.text)
		switch part.place {
		case "count":
			b.WriteString(strconv.Itoa(f.count))
		case "over":
			b.WriteString(strconv.Itoa(f.over))
		case "values":
			f.each(&b, func(s shown) {
				b.WriteString(s.value)
				if s.reason != "" {
					b.WriteString(" (" + s.reason + ")")
				}
			})
		case "reasons":
			f.each(&b, func(s shown) { b.WriteString(s.reason) })
		}
	}
	return b.String()
}

// add names a value, unless another fact has named it.
func (f *finding) add(s shown) {
	switch {
	case slices.Contains(f.values[:f.shown], s):
	case f.shown == mostShown:
		f.more++
	default:
		f.values[f.shown] = s
		f.shown++
	}
}

func (f *finding) each(b *strings.Builder, write func(shown)) {
	for i, s := range f.values[:f.shown] {
		if i > 0 {
			b.WriteString(", ")
		}
		write(s)
	}
	if f.more > 0 {
		fmt.Fprintf(b, " and %d more", f.more)
	}
}
