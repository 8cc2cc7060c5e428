package annotate

import (
	"bytes"
	"errors"
	"io"
)

const (
	// readSize is how much is read at a time, and minRead how much less it may be.
	readSize = 64 << 10
	minRead  = 8 << 10
	// maxRecords is how many records are returned at a time.
	maxRecords = 500
	// MaxLine is how long a line may be that gets a note: it has to be in memory.
	MaxLine = 8 << 20
	// maxQuoted is how long a record of CSV may be that has several lines. A longer one has a quote that is not closed.
	// With each of those the limit is halved, down to minQuoted: or a text of many would be looked at again and again.
	maxQuoted = 1 << 20
	minQuoted = 4 << 10
	// maxEmptyReads is how often a reader may return nothing.
	maxEmptyReads = 100
)

// Options are how a Reader understands a text.
type Options struct {
	Format Format
	// Delimiter is between the fields of CSV; where it is 0, the first line shows it.
	Delimiter byte
	// HasAddress reports whether a line has an address: a first record of CSV that has is no header.
	HasAddress func([]byte) bool
	// Reserved are the fields that notes are made of, and which JSON objects must not have yet, see HasField.
	Reserved []string
}

// A Reader splits a text into records.
type Reader struct {
	source  io.Reader
	options Options
	format  Format
	begun   bool  // there has been a line that is not blank, and what the text is is known
	err     error // of the source

	buffer []byte // what has been read and not been returned
	start  int    // of the record under way, in the buffer
	at     int    // up to which it has been looked at
	line   int64  // the number of lines before it
	cut    bool   // it is the rest of a line that is too long

	// Of CSV:
	delimiter byte
	names     []string
	columns   int // of the first record
	state     quoteState
	fields    int // of the record under way, that have ended
	newline   int // the first line end within it, or -1
	maxQuoted int
}

// NewReader makes a Reader.
func NewReader(source io.Reader, o Options) *Reader {
	return &Reader{source: source, options: o, format: o.Format, delimiter: o.Delimiter, newline: -1, maxQuoted: maxQuoted}
}

// Next returns the records that follow, as many as there are without waiting for more, up to a limit. It waits until
// there is one. At the end of the text, or with another error, it returns the records before it first.
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

// fill reads once. It does not write over what was returned: the buffer gets new memory when it is full.
func (r *Reader) fill() (n int, err error) {
	if cap(r.buffer)-len(r.buffer) < minRead {
		rest := r.buffer[r.start:]
		r.buffer = append(make([]byte, 0, max(readSize, 2*len(rest))), rest...)
		r.at -= r.start
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
	if end := r.end(); end > 0 {
		return r.record(end), true
	}
	rest := r.buffer[r.start:]
	switch {
	case len(rest) == 0:
		return Record{}, false
	case r.format == CSV && r.newline >= 0 && (r.at-r.start > r.maxQuoted || r.err != nil):
		// The first line alone: what follows may be all right.
		record := r.cutAt(r.newline + 1)
		record.Problem = "a quote is not closed"
		r.maxQuoted = max(r.maxQuoted/2, minQuoted)
		return record, true
	case len(rest) > MaxLine || r.cut && r.err == nil:
		record := r.cutAt(len(r.buffer))
		if !r.cut {
			record.Problem = "the line is too long"
		}
		r.cut = true
		return record, true
	case r.err == nil:
		return Record{}, false
	case !errors.Is(r.err, io.EOF):
		return r.cutAt(len(r.buffer)), true // only a part of a line
	case r.format == CSV && r.state == inQuotes:
		record := r.cutAt(len(r.buffer))
		record.Problem = "a quote is not closed"
		return record, true
	}
	return r.record(len(r.buffer)), true
}

// cutAt takes what is before an index of the buffer without adding a note to it.
func (r *Reader) cutAt(end int) Record {
	record := Record{Text: r.buffer[r.start:end:end], Line: r.line + 1}
	r.advance(end)
	return record
}

// advance begins a record at an index of the buffer.
func (r *Reader) advance(to int) {
	r.line += int64(bytes.Count(r.buffer[r.start:to], []byte{'\n'}))
	r.start, r.at, r.state, r.fields, r.newline = to, to, atFieldStart, 0, -1
}

// end returns where the record under way ends, after its line ending, or 0 where that is not known yet.
func (r *Reader) end() int {
	if r.format != CSV || !r.begun || r.cut {
		i := bytes.IndexByte(r.buffer[r.at:], '\n')
		if i < 0 {
			r.at = len(r.buffer)
			return 0
		}
		return r.at + i + 1
	}
	for ; r.at < len(r.buffer); r.at++ {
		c := r.buffer[r.at]
		if c == '\n' && r.state != inQuotes {
			return r.at + 1
		}
		if r.newline >= 0 && r.at-r.start > r.maxQuoted {
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

// record takes the record that ends at an index of the buffer.
func (r *Reader) record(end int) Record {
	record := Record{Text: r.buffer[r.start:end:end], Line: r.line + 1}
	content, _ := splitEnding(record.Text)
	switch {
	case r.cut: // the end of a line that is too long
		r.cut = false
	case isBlank(content):
	case r.format == CSV:
		r.describeCSV(&record, content)
	case r.format == Lines && isObject(content):
		record.Kind = JSONLine
		if HasField(content, r.options.Reserved) {
			record.Kind, record.Problem = Verbatim, "the object has the field already"
		}
	default:
		record.Kind = TextLine
	}
	r.advance(end)
	return record
}

// describeCSV finds out what a record of CSV is.
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

// begin finds out what the text is, by its first line that is not blank, and reports whether that is known.
func (r *Reader) begin(rest []byte) bool {
	if len(rest) == 0 {
		return false
	}
	end := bytes.IndexByte(rest, '\n') + 1
	if end == 0 {
		if r.err == nil && len(rest) <= MaxLine {
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
