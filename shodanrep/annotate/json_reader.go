package annotate

import (
	"bytes"
	"strings"
)

// A jsonPart says what a Reader is reading of a JSON value.
type jsonPart int

const (
	anyLine    jsonPart = iota // what the next line is, is not known yet
	textLine                   // the line is not JSON
	inArray                    // an array, whose objects are records
	badLine                    // a line of an array that is not valid from there on
	longObject                 // the rest of an object that is too long
)

// A finding is what a Reader knows about the text at its position.
type finding int

const (
	isText   finding = iota // it is not JSON
	isOpen                  // more text is needed to know
	isRecord                // it is JSON, and there is a record of it
)

// The problems of JSON.
const (
	problemReserved   = "the object has the field already"
	problemNoObject   = "only a JSON object can get a field"
	problemLongObject = "the JSON object is too long"
	problemOpenObject = "the JSON object is not closed"
	problemOpenArray  = "the JSON array is not closed"
	problemArray      = "the JSON array is not valid"
)

// A jsonReader is the state of a Reader that reads JSON.
type jsonReader struct {
	part    jsonPart
	scanner jsonScanner
	// blanks is how many blanks the line begins with, as far as was looked.
	blanks int
	// searched is up to where there is no line ending, from the current record on, as far as was looked.
	searched int
	// hasLines says that what was scanned of the value has several lines.
	hasLines bool
	// isElement says that the current record is an object in an array, and hasElement that the array has had a value.
	isElement, hasElement bool
	// scannedAgain is the length of the texts of several lines that began as JSON and were none, less the length of
	// what was returned after them. They are scanned twice: the more of them, the shorter an object of several lines may
	// be, so that the time to read a text stays in proportion to its length.
	scannedAgain int
}

// limit returns how long an object of several lines may be.
func (j *jsonReader) limit() int { return max(maxLine-j.scannedAgain, minQuoted) }

// nextJSON returns the next record if it is a JSON object, which may have several lines, or a part of an array. The
// objects in an array are records, so that each gets a note. The text between them gets none: a suffix would break the
// document.
func (r *Reader) nextJSON() (Record, finding) {
	switch {
	case r.json.part == inArray:
		return r.nextOfArray()
	case r.json.part == longObject:
		return r.nextOfLongObject()
	case r.json.part == textLine, r.json.part == badLine:
		return Record{}, isText
	case r.at == r.start:
		if end := r.lineEnd(); end > 0 && isObject(r.buffer[r.start:end]) {
			return r.objectAt(end), isRecord
		}
		if f := r.beginJSON(); f != isRecord {
			return Record{}, f
		}
	}
	s := &r.json.scanner
	for ; r.at < len(r.buffer); r.at++ {
		c, hadObject := r.buffer[r.at], s.hasObject()
		switch {
		case s.isEnded() && c == '\n':
			return r.endJSON(r.at + 1)
		case s.isEnded() && isJSONSpace(c):
			continue
		case s.isEnded() && s.closed == '}' && (c == '{' || r.json.hasLines):
			return r.endJSON(r.at) // another value, or text, follows on the line
		case s.isEnded(), !s.step(c):
			return Record{}, r.giveUpJSON()
		case s.isArray() && (c == '\n' || c == ',' && hadObject):
			return r.beginArray()
		}
		r.json.hasLines = r.json.hasLines || c == '\n'
		switch length := r.at - r.start; {
		case length >= maxLine && !r.json.hasLines:
			return Record{}, r.giveUpJSON() // the line is too long
		case length >= r.json.limit() && r.json.hasLines:
			record := r.cutAt(r.at + 1)
			record.Problem, r.json.part = problemLongObject, longObject
			return record, isRecord
		}
	}
	switch {
	case r.err == nil:
		return Record{}, isOpen
	case s.isEnded():
		return r.endJSON(len(r.buffer))
	case !r.json.hasLines:
		return Record{}, r.giveUpJSON()
	}
	return r.cutJSON(problemOpenObject), isRecord
}

// lineEnd returns where the line of the current record ends, after its line ending, or 0 if that was not read yet. It goes on
// where it ended last: a line may have thousands of objects.
func (r *Reader) lineEnd() int {
	from := max(r.start, r.json.searched)
	i := bytes.IndexByte(r.buffer[from:], '\n')
	if i < 0 {
		r.json.searched = len(r.buffer)
		return 0
	}
	r.json.searched = from + i
	return from + i + 1
}

// beginJSON reports whether the line at the current position begins as JSON: isRecord means that it does. A line of nothing
// but blanks that is too long is text.
func (r *Reader) beginJSON() finding {
	for ; r.json.blanks < len(r.buffer)-r.start; r.json.blanks++ {
		switch c := r.buffer[r.start+r.json.blanks]; {
		case c == '{' || c == '[':
			r.json.scanner, r.json.hasLines = jsonScanner{}, false
			return isRecord
		case c == '\n' || !isJSONSpace(c) || r.json.blanks > maxLine:
			r.json.part = textLine
			return isText
		}
	}
	if r.err == nil {
		return isOpen
	}
	return isText
}

// endJSON returns the record of the value that ends before an index of the buffer.
func (r *Reader) endJSON(end int) (Record, finding) {
	switch {
	case r.json.scanner.closed == ']':
		return r.beginArray()
	case !isObject(r.buffer[r.start:end]):
		return Record{}, r.giveUpJSON()
	}
	return r.objectAt(end), isRecord
}

// objectAt returns the object that ends before an index of the buffer as a record.
func (r *Reader) objectAt(end int) Record {
	record := r.cutAt(end)
	if hasReserved(record.Text, r.options.Reserved) {
		record.Problem = problemReserved
		return record
	}
	record.Kind = JSONLine
	return record
}

// giveUpJSON makes the line at the current position text.
func (r *Reader) giveUpJSON() finding {
	if r.json.hasLines {
		r.json.scannedAgain += r.at - r.start
	}
	r.json.part, r.at = textLine, r.start
	return isText
}

// beginArray begins an array at the current position.
func (r *Reader) beginArray() (Record, finding) {
	r.json.part, r.json.scanner, r.json.hasElement, r.at = inArray, jsonScanner{}, false, r.start
	return r.nextOfArray()
}

// nextOfArray returns the next record of an array: an object in it, or the text before or after one.
func (r *Reader) nextOfArray() (Record, finding) {
	s := &r.json.scanner
	for r.at < len(r.buffer) {
		c := r.buffer[r.at]
		switch {
		case s.isEnded() && c != '\n' && isJSONSpace(c):
			r.at++
			continue
		case s.isEnded():
			if c == '\n' {
				r.at++
			}
			r.json.part = anyLine
			return r.betweenObjects(r.at), isRecord
		case c == '{' && s.beginsElement():
			if r.at > r.start {
				return r.betweenObjects(r.at), isRecord
			}
			r.json.isElement = true
		}
		if !s.step(c) {
			return r.giveUpArray()
		}
		r.at++
		switch {
		case r.json.isElement && len(s.open) == 1 && s.hasObject():
			r.json.isElement, r.json.hasElement = false, true
			if !isObject(r.buffer[r.start:r.at]) {
				record := r.cutAt(r.at)
				record.Problem = problemArray
				return record, isRecord
			}
			return r.objectAt(r.at), isRecord
		case c == '\n' && len(s.open) == 1:
			r.json.hasElement = r.json.hasElement || s.state != jsonElement
			return r.betweenObjects(r.at), isRecord // a reader of lines waits for it
		case r.at-r.start < maxLine:
		case r.json.isElement:
			record := r.cutAt(r.at)
			record.Problem, r.json.part, r.json.isElement = problemLongObject, longObject, false
			return record, isRecord
		default:
			return r.betweenObjects(r.at), isRecord
		}
	}
	switch {
	case r.err == nil:
		return Record{}, isOpen
	case r.start == len(r.buffer):
		return Record{}, isText
	case s.isEnded():
		return r.betweenObjects(len(r.buffer)), isRecord
	}
	return r.cutJSON(problemOpenArray), isRecord
}

// giveUpArray ends an array that is not valid at the current position. If there was nothing but its bracket in the lines
// before, it was text.
func (r *Reader) giveUpArray() (Record, finding) {
	r.json.isElement = false
	if r.at == r.start {
		r.json.part = anyLine
		return r.nextJSON()
	}
	r.json.part = badLine
	if !r.json.hasElement && bytes.IndexByte(r.buffer[r.start:r.at], '\n') < 0 {
		r.json.part = textLine
	}
	return Record{}, isText
}

// betweenObjects returns the text of an array before an index of the buffer, which has no object to get a note.
func (r *Reader) betweenObjects(end int) Record {
	record := r.cutAt(end)
	if r.options.HasAddress(record.Text) {
		record.Problem = problemNoObject
	}
	return record
}

// nextOfLongObject returns the next part of an object that is too long.
func (r *Reader) nextOfLongObject() (Record, finding) {
	s := &r.json.scanner
	for ; r.at < len(r.buffer); r.at++ {
		switch {
		case s.isEnded(), !s.step(r.buffer[r.at]):
			r.json.part = anyLine
			if r.at == r.start {
				return r.nextJSON()
			}
			return r.cutAt(r.at), isRecord
		case s.hasObject():
			r.json.part = inArray
			return r.cutAt(r.at + 1), isRecord
		}
	}
	if r.start == len(r.buffer) {
		if r.err == nil {
			return Record{}, isOpen
		}
		return Record{}, isText
	}
	return r.cutAt(len(r.buffer)), isRecord
}

// cutJSON returns the rest of the text as a record, with a problem if the text ends here and would need a note.
func (r *Reader) cutJSON(problem string) Record {
	if r.isCutOff() {
		return r.partial()
	}
	record := r.cutAt(len(r.buffer))
	if r.options.HasAddress(record.Text) {
		record.Problem = problem
	}
	return record
}

// isJSONSpace reports whether a byte is white space in JSON.
func isJSONSpace(c byte) bool { return strings.IndexByte(jsonSpace, c) >= 0 }
