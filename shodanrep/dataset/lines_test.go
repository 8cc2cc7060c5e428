package dataset

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

// readAll returns a reader's lines, with "!" for one that is too long, and how it ended.
func readAll(r io.Reader, long int) (lines []string, err error) {
	text, err := newText(context.Background(), r)
	if err != nil {
		return nil, err
	}
	defer text.close()
	l := newLineReader(text)
	l.long = long
	buf := []byte("kept")
	for {
		line, err := l.next(buf)
		switch {
		case err == errTooLong:
			lines = append(lines, "!")
		case err != nil:
			return lines, err
		default:
			lines = append(lines, strings.TrimPrefix(string(line), "kept"))
		}
	}
}

func TestLines(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, content string
		want          []string
	}{
		{"nothing", "", nil},
		{"no line break at the end", "a\nb", []string{"a", "b"}},
		{"a line break at the end", "a\nb\n", []string{"a", "b"}},
		{"empty lines", "\n\na\n", []string{"", "", "a"}},
		{"a line of just the greatest length", "123456789\n", []string{"123456789"}},
		{"a line that is too long", "a\n1234567890\nb", []string{"a", "!", "b"}},
		{"a last line that is too long", "a\n" + strings.Repeat("x", 1<<19), []string{"a", "!"}},
		{"a byte order mark", "\uFEFFa\n\uFEFFb", []string{"a", "\uFEFFb"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for packing, content := range packings(t, []byte(tt.content)) {
				got, err := readAll(bytes.NewReader(content), 10)
				if diff := cmp.Diff(tt.want, got); diff != "" || err != io.EOF {
					t.Errorf("%s: %v\n%s", packing, err, diff)
				}
			}
		})
	}
	t.Run("a file that cannot be read on", func(t *testing.T) {
		t.Parallel()
		failure := errors.New("the disk is gone")
		got, err := readAll(io.MultiReader(strings.NewReader("a\nb"), iotest.ErrReader(failure)), 10)
		if diff := cmp.Diff([]string{"a"}, got); diff != "" || err != failure {
			t.Errorf("%v\n%s", err, diff)
		}
	})
}

// FuzzLines checks that a file has the lines that its text has, however it is packed, and that damage costs none of the
// lines before it.
func FuzzLines(f *testing.F) {
	f.Add([]byte("a\nb"), uint16(5), uint16(20))
	f.Add([]byte("\n\n{}\r\n"), uint16(1), uint16(12))
	f.Add([]byte("\x1f\x8b"), uint16(3), uint16(1))
	f.Add([]byte("\uFEFFa\n"), uint16(9), uint16(4))
	f.Fuzz(func(t *testing.T, text []byte, long, cut uint16) {
		var want []string
		rest := bytes.TrimPrefix(text, []byte("\uFEFF"))
		for line := range bytes.Lines(rest) {
			if len(line) > int(long) {
				want = append(want, "!")
			} else {
				want = append(want, string(bytes.TrimSuffix(line, []byte("\n"))))
			}
		}
		read := func(content []byte) ([]string, error) {
			return readAll(iotest.HalfReader(bytes.NewReader(content)), int(long))
		}
		if isUTF16(text) {
			return
		}
		if !isCompressed(text) {
			if got, err := read(text); err != io.EOF || !cmp.Equal(want, got) {
				t.Errorf("plain: %v %s", err, cmp.Diff(want, got))
			}
		}
		for packing, packed := range packings(t, text) {
			if packing == "plain" {
				continue
			}
			if got, err := read(packed); err != io.EOF || !cmp.Equal(want, got) {
				t.Errorf("%s: %v %s", packing, err, cmp.Diff(want, got))
			}
			if packed = packed[:min(len(packed), int(cut))]; len(packed) < 10 {
				continue // nothing tells that it is compressed
			}
			if got, err := read(packed); err != io.EOF && !errors.Is(err, errBroken) || len(got) > len(want) || !slices.Equal(want[:len(got)], got) {
				t.Errorf("%s cut off: %v %s", packing, err, cmp.Diff(want, got))
			}
		}
	})
}

// isCompressed and isUTF16 report whether a text may be taken for something else.
func isCompressed(text []byte) bool {
	return len(text) > 0 && (text[0] == 0x1f || text[0] == 0x28 || text[0] == 'B' || text[0]&0xf0 == 0x50)
}

func isUTF16(text []byte) bool {
	head := text[:min(4, len(text))]
	return bytes.IndexByte(head, 0) >= 0 || bytes.IndexByte(head, 0xfe) >= 0 || bytes.IndexByte(head, 0xff) >= 0
}

// TestALineWithoutEndEndsWithTheContext reads a line that goes on for ever, as a small compressed file can.
func TestALineWithoutEndEndsWithTheContext(t *testing.T) {
	t.Parallel()
	for name, begin := range map[string]string{"a line": "x", "blanks": "x\n ", "a value": "[{\"a\": \"", "blanks between values": "[{},\n"} {
		ctx, cancel := context.WithCancel(t.Context())
		endless := &endlessReader{begin: begin, onRead: cancel}
		if err := parseEach(ctx, endless, func(parsed) error { return nil }); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
		cancel()
	}
}

// An endlessReader reads a beginning and then blanks without end, or nearly so. It calls onRead when it reads blanks.
type endlessReader struct {
	begin  string
	onRead func()
	reads  int
}

func (r *endlessReader) Read(b []byte) (int, error) {
	if r.begin != "" {
		n := copy(b, r.begin)
		r.begin = r.begin[n:]
		return n, nil
	}
	if r.onRead(); r.reads == 1000 {
		return 0, errors.New("it was read on after the context had ended")
	}
	r.reads++
	for i := range b {
		b[i] = ' '
	}
	return len(b), nil
}

// A file of another program has millions of short lines. A buffer for a whole file would be made for each of them.
func TestALineNeedsABufferOfItsLength(t *testing.T) {
	t.Parallel()
	for length, want := range map[int]int{40: 40, 1000: 1000, 1 << 20: textBuffer} {
		if got := lineText(make([]byte, length)).Size(); got != want {
			t.Errorf("%d bytes for a line of %d, want %d", got, length, want)
		}
	}
}
