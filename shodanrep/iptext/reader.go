package iptext

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/gzipfile"
)

// maxWindow is the largest window of a zstd file that is read: it has to be in memory.
const maxWindow = 128 << 20

// A Reader reads a text as UTF-8. It recognizes compression (gzip, zstd, bzip2) and UTF-16 by the content.
type Reader struct {
	io.Reader
	// HasBOM says that the text began with a byte order mark of UTF-8, which is removed.
	HasBOM bool
	close  func()
}

// Close frees the memory of the decompressor. It does not close the underlying reader.
func (r *Reader) Close() error {
	if r.close != nil {
		r.close()
	}
	return nil
}

// NewReader returns a Reader. It reads only as many bytes as it needs to recognize the content, because the first line
// of a pipe can be shorter than the signature of a compressed file.
func NewReader(source io.Reader) (*Reader, error) {
	buffered := bufio.NewReaderSize(source, 64<<10)
	head, err := peek(buffered, 10, mayBeCompressed)
	if err != nil && err != io.EOF {
		return nil, err
	}
	switch {
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b, 8}):
		r, err := gzipfile.NewReader(buffered)
		if err != nil {
			return nil, fmt.Errorf("gzip: %w", err)
		}
		return text(named{r, "gzip"}, nil)
	case bytes.HasPrefix(head, []byte{0x28, 0xb5, 0x2f, 0xfd}), len(head) >= 4 && head[0]&0xf0 == 0x50 && head[1] == 0x2a && head[2] == 0x4d && head[3] == 0x18:
		r, err := zstd.NewReader(buffered, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return nil, fmt.Errorf("zstd: %w", err)
		}
		return text(named{r, "zstd"}, r.Close)
	case len(head) == 10 && string(head[:3]) == "BZh" && head[3]-'1' < 9 && (string(head[4:]) == "1AY&SY" || string(head[4:]) == "\x17\x72\x45\x38\x50\x90"):
		return text(named{bzip2.NewReader(buffered), "bzip2"}, nil)
	}
	return text(buffered, nil)
}

// A named reader adds the name of the compression to errors.
type named struct {
	io.Reader
	name string
}

func (r named) Read(b []byte) (int, error) {
	n, err := r.Reader.Read(b)
	if err != nil && err != io.EOF {
		err = fmt.Errorf("%s: %w", r.name, err)
	}
	return n, err
}

// text decodes UTF-16 and removes a byte order mark.
func text(source io.Reader, close func()) (*Reader, error) {
	buffered, ok := source.(*bufio.Reader)
	if !ok {
		buffered = bufio.NewReaderSize(source, 64<<10)
	}
	head, err := peek(buffered, 4, mayBeMarked)
	if err != nil && err != io.EOF {
		if close != nil {
			close()
		}
		return nil, err
	}
	r := &Reader{Reader: buffered, close: close}
	switch {
	case bytes.HasPrefix(head, []byte{0xef, 0xbb, 0xbf}):
		r.HasBOM = true
		_, err = buffered.Discard(3)
		return r, err
	case bytes.HasPrefix(head, []byte{0xff, 0xfe}), len(head) == 4 && head[0] != 0 && head[1] == 0 && head[2] != 0 && head[3] == 0:
		r.Reader = transform.NewReader(buffered, unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewDecoder())
	case bytes.HasPrefix(head, []byte{0xfe, 0xff}), len(head) == 4 && head[0] == 0 && head[1] != 0 && head[2] == 0 && head[3] != 0:
		r.Reader = transform.NewReader(buffered, unicode.UTF16(unicode.BigEndian, unicode.UseBOM).NewDecoder())
	}
	return r, nil
}

// peek returns up to n bytes at the beginning of a text, as long as they may be a signature.
func peek(buffered *bufio.Reader, n int, isMark func([]byte) bool) (head []byte, err error) {
	for i := 1; i <= n; i++ {
		if head, err = buffered.Peek(i); err != nil || !isMark(head) {
			break
		}
	}
	return head, err
}

// mayBeCompressed reports whether a compressed file may begin with these bytes.
func mayBeCompressed(head []byte) bool {
	if head[0]&0xf0 == 0x50 {
		return len(head) < 2 || bytes.HasPrefix([]byte{0x2a, 0x4d, 0x18}, head[1:])
	}
	for _, mark := range []string{"\x1f\x8b\x08", "\x28\xb5\x2f\xfd", "BZh"} {
		if n := min(len(mark), len(head)); mark[:n] == string(head[:n]) {
			return true
		}
	}
	return false
}

// mayBeMarked reports whether a text with a byte order mark, or in UTF-16, may begin with these bytes.
func mayBeMarked(head []byte) bool {
	first := head[0] == 0 || head[0] == 0xef || head[0] == 0xfe || head[0] == 0xff
	return first || len(head) == 1 || len(head) > 1 && head[1] == 0
}
