package iptext

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// inMail returns the addresses of a text with their lines, and the parts whose text is hidden.
func inMail(t *testing.T, text io.Reader) (found, parts string) {
	t.Helper()
	var list, hidden []string
	r := NewMailReader(text, func(line int64, form string) { hidden = append(hidden, fmt.Sprintf("%d:%.9s", line, form)) })
	for m, err := range NewScanner(r).All() {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, fmt.Sprintf("%d:%s", m.Line, shown(m)))
	}
	return strings.Join(list, " "), strings.Join(hidden, " ")
}

func inLines(text string) string {
	encoded := base64.StdEncoding.EncodeToString([]byte(text))
	var lines strings.Builder
	for len(encoded) > 76 {
		lines.WriteString(encoded[:76] + "\r\n")
		encoded = encoded[76:]
	}
	return lines.String() + encoded + "\r\n"
}

func TestEmailsAreDecoded(t *testing.T) {
	t.Parallel()
	const quoted = "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
	const encoded = "content-transfer-encoding: BASE64\nContent-Type: text/plain;\n name=x\n\n"
	list := strings.Repeat("198.51.100.66\r\n", 20)
	for name, tt := range map[string]struct{ text, found, parts string }{
		"quoted-printable":             {quoted + "a 203.0.113.=\r\n25 b=3D198.51.100.66=20\r\n=\r\n192=2E0=2E2=2E44\r\n--=20\r\n192.0.2.45\r\n", "3:203.0.113.25 3:198.51.100.66 5:192.0.2.44 8:192.0.2.45", ""},
		"not quoted":                   {quoted + "a=zz 203.0.113.25=\r\n\r\n192.0.2.44", "3:203.0.113.25 5:192.0.2.44", ""},
		"its end":                      {`Content-Type: x; boundary="b b"` + "\n" + quoted + "203.0.113.=\n--b\n1\n--b b\n\n198.51.100=2E66\n192.0.2.44", "10:192.0.2.44", ""},
		"an unknown end":               {quoted + "203.0.113.=\n25\n--=_Part_1234567\n\n198.51.100=2E66\n192.0.2.44", "3:203.0.113.25 8:192.0.2.44", ""},
		"a mailbox":                    {quoted + "203.0.113.=\n25\nFrom x Sat\nA: b\n\n198.51.100=2E66\n192.0.2.44", "3:203.0.113.25 9:192.0.2.44", ""},
		"base64":                       {encoded + inLines("a 203.0.113.25\n"+list) + "\n--b--\n192.0.2.44", "5:203.0.113.25" + strings.Repeat(" 5:198.51.100.66", 20) + " 13:192.0.2.44", ""},
		"UTF-16":                       {encoded + inLines(utf16Of("\ufeff"+list)), strings.TrimSpace(strings.Repeat("5:198.51.100.66 ", 20)), ""},
		"not base64":                   {encoded + "192.0.2.44\n" + inLines(list), "5:192.0.2.44", ""},
		"short":                        {encoded + "MTkyLjAuMi40NA\n", "5:192.0.2.44", ""},
		"an archive":                   {encoded + inLines("PK\x03\x04"+list) + "--b\n192.0.2.44\n" + encoded + inLines(gzipped(t, "x")), "12:192.0.2.44", "5:a ZIP arc"},
		"the encoding of another part": {encoded[:len(encoded)-1] + "text\n\n" + inLines(list) + "192.0.2.44\n", fmt.Sprintf("%d:192.0.2.44", 6+strings.Count(inLines(list), "\n")), ""},
		"words":                        {"Subject: =?UTF-8?B?MTkyLjAuMi40NA==?= =?iso-2022-jp?q?_from_198.51.100.66?=\nX: 1\n", "1:192.0.2.44 1:198.51.100.66", ""},
		"a fold":                       {"Subject: =?UTF-8?B?MTkyLjAuMi4=?=\n  =?UTF-8?Q?44?=\n 198.51.100.66\n", "1:192.0.2.44 3:198.51.100.66", ""},
		"no word":                      {"a =?b 192.0.2.44 ?= c\n?=?198.51.100.66\n=?x?b?!?= 192.0.2.45", "1:192.0.2.44 2:198.51.100.66 3:192.0.2.45", ""},
	} {
		for form, reader := range map[string]io.Reader{"whole": strings.NewReader(tt.text), "in bytes": iotest.OneByteReader(strings.NewReader(tt.text))} {
			if found, parts := inMail(t, reader); found != tt.found || parts != tt.parts {
				t.Errorf("%s, %s:\n got %q and %q\nwant %q and %q", name, form, found, parts, tt.found, tt.parts)
			}
		}
	}
}

// Programs and people report phishing with the email as an attachment, which has parts of its own.
func TestEmailsInEmailsAreDecoded(t *testing.T) {
	t.Parallel()
	const encoded = "content-transfer-encoding: base64\n\n"
	attach := func(text string) string { return "Content-Type: message/rfc822\n" + encoded + inLines(text) + "--b\n" }
	inner := "Return-Path: <x@a.example>\nFrom: x\n" + encoded + inLines("at 203.0.113.25\n")
	var archive bytes.Buffer
	z := zip.NewWriter(&archive)
	w, err := z.Create("x.eml")
	if err == nil {
		_, err = io.WriteString(w, inner)
	}
	if err = errors.Join(err, z.Close()); err != nil {
		t.Fatal(err)
	}
	deep := inner
	for range maxDepth {
		deep = "Authentication-Results: x\n" + attach(deep)
	}
	for name, tt := range map[string]struct{ text, found, parts string }{
		"attached":            {attach(inner) + "192.0.2.44\n", "4:203.0.113.25 %d:192.0.2.44", ""},
		"twice":               {attach("X-Y: 192.0.2.1\n"+attach(inner)) + "192.0.2.44\n", "4:192.0.2.1 4:203.0.113.25 %d:192.0.2.44", ""},
		"as a mailbox":        {attach("From x Sat\n" + inner + "From y Sun\n" + inner), "4:203.0.113.25 4:203.0.113.25", ""},
		"in a ZIP archive":    {attach(archive.String()) + "192.0.2.44\n", "4:203.0.113.25 %d:192.0.2.44", ""},
		"compressed":          {attach(gzipped(t, inner)) + "192.0.2.44\n", "4:203.0.113.25 %d:192.0.2.44", ""},
		"with a hidden part":  {attach("From: x\n" + attach("%PDF-1.7 aaaaaaaaaaaaaaaaa")), "", "4:a PDF doc"},
		"as deep as is read":  {deep, "5:203.0.113.25", ""},
		"deeper":              {"Subject: x\n" + attach(deep), "", "5:an email "},
		"only as it begins":   {attach("attention: 203.0.113.25\n\n=?x?b?!?= 192.0.2.1"), "4:203.0.113.25 4:192.0.2.1", ""},
		"not as it begins":    {attach("attention 203.0.113.25:\n" + attach(inner)), "4:203.0.113.25", ""},
		"all of it in a line": {encoded + base64.StdEncoding.EncodeToString([]byte(strings.Repeat("text ", maxMailLine)+"203.0.113.25 ")) + "\n192.0.2.44\n", "3:203.0.113.25 4:192.0.2.44", ""},
		"the last line":       {encoded + base64.StdEncoding.EncodeToString([]byte(strings.Repeat("text ", maxMailLine)+"203.0.113.25 ")), "3:203.0.113.25", ""},
	} {
		want := strings.ReplaceAll(tt.found, "%d", fmt.Sprint(strings.Count(tt.text, "\n")))
		if found, parts := inMail(t, strings.NewReader(tt.text)); found != want || parts != tt.parts {
			t.Errorf("%s:\n got %q and %q\nwant %q and %q", name, found, parts, want, tt.parts)
		}
	}
}

// DMARC reports are attached like this.
func TestAttachmentsAreUnpacked(t *testing.T) {
	t.Parallel()
	const head = "Content-Transfer-Encoding: base64\n\n"
	const report = "<source_ip>192.0.2.44</source_ip>\n<source_ip>198.51.100.66</source_ip>\n"
	const whole = "3:192.0.2.44 3:198.51.100.66"
	zipped := zipOf(t, 0, map[string]string{"a.xml": report, "dir/": ""})
	truncated := gzipped(t, strings.Repeat(report, 100))
	for name, tt := range map[string]struct{ content, found, parts string }{
		"gzip":               {gzipped(t, report), whole, ""},
		"ZIP":                {zipped, whole, ""},
		"ZIP of gzip":        {zipOf(t, 0, map[string]string{"a.xml.gz": gzipped(t, report)}), whole, ""},
		"ZIP of ZIP":         {zipOf(t, 0, map[string]string{"a.zip": zipped}), "", "3:a ZIP arc"},
		"an encrypted file":  {zipOf(t, 1, map[string]string{"a": report}), "", "3:a ZIP arc"},
		"an Office document": {zipOf(t, 0, map[string]string{"[Content_Types].xml": "", "a": report}), "", "3:a ZIP arc"},
		"a PDF in gzip":      {gzipped(t, "%PDF-1.7"), "", "3:a PDF doc"},
		"a damaged file":     {truncated[:len(truncated)-9], strings.Repeat(" "+whole, 100)[1:], "3:damaged: "},
	} {
		text := head + inLines(tt.content) + "--b\n"
		for form, reader := range map[string]io.Reader{"whole": strings.NewReader(text), "in bytes": iotest.OneByteReader(strings.NewReader(text))} {
			if found, parts := inMail(t, reader); found != tt.found || parts != tt.parts {
				t.Errorf("%s, %s:\n got %q and %q\nwant %q and %q", name, form, found, parts, tt.found, tt.parts)
			}
		}
	}
}

// A small attachment can become very large.
func TestAnAttachmentIsUnpackedToALimit(t *testing.T) {
	t.Parallel()
	var parts []string
	packed := gzipped(t, "192.0.2.44 "+strings.Repeat("x", 1000))
	text := "Content-Transfer-Encoding: base64\n\n" + inLines(packed) + "\nContent-Transfer-Encoding: base64\n\n" + inLines(packed)
	r := NewMailReader(strings.NewReader(text), func(line int64, form string) { parts = append(parts, fmt.Sprintf("%d:%s", line, form)) })
	r.leftOfAll = 100
	got, err := io.ReadAll(r)
	const want = "3:too large, and was searched in part: unpack it first 7:too large"
	if err != nil || len(got) > 300 || !bytes.Contains(got, []byte("192.0.2.44")) || !strings.HasPrefix(strings.Join(parts, " "), want) {
		t.Errorf("got %q, %v, parts %q", got, err, parts)
	}
	r = NewMailReader(strings.NewReader(text[:len(text)/2]), func(_ int64, form string) { parts = []string{form} })
	r.data = make([]byte, maxPacked, maxPacked+len(text))
	if _, err := io.ReadAll(r); err != nil || !strings.HasPrefix(parts[0], "an attachment that is too large") {
		t.Errorf("%v, parts %q", err, parts)
	}
}

func zipOf(t *testing.T, flags uint16, files map[string]string) string {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for name, text := range files {
		file, err := w.CreateRaw(&zip.FileHeader{Name: name, Flags: flags, CRC32: crc32.ChecksumIEEE([]byte(text)),
			CompressedSize64: uint64(len(text)), UncompressedSize64: uint64(len(text))})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(file, text); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// A log after an email without boundaries, or in it, is no quoted-printable.
func TestALogAfterAQuotedPartIsNotDecoded(t *testing.T) {
	t.Parallel()
	const head = "Content-Transfer-Encoding: quoted-printable\n\n"
	for text, want := range map[string]string{
		"SRC=203.0.113.10 DST=10.0.0.5\n":                      "3:203.0.113.10 3:10.0.0.5",
		"src=2001:db8::1 dst=fe80::1\n":                        "3:2001:db8::1 3:fe80::1",
		"ip=20.1.2.3\nc=3D203.0.113.1=\n0 a=3D=20203.0.113.11": "3:20.1.2.3 4:203.0.113.10 4:203.0.113.11",
		"IN=eth0 OUT=\n203.0.113.10\n":                         "4:203.0.113.10",
		"x=20\nsig=ab=\n203.0.113.10":                          "5:203.0.113.10",
		strings.Repeat("x", 200) + "1=\n203.0.113.10":          "4:203.0.113.10",
		"http://203.0.11=\n3.10/ =E2=80=93 =3d198.51.100=2E66": "3:203.0.113.10 3:198.51.100.66",
		"a=":  "",
		"a=2": "",
	} {
		if found, _ := inMail(t, strings.NewReader(head+text)); found != want {
			t.Errorf("%q: got %q, want %q", text, found, want)
		}
	}
}

func TestALongLineOfAnEmailIsPassedOn(t *testing.T) {
	t.Parallel()
	const head = "Content-Transfer-Encoding: base64\n\n"
	text := head + strings.Repeat("x", maxMailLine+5) + " 192.0.2.44\n198.51.100.66\n"
	if found, _ := inMail(t, strings.NewReader(text)); found != "3:192.0.2.44 4:198.51.100.66" {
		t.Errorf("found %q", found)
	}
	soft := "Content-Transfer-Encoding: quoted-printable\n\n" + strings.Repeat("a 192.0.2.44 =\n", maxPending/10)
	if found, _ := inMail(t, strings.NewReader(soft)); strings.Count(found, "192.0.2.44") != maxPending/10 {
		t.Errorf("found %d", strings.Count(found, "192.0.2.44"))
	}
}

func TestPartsOfAnEmailAreFoundAndStayAsTheyAre(t *testing.T) {
	t.Parallel()
	const text = "a\nContent-Transfer-Encoding: base64\n\nTVRreQ==\n\nContent-Transfer-Encoding: 7bit\n\nx\nContent-Transfer-Encoding: quoted-printable\n\na=\nb\n" +
		"Content-Transfer-Encoding: base64\n\nnot in it"
	var lines []int64
	got, err := io.ReadAll(FindMailParts(strings.NewReader(text), func(line int64) { lines = append(lines, line) }))
	if err != nil || string(got) != text || fmt.Sprint(lines) != "[4 11]" {
		t.Errorf("got %q, %v, lines %v", got, err, lines)
	}
}

// Other text is passed on as it is, and no line gets another number.
func FuzzMailReader(f *testing.F) {
	f.Add([]byte("Content-Transfer-Encoding: base64\n\nMTkyLjAuMi40NA==\n\n--b\n"))
	f.Add([]byte("boundary=b\nContent-Transfer-Encoding: quoted-printable\n\na=\nb=3D\n=?UTF-8?B?MTk=?=\n--b\n=?UTF-8?Q?_1?=\n =?UTF-8?Q?_1?="))
	f.Add([]byte("Content-Transfer-Encoding: quoted-printable\n\nSRC=203.0.113.10 OUT=\n203.0.113.10 x=3D\na=2="))
	f.Add([]byte("Content-Transfer-Encoding: base64\n\nH4sIAAAAAAAA/zPUM9Iz1jMBAAjt8ocHAAAA\nUEsDBA==\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		got, err := io.ReadAll(NewMailReader(bytes.NewReader(text), func(int64, string) {}))
		if err != nil {
			t.Fatal(err)
		}
		if lines := bytes.Count(text, []byte{'\n'}); bytes.Count(got, []byte{'\n'}) != lines {
			t.Errorf("%q has %d lines, and was %q", got, lines, text)
		}
		if !bytes.Contains(bytes.ToLower(text), []byte("content-")) && !bytes.Contains(text, encodedWord) && !bytes.Equal(got, text) {
			t.Errorf("%q was %q", got, text)
		}
		asItIs, err := io.ReadAll(FindMailParts(bytes.NewReader(text), func(int64) {}))
		if err != nil || !bytes.Equal(asItIs, text) {
			t.Errorf("%q was %q, %v", asItIs, text, err)
		}
	})
}
