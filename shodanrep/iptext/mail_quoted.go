package iptext

import "bytes"

// maxSoftLine is how long a line in quoted-printable may be that goes on in the next one. The standard allows 76 bytes.
const maxSoftLine = 100

// addQuoted adds a line in quoted-printable, and decodes those that end with it. Where no boundary ends the part, such as
// above a log in the same text, lines that are not in quoted-printable are passed on as they are.
func (r *MailReader) addQuoted(line []byte) {
	text := bytes.TrimRight(line, "\r\n \t")
	if endsWithName(r.pending) && addressLength(text) > 0 {
		r.flush() // "OUT=" at the end of a line of a log
	}
	if !isQuoted(text) {
		r.flush()
		r.out.Write(line)
		return
	}
	r.pending = append(r.pending, line...)
	if len(text) < len(line) && line[len(line)-1] == '\n' {
		r.ends++
	}
	if !bytes.HasSuffix(text, []byte("=")) || len(text) > maxSoftLine || len(r.pending) > maxPending {
		r.flush()
	}
}

// isQuoted reports whether a line may be in quoted-printable: a code follows each equals sign, or the end of the line. In
// "SRC=203.0.113.10" the code for a blank is the beginning of an address, so the line is not.
func isQuoted(text []byte) bool {
	for {
		_, after, found := bytes.Cut(text, []byte{'='})
		switch {
		case !found || len(after) == 0:
			return true
		case len(after) < 2 || !isHex(after[0]) || !isHex(after[1]) || addressLength(after) > 2:
			return false
		}
		text = after
	}
}

// endsWithName reports whether a text ends with a name and an equals sign.
func endsWithName(text []byte) bool {
	name, found := bytes.CutSuffix(bytes.TrimRight(text, "\r\n \t"), []byte{'='})
	return found && len(name) > 0 && isWord(name[len(name)-1]) && !isDigit(name[len(name)-1])
}

// addressLength returns the length of the address with which a text begins; 0 is none.
func addressLength(text []byte) int64 {
	if len(text) == 0 || !isHex(text[0]) && text[0] != ':' {
		return 0
	}
	for m := range Find(text[:min(len(text), maxMalformed)]) {
		if m.Start == 0 {
			return m.End
		}
		break
	}
	return 0
}
