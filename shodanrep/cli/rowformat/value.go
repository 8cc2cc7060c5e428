package rowformat

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/display"
)

// Null is how Steampipe shows NULL to people.
const Null = "<null>"

// Text returns a value as text for programs.
func Text(v any) string {
	switch v := v.(type) {
	case bool:
		return strconv.FormatBool(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return string(appendFloat(nil, v))
	case json.RawMessage:
		return string(v)
	case []byte:
		return base64.StdEncoding.EncodeToString(v)
	case string:
		return v
	}
	return fmt.Sprint(v)
}

// appendFloat appends a number as Text returns it.
func appendFloat(b []byte, v float64) []byte { return strconv.AppendFloat(b, v, 'g', -1, 64) }

// readable returns a value as printable text for people: a list is its elements with commas between them.
func readable(v any) string {
	if v == nil {
		return Null
	}
	if raw, ok := v.(json.RawMessage); ok {
		if list, ok := listText(raw); ok {
			return display.Printable(list)
		}
	}
	return display.Printable(Text(v))
}

// listText returns a JSON array of strings, numbers and booleans as a list for people. It reports false if the value is
// something else. A string that could be mistaken for several elements, or none, is quoted.
func listText(raw json.RawMessage) (list string, ok bool) {
	if len(raw) == 0 || raw[0] != '[' {
		return "", false
	}
	var elements []json.RawMessage
	if err := json.Unmarshal(raw, &elements); err != nil {
		return "", false
	}
	texts := make([]string, len(elements))
	for i, element := range elements {
		texts[i] = string(element)
		switch element[0] {
		case '{', '[':
			return "", false
		case '"':
			var s string
			if err := json.Unmarshal(element, &s); err != nil {
				return "", false
			}
			if s != "" && s == strings.TrimSpace(s) && !strings.ContainsAny(s, `,"`) {
				texts[i] = s
			}
		}
	}
	return strings.Join(texts, ", "), true
}
