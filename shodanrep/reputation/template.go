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
type templatePart struct{ text, placeholder string }

// parseTemplate reads a sentence that may have the given placeholders.
func parseTemplate(text string, placeholders ...string) (template, error) {
	var t template
	for text != "" {
		before, rest, found := strings.Cut(text, "{")
		if before != "" {
			t = append(t, templatePart{text: before})
		}
		if !found {
			break
		}
		placeholder, after, closed := strings.Cut(rest, "}")
		if !closed || !slices.Contains(placeholders, placeholder) {
			return nil, fmt.Errorf("what is in braces must be one of {%s}", strings.Join(placeholders, "}, {"))
		}
		t = append(t, templatePart{placeholder: placeholder})
		text = after
	}
	return t, nil
}

// A finding has what the placeholders of a sentence stand for. The values and reasons are those of hits of facts.
type finding struct {
	count, over int
	hits        []hit
	facts       *facts
}

// maxShown is the maximum number of values in a sentence. The evidence has all values.
const maxShown = 10

// fill returns the sentence with the placeholders filled in.
func (t template) fill(f *finding) string {
	b := make([]byte, 0, 256)
	for _, part := range t {
		b = append(b, part.text...)
		switch part.placeholder {
		case "count":
			b = strconv.AppendInt(b, int64(f.count), 10)
		case "over":
			b = strconv.AppendInt(b, int64(f.over), 10)
		case "values", "reasons":
			b = f.append(b, part.placeholder == "values")
		}
	}
	return string(b)
}

// append appends the values with their reasons, or only the reasons, separated by commas. It appends each once.
func (f *finding) append(b []byte, values bool) []byte {
	var shown [maxShown]*hit
	n, more := 0, 0
	for i := range f.hits {
		h := &f.hits[i]
		reason := h.reason(f.facts)
		isShown := func(s *hit) bool { return s.text == h.text && s.port == h.port && s.reason(f.facts) == reason }
		if slices.ContainsFunc(shown[:n], isShown) {
			continue
		}
		if n == maxShown {
			more++
			continue
		}
		if n > 0 {
			b = append(b, ", "...)
		}
		shown[n] = h
		n++
		switch {
		case !values:
			b = append(b, reason...)
		case reason == "":
			b = h.appendValue(b)
		default:
			b = append(append(append(h.appendValue(b), " ("...), reason...), ')')
		}
	}
	if more > 0 {
		b = append(strconv.AppendInt(append(b, " and "...), int64(more), 10), " more"...)
	}
	return b
}
