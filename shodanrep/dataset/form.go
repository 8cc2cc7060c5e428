package dataset

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// checkForeign returns why files without a banner are left out, by path. Such a file is an error if it is named itself, or
// if its pattern or folder has no other: another program's file, or a page of an error that was saved as a download, must
// not take away what the other files have.
func (d *Dataset) checkForeign(ctx context.Context, files []match, entries []entry) (reasons map[string]string, err error) {
	patterns, has := map[string]int{}, map[int]bool{}
	for _, m := range files {
		patterns[m.path] = m.pattern
	}
	for _, e := range entries {
		for i, glob := range d.globs { // a file is in all that have it, though only one counts
			if matches, _ := filepath.Match(glob, e.path); e.banners > 0 && (matches || filepath.Dir(e.path) == glob) {
				has[i] = true
			}
		}
	}
	reasons = map[string]string{}
	for _, e := range entries {
		if e.banners > 0 {
			continue
		}
		reason := noRecord(ctx, e)
		if pattern := patterns[e.path]; pattern == named || !has[pattern] {
			return nil, reason
		}
		reasons[e.path] = reason.Error()
	}
	return reasons, nil
}

// noRecord returns the error for a file without a record. It says what the file looks like.
func noRecord(ctx context.Context, e entry) error {
	const advice = "data_files are files of Shodan's banners, or saved responses for hosts, searches and InternetDB"
	f, err := os.Open(e.path)
	if err != nil {
		return fmt.Errorf("data file %q: %w", e.path, cause(err))
	}
	defer f.Close()
	looks, err := looksLike(ctx, f)
	if err != nil {
		return fmt.Errorf("data file %q: %w", e.path, cause(err))
	}
	switch {
	case e.badLines == 0:
		return fmt.Errorf("data file %q has no banner in it: it is %s; %s", e.path, looks, advice)
	case looks == "" || looks == "empty": // damaged compressed data looks empty
		return fmt.Errorf("data file %q has no banner in it: line %d: %s; %s", e.path, e.badLine, e.badReason, advice)
	}
	return fmt.Errorf("data file %q has no banner in it: it is %s; line %d: %s; %s", e.path, looks, e.badLine, e.badReason, advice)
}

// looksLike returns the name of a file's form, or "" for one that has no name here.
func looksLike(ctx context.Context, r io.Reader) (string, error) {
	t, err := newText(ctx, r)
	if errors.Is(err, errBroken) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	defer t.close()
	start, err := t.Peek(1 << 16)
	if len(start) == 0 && err != nil && err != io.EOF && !errors.Is(t.broken(err), errBroken) {
		return "", err
	}
	if form := packedForm(start); form != "" {
		return form, nil
	}
	return textForm(start), nil
}

// packedForm returns the name of a compressed format that is not read, by its first bytes.
func packedForm(start []byte) string {
	switch {
	case bytes.HasPrefix(start, []byte("PK\x03\x04")):
		return "a ZIP archive"
	case bytes.HasPrefix(start, []byte{0xfd, '7', 'z', 'X'}):
		return "xz"
	case bytes.HasPrefix(start, []byte("SQLite format 3\x00")):
		return "a SQLite database"
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
	case text[0] == '<':
		return "HTML or XML"
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
	case len(keys) == 1 && (keys["error"] || keys["detail"]):
		return "an error response" + errorText(text)
	}
	return ""
}

// errorText returns the text of an error response in brackets, or "" if it has none.
func errorText(response []byte) string {
	var body struct{ Error, Detail string }
	_ = json.NewDecoder(bytes.NewReader(response)).Decode(&body) // a detail may be a list
	if text := cmp.Or(body.Error, body.Detail); text != "" {
		return fmt.Sprintf(" (%.100q)", text)
	}
	return ""
}
