package iptext

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"io"
	"mime"
	"mime/quotedprintable"
	"regexp"
	"slices"
)

// A MailReader reads a text and decodes what emails in it have encoded: parts in base64 or quoted-printable, attachments
// that are compressed or a ZIP archive, and words of headers such as =?UTF-8?B?…?=. Other text is passed on as it is. A
// text that is in several lines of an email has the number of the first, and no other line has another number than before.
type MailReader struct {
	source *bufio.Reader
	// report is called for a part whose text is hidden as in [NewTextReader], with the line on which it begins and its form.
	report func(line int64, form string)
	// out is what was decoded and not read yet. err is the error of the source after it.
	out bytes.Buffer
	err error
	cut bool // the current line is longer than the buffer, and was passed on in part

	mailLines
	// pending is the text of the lines that have to be decoded together, and ends how many line endings they have.
	pending []byte
	ends    int
	// first is the first line of the body. begun is false until its first bytes say whether its text is hidden.
	first         int64
	begun, hidden bool
	attachment
	// depth is in how many other emails the text is.
	depth int
	// wide says that the part is in UTF-16. Its zero bytes are left out, which decodes digits, dots and colons.
	wide bool
}

// mailLines are what the lines of a text up to the current one say of the parts of emails.
type mailLines struct {
	line       int64        // the number of the current line, from 1
	encoding   mailEncoding // of the part
	inBody     bool         // the current line is of a body that is encoded
	boundaries [][]byte
}

type mailEncoding int

const (
	plain mailEncoding = iota
	inBase64
	inQuotedPrintable
)

const (
	// maxMailLine is how long a line is that is decoded as a whole. Lines of emails have up to 998 bytes.
	maxMailLine = 64 << 10
	// maxPending is how much text is decoded together.
	maxPending = 1 << 20
	// maxBoundaries is how many boundaries of parts are known at a time.
	maxBoundaries = 64
	// signatureLength is how many bytes say whether the text of a part is hidden.
	signatureLength = 16
)

// NewMailReader returns a MailReader. The function is called for each part whose text is hidden.
func NewMailReader(text io.Reader, report func(line int64, form string)) *MailReader {
	return &MailReader{source: bufio.NewReaderSize(text, maxMailLine), report: report, mailLines: mailLines{line: 1},
		attachment: attachment{leftOfAll: maxUnpackedAll}}
}

// Read reads decoded text. It does not wait for more lines than it has to.
func (r *MailReader) Read(p []byte) (int, error) {
	for r.err == nil && (r.out.Len() == 0 || r.out.Len() < len(p) && r.source.Buffered() > 0) {
		line, err := r.source.ReadSlice('\n')
		whole := !r.cut
		r.cut = err == bufio.ErrBufferFull
		switch {
		case (!whole || r.cut) && len(line) > 0 && r.inBody && r.encoding == inBase64 && !r.endsBody(line):
			r.addBase64(line) // which some programs write in one line
		case !whole || r.cut:
			r.flush()
			r.out.Write(line)
		case len(line) > 0:
			r.next(line)
		}
		if err == nil {
			r.line++
		} else if !r.cut {
			r.flush()
			r.err = err
		}
	}
	if r.out.Len() > 0 {
		return r.out.Read(p)
	}
	return 0, r.err
}

// next passes on a line, or keeps it until what belongs to it is there.
func (r *MailReader) next(line []byte) {
	switch {
	case r.inBody && r.endsBody(line):
		r.flush()
		r.inBody, r.encoding = false, plain
	case r.inBody && r.encoding == inBase64:
		r.addBase64(line)
		return
	case r.inBody:
		r.addQuoted(line)
		return
	}
	if len(r.pending) > 0 && (line[0] == ' ' || line[0] == '\t') && bytes.HasPrefix(bytes.TrimLeft(line, " \t"), encodedWord) {
		r.keep(append([]byte{' '}, bytes.TrimLeft(line, " \t")...)) // the same header
		return
	}
	r.flush()
	if r.readHeader(line); r.inBody {
		r.first, r.begun, r.hidden, r.wide = r.line+1, false, false, false
	}
	if bytes.Contains(line, encodedWord) {
		r.keep(line)
		return
	}
	r.out.Write(line)
}

// encodedWord is how an encoded word begins.
var encodedWord = []byte("=?")

// keep adds a line to those that are decoded together.
func (r *MailReader) keep(line []byte) {
	text := bytes.TrimRight(line, "\r\n")
	r.pending = append(r.pending, text...)
	if len(text) < len(line) {
		r.ends++
	}
	if len(r.pending) > maxPending {
		r.flush()
	}
}

const transferEncoding = "content-transfer-encoding:"

var boundary = regexp.MustCompile(`(?i)\bboundary=(?:"([^"]+)"|([^\s";]+))`)

// readHeader reads what a line that is no encoded body says of the parts that follow.
func (r *mailLines) readHeader(line []byte) {
	text := bytes.TrimRight(line, "\r\n \t")
	switch {
	case len(text) == 0:
		r.inBody = r.encoding != plain
	case len(text) > len(transferEncoding) && text[0]|0x20 == 'c' && lower(text[:len(transferEncoding)]) == transferEncoding:
		r.encoding = plain
		switch lower(bytes.Trim(text[len(transferEncoding):], " \t\"")) {
		case "base64":
			r.encoding = inBase64
		case "quoted-printable":
			r.encoding = inQuotedPrintable
		}
	case r.encoding != plain && text[0] != ' ' && text[0] != '\t' && bytes.IndexByte(text, ':') <= 0:
		r.encoding = plain // not a header
	}
	if !bytes.Contains(text, []byte("oundary=")) && !bytes.Contains(text, []byte("OUNDARY=")) {
		return // as most lines of any text
	}
	if found := boundary.FindSubmatch(text); found != nil {
		if len(r.boundaries) == maxBoundaries {
			r.boundaries = r.boundaries[1:]
		}
		r.boundaries = append(r.boundaries, slices.Concat([]byte("--"), found[1], found[2]))
	}
}

// endsBody reports whether a line is after a body: the boundary of the next part, the next email of a mailbox, or text
// that is not in base64.
func (r *mailLines) endsBody(line []byte) bool {
	if bytes.HasPrefix(line, []byte("From ")) {
		return true
	}
	text := bytes.TrimRight(line, "\r\n \t")
	if r.encoding == inBase64 {
		return len(bytes.Trim(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=")) > 0
	}
	if !bytes.HasPrefix(text, []byte("--")) {
		return false
	}
	isBoundary := func(boundary []byte) bool {
		return bytes.Equal(text, boundary) || len(text) == len(boundary)+2 && bytes.HasPrefix(text, boundary)
	}
	return slices.ContainsFunc(r.boundaries, isBoundary) || len(r.boundaries) == 0 && len(text) > 10 && bytes.IndexByte(text, ' ') < 0
}

// addBase64 adds a line in base64, and passes on what it decodes to.
func (r *MailReader) addBase64(line []byte) {
	text := bytes.TrimRight(line, "\r\n \t")
	if line[len(line)-1] == '\n' {
		r.ends++
	}
	r.pending = append(r.pending, bytes.TrimRight(text, "=")...)
	whole := len(r.pending) &^ 3
	if r.begun || whole >= signatureLength*4/3 {
		r.decodeBase64(whole)
	}
}

// decodeBase64 passes on what some of the pending characters decode to.
func (r *MailReader) decodeBase64(n int) {
	decoded := make([]byte, base64.RawStdEncoding.DecodedLen(n))
	length, _ := base64.RawStdEncoding.Decode(decoded, r.pending[:n]) // a character that is missing at the end loses itself only
	r.pending = append(r.pending[:0], r.pending[n:]...)
	decoded = decoded[:length]
	if !r.begun && length > 0 {
		r.begun = true
		if r.packed = isPacked(decoded); !r.packed {
			if form := hiddenFormOf(decoded); form != "" {
				r.hidden = true
				r.report(r.first, form)
			}
		}
		r.wide = bytes.HasPrefix(decoded, []byte{0xff, 0xfe}) || bytes.HasPrefix(decoded, []byte{0xfe, 0xff})
		r.isMail = !r.packed && !r.hidden && beginsMail(decoded)
	}
	if r.packed || r.isMail {
		r.keepPacked(decoded)
		return
	}
	if r.wide {
		decoded = bytes.ReplaceAll(decoded, []byte{0}, nil)
	}
	if !r.hidden {
		r.out.Write(oneLine(decoded))
	}
}

// flush passes on what is pending, and the endings of its lines.
func (r *MailReader) flush() {
	switch {
	case r.inBody && r.encoding == inBase64:
		r.decodeBase64(len(r.pending))
		r.endPacked()
	case len(r.pending) == 0:
	case r.inBody:
		text, err := io.ReadAll(quotedprintable.NewReader(bytes.NewReader(r.pending)))
		if err != nil {
			text = r.pending // not in quoted-printable
		}
		r.out.Write(oneLine(bytes.TrimRight(text, "\r\n")))
	default:
		text, err := wordDecoder.DecodeHeader(string(r.pending))
		if err != nil {
			text = string(r.pending)
		}
		r.out.Write(oneLine([]byte(text)))
	}
	r.pending = r.pending[:0]
	for ; r.ends > 0; r.ends-- {
		r.out.WriteByte('\n')
	}
}

// wordDecoder decodes words in any charset: digits are the same in all that emails have.
var wordDecoder = mime.WordDecoder{CharsetReader: func(_ string, text io.Reader) (io.Reader, error) { return text, nil }}

// oneLine replaces the line feeds of a text, so that lines after it keep their numbers.
func oneLine(text []byte) []byte { return bytes.ReplaceAll(text, []byte{'\n'}, []byte{'\r'}) }
