package gzipfile

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/klauspost/compress/gzip"
)

// zip compresses a text.
func zip(t testing.TB, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestReader(t *testing.T) {
	t.Parallel()
	a, b := zip(t, "a\n"), zip(t, strings.Repeat("b", 100_000))
	whole := "a\n" + strings.Repeat("b", 100_000)
	zeros := make([]byte, 10_000)
	for name, tt := range map[string]struct {
		data []byte
		want string
		bad  bool
	}{
		"one":                    {a, "a\n", false},
		"two":                    {slices.Concat(a, b), whole, false},
		"an empty one":           {slices.Concat(zip(t, ""), a, zip(t, ""), b), whole, false},
		"a zero":                 {append(slices.Clone(a), 0), "a\n", false},
		"zeros":                  {slices.Concat(a, b, zeros), whole, false},
		"zeros between":          {slices.Concat(a, zeros, b), "a\n", true},
		"zeros and a text":       {slices.Concat(a, zeros, []byte("x")), "a\n", true},
		"a text":                 {append(slices.Clone(a), "some text"...), "a\n", true},
		"a byte":                 {append(slices.Clone(a), 'x'), "a\n", true},
		"without the end":        {slices.Concat(a, b[:len(b)-3]), whole, true},
		"a wrong checksum":       {slices.Concat(b[:len(b)-8], make([]byte, 8)), whole[2:], true},
		"zeros in place of data": {append(b[:20:20], zeros...), "", true},
	} {
		for kind, source := range map[string]io.Reader{"whole": bytes.NewReader(tt.data), "byte by byte": iotest.OneByteReader(bytes.NewReader(tt.data))} {
			r, err := NewReader(bufio.NewReader(source))
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			got, err := io.ReadAll(r)
			if !strings.HasPrefix(string(got), tt.want) || (err != nil) != tt.bad || !tt.bad && len(got) != len(tt.want) {
				t.Errorf("%s, %s: %d bytes, want %d: %v", name, kind, len(got), len(tt.want), err)
			}
			if _, again := r.Read(make([]byte, 1)); again == nil || err != nil && !errors.Is(again, err) {
				t.Errorf("%s, %s: after the end: %v", name, kind, again)
			}
		}
	}
	if _, err := NewReader(bufio.NewReader(strings.NewReader("no gzip data"))); err == nil {
		t.Error("other data is no error")
	}
	lost := io.MultiReader(bytes.NewReader(a), bytes.NewReader(zeros), iotest.ErrReader(io.ErrClosedPipe))
	if r, err := NewReader(bufio.NewReader(lost)); err != nil {
		t.Error(err)
	} else if _, err := io.ReadAll(r); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("an error of the source: %v", err)
	}
}

// The Reader reads what the library reads.
func FuzzReader(f *testing.F) {
	f.Add(zip(f, "a"))
	f.Add(append(zip(f, "a"), zip(f, "b")...))
	f.Add(append(zip(f, "a"), 0, 0))
	f.Fuzz(func(t *testing.T, data []byte) {
		plain, err := gzip.NewReader(bytes.NewReader(data))
		if err != nil {
			return
		}
		want, err := io.ReadAll(plain)
		if err != nil {
			return
		}
		r, err := NewReader(bufio.NewReader(bytes.NewReader(data)))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%q, %v, want %q", got, err, want)
		}
	})
}
