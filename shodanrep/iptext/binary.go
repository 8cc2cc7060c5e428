package iptext

import (
	"bufio"
	"io"
	"slices"
)

// A signature is how files of a form begin whose text cannot be found in their bytes.
type signature struct {
	// pattern is the first bytes of the file, as Reader returns them. anyByte stands for any of them.
	pattern string
	// form says what the file is and what to do, as the end of a sentence.
	form string
}

const anyByte = '?'

const (
	archive    = "an archive: unpack it first"
	capture    = "a packet capture: write its text, as with tcpdump -nr FILE"
	compressed = ": unpack it first, as with "
	utf32      = "text in UTF-32: convert it to UTF-8"
)

var signatures = []signature{
	{"PK\x03\x04", "a ZIP archive or an Office document: unpack it, or save it as text or CSV"},
	{"7z\xbc\xaf\x27\x1c", archive},
	{"Rar!\x1a\x07", archive},
	{"\xfd7zXZ\x00", "compressed with xz" + compressed + "xz -dc FILE"},
	{"\x04\x22\x4d\x18", "compressed with LZ4" + compressed + "lz4 -dc FILE"},
	{"LZIP\x01", "compressed with lzip" + compressed + "lzip -dc FILE"},
	{"\x1f\x9d", "compressed with compress" + compressed + "gzip -dc FILE"},
	{"\xff\x06\x00\x00sNaPpY", "compressed with Snappy" + compressed + "snzip -dc FILE"},
	{"\xd4\xc3\xb2\xa1", capture},
	{"\xa1\xb2\xc3\xd4", capture},
	{"\x4d\x3c\xb2\xa1", capture},
	{"\xa1\xb2\x3c\x4d", capture},
	{"\n\r\r\n????\x4d\x3c\x2b\x1a", capture},
	{"\n\r\r\n????\x1a\x2b\x3c\x4d", capture},
	{"%PDF-", "a PDF document: save it as text, as with pdftotext FILE -"},
	{"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an Office document or an Outlook message: save it as text or CSV"},
	{"PAR1\x15", "a Parquet file: write it as CSV"},
	{"LPKSHHRH", "a journal of systemd: write its text, as with journalctl --file FILE"},
	{"ElfFile\x00", "an event log of Windows: write it as XML or CSV"},
	{"\x00\x00\xfe\xff", utf32},
	// The byte order mark of the other UTF-32 is that of UTF-16 and an empty character.
	{"\x00?\x00?\x00", utf32},
}

// A hiddenError is the form of a file that hides its text.
type hiddenError string

func (e hiddenError) Error() string { return "it is " + string(e) }

// NewTextReader returns a Reader, or an error if the source is not text and has a form that is known to hide its text:
// to find no address in it, or a few, would look as if it had no others.
func NewTextReader(source io.Reader) (*Reader, error) {
	r, err := NewReader(source)
	if err != nil {
		return nil, err
	}
	buffered := bufio.NewReaderSize(r.Reader, 64<<10)
	r.Reader = buffered
	form, err := hiddenForm(buffered)
	switch {
	case form != "":
		err = hiddenError(form)
	case err == io.EOF: // the reader returns it again
		err = nil
	}
	if err != nil {
		_ = r.Close()
		return nil, err
	}
	return r, nil
}

// hiddenForm returns the form of the signature with which a source begins, or "". It reads only as many bytes as it
// needs, as NewReader does.
func hiddenForm(source *bufio.Reader) (string, error) {
	possible := slices.Clone(signatures)
	for n := 1; len(possible) > 0; n++ {
		head, err := source.Peek(n)
		if err != nil {
			return "", err
		}
		possible = slices.DeleteFunc(possible, func(s signature) bool {
			return s.pattern[n-1] != anyByte && s.pattern[n-1] != head[n-1]
		})
		for _, s := range possible {
			if len(s.pattern) == n {
				return s.form, nil
			}
		}
	}
	return "", nil
}
