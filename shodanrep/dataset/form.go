package dataset

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
)

// noBanner returns the error for a file without a banner. It says what the file looks like.
func noBanner(e entry) error {
	const advice = `data_files are what "shodan download" wrote, one banner per line`
	f, err := os.Open(e.path)
	if err != nil {
		return fmt.Errorf("data file %q: %w", e.path, cause(err))
	}
	defer f.Close()
	start := make([]byte, 4)
	n, _ := f.Read(start)
	if form := packedForm(start[:n]); form != "" {
		return fmt.Errorf("data file %q has no banner in it: it is %s; %s", e.path, form, advice)
	}
	if _, err := f.Seek(0, 0); err != nil {
		return fmt.Errorf("data file %q: %w", e.path, cause(err))
	}
	lines := newLineReader(f)
	text, _ := lines.r.Peek(1 << 16)
	form := textForm(text)
	if form == "" || form == "empty" && e.badLines > 0 { // damaged gzip data looks empty
		return fmt.Errorf("data file %q has no banner in it: line %d: %s; %s", e.path, e.badLine, e.badReason, advice)
	}
	return fmt.Errorf("data file %q has no banner in it: it is %s; %s", e.path, form, advice)
}

// packedForm returns the name of a compressed format by its first bytes.
func packedForm(start []byte) string {
	switch {
	case len(start) == 0:
		return "empty"
	case bytes.HasPrefix(start, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		return "zstd"
	case bytes.HasPrefix(start, []byte("PK\x03\x04")):
		return "a ZIP archive"
	case bytes.HasPrefix(start, []byte("BZh")):
		return "bzip2"
	case bytes.HasPrefix(start, []byte{0xfd, '7', 'z', 'X'}):
		return "xz"
	}
	return ""
}

// textForm returns the name of a text format by the beginning of the text.
func textForm(text []byte) string {
	text = bytes.TrimSpace(text)
	switch {
	case len(text) == 0:
		return "empty"
	case text[0] == '[':
		return "a JSON array"
	case text[0] != '{':
		return ""
	}
	// Tokens, not a value: a response may be longer than the text, and span many lines.
	decoder := json.NewDecoder(bytes.NewReader(text))
	keys, level, isKey := map[string]bool{}, 0, false
	for {
		token, err := decoder.Token()
		if err != nil {
			break
		}
		switch token := token.(type) {
		case json.Delim:
			if token == '{' || token == '[' {
				level++
			} else {
				level--
			}
			isKey = level == 1
		default:
			if name, ok := token.(string); ok && level == 1 && isKey {
				keys[name] = true
				isKey = false
			} else {
				isKey = level == 1
			}
		}
	}
	switch {
	case keys["matches"]:
		return "a search response"
	case keys["ports"] && (keys["data"] || keys["ip_str"] || keys["last_update"]):
		return "a host response"
	case keys["ports"] && keys["ip"]:
		return "an InternetDB response"
	}
	return ""
}
