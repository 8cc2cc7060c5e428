// Package annotate adds notes to the lines of a text without changing anything else of it, byte for byte: a member to
// the JSON objects of JSON lines, columns to the records of CSV, and a suffix to other lines.
//
// It knows nothing of addresses. A [Reader] splits the text into records, and AppendText, AppendJSON and AppendCSV
// write a record with its note.
package annotate

// A Format is what a text is.
type Format string

// The formats. Auto is CSV where the first line is a header of it, and else Lines.
const (
	Auto  Format = "auto"
	Lines Format = "jsonl" // JSON objects, one a line; other lines among them are text
	CSV   Format = "csv"
	Text  Format = "text"
)

// A Kind is how a note is added to a record.
type Kind int

// The kinds of records.
const (
	Verbatim  Kind = iota // no note can be added
	TextLine              // a suffix before the end of the line
	JSONLine              // a member before the closing brace
	CSVHeader             // the names of columns
	CSVRecord             // the values of columns
)

// A Record is a line, or a record of CSV, which has several lines where a quoted field has. It includes its line
// ending, which the last one may lack.
type Record struct {
	Text []byte
	Line int64 // the number of its first line, from 1
	Kind Kind
	// Problem says why no note can be added to a record that is Verbatim, unless it is blank.
	Problem string
	// Fields is how many fields a record of CSV has.
	Fields int
}

// splitEnding splits a line from its line ending.
func splitEnding(line []byte) (content, ending []byte) {
	n := len(line)
	if n > 0 && line[n-1] == '\n' {
		n--
		if n > 0 && line[n-1] == '\r' {
			n--
		}
	}
	return line[:n], line[n:]
}

// AppendText appends a line with a suffix before its line ending.
func AppendText(dst, line []byte, suffix string) []byte {
	content, ending := splitEnding(line)
	dst = append(dst, content...)
	dst = append(dst, suffix...)
	return append(dst, ending...)
}
