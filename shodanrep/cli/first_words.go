package cli

import (
	"bytes"
	"strconv"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/iptext"
)

// firstWords are the first words of the lines with more than one. If most of them are addresses or networks, as in a list
// with comments or columns, the others may be mistyped ones, such as 198.51.100.0/234. In other text a first word that
// looks like that may be anything.
type firstWords struct {
	valid, others int64
	isText        bool // there were too many others: the following lines are not looked at
	malformed     malformedLines
}

// wordEnds are the bytes that end the first word of a line.
var wordEnds = [256]bool{' ': true, '\t': true, ',': true, ';': true, '|': true}

// add looks at a line without white space around it. It reports whether its first word is malformed.
func (w *firstWords) add(line []byte, number int64, name string) bool {
	if w.isText {
		return false
	}
	end := 0
	for end < len(line) && !wordEnds[line[end]] {
		end++
	}
	if end == 0 || end == len(line) {
		return false
	}
	word := bytes.Trim(line[:end], lineMargin)
	switch {
	case iptext.IsAddress4(word), isNetwork4(word):
		w.valid++
		return false
	case !mayBeAddress(word):
	case w.malformed.add(word, number, name):
		return true
	case iptext.ListLineOf(word) == iptext.EntryLine:
		w.valid++
		return false
	}
	w.others++
	w.isText = w.others > w.valid+maxOthers
	return false
}

// isNetwork4 reports whether a word is an IPv4 network such as 198.51.100.0/24: lists have millions of them.
func isNetwork4(word []byte) bool {
	host, length, found := bytes.Cut(word, []byte{'/'})
	if !found || len(length) == 0 || len(length) > 2 || !iptext.IsAddress4(host) {
		return false
	}
	bits, err := strconv.Atoi(string(length))
	return err == nil && bits >= 0 && bits <= 32 && length[0] != '+' && length[0] != '-'
}

// mayBeAddress reports whether a word begins as an address does and has the dots, the colons or the slash of one. Dates and
// times have not: most lines of logs begin with them.
func mayBeAddress(word []byte) bool {
	first := word[:min(len(word), 1)]
	if len(word) > maxMalformedLine || !bytes.ContainsAny(first, "0123456789abcdefABCDEF:") {
		return false
	}
	return bytes.IndexByte(word, '/') > 0 || bytes.Count(word, []byte{'.'}) >= 3 || bytes.Contains(word, []byte("::")) || bytes.Count(word, []byte{':'}) >= 7
}

// areOfList reports whether most first words are addresses or malformed ones. The entries are the lines that are an address
// and nothing else. Without any address, only a network whose address is read is worth a word.
func (w *firstWords) areOfList(entries int64) bool {
	valid := w.valid + entries
	found := w.malformed.leftOut.n + w.malformed.shortened.n + w.malformed.ranges.n
	return !w.isText && valid+found >= w.others && (valid > 0 || w.malformed.leftOut.n == 0)
}
