package annotate

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
)

// jsonSpace is the white space of JSON.
const jsonSpace = " \t\r\n"

// isObject reports whether a line is a JSON object and nothing else.
func isObject(line []byte) bool {
	trimmed := bytes.Trim(line, jsonSpace)
	return len(trimmed) > 1 && trimmed[0] == '{' && trimmed[len(trimmed)-1] == '}' && json.Valid(trimmed)
}

// isString reports whether a line is a JSON string and nothing else.
func isString(line []byte) bool {
	trimmed := bytes.Trim(line, jsonSpace)
	return len(trimmed) > 0 && trimmed[0] == '"' && json.Valid(trimmed)
}

// AppendJSON appends a JSON object with members added at its end. The object is not decoded, so that numbers, the order
// of keys and duplicate keys stay.
func AppendJSON(dst, line, members []byte) []byte {
	content := bytes.TrimRight(line[:bytes.LastIndexByte(line, '}')], jsonSpace)
	dst = append(dst, content...)
	if content[len(content)-1] != '{' { // only an empty object ends with its opening brace
		dst = append(dst, ',')
	}
	dst = append(dst, members...)
	return append(dst, line[len(content):]...)
}

// hasReserved reports whether a JSON object has one of some fields, see [Options].
func hasReserved(line []byte, fields []string) bool {
	return hasField(bytes.Trim(line, jsonSpace), "", fields)
}

func hasField(object []byte, prefix string, fields []string) (found bool) {
	members(object, func(key string, value []byte) bool {
		path := prefix + key
		if slices.ContainsFunc(fields, func(field string) bool { return path == field || strings.HasPrefix(path, field+".") }) {
			found = true
			return false
		}
		inside := slices.ContainsFunc(fields, func(field string) bool { return strings.HasPrefix(field, path+".") })
		if inside && value[0] == '{' && hasField(value, path+".", fields) {
			found = true
		}
		return !found
	})
	return found
}

// members calls f for the members of a valid object until f returns false.
func members(object []byte, f func(key string, value []byte) bool) {
	skip := func(i int) int {
		for strings.IndexByte(jsonSpace, object[i]) >= 0 {
			i++
		}
		return i
	}
	for i := skip(1); object[i] != '}'; {
		end := stringEnd(object, i)
		key := string(object[i+1 : end-1])
		if strings.IndexByte(key, '\\') >= 0 {
			_ = json.Unmarshal(object[i:end], &key) // it is valid
		}
		start := skip(skip(end) + 1) // after the colon
		end = valueEnd(object, start)
		if !f(key, object[start:end]) {
			return
		}
		if i = skip(end); object[i] == ',' {
			i = skip(i + 1)
		}
	}
}

// stringEnd returns the end of the string at an index.
func stringEnd(b []byte, i int) int {
	for i++; b[i] != '"'; i++ {
		if b[i] == '\\' {
			i++
		}
	}
	return i + 1
}

// valueEnd returns the end of the value at an index.
func valueEnd(b []byte, i int) int {
	for depth := 0; ; {
		switch b[i] {
		case '"':
			i = stringEnd(b, i)
			if depth == 0 {
				return i
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth < 0 {
				return i
			}
			if depth == 0 {
				return i + 1
			}
		case ',', ' ', '\t', '\r', '\n':
			if depth == 0 {
				return i
			}
		}
		i++
	}
}
