package annotate

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// sentinel is a note that no input has.
const sentinel = "N0TE"

// records reads a text that comes in parts of a size.
func records(t testing.TB, text []byte, size int, o Options) ([]Record, *Reader) {
	t.Helper()
	if o.HasAddress == nil {
		o.HasAddress = func(line []byte) bool { return bytes.Contains(line, []byte("1.")) }
	}
	r := NewReader(&parts{text, size}, o)
	var all []Record
	for {
		records, err := r.Next()
		all = append(all, records...)
		if err == io.EOF {
			return all, r
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// parts returns a text in parts.
type parts struct {
	text []byte
	size int
}

func (p *parts) Read(b []byte) (int, error) {
	if len(p.text) == 0 {
		return 0, io.EOF
	}
	n := copy(b, p.text[:min(p.size, len(p.text))])
	p.text = p.text[n:]
	return n, nil
}

// noted returns a record with a note.
func noted(r *Reader, record Record) string {
	switch record.Kind {
	case TextLine:
		return string(AppendText(nil, record.Text, " ["+sentinel+"]"))
	case JSONLine:
		return string(AppendJSON(nil, record.Text, []byte(`"`+sentinel+`":1`)))
	case CSVHeader, CSVRecord:
		return string(r.AppendCSV(nil, record, []string{sentinel, `a"b`}))
	}
	return string(record.Text)
}

func TestNothingButTheNoteIsAdded(t *testing.T) {
	for name, test := range map[string]struct {
		in     string
		format Format
		want   string
	}{
		"text":                         {"a\nb", Auto, "a [N0TE]\nb [N0TE]"},
		"line endings":                 {"a\r\n\r\nb\r\n", Auto, "a [N0TE]\r\n\r\nb [N0TE]\r\n"},
		"NUL and no UTF-8":             {"a\x00b\xff\n", Auto, "a\x00b\xff [N0TE]\n"},
		"JSON":                         {`{"b":1.50,"a":1e400,"b": "}" } ` + "\r\n", Auto, `{"b":1.50,"a":1e400,"b": "}","N0TE":1 } ` + "\r\n"},
		"an empty object":              {"{ }\n{}", Auto, "{\"N0TE\":1 }\n{\"N0TE\":1}"},
		"what is no object":            {"[{}]\n{\"a\":}\n{\"a\":1}x\n\"{}\"\n", Auto, "[{\"N0TE\":1}]\n{\"a\":} [N0TE]\n{\"a\":1}x [N0TE]\n\"{}\" [N0TE]\n"},
		"JSON as text":                 {"{}\n", Text, "{} [N0TE]\n"},
		"an object of several lines":   {"\n{\n \"a\": {\n },\r\n \"b\": \"}\\\"\"\r\n}\r\nx\n", Auto, "\n{\n \"a\": {\n },\r\n \"b\": \"}\\\"\",\"N0TE\":1\r\n}\r\nx [N0TE]\n"},
		"objects one after the other":  {"{\n}\n{\n\"a\":1} {}\n{} {} \n{\n}", Auto, "{\"N0TE\":1\n}\n{\n\"a\":1,\"N0TE\":1} {\"N0TE\":1}\n{\"N0TE\":1} {\"N0TE\":1} \n{\"N0TE\":1\n}"},
		"an array":                     {"[ {\"a\":[{}]},\n\t{ }\n]\nx", Auto, "[ {\"a\":[{}],\"N0TE\":1},\n\t{\"N0TE\":1 }\n]\nx [N0TE]"},
		"an array of several lines":    {"[\n  {\n    \"a\": \"}, {\"\n  },\n  7, [{}],\n  {}\n]\n[]\n{}\n", Auto, "[\n  {\n    \"a\": \"}, {\",\"N0TE\":1\n  },\n  7, [{}],\n  {\"N0TE\":1}\n]\n[]\n{\"N0TE\":1}\n"},
		"an array on one line":         {"[{},{\"a\":1}]\n", Auto, "[{\"N0TE\":1},{\"a\":1,\"N0TE\":1}]\n"},
		"text that begins like JSON":   {"[error] x\n{x}\n[12:00:00]\n[2026-01-31 x]\n[1] x\n[\"x\n{\n{\n[1.2.3.4]\n[\"a\", b]\n{\"a\n}\n", Auto, "[error] x [N0TE]\n{x} [N0TE]\n[12:00:00] [N0TE]\n[2026-01-31 x] [N0TE]\n[1] x [N0TE]\n[\"x [N0TE]\n{ [N0TE]\n{ [N0TE]\n[1.2.3.4] [N0TE]\n[\"a\", b] [N0TE]\n{\"a [N0TE]\n} [N0TE]\n"},
		"a line of an object is cut":   {"{\"a\":1,", Auto, "{\"a\":1, [N0TE]"},
		"JSON in no UTF-8":             {"{\"a\":\"\xff\"}\n", Auto, "{\"a\":\"\xff\",\"N0TE\":1}\n"},
		"the field is there":           {"{\"x\":1}\n{\"\\u0078\":1}\n{\"y\":{\"x\":1}}\n{\"x.z\":1}\n", Auto, "{\"x\":1}\n{\"\\u0078\":1}\n{\"y\":{\"x\":1},\"N0TE\":1}\n{\"x.z\":1}\n"},
		"a part of the field":          {"{\"p\":{\"q\":1}}\n{\"p.q\":1}\n{\"p\":{\"q.z\":1}}\n{\"p\":{\"z\":{\"q\":1}}}\n{\"p\":1}", Auto, "{\"p\":{\"q\":1}}\n{\"p.q\":1}\n{\"p\":{\"q.z\":1}}\n{\"p\":{\"z\":{\"q\":1}},\"N0TE\":1}\n{\"p\":1,\"N0TE\":1}"},
		"CSV":                          {"ip,b\r\n\"x\"\"y\",  1\r\n", Auto, "ip,b,N0TE,\"a\"\"b\"\r\n\"x\"\"y\",  1,N0TE,\"a\"\"b\"\r\n"},
		"CSV of other delimiters":      {"ip;b\n1,2;x\n", Auto, "ip;b;N0TE;\"a\"\"b\"\n1,2;x;N0TE;\"a\"\"b\"\n"},
		"CSV of several lines":         {"src_ip\tb\nx\t\"1\n\n2\"\n", Auto, "src_ip\tb\tN0TE\t\"a\"\"b\"\nx\t\"1\n\n2\"\tN0TE\t\"a\"\"b\"\n"},
		"CSV with too few fields":      {"ip,b,c\nx\n", Auto, "ip,b,c,N0TE,\"a\"\"b\"\nx,,,N0TE,\"a\"\"b\"\n"},
		"CSV with too many fields":     {"ip,b\n1,2,3\nx,y", Auto, "ip,b,N0TE,\"a\"\"b\"\n1,2,3\nx,y,N0TE,\"a\"\"b\""},
		"CSV with an open quote":       {"ip,b\n\"x,y\nz,w\n", Auto, "ip,b,N0TE,\"a\"\"b\"\n\"x,y\nz,w,N0TE,\"a\"\"b\"\n"},
		"a quote within a field":       {"ip,b\nx\"y,z\n", Auto, "ip,b,N0TE,\"a\"\"b\"\nx\"y,z,N0TE,\"a\"\"b\"\n"},
		"CSV without a header":         {"1.1.1.1,b\n", CSV, "1.1.1.1,b,N0TE,\"a\"\"b\"\n"},
		"CSV of one column":            {"\nip\nx\n", CSV, "\nip,N0TE,\"a\"\"b\"\nx,N0TE,\"a\"\"b\"\n"},
		"a sentence is no header":      {"Hello, world\n", Auto, "Hello, world [N0TE]\n"},
		"a list of words is no header": {"alpha,beta\n", Auto, "alpha,beta [N0TE]\n"},
	} {
		for _, size := range []int{1, 3, 1 << 20} {
			all, r := records(t, []byte(test.in), size, Options{Format: test.format, Reserved: []string{"x", "p.q"}})
			var got strings.Builder
			for _, record := range all {
				got.WriteString(noted(r, record))
			}
			if got.String() != test.want {
				t.Errorf("%s in parts of %d: got %q, want %q", name, size, got.String(), test.want)
			}
		}
	}
}

func TestWhatCannotBeAnnotatedSaysWhy(t *testing.T) {
	long := strings.Repeat("x", maxLine+2*readSize)
	for _, test := range []struct {
		in, problem string
		line        int64
	}{
		{"a\n{\"x\":1}\n", "the object has the field already", 2},
		{"{\n\"x\":1\n}\n", "the object has the field already", 1},
		{"[\n {\"x\":1},\n {}]\n", "the object has the field already", 2},
		{"{\n\"a\": \"1.1\"\n", "the JSON object is not closed", 1},
		{"[\n{\"a\": 1},\n{\"a\": \"1.1\"\n", "the JSON array is not closed", 3},
		{"[{},\n{\"a\": \"1.1\", b}\n", "the JSON array is not valid", 2},
		{"[{},\n 2001:1.1.1.1 {}]\n", "the JSON array is not valid", 2},
		{"[\n[1,\n1.1.1.1]]\n", "the JSON array is not valid", 2},
		{"[{},\n \"1.1.1.1\", {}]\n", "only a JSON object can get a field", 2},
		{"[[{\"a\": \"1.1.1.1\"}]]\n", "only a JSON object can get a field", 1},
		{"[{},{\n\"a\": \"" + long + "\"}, {}]\n", "the JSON object is too long", 1},
		{"{\n\"a\": \"" + long + "\"}\nb\n", "the JSON object is too long", 1},
		{"ip,b\n1\n1,2,3\n", "the record has more fields than the first one", 3},
		{"ip,b\n\"\n\n", "a quote is not closed", 2},
		{"ip,b\n1,\"\n" + strings.Repeat("y\n", maxQuoted), "a quote is not closed", 2},
		{"a\n" + long + "\nb\n", "the line is too long", 2},
		{"a\n" + long, "the line is too long", 2},
		{"ip,b\n" + long + "\nc\n", "the line is too long", 2},
	} {
		all, _ := records(t, []byte(test.in), 1<<20, Options{Format: Auto, Reserved: []string{"x"}})
		var problems []string
		var text bytes.Buffer
		for _, record := range all {
			text.Write(record.Text)
			if record.Problem != "" {
				problems = append(problems, fmt.Sprint(record.Line, record.Problem, record.Kind))
			}
		}
		if want := []string{fmt.Sprint(test.line, test.problem, Verbatim)}; !slices.Equal(problems, want) || text.String() != test.in {
			t.Errorf("%.20q: got %v, want %v", test.in, problems, want)
		}
		lines := int64(strings.Count(test.in, "\n"))
		if last := all[len(all)-1]; strings.HasSuffix(test.in, "b\n") && (last.Kind != TextLine || last.Line != lines) {
			t.Errorf("after a long line: %+v", last)
		}
	}
}

// What was read before an error is returned, the part of a line at its end too, without a note.
func TestAnErrorOfTheTextLosesNothing(t *testing.T) {
	broken := errors.New("broken")
	r := NewReader(io.MultiReader(strings.NewReader("a\nb"), iotest.ErrReader(broken)), Options{Format: Text})
	var text bytes.Buffer
	var kinds []Kind
	for {
		all, err := r.Next()
		for _, record := range all {
			text.Write(record.Text)
			kinds = append(kinds, record.Kind)
		}
		if err != nil {
			if err != broken || text.String() != "a\nb" || !slices.Equal(kinds, []Kind{TextLine, Verbatim}) {
				t.Errorf("%v, %q, %v", err, text.String(), kinds)
			}
			return
		}
	}
}

// Each line opens a quote, in a record as well as in quotes.
func TestManyOpenQuotesTakeNoLongTime(t *testing.T) {
	text := []byte("ip,b,c\n" + strings.Repeat("x\",\"\n", 20_000))
	all, r := records(t, text, 1<<20, Options{Format: CSV})
	if len(all) != 20_001 || r.quotedLimit() != minQuoted {
		t.Errorf("%d records, limit %d", len(all), r.quotedLimit())
	}
}

// Unclosed quotes in one place do not make fields in another place too long.
func TestOpenQuotesDoNotShortenFieldsFarAfterThem(t *testing.T) {
	field := "x,\"" + strings.Repeat("y\n", maxQuoted/2-100) + "\",z\n"
	text := "ip,b,c\n" + strings.Repeat("x\",\"\n", 2_000) + strings.Repeat("1.1.1.1,b,c\n", 2*maxQuoted/12) + field
	all, _ := records(t, []byte(text), 1<<20, Options{Format: CSV, HasAddress: func([]byte) bool { return false }})
	if last := all[len(all)-1]; last.Kind != CSVRecord || string(last.Text) != field {
		t.Errorf("the last record has the kind %d, the problem %q and %d bytes", last.Kind, last.Problem, len(last.Text))
	}
}

// An error in the middle of a record is not the fault of the record.
func TestWhatAnErrorCutsOffIsPartial(t *testing.T) {
	t.Parallel()
	for _, in := range []string{"ip,b\n*1,\"x\n2,\"\"\n3", "ip,b\n*1,\"x", "a\n*b", "{}\n*{\"a\":\n1", "[\n*{\"a\": \"1.1\"\n", "a\n*{\"a\": 1.1"} {
		head, tail, _ := strings.Cut(in, "*")
		r := NewReader(io.MultiReader(strings.NewReader(head+tail), iotest.ErrReader(errors.New("broken"))), Options{Format: Auto, HasAddress: func(line []byte) bool { return bytes.Contains(line, []byte("1.1")) }})
		var all []Record
		for {
			some, err := r.Next()
			if all = append(all, some...); err != nil {
				break
			}
		}
		if last := all[len(all)-1]; !last.Partial || string(last.Text) != tail || last.Kind != Verbatim || last.Problem != "" {
			t.Errorf("%q: %+v, %q", in, last, last.Text)
		}
		for _, record := range all[:len(all)-1] {
			if record.Partial || record.Problem != "" {
				t.Errorf("%q: %+v, %q", in, record, record.Text)
			}
		}
	}
}

// A part of a document, such as a line of it, never gets a suffix: it would break the document.
func TestJSONStaysJSON(t *testing.T) {
	t.Parallel()
	documents := []string{
		`{}`, `[]`, `[{}]`, `{"a":{"b":[1,-2.5e+3,true,false,null]}}`, `[{"a":"1.1.1.1"},{"b":["1.1.1.1"]}]`, `{"a":[{"b":"1.1"},{"b":"\"}"}]}`,
		`["1.1.1.1"]`, `[[{"a":"1.1"}],{"b":"[{"}]`, `[1,{"a":{}},"}",{}]`,
	}
	for _, document := range documents {
		for _, indent := range []string{"", "  ", "	"} {
			var text bytes.Buffer
			if err := json.Indent(&text, []byte(document), "", indent); err != nil {
				t.Fatal(err)
			}
			for _, in := range []string{document, text.String(), text.String() + "\n", strings.ReplaceAll(text.String(), "\n", "\r\n"), "\n " + text.String() + " \n"} {
				for _, size := range []int{1, 2, 1 << 20} {
					all, r := records(t, []byte(in), size, Options{Format: Auto})
					var out strings.Builder
					for _, record := range all {
						out.WriteString(noted(r, record))
					}
					if !json.Valid([]byte(out.String())) {
						t.Fatalf("%q became %q", in, out.String())
					}
				}
			}
		}
	}
}

// The text of a value that turns out to be none is scanned again.
func TestManyOpenObjectsTakeNoLongTime(t *testing.T) {
	t.Parallel()
	for _, line := range []string{"{\"a\":\n", "[{},\n", "[{}\n", "{\"a\":[\n"} {
		text := strings.Repeat(line, 200_000)
		all, r := records(t, []byte(text+"!"), 1<<20, Options{Format: Auto})
		if len(all) == 0 || r.json.scannedAgain > maxLine+minQuoted {
			t.Errorf("%q: %d records, %d bytes scanned again", line, len(all), r.json.scannedAgain)
		}
	}
}

// Some services write all objects on one line. Its end is searched for once, and not again for each of them.
func TestTheEndOfALineOfManyObjectsIsSearchedForOnce(t *testing.T) {
	t.Parallel()
	for _, ending := range []string{"", "\n"} {
		text := strings.Repeat(`{"ip":"1.1.1.1"}`, 2*maxRecords)
		r := NewReader(strings.NewReader(text+ending), Options{Format: Lines})
		for part := range 2 {
			all, err := r.Next()
			if err != nil || len(all) != maxRecords || r.json.searched != len(text) || all[0].Kind != JSONLine {
				t.Errorf("ending %q, part %d: %d records, searched %d of %d bytes: %v", ending, part, len(all), r.json.searched, len(text), err)
			}
		}
	}
}

// Lines that begin like an object are in every log. They do not make the objects after them too long.
func TestTextThatBeginsLikeJSONDoesNotShortenObjects(t *testing.T) {
	t.Parallel()
	object := "{\n\"a\": \"" + strings.Repeat("x", maxLine/2) + "\"\n}\n"
	all, _ := records(t, []byte(strings.Repeat("{\"a\": 1,\nx\n", 100)+object), 1<<20, Options{Format: Auto})
	if last := all[len(all)-1]; len(all) != 201 || last.Kind != JSONLine || string(last.Text) != object {
		t.Errorf("%d records, the last has the kind %d, the problem %q and %d bytes", len(all), last.Kind, last.Problem, len(last.Text))
	}
}

func TestWhatNeedsNoNoteIsNoProblem(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"a\n{\n", "a\n[\n", "a\n[", "{\n\"a\": 1,\n", "[\n{\"a\": 1},\n", "[\nx 1.1.1.1\n", "[\n 1.1.1.1,\n]\n", "[{},\n x\n"} {
		all, _ := records(t, []byte(text), 1<<20, Options{Format: Auto})
		for _, record := range all {
			if record.Problem != "" {
				t.Errorf("%q: %q: %s", text, record.Text, record.Problem)
			}
		}
	}
}

func TestALineIsReturnedWhenItIsThere(t *testing.T) {
	in, out := io.Pipe()
	defer out.Close()
	r := NewReader(in, Options{Format: Auto, HasAddress: func([]byte) bool { return false }})
	for _, line := range []string{"a\n", "{}\n", "c\n", "{\n}\n", "[\n"} {
		go io.WriteString(out, line)
		if all, err := r.Next(); err != nil || len(all) != 1 || string(all[0].Text) != line {
			t.Fatalf("got %v, %v", all, err)
		}
	}
	for range 2 { // in an array
		go io.WriteString(out, "{},\n")
		var got []byte
		for len(got) < len("{},\n") {
			all, err := r.Next()
			if err != nil {
				t.Fatal(err)
			}
			for _, record := range all {
				got = append(got, record.Text...)
			}
		}
	}
}

func FuzzRecords(f *testing.F) {
	for _, text := range []string{
		"a\r\nb", `{"a":1}` + "\n{}\n", "ip,b\n\"x\ny\",z\n1\n", "\x00\xff\n", "\"\n\"", "ip,a\n\"x,1.1\n\"\"\n", `{"N":{"":[{"a":"\""}]},"x":1}`, "\n\n ip;b\n1.1.1.1;\r\n",
		"{\n\"a\": [\n1]}\n", "[\n{\"a\": \"1.1\"},\n{}\n]\n", "[{},{\"a\":\"]\"}] \n", "[1] a\n[{},x\n", "[\"1.1\",{}]{\n}{", "{\"a\":\n{\"a\":\n!",
	} {
		f.Add([]byte(text), uint8(3), uint8(0))
	}
	f.Fuzz(func(t *testing.T, text []byte, size, format uint8) {
		if bytes.Contains(text, []byte(sentinel)) {
			t.Skip()
		}
		o := Options{Format: []Format{Auto, Lines, CSV, Text}[format%4], Reserved: []string{"x", "y.z"}}
		all, r := records(t, text, int(size)+1, o)
		whole, _ := records(t, text, len(text)+1, o)
		var joined []byte
		line := int64(1)
		for i, record := range all {
			if i >= len(whole) || whole[i].Kind != record.Kind || !bytes.Equal(whole[i].Text, record.Text) {
				t.Fatalf("in parts of %d the record %d is %+v, and as a whole another one", int(size)+1, i, record)
			}
			if record.Line != line {
				t.Fatalf("record %d is line %d, want %d", i, record.Line, line)
			}
			line += int64(bytes.Count(record.Text, []byte("\n")))
			joined = append(joined, record.Text...)
			out := noted(r, record)
			content, ending := splitEnding(record.Text)
			var without string
			switch record.Kind {
			case TextLine:
				without = strings.Replace(out, " ["+sentinel+"]", "", 1)
			case JSONLine:
				if !json.Valid([]byte(out)) {
					t.Fatalf("no JSON: %q", out)
				}
				without = strings.Replace(strings.Replace(out, `,"`+sentinel+`":1`, "", 1), `"`+sentinel+`":1`, "", 1)
			case CSVHeader, CSVRecord:
				d := string(r.delimiter)
				note := strings.Repeat(d, r.columns-record.Fields) + d + sentinel + d + `"a""b"`
				if out != string(content)+note+string(ending) {
					t.Fatalf("%q became %q", record.Text, out)
				}
				without = string(record.Text)
				parsed := csv.NewReader(strings.NewReader(out))
				parsed.Comma = rune(r.delimiter)
				// The library knows no fields of which only a part is quoted.
				if fields, err := parsed.Read(); err == nil && len(fields) != r.columns+2 && !bytes.ContainsRune(content, '\r') {
					t.Fatalf("%q has the fields %q", out, fields)
				}
			default:
				without = out
			}
			if without != string(record.Text) {
				t.Fatalf("%q became %q", record.Text, out)
			}
		}
		if len(all) != len(whole) || !bytes.Equal(joined, text) {
			t.Fatalf("%q became %q", text, joined)
		}
	})
}

// A blankReader reads a line, and then blanks without a line ending.
type blankReader struct {
	begin string
	read  int
}

func (r *blankReader) Read(b []byte) (int, error) {
	n := copy(b, r.begin)
	r.begin = r.begin[n:]
	for i := n; i < len(b); i++ {
		b[i] = ' '
	}
	if r.read += len(b); r.read > 4*maxLine {
		return 0, io.EOF
	}
	return len(b), nil
}

func TestALineOfBlanksIsNotReadIntoMemoryAsAWhole(t *testing.T) {
	t.Parallel()
	for _, format := range []Format{Auto, Lines} {
		for _, begin := range []string{"x\n", ""} {
			source := &blankReader{begin: begin}
			r := NewReader(source, Options{Format: format, HasAddress: func([]byte) bool { return false }})
			last := Record{}
			for len(last.Text) < 1000 {
				records, err := r.Next()
				if err != nil {
					t.Fatal(err)
				}
				last = records[len(records)-1]
			}
			if source.read > 2*maxLine {
				t.Errorf("%s: %d bytes were read before the first was returned", format, source.read)
			}
		}
	}
}

func TestACSVRecordAllocatesOnlyItsText(t *testing.T) {
	r := NewReader(strings.NewReader(""), Options{Format: CSV, Delimiter: ','})
	record, values, dst := Record{Kind: CSVRecord, Text: []byte("a,b\n")}, []string{"1", `two "2"`}, make([]byte, 0, 100)
	allocations := testing.AllocsPerRun(100, func() { r.AppendCSV(dst, record, values) })
	if allocations > 1 { // the list of values
		t.Errorf("there are %v allocations", allocations)
	}
}
