package iptext

import (
	"archive/zip"
	"bufio"
	"bytes"
	"errors"
	"io"
)

const (
	// maxPacked is how many bytes of a compressed attachment are unpacked, and maxUnpacked how many bytes of text it may
	// have: it is in memory. Mail servers refuse larger ones.
	maxPacked   = 32 << 20
	maxUnpacked = 64 << 20
	// maxUnpackedAll is how much text is unpacked from all attachments: a small email may have many that become large.
	maxUnpackedAll = 256 << 20
)

// An attachment is a part of an email that is compressed, a ZIP archive, or another email.
type attachment struct {
	packed bool // the part is compressed or an archive
	isMail bool // the part is another email
	data   []byte
	// left is how much text may still be unpacked from it, and leftOfAll from all of them.
	left, leftOfAll int64
}

// isPacked reports whether a part begins as an attachment that is unpacked.
func isPacked(head []byte) bool {
	for _, mark := range []string{"\x1f\x8b\x08", "\x28\xb5\x2f\xfd", "BZh", zipMark} {
		if bytes.HasPrefix(head, []byte(mark)) {
			return true
		}
	}
	return false
}

const zipMark = "PK\x03\x04"

// keepPacked keeps a piece of an attachment until all of it is there.
func (r *MailReader) keepPacked(piece []byte) {
	if r.hidden {
		return
	}
	r.data = append(r.data, piece...)
	if len(r.data) > maxPacked && r.isMail {
		r.out.Write(oneLine(r.data)) // most likely a text that only begins as an email does
		r.isMail, r.data = false, nil
	}
	if len(r.data) > maxPacked {
		r.hidden, r.data = true, nil
		r.report(r.first, "an attachment that is too large to be unpacked here: unpack it first")
	}
}

// endPacked passes on the text of an attachment, and reports what it has that is not searched.
func (r *MailReader) endPacked() {
	if r.packed && !r.hidden && len(r.data) > 0 {
		if form := r.unpack(r.data); form != "" {
			r.report(r.first, form)
		}
	}
	if r.isMail {
		r.out.Write(oneLine(r.decodeMail(r.data)))
	}
	r.packed, r.isMail, r.data, r.hidden = false, false, nil, r.hidden || r.packed
}

// maxDepth is how many emails may be in each other.
const maxDepth = 8

// decodeMail returns the text of an email that is attached to another one, as programs do to report phishing.
func (r *MailReader) decodeMail(data []byte) []byte {
	if r.depth == maxDepth {
		r.report(r.first, "an email in too many others: save it first")
		return data
	}
	inner := NewMailReader(bytes.NewReader(data), func(_ int64, form string) { r.report(r.first, form) })
	inner.depth, inner.leftOfAll = r.depth+1, r.leftOfAll
	text, err := io.ReadAll(inner)
	r.leftOfAll = inner.leftOfAll
	if err != nil {
		return data
	}
	return text
}

// beginsMail reports whether a text begins with the name of a header, or as a mailbox does. A text that only looks like it is
// decoded to itself.
func beginsMail(text []byte) bool {
	if bytes.HasPrefix(text, []byte("From ")) {
		return true
	}
	name := text[:min(len(text), signatureLength)]
	if i := bytes.IndexByte(name, ':'); i >= 0 {
		name = name[:i]
	} else if bytes.IndexByte(name, '-') < 0 {
		return false // a long name has a hyphen
	}
	for _, c := range name {
		if !isWord(c) && c != '-' {
			return false
		}
	}
	return len(name) > 1
}

// unpack passes on the text of an attachment. It returns the form of what could not be searched, or "".
func (r *MailReader) unpack(data []byte) (form string) {
	r.left = min(maxUnpacked, r.leftOfAll)
	if !bytes.HasPrefix(data, []byte(zipMark)) {
		return r.unpackText(bytes.NewReader(data))
	}
	hidden := hiddenFormOf(data)
	archive, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return hidden
	}
	for _, file := range archive.File {
		if file.Name == "[Content_Types].xml" {
			return hidden // an Office document, whose text has marks within addresses
		}
	}
	for _, file := range archive.File {
		if file.FileInfo().IsDir() {
			continue
		}
		const isEncrypted = 1
		text, err := file.Open()
		if err != nil || file.Flags&isEncrypted != 0 {
			form = "a ZIP archive with a file that is encrypted or damaged: unpack it first"
			continue
		}
		if found := r.unpackText(text); found != "" {
			form = "a ZIP archive with a file that is " + found
		}
		text.Close()
	}
	return form
}

// unpackText passes on a text that may be compressed.
func (r *MailReader) unpackText(source io.Reader) (form string) {
	text, err := NewTextReader(source)
	if err != nil {
		if hidden, ok := errors.AsType[hiddenError](err); ok {
			return string(hidden)
		}
		return "damaged: " + err.Error()
	}
	defer text.Close()
	r.out.WriteByte(' ') // so that no file continues the one before
	all, err := io.ReadAll(io.LimitReader(text, r.left+1))
	isCut := int64(len(all)) > r.left
	r.left, r.leftOfAll = r.left-int64(len(all)), r.leftOfAll-int64(len(all))
	if beginsMail(all) {
		all = r.decodeMail(all)
	}
	r.out.Write(oneLine(all))
	switch {
	case err != nil && !errors.Is(err, io.EOF):
		return "damaged: " + err.Error()
	case isCut:
		return "too large, and was searched in part: unpack it first"
	}
	return ""
}

// hiddenFormOf is hiddenForm for the beginning of a part.
func hiddenFormOf(head []byte) string {
	form, _ := hiddenForm(bufio.NewReader(bytes.NewReader(head))) // its errors say that the text is shorter than a signature
	return form
}
