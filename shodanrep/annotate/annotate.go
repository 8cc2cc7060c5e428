// Package annotate adds notes to the lines of a text and changes nothing else, byte for byte: JSON objects get a
// member, CSV records get columns, and other lines get a suffix.
//
// A [Reader] splits the text into records, and AppendText, AppendJSON and AppendCSV write a record with its note. The
// package does not depend on what the notes are about.
package annotate

// A Format is the format of a text.
type Format string

// The formats. Auto is CSV if the first line is a CSV header, and else Lines.
const (
	Auto  Format = "auto"
	Lines Format = "jsonl" // one JSON object per line; other lines are text
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

// A Record is a line, or a record of CSV, which has several lines if a quoted field has. It includes its line ending,
// which the last record may not have.
type Record struct {
	Text []byte
	Line int64 // the number of its first line, from 1
	Kind Kind
	// Problem says why no note can be added to a Verbatim record. It is empty for a blank line.
	Problem string
	// Partial says that an error other than the end of the text cut the record off. It is then Verbatim.
	Partial bool
	// Fields is the number of fields of a CSV record.
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
