package iptext

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf16"
)

// To find nothing in such a file would look as if it had no address.
func TestAFileThatHidesItsTextIsAnError(t *testing.T) {
	t.Parallel()
	const text = "198.51.100.66\n"
	capture := func(order binary.ByteOrder, words ...uint32) string {
		var b []byte
		for _, word := range words {
			b = append(b, 0, 0, 0, 0)
			order.PutUint32(b[len(b)-4:], word)
		}
		return string(b) + text
	}
	wide := func(order binary.ByteOrder, text string) string {
		return capture(order, append([]uint32{0xfeff}, utf32Of(text)...)...)
	}
	for content, want := range map[string]string{
		"PK\x03\x04\x14\x00" + text:                                      "it is a ZIP archive or an Office document: unpack it",
		"7z\xbc\xaf\x27\x1c\x00\x04" + text:                              "it is an archive",
		"\xfd7zXZ\x00\x00\x04" + text:                                    "it is compressed with xz: unpack it first, as with xz -dc FILE",
		"\x04\x22\x4d\x18\x64":                                           "it is compressed with LZ4",
		capture(binary.LittleEndian, 0xa1b2c3d4, 0x00040002):             "it is a packet capture",
		capture(binary.BigEndian, 0xa1b2c3d4, 0x00020004):                "it is a packet capture",
		capture(binary.BigEndian, 0xa1b23c4d, 0x00020004):                "it is a packet capture",
		capture(binary.LittleEndian, 0x0a0d0d0a, 188, 0x1a2b3c4d):        "it is a packet capture",
		capture(binary.BigEndian, 0x0a0d0d0a, 188, 0x1a2b3c4d):           "it is a packet capture",
		"%PDF-1.7\n" + text:                                              "it is a PDF document",
		"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + text:                        "it is an Office document or an Outlook message",
		"PAR1\x15\x04" + text:                                            "it is a Parquet file",
		"LPKSHHRH\x00" + text:                                            "it is a journal of systemd",
		"ElfFile\x00\x00" + text:                                         "it is an event log of Windows",
		wide(binary.LittleEndian, text):                                  "it is text in UTF-32",
		wide(binary.BigEndian, text):                                     "it is text in UTF-32",
		gzipped(t, capture(binary.LittleEndian, 0xa1b2c3d4, 0x00040002)): "it is a packet capture",

		"": "", "\n": "", "\n\r\r\n198.51.100.66": "", "P": "", "PK 198.51.100.66": "", "PAR1 198.51.100.66": "", "%PDF": "", "Rar! " + text: "",
		"7z " + text: "", text: "", "\x00" + text: "", gzipped(t, text): "", utf16Of(text): "", "\xff\xfe" + utf16Of(text): "",
	} {
		r, err := NewTextReader(iotest.OneByteReader(strings.NewReader(content)))
		if got := errorText(err); !strings.HasPrefix(got, want) || want == "" && got != "" {
			t.Errorf("%.20q: got %q, want %q", content, got, want)
		}
		if err != nil {
			continue
		}
		found := 0
		for _, err := range NewScanner(r).All() {
			if err != nil {
				t.Errorf("%.20q: %v", content, err)
			}
			found++
		}
		if want := strings.Count(strings.ReplaceAll(content, "\x00", ""), "198.51.100.66"); found < want {
			t.Errorf("%.20q: %d addresses, want %d", content, found, want)
		}
		r.Close()
	}
}

// The first line of a pipe is handed on before the next one is there.
func TestATextReaderWaitsForNoMoreThanItNeeds(t *testing.T) {
	t.Parallel()
	errWaits := errors.New("it waits for more")
	for _, line := range []string{"1\n", "\n\n", "PK\n", "%P\n"} {
		r, err := NewTextReader(io.MultiReader(strings.NewReader(line), iotest.ErrReader(errWaits)))
		if err != nil {
			t.Errorf("%q: %v", line, err)
			continue
		}
		got := make([]byte, 10)
		if n, err := r.Read(got); string(got[:n]) != line || err != nil {
			t.Errorf("%q: got %q, %v", line, got[:n], err)
		}
	}
	if _, err := NewTextReader(iotest.ErrReader(errWaits)); err != errWaits {
		t.Errorf("got %v", err)
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func gzipped(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func utf32Of(text string) []uint32 {
	var words []uint32
	for _, c := range text {
		words = append(words, uint32(c))
	}
	return words
}

func utf16Of(text string) string {
	var b []byte
	for _, c := range utf16.Encode([]rune(text)) {
		b = binary.LittleEndian.AppendUint16(b, c)
	}
	return string(b)
}
