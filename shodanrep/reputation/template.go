package reputation

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A template is a sentence with placeholders, such as "{count} ports open".
type template []templatePart

// A templatePart is a text or a placeholder.
type templatePart struct{ text, place string }

// parseTemplate reads a sentence that may have the given placeholders.
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

// finding has the values for the placeholders of a sentence.
type finding struct {
	count, over int
	values      [maxShown]shown
	shown, more int // how many of values are set, and how many there are besides
}

// shown is a value with its reason.
type shown struct{ value, reason string }

// maxShown is the maximum number of values in a sentence. The evidence has all values.
const maxShown = 10

// fill returns the sentence with the placeholders filled in.
func (t template) fill(f *finding) string {
	b := make([]byte, 0, 256)
	for _, part := range t {
		b = append(b, part.text...)
		switch part.place {
		case "count":
			b = strconv.AppendInt(b, int64(f.count), 10)
		case "over":
			b = strconv.AppendInt(b, int64(f.over), 10)
		case "values", "reasons":
			b = f.append(b, part.place == "values")
		}
	}
	return string(b)
}

// add adds a value that is not there yet.
func (f *finding) add(s shown) {
	switch {
	case slices.Contains(f.values[:f.shown], s):
	case f.shown == maxShown:
		f.more++
	default:
		f.values[f.shown] = s
		f.shown++
	}
}

// append appends the values with their reasons, or only the reasons, separated by commas.
func (f *finding) append(b []byte, values bool) []byte {
	for i, s := range f.values[:f.shown] {
		if i > 0 {
			b = append(b, ", "...)
		}
		switch {
		case !values:
			b = append(b, s.reason...)
		case s.reason == "":
			b = append(b, s.value...)
		default:
			b = append(append(append(append(b, s.value...), " ("...), s.reason...), ')')
		}
	}
	if f.more > 0 {
		b = append(strconv.AppendInt(append(b, " and "...), int64(f.more), 10), " more"...)
	}
	return b
}
