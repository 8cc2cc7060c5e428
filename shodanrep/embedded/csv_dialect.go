package embedded

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/klauspost/compress/zstd"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/gzipfile"
)

// sampleSize is how much of a file is read to detect its separator and line endings.
const sampleSize = 64 << 10

// maxWindow is the largest window of a zstd file that is read: it has to be in memory.
const maxWindow = 128 << 20

// decode returns the text of a file as UTF-8. It decompresses gzip and zstd, which it recognizes by the content, and
// decodes UTF-16 with a byte order mark. The caller must call done.
func decode(file io.Reader) (text *bufio.Reader, done func(), err error) {
	text, done = bufio.NewReaderSize(file, sampleSize), func() {}
	switch start, _ := text.Peek(4); {
	case bytes.HasPrefix(start, []byte{0x1f, 0x8b}):
		unpacked, err := gzipfile.NewReader(text)
		if err != nil {
			return nil, done, fmt.Errorf("gzip: %w", err)
		}
		text = bufio.NewReaderSize(unpacked, sampleSize)
	case bytes.Equal(start, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		unpacked, err := zstd.NewReader(text, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return nil, done, fmt.Errorf("zstd: %w", err)
		}
		text, done = bufio.NewReaderSize(unpacked, sampleSize), unpacked.Close
	case bytes.Equal(start, []byte("PK\x03\x04")):
		return nil, done, errors.New("it is a ZIP archive or a spreadsheet: save the sheet as CSV")
	}
	decoder := unicode.BOMOverride(transform.Nop)
	return bufio.NewReaderSize(transform.NewReader(text, decoder), sampleSize), done, nil
}

// A dialect is the separator and the line endings of a CSV file.
type dialect struct {
	comma rune
	// returns says that lines end with a carriage return alone.
	returns bool
	// skip is the length of a first line that names the separator.
	skip int
}

// separators are the separators to detect. If several fit equally well, the first one is used.
const separators = ",;\t|"

// detectDialect detects the dialect from the beginning of a file. Whole says that sample is the whole file.
func detectDialect(sample []byte, whole bool) dialect {
	d := dialect{comma: ','}
	if end := bytes.IndexAny(sample, "\r\n"); end >= 0 {
		d.returns = sample[end] == '\r' && end+1 < len(sample) && sample[end+1] != '\n'
	}
	if line, _, found := bytes.Cut(sample, []byte{d.lineEnd()}); found {
		// Excel writes the separator like this.
		named := strings.Trim(strings.TrimRight(string(line), "\r"), `"`)
		if rest, ok := strings.CutPrefix(named, "sep="); ok && len([]rune(rest)) == 1 {
			d.comma, d.skip = []rune(rest)[0], len(line)+1
			return d
		}
	}
	most := 1
	for _, consistent := range []bool{true, false} {
		for _, separator := range separators {
			if first, same := countFields(sample, d.lineEnd(), byte(separator), whole); first > most && (same || !consistent) {
				d.comma, most = separator, first
			}
		}
		if most > 1 {
			break
		}
	}
	return d
}

func (d dialect) lineEnd() byte {
	if d.returns {
		return '\r'
	}
	return '\n'
}

// countFields returns how many fields the first line that is not a comment has, and whether all other lines have as
// many.
func countFields(sample []byte, lineEnd, separator byte, whole bool) (first int, same bool) {
	fields, quoted, comment, empty := 1, false, false, true
	same = true
	end := func() {
		if !comment && !empty {
			if first == 0 {
				first = fields
			}
			same = same && fields == first
		}
		fields, comment, empty = 1, false, true
	}
	for _, c := range sample {
		switch {
		case c == lineEnd && !quoted:
			end()
			continue
		case comment:
			continue
		case c == '#' && empty:
			comment = true
		case c == '"':
			quoted = !quoted
		case c == separator && !quoted:
			fields++
		}
		if c != '\r' {
			empty = false
		}
	}
	if whole || first == 0 {
		end()
	}
	return first, same
}

// csvLines reads a file with its line endings replaced by line feeds and without comments. The lines keep their
// numbers.
type csvLines struct {
	text    *bufio.Reader
	dialect dialect
	quoted  bool
	inLine  bool
	length  int // of the record, so far
	// comments are how many comments have so many separators. A comment with as many as a row may be meant as a row.
	comments map[int]int
}

// maxRecord is how long a record may be in bytes. No log has one that long, and a small compressed file can have one of
// many gigabytes.
const maxRecord = 16 << 20

var errLongRecord = fmt.Errorf("a line is longer than %d MB; is this a CSV file?", maxRecord>>20)

// Read implements [io.Reader].
func (l *csvLines) Read(p []byte) (n int, err error) {
	for n < len(p) {
		c, err := l.text.ReadByte()
		if err != nil {
			return n, err
		}
		if c == '#' && !l.inLine && !l.quoted {
			if err := l.comment(); err != nil {
				return n, err
			}
			c = '\n'
		}
		if c == '"' {
			l.quoted = !l.quoted
		}
		if c == '\r' && l.dialect.returns && !l.quoted {
			c = '\n'
		}
		if l.inLine = c != '\n'; !l.inLine && !l.quoted {
			l.length = 0
		} else if l.length++; l.length > maxRecord {
			return n, errLongRecord
		}
		p[n] = c
		n++
	}
	return n, nil
}

// comment reads the rest of a comment and its line ending.
func (l *csvLines) comment() error {
	separators := 0
	for {
		c, _, err := l.text.ReadRune()
		switch {
		case err == nil && c == l.dialect.comma:
			separators++
		case err != nil || byte(c) == l.dialect.lineEnd() && c < 0x80:
			if l.comments == nil {
				l.comments = map[int]int{}
			}
			l.comments[separators]++
			return err
		}
	}
}
