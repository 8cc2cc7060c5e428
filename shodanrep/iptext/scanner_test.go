package iptext

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"golang.org/x/text/encoding/unicode"
)

func readers(r ...io.Reader) io.Reader { return io.MultiReader(r...) }

func TestCompressedAndUTF16AreRead(t *testing.T) {
	const text = "from 198.51.100.66\nto 2001:db8::1\n"
	var zipped, stored bytes.Buffer
	g := gzip.NewWriter(&zipped)
	g.Write([]byte(text[:10]))
	g.Close()
	g.Reset(&zipped) // a second member
	g.Write([]byte(text[10:]))
	g.Close()
	z, err := zstd.NewWriter(&stored)
	if err != nil {
		t.Fatal(err)
	}
	z.Write([]byte(text))
	z.Close()
	utf16 := func(e unicode.Endianness, bom unicode.BOMPolicy) string {
		s, err := unicode.UTF16(e, bom).NewEncoder().String(text)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	bzip2, err := os.ReadFile("testdata/two.bz2")
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{
		"plain": text, "BOM": "\ufeff" + text, "gzip": zipped.String(), "zstd": stored.String(), "bzip2": string(bzip2),
		"UTF-16LE with BOM": utf16(unicode.LittleEndian, unicode.UseBOM), "UTF-16BE with BOM": utf16(unicode.BigEndian, unicode.UseBOM),
		"UTF-16LE": utf16(unicode.LittleEndian, unicode.IgnoreBOM), "UTF-16BE": utf16(unicode.BigEndian, unicode.IgnoreBOM),
	} {
		r, err := NewReader(iotest.OneByteReader(strings.NewReader(content)))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var got []string
		for _, m := range scanned(t, NewScanner(r)) {
			got = append(got, shown(m))
		}
		if strings.Join(got, " ") != "198.51.100.66 2001:db8::1" {
			t.Errorf("%s: found %q", name, got)
		}
		r.Close()
	}
}

func TestADamagedFileIsAnError(t *testing.T) {
	var zipped bytes.Buffer
	g := gzip.NewWriter(&zipped)
	for range 100_000 {
		g.Write([]byte("198.51.100.66 is here\n"))
	}
	g.Close()
	r, err := NewReader(bytes.NewReader(zipped.Bytes()[:zipped.Len()/2]))
	if err != nil {
		t.Fatal(err)
	}
	n, failure := 0, error(nil)
	for _, err := range NewScanner(r).All() {
		if err != nil {
			failure = err
		} else {
			n++
		}
	}
	if n == 0 || failure == nil || !strings.HasPrefix(failure.Error(), "gzip: ") {
		t.Errorf("%d addresses, then %v", n, failure)
	}
}

// What is found does not depend on how the text is divided.
func checkDivision(t *testing.T, text []byte) {
	var whole []Match
	for m := range Find(text) {
		whole = append(whole, m)
	}
	parts := scanned(t, &Scanner{reader: bytes.NewReader(text), size: 1})
	if diff := cmp.Diff(whole, parts, cmp.Comparer(func(a, b Match) bool { return a == b })); diff != "" {
		t.Errorf("in parts (-whole +parts):\n%s", diff)
	}
}

func TestPartsAreAsTheWhole(t *testing.T) {
	files, _ := filepath.Glob("testdata/*")
	var all []byte
	for _, file := range files {
		if text, err := os.ReadFile(file); err == nil && !strings.HasSuffix(file, ".bz2") {
			all = append(all, text...)
		}
	}
	checkDivision(t, bytes.Repeat(all, 3))
}

func FuzzFind(f *testing.F) {
	files, _ := filepath.Glob("testdata/*.*")
	for _, file := range files {
		if text, err := os.ReadFile(file); err == nil {
			f.Add(text)
		}
	}
	f.Add([]byte("%20198.51.100.66-1.2.3.4/24 [2001[:]db8::1%eth0]/64 ip6:::ffff:1.2.3.4"))
	f.Add([]byte("http://a@3405803786/ http%3A%2F%2F0xCB.0%2F https:\\\\203%2E0&#46;113&period;10 h**p[://]&#50;03.0x1.012"))
	f.Add([]byte("203。0．113｡10 ２０３．０．１１３．１０ 198 [.] 51 dot 100DOT7 1<.>2\".\"3'.'4 203%252E0"))
	f.Add([]byte("host 1.2.3.4 10.0.0.0 netmask 255.0.0.0 obj_1.2.3.4 -3A__1.2.3.4_ ://1.2.3.4__; Deny TCP 1.2.3.4/5"))
	f.Fuzz(func(t *testing.T, text []byte) {
		checkDivision(t, text)
		for m := range Find(text) {
			if !m.Prefix.IsValid() || m.Prefix != m.Prefix.Masked() || m.Prefix.Addr().Is4In6() {
				t.Errorf("%q is %v", m.Text, m.Prefix)
			}
		}
	})
}

func FuzzReader(f *testing.F) {
	f.Add([]byte("\x1f\x8b\x08"))
	f.Add([]byte("\xff\xfe1\x00"))
	f.Add([]byte("\x28\xb5\x2f\xfd"))
	f.Fuzz(func(t *testing.T, content []byte) {
		r, err := NewReader(bytes.NewReader(content))
		if err != nil {
			return
		}
		defer r.Close()
		for range NewScanner(io.LimitReader(r, 1<<20)).All() {
		}
	})
}

func BenchmarkScanner(b *testing.B) {
	files, _ := filepath.Glob("testdata/*.*")
	var text []byte
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			b.Fatal(err)
		}
		text = append(text, content...)
	}
	text = bytes.Repeat(text, 1000)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		for _, err := range NewScanner(bytes.NewReader(text)).All() {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
}
