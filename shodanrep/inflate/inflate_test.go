package inflate

import (
	"bufio"
	"bytes"
	"compress/flate"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"

	klauspost "github.com/klauspost/compress/flate"
)

// compress compresses a text at a level of the standard library.
func compress(t testing.TB, level int, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, level)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// texts are texts of all kinds: their symbols have short and long codes, and their matches all lengths and distances.
func texts() map[string]string {
	random := rand.New(rand.NewPCG(1, 2))
	digits := func(n int) string {
		var b strings.Builder
		for b.Len() < n {
			fmt.Fprintf(&b, "%x", random.Uint64())
		}
		return b.String()
	}
	bytesOf := func(n int) string {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(random.UintN(256))
		}
		return string(b)
	}
	var lines, runs, rare strings.Builder
	page := digits(4000)
	for i := range 2000 {
		from := random.IntN(3000)
		fmt.Fprintf(&lines, `{"ip_str":"198.51.100.%d","port":%d,"data":"%s"}`+"\n", i%256, random.IntN(65536), page[from:from+random.IntN(900)])
	}
	for i := range 3000 {
		runs.WriteString(strings.Repeat(bytesOf(1+i%20), 1+random.IntN(200)))
	}
	for i := range 300_000 { // half the bytes have the value 0, a quarter the value 1, and so on: the longest codes
		value := 0
		for value < 200 && random.IntN(2) == 0 {
			value++
		}
		if i%1000 == 0 {
			value = random.IntN(256)
		}
		rare.WriteByte(byte(value))
	}
	return map[string]string{
		"empty": "", "a byte": "a", "one symbol": strings.Repeat("a", 1_000_000), "short": "abcabcabcabc", "hexadecimal digits": digits(300_000),
		"random bytes": bytesOf(300_000), "lines": lines.String(), "runs": runs.String(), "rare bytes": rare.String(),
		"far": page + strings.Repeat("x", 1<<15-len(page)-10) + page + bytesOf(1<<15-len(page)) + page,
	}
}

func TestReaderReadsWhatTheLibrariesWrite(t *testing.T) {
	t.Parallel()
	for name, text := range texts() {
		for _, level := range []int{flate.HuffmanOnly, flate.NoCompression, flate.BestSpeed, flate.DefaultCompression, flate.BestCompression} {
			data := append(compress(t, level, text), "after it"...)
			for kind, source := range map[string]*bufio.Reader{
				"whole":        bufio.NewReaderSize(bytes.NewReader(data), 1<<20),
				"in parts":     bufio.NewReaderSize(iotest.HalfReader(bytes.NewReader(data)), 100),
				"byte by byte": bufio.NewReaderSize(iotest.OneByteReader(bytes.NewReader(data)), 16),
			} {
				r := NewReader(source)
				got, err := io.ReadAll(r)
				if err != nil || string(got) != text {
					t.Errorf("%s, level %d, %s: %d bytes, want %d: %v", name, level, kind, len(got), len(text), err)
				}
				if n, err := r.Read(make([]byte, 1)); n > 0 || err != io.EOF {
					t.Errorf("%s: after the end: %d, %v", name, n, err)
				}
				if rest, err := io.ReadAll(source); err != nil || string(rest) != "after it" {
					t.Errorf("%s, level %d, %s: the source has %q left, %v", name, level, kind, rest, err)
				}
			}
		}
	}
}

func TestResetReadsTheNextStream(t *testing.T) {
	t.Parallel()
	source := bufio.NewReader(bytes.NewReader(append(compress(t, 6, strings.Repeat("one ", 100_000)), compress(t, 6, "two")...)))
	r := NewReader(source)
	if _, err := io.ReadAll(r); err != nil {
		t.Fatal(err)
	}
	r.Reset()
	if got, err := io.ReadAll(r); err != nil || string(got) != "two" {
		t.Errorf("got %q, %v", got, err)
	}
}

// What a compressor flushed is there before more is written.
func TestAFlushedTextIsReadAtOnce(t *testing.T) {
	t.Parallel()
	source, sink := io.Pipe()
	defer source.Close()
	w, err := flate.NewWriter(sink, flate.DefaultCompression)
	if err != nil {
		t.Fatal(err)
	}
	written, read := make(chan string), make(chan struct{})
	go func() {
		for _, line := range []string{"one\n", "two\n", strings.Repeat("three ", 100_000) + "\n", "four\n"} {
			written <- line
			if _, err := io.WriteString(w, line); err != nil {
				t.Error(err)
			}
			if err := w.Flush(); err != nil {
				t.Error(err)
			}
			<-read
		}
		close(written)
		sink.CloseWithError(w.Close())
	}()
	r := NewReader(bufio.NewReader(source))
	for line := range written {
		got := make([]byte, len(line))
		if _, err := io.ReadFull(r, got); err != nil || string(got) != line {
			t.Fatalf("got %.20q, %v, want %.20q", got, err, line)
		}
		read <- struct{}{}
	}
	if rest, err := io.ReadAll(r); err != nil || len(rest) > 0 {
		t.Errorf("at the end: %q, %v", rest, err)
	}
}

// A match reaches back to the beginning of its own stream, not into an earlier one.
func TestAMatchBeforeTheBeginningIsDamage(t *testing.T) {
	t.Parallel()
	var far bytes.Buffer
	w, err := flate.NewWriterDict(&far, flate.BestCompression, []byte("a dictionary that the reader lacks"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(w, "a dictionary that the reader lacks"); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	far.Write(make([]byte, 100)) // so that the symbols can be decoded fast
	for _, first := range []string{"", strings.Repeat("another text ", 20_000)} {
		for _, size := range []int{16, 1 << 20} {
			r := NewReader(bufio.NewReaderSize(bytes.NewReader(append(compress(t, 6, first), far.Bytes()...)), size))
			if _, err := io.ReadAll(r); err != nil {
				t.Fatal(err)
			}
			r.Reset()
			if got, err := io.ReadAll(r); !errors.Is(err, ErrDamaged) {
				t.Errorf("got %q, %v", got, err)
			}
		}
	}
}

// noDistances is a block that has no code of a distance, and ends with a match.
const noDistances = "\x04\xc0\x81\x00\x00\x00\x00\x00\x90V\xff\x13\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00" +
	"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00$0\x00\x00"

func TestBadData(t *testing.T) {
	t.Parallel()
	whole := compress(t, 6, texts()["lines"])
	for name, tt := range map[string]struct {
		source io.Reader
		want   error
	}{
		"nothing":                          {strings.NewReader(""), io.ErrUnexpectedEOF},
		"a header":                         {bytes.NewReader(whole[:1]), io.ErrUnexpectedEOF},
		"within the tables":                {bytes.NewReader(whole[:20]), io.ErrUnexpectedEOF},
		"within the symbols":               {bytes.NewReader(whole[:len(whole)/2]), io.ErrUnexpectedEOF},
		"without the last byte":            {bytes.NewReader(whole[:len(whole)-1]), io.ErrUnexpectedEOF},
		"an error of the source":           {io.MultiReader(bytes.NewReader(whole[:1000]), iotest.ErrReader(io.ErrClosedPipe)), io.ErrClosedPipe},
		"an unknown block":                 {strings.NewReader("\x07"), ErrDamaged},
		"a stored block of another length": {strings.NewReader("\x01\x01\x00\x01\x00a"), ErrDamaged},
		"a stored block that breaks off":   {strings.NewReader("\x01\x02\x00\xfd\xffa"), io.ErrUnexpectedEOF},
		"too many codes":                   {strings.NewReader("\xfd\xff\xff" + strings.Repeat("\x00", 40)), ErrDamaged},
		"code lengths that make no code":   {strings.NewReader("\x05\x00" + strings.Repeat("\xff", 40)), ErrDamaged},
		"a distance without a meaning":     {strings.NewReader("\x03\x7e" + strings.Repeat("\xff", 40)), ErrDamaged},
		"symbols without a meaning":        {strings.NewReader("\x1b" + strings.Repeat("\xff", 40)), ErrDamaged},
		"the same at the end":              {strings.NewReader("\x1b\xff"), ErrDamaged},
		"a match without codes for it":     {strings.NewReader(noDistances), ErrDamaged},
		"a match at the very beginning":    {strings.NewReader("\x03\x02"), ErrDamaged},
	} {
		r := NewReader(bufio.NewReader(tt.source))
		got, err := io.ReadAll(r)
		if !errors.Is(err, tt.want) {
			t.Errorf("%s: %d bytes, %v, want %v", name, len(got), err, tt.want)
		}
		if _, again := r.Read(make([]byte, 1)); again != err {
			t.Errorf("%s: then %v", name, again)
		}
	}
}

// Whatever the data is, the Reader returns what the standard library returns, and fails where it fails.
func FuzzReader(f *testing.F) {
	for _, text := range []string{"", "a", "abcabcabc", strings.Repeat("a", 1000)} {
		for _, level := range []int{flate.HuffmanOnly, flate.NoCompression, flate.BestCompression} {
			f.Add(compress(f, level, text))
		}
	}
	lines := texts()["lines"][:3000]
	f.Add(compress(f, flate.HuffmanOnly, lines))
	f.Add(compress(f, flate.BestCompression, lines))
	f.Add([]byte("\x1b" + strings.Repeat("\xff", 40)))
	f.Add([]byte(noDistances))
	f.Fuzz(func(t *testing.T, data []byte) { readBoth(t, data) })
}

// Data with a few wrong bits, or without its end, is read as the standard library reads it.
func TestDamagedData(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(3, 4))
	for name, text := range texts() {
		data := compress(t, flate.DefaultCompression, text[:min(len(text), 20_000)])
		for range 300 {
			damaged := bytes.Clone(data)
			for range 1 + random.IntN(3) {
				// Most of what can go wrong is in the tables, at the beginning.
				at := random.IntN(len(damaged))
				if random.IntN(2) == 0 {
					at = random.IntN(min(len(damaged), 80))
				}
				damaged[at] ^= 1 << random.IntN(8)
			}
			if random.IntN(4) == 0 {
				damaged = damaged[:random.IntN(len(damaged))]
			}
			if readBoth(t, damaged); t.Failed() {
				t.Fatal(name)
			}
		}
	}
}

// readBoth reads data with a Reader, with a short buffer and a long one, and with the standard library: the text must be the
// same, the kind of error, and what is left of the source.
func readBoth(t *testing.T, data []byte) {
	t.Helper()
	const most = 1 << 20
	library := bufio.NewReader(bytes.NewReader(data))
	want, wantErr := io.ReadAll(io.LimitReader(flate.NewReader(library), most))
	wantLeft, _ := io.ReadAll(library)
	for _, size := range []int{16, 1 << 16} {
		source := bufio.NewReaderSize(bytes.NewReader(data), size)
		got, err := io.ReadAll(io.LimitReader(NewReader(source), most))
		if (err == nil) != (wantErr == nil) || errors.Is(err, io.ErrUnexpectedEOF) != errors.Is(wantErr, io.ErrUnexpectedEOF) {
			t.Errorf("%q: got %v, want %v", data, err, wantErr)
		}
		// The library does not decode the last symbols of data that breaks off.
		if err == nil && len(got) != len(want) || !bytes.HasPrefix(got, want) {
			t.Errorf("%q: got %q, want %q", data, got, want)
		}
		if left, _ := io.ReadAll(source); err == nil && len(want) < most && !bytes.Equal(left, wantLeft) {
			t.Errorf("%q: the source has %q left, want %q", data, left, wantLeft)
		}
	}
}

// BenchmarkReader reads a text that consists of matches mostly, as the lines of a data file are where they repeat, and one
// of literals, as certificates are.
func BenchmarkReader(b *testing.B) {
	noise := make([]byte, 1<<20)
	random := rand.NewChaCha8([32]byte{})
	_, _ = random.Read(noise)
	for kind, text := range map[string]string{"matches": texts()["lines"], "literals": base64.StdEncoding.EncodeToString(noise)} {
		data := compress(b, flate.DefaultCompression, text)
		for name, reader := range map[string]func(*bufio.Reader) io.Reader{
			"this package": func(r *bufio.Reader) io.Reader { return NewReader(r) },
			"klauspost":    func(r *bufio.Reader) io.Reader { return klauspost.NewReader(r) },
			"standard":     func(r *bufio.Reader) io.Reader { return flate.NewReader(r) },
		} {
			b.Run(kind+" "+name, func(b *testing.B) {
				b.SetBytes(int64(len(text)))
				buf := make([]byte, 1<<16)
				for b.Loop() {
					if _, err := io.CopyBuffer(io.Discard, struct{ io.Reader }{reader(bufio.NewReader(bytes.NewReader(data)))}, buf); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
