// Package textfile reads small text files that people write, such as policies and lists of addresses.
package textfile

import (
	"os"

	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// Read reads a file as [Decode] does.
func Read(path string) ([]byte, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return Decode(text)
}

// Decode returns a text in UTF-8 without a byte order mark. A text that begins with the mark of UTF-16 is decoded: Windows
// PowerShell writes such files. Any other text stays as it is.
func Decode(text []byte) ([]byte, error) {
	decoded, _, err := transform.Bytes(unicode.BOMOverride(transform.Nop), text)
	return decoded, err
}
