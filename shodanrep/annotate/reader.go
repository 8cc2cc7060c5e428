package annotate

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"slices"
)

const (
	// readSize is how much is read at a time. The buffer grows if it has room for less than minRead.
	readSize = 64 << 10
	minRead  = 8 << 10
	// maxRecords is how many records are returned at a time.
	maxRecords = 500
	// maxLine is the longest line that gets a note: it has to be in memory.
	maxLine = 8 << 20
	// maxQuoted is the longest CSV record with several lines. A longer one has a quote that is not closed. Each of
	// those halves the limit, down to minQuoted, because the text after an unclosed quote is scanned again. The limit
	// grows with the text that is returned after them.
	maxQuoted = 1 << 20
	minQuoted = 4 << 10
	// maxEmptyReads is how many reads in a row may return nothing.
	maxEmptyReads = 100
)

// Options are how a Reader reads a text.
type Options struct {
	Format Format
	// Delimiter is the delimiter of CSV fields. If it is 0, it is detected in the first line.
	Delimiter byte
	// HasAddress reports whether a line has an address. A first CSV record with an address is not a header.
	HasAddress func([]byte) bool
	// Reserved are the fields of notes. A JSON object that already has one gets no note. A dot in a name is a dot in a
	// key or an object in an object: threat.indicator is in {"threat": {"indicator": …}} and {"threat.indicator.ip":
	// …}.
	Reserved []string
}

// A Reader splits a text into records.
type Reader struct {
	source  io.Reader
	options Options
	format  Format
	begun   bool  // there was a line that is not blank, and the format is known
	err     error // of the source

	buffer []byte // what has been read and not been returned
	start  int    // of the current record, in the buffer
	at     int    // up to where it was scanned
	line   int64  // the number of lines before it
	cut    bool   // it is the rest of a line that is too long

	json jsonReader

	// Of CSV:
	delimiter byte
	names     []string
	columns   int // of the first record
	state     quoteState
	fields    int // of the current record, that have ended
	newline   int // the first line ending in it, or -1
	// scannedAgain is the length of the texts after unclosed quotes, less the length of what was returned after them.
	scannedAgain int

	// added is where AppendCSV writes values. One for all records saves half of what the record of an annotated file costs.
	added struct {
		text   bytes.Buffer
		writer *csv.Writer
	}
}

// NewReader makes a Reader.
func NewReader(source io.Reader, o Options) *Reader {
	return &Reader{source: source, options: o, format: o.Format, delimiter: o.Delimiter, newline: -1}
}

// quotedLimit returns how long a CSV record of several lines may be.
func (r *Reader) quotedLimit() int { return max(maxQuoted-r.scannedAgain/2, minQuoted) }

// Next returns the next records, as many as are available without waiting, up to a limit. It waits for the first one.
// Before the end of the text or another error, it returns the records before it.
func (r *Reader) Next() ([]Record, error) {
	for empty := 0; ; {
		if records := r.take(); len(records) > 0 {
			return records, nil
		}
		if r.err != nil {
			return nil, r.err
		}
		n, err := r.fill()
		if r.err = err; n > 0 {
			empty = 0
		} else if empty++; empty > maxEmptyReads {
			r.err = io.ErrNoProgress
		}
	}
}

// fill reads once. It never overwrites returned records: a full buffer is replaced.
func (r *Reader) fill() (n int, err error) {
	if cap(r.buffer)-len(r.buffer) < minRead {
		rest := r.buffer[r.start:]
		r.buffer = append(make([]byte, 0, max(readSize, 2*len(rest))), rest...)
		r.at -= r.start
		r.json.searched = max(r.json.searched-r.start, 0)
		if r.newline >= 0 {
			r.newline -= r.start
		}
		r.start = 0
	}
	n, err = r.source.Read(r.buffer[len(r.buffer):min(len(r.buffer)+readSize, cap(r.buffer))])
	r.buffer = r.buffer[:len(r.buffer)+n]
	return n, err
}

// take returns the records that are complete.
func (r *Reader) take() (records []Record) {
	for len(records) < maxRecords {
		record, ok := r.next()
		if !ok {
			break
		}
		records = append(records, record)
	}
	return records
}

// next returns the next record, if it is complete.
func (r *Reader) next() (Record, bool) {
	if !r.begun && !r.begin(r.buffer[r.start:]) {
		return Record{}, false
	}
	if r.format == Lines && !r.cut {
		switch record, f := r.nextJSON(); f {
		case isRecord:
			return record, true
		case isOpen:
			return Record{}, false
		}
	}
	if end := r.end(); end > 0 {
		return r.record(end), true
	}
	rest := r.buffer[r.start:]
	switch {
	case len(rest) == 0:
		return Record{}, false
	case r.isCutOff():
		return r.partial(), true
	case r.format == CSV && r.newline >= 0 && (r.at-r.start > r.quotedLimit() || r.err != nil):
		// Only the first line: the following lines may be valid.
		again := r.at - r.newline - 1
		record := r.cutAt(r.newline + 1)
		record.Problem = "a quote is not closed"
		r.scannedAgain = min(r.scannedAgain+again, 2*maxQuoted)
		return record, true
	case len(rest) > maxLine || r.cut && r.err == nil:
		record := r.cutAt(len(r.buffer))
		if !r.cut {
			record.Problem = "the line is too long"
		}
		r.cut = true
		return record, true
	case r.err == nil:
		return Record{}, false
	case r.format == CSV && r.state == inQuotes:
		record := r.cutAt(len(r.buffer))
		record.Problem = "a quote is not closed"
		return record, true
	}
	return r.record(len(r.buffer)), true
}

// isCutOff reports whether an error has cut the text off.
func (r *Reader) isCutOff() bool { return r.err != nil && !errors.Is(r.err, io.EOF) }

// partial returns the rest of a text that was cut off.
func (r *Reader) partial() Record {
	record := r.cutAt(len(r.buffer))
	record.Partial = true
	return record
}

// cutAt returns the text before an index of the buffer as a record without a note.
func (r *Reader) cutAt(end int) Record {
	record := Record{Text: r.buffer[r.start:end:end], Line: r.line + 1}
	r.advance(end)
	return record
}

// advance begins a record at an index of the buffer.
func (r *Reader) advance(to int) {
	r.line += int64(bytes.Count(r.buffer[r.start:to], []byte{'\n'}))
	r.json.scannedAgain = max(r.json.scannedAgain-(to-r.start), 0)
	r.scannedAgain = max(r.scannedAgain-(to-r.start), 0)
	r.start, r.at, r.state, r.fields, r.newline, r.json.blanks = to, to, atFieldStart, 0, -1, 0
	if r.json.part == textLine || r.json.part == badLine {
		r.json.part = anyLine
	}
}

// end returns the end of the current record, after its line ending, or 0 if it is not known yet.
func (r *Reader) end() int {
	if r.format != CSV || !r.begun || r.cut {
		i := bytes.IndexByte(r.buffer[r.at:], '\n')
		if i < 0 {
			r.at = len(r.buffer)
			return 0
		}
		return r.at + i + 1
	}
	limit := r.quotedLimit()
	for ; r.at < len(r.buffer); r.at++ {
		c := r.buffer[r.at]
		if c == '\n' && r.state != inQuotes {
			return r.at + 1
		}
		if r.newline >= 0 && r.at-r.start > limit {
			return 0
		}
		if c == '\n' && r.newline < 0 {
			r.newline = r.at
		}
		var ends bool
		if r.state, ends = r.state.next(c, r.delimiter); ends {
			r.fields++
		}
	}
	return 0
}

// record returns the record that ends at an index of the buffer.
func (r *Reader) record(end int) Record {
	record := Record{Text: r.buffer[r.start:end:end], Line: r.line + 1}
	content, _ := splitEnding(record.Text)
	switch {
	case r.cut: // the end of a line that is too long
		r.cut = false
	case isBlank(content):
	case r.json.part == badLine:
		if r.options.HasAddress(content) {
			record.Problem = problemArray
		}
	case r.format == CSV:
		r.describeCSV(&record, content)
	case r.options.Format == Lines && isString(content) && r.options.HasAddress(content):
		record.Problem = problemNoObject
	default:
		record.Kind = TextLine
	}
	r.advance(end)
	return record
}

// describeCSV sets the kind of a CSV record.
func (r *Reader) describeCSV(record *Record, content []byte) {
	record.Kind, record.Fields = CSVRecord, r.fields+1
	switch {
	case r.columns == 0:
		r.columns = record.Fields
		if !r.options.HasAddress(content) {
			record.Kind, r.names = CSVHeader, fieldsOf(content, r.delimiter)
		}
	case record.Fields > r.columns:
		record.Kind, record.Problem = Verbatim, "the record has more fields than the first one"
	}
}

func isBlank(line []byte) bool { return len(bytes.TrimSpace(line)) == 0 }

// begin detects the format from the first line that is not blank, and reports whether it is known.
func (r *Reader) begin(rest []byte) bool {
	if len(rest) == 0 {
		return false
	}
	end := bytes.IndexByte(rest, '\n') + 1
	if end == 0 {
		if r.err == nil && len(rest) <= maxLine {
			return false
		}
		end = len(rest)
	}
	first, _ := splitEnding(rest[:end])
	if isBlank(first) {
		return true // not begun yet: a blank line is the same in every format
	}
	if r.format == Auto {
		r.format = Lines
		if isHeader(first) && !r.options.HasAddress(first) {
			r.format = CSV
		}
	}
	if r.format == CSV && r.delimiter == 0 {
		r.delimiter = delimiterOf(first)
	}
	r.begun = true
	return true
}

// AppendCSV appends a CSV record with values added before its line ending. A record with fewer fields than the first
// one is padded, so that the values are below their names. Only one goroutine may call it at a time; another may call Next.
func (r *Reader) AppendCSV(dst []byte, record Record, values []string) []byte {
	if r.added.writer == nil {
		r.added.writer = csv.NewWriter(&r.added.text)
		r.added.writer.Comma = rune(r.delimiter)
	}
	r.added.text.Reset()
	_ = r.added.writer.Write(append([]string{""}, values...)) // the empty field gives the first delimiter
	r.added.writer.Flush()
	content, ending := splitEnding(record.Text)
	missing := max(0, r.columns-record.Fields)
	dst = slices.Grow(dst, len(record.Text)+missing+r.added.text.Len())
	dst = append(dst, content...)
	for range missing {
		dst = append(dst, r.delimiter)
	}
	dst = append(dst, bytes.TrimSuffix(r.added.text.Bytes(), []byte("\n"))...)
	return append(dst, ending...)
}

// Columns returns the names of the CSV columns, or nil if there is no header.
func (r *Reader) Columns() []string { return r.names }
