package embedded_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
)

func write(t testing.TB, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestAttachCSV(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ file, text, sql, want string }{
		"joins with the plugin's tables": {
			text: "ip,name\n192.0.2.1,web\n192.0.2.2,mail\n",
			sql:  "select f.name, a.score from f join fake_address a on a.ip = f.ip where a.ip in (select ip from f) order by 1",
			want: "mail|9\nweb|9",
		},
		"numbers compare as numbers": {
			text: "port,score\n443,9.8\n80,10.0\n8080,-0.5\n",
			sql:  "select port, score from f where port > 100 or score > 9.9 order by score",
			want: "8080|-0.5\n443|9.8\n80|10",
		},
		"what would change as a number stays text": {
			text: "id,version,big,mixed\n007,1.10,123456789012345678901,1\n8,1.9,2,x\n",
			sql:  "select id, version, big, mixed, typeof(id) || typeof(version) || typeof(big) || typeof(mixed) from f",
			want: "007|1.10|123456789012345678901|1|texttexttexttext\n8|1.9|2|x|texttexttexttext",
		},
		"a whole number that a fraction in its column would change stays text": {
			text: "id,before,alone\n9007199254740993,1.5,9007199254740993\n1.5,-9007199254740993,1\n",
			sql:  "select id, before, typeof(id) || typeof(before) || typeof(alone) from f",
			want: "9007199254740993|1.5|texttextinteger\n1.5|-9007199254740993|texttextinteger",
		},
		"true and false are truth values, and only where all of a column is": {
			text: "is_egress,mixed\ntrue,true\nFalse,1\n,x\n",
			sql:  "select is_egress, typeof(is_egress), not is_egress, mixed from f order by rowid",
			want: "true|integer|0|true\nfalse|integer|1|1\n<nil>|null|<nil>|x",
		},
		"an empty cell is NULL": {
			text: "a,b,c\n1,,\n,x,\n",
			sql:  "select a is null, b is null, c is null, count(c) over () from f",
			want: "0|1|1|0\n1|0|1|0",
		},
		"a byte order mark, quotes and line ends of Windows": {
			text: "\ufeffip,\"the name\"\r\n192.0.2.1,\"a, \"\"b\"\"\nc\"\r\n",
			sql:  `select ip, "the name" from f`,
			want: "192.0.2.1|a, \"b\"\nc",
		},
		"a column without a name":           {text: "a,,b\n1,2,3\n", sql: "select a, column2, b from f", want: "1|2|3"},
		"a file of tabs":                    {file: "f.TSV", text: "a\tb\n1\t2,3\n", sql: "select a, b from f", want: "1|2,3"},
		"a header alone":                    {text: "a,b\n", sql: "select count(*), count(a) from f", want: "0|0"},
		"types of the columns are declared": {text: "a,b,c\n1,1.5,x\n", sql: "select type from pragma_table_info('f')", want: "INTEGER\nREAL\nTEXT"},
		"truth values are no text": {
			text: "yes,mixed,none\ntrue,1,\nFALSE,true,\n,x,\n",
			sql:  "select yes, not yes, mixed, none from f",
			want: "true|0|1|<nil>\nfalse|1|true|<nil>\n<nil>|<nil>|x|<nil>",
		},
		"line ends of old Macs":           {text: "a,b\r1,\"x\ry\"\r2,z\r", sql: "select a, b from f", want: "1|x\ry\n2|z"},
		"a return inside a line is text":  {text: "a,b\n1,x\ry\n", sql: "select a, b from f", want: "1|x\ry"},
		"semicolons":                      {text: "ip;score;name\n192.0.2.1;9,8;\"a;b\"\n", sql: "select ip, score, name from f", want: "192.0.2.1|9,8|a;b"},
		"bars":                            {text: "ip|user\n192.0.2.1|a,b\n", sql: "select ip, user from f", want: "192.0.2.1|a,b"},
		"tabs whatever the name":          {text: "a\tb\n1\t2,3\n", sql: "select a, b from f", want: "1|2,3"},
		"a line that names the separator": {text: "\ufeffsep=;\r\na,b;c\r\n1;2\r\n", sql: "select \"a,b\", c from f", want: "1|2"},
		"comments":                        {text: "# it's \"mine\", made; today\n\nip,n\n# one\n192.0.2.1,1\n#", sql: "select ip, n from f", want: "192.0.2.1|1"},
		"a mark in a cell is no comment":  {text: "a,b\n1,#2\n\"#3\",4\n", sql: "select a, b from f", want: "1|#2\n#3|4"},
		"a list of addresses":             {text: "192.0.2.1\n# two\n192.0.2.2", sql: "select ip from f", want: "192.0.2.1\n192.0.2.2"},
		"rows without names":              {text: "web;192.0.2.1\nmail;192.0.2.2\n", sql: "select column_1, column_2 from f", want: "web|192.0.2.1\nmail|192.0.2.2"},
		"UTF-16":                          {text: "\xff\xfei\x00p\x00\n\x00a\x00\xe9\x00", sql: "select ip from f", want: "aé"},
		"numbers with a point":            {text: "ip\n1.1\n10.2\n", sql: "select ip, typeof(ip) from f", want: "1.1|real\n10.2|real"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := open(t, 0)
			if tt.file == "" {
				tt.file = "f.csv"
			}
			if err := f.AttachCSV("f", write(t, tt.file, tt.text)); err != nil {
				t.Fatal(err)
			}
			if got := f.query(t, tt.sql); got != tt.want {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
		})
	}
}

func TestAttachCSVUnpacksAndWarns(t *testing.T) {
	t.Parallel()
	const text = "192.0.2.1,web\n#192.0.2.2,mail\n"
	var zipped, zstandard bytes.Buffer
	gz := gzip.NewWriter(&zipped)
	zs, err := zstd.NewWriter(&zstandard)
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range []io.WriteCloser{gz, zs} {
		if _, err := io.WriteString(w, text); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for name, content := range map[string]string{"plain": text, "gzip": zipped.String(), "gzip and zeros": zipped.String() + "\x00\x00", "zstd": zstandard.String()} {
		f := open(t, 0)
		if err := f.AttachCSVFrom("f", "standard input", strings.NewReader(content)); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := f.query(t, "select * from f"); got != "192.0.2.1|web" {
			t.Errorf("%s: got %q", name, got)
		}
		want := []string{
			"standard input: the first line is data and does not name columns: they are called column_1, column_2",
			"standard input: rows that begin with # are ignored as comments: 1 line",
		}
		if !slices.Equal(f.warnings, want) {
			t.Errorf("%s: warnings %q", name, f.warnings)
		}
	}
}

func TestAttachCSVWarnsOfAnotherEncoding(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		"ip,name\n192.0.2.1,web\n192.0.2.2,D\xfcsseldorf\n192.0.2.3,K\xf6ln\n": {"f: line 3 is not in UTF-8, so its letters with accents equal no text " +
			"of a table or a query: convert the file, as with iconv -f WINDOWS-1252 -t UTF-8"},
		"ip,gr\xf6\xdfe\n192.0.2.1,1\n": {"f: line 1 is not in UTF-8, so its letters with accents equal no text " +
			"of a table or a query: convert the file, as with iconv -f WINDOWS-1252 -t UTF-8"},
		"ip,name\n192.0.2.1,Düsseldorf\n": nil,
	} {
		f := open(t, 0)
		if err := f.AttachCSVFrom("f", "f", strings.NewReader(text)); err != nil {
			t.Errorf("%q: %v", text, err)
		}
		if !slices.Equal(f.warnings, want) {
			t.Errorf("%q: warnings %q", text, f.warnings)
		}
	}
}

func TestAttachCSVNumbersNamesThatItHasTwice(t *testing.T) {
	t.Parallel()
	for text, test := range map[string]struct{ columns, warning string }{
		"ip,IP, ip ,n\n":             {"ip IP_2 ip_3 n", "f: the first line has names twice: the later columns are called IP_2, ip_3"},
		"ip,ip,ip_2,IP_3\n":          {"ip ip_4 ip_2 IP_3", "f: the first line has names twice: the later columns are called ip_4"},
		"a,,column2,column2_2,b,a\n": {"a column2 column2_3 column2_2 b a_2", "f: the first line has names twice: the later columns are called column2_3, a_2"},
		"a,b\n":                      {"a b", ""},
	} {
		f := open(t, 0)
		if err := f.AttachCSVFrom("f", "f", strings.NewReader(text)); err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		got := strings.ReplaceAll(f.query(t, "select name from pragma_table_info('f')"), "\n", " ")
		if warnings := strings.Join(f.warnings, "\n"); got != test.columns || warnings != test.warning {
			t.Errorf("%q: columns %q, warnings %q", text, got, warnings)
		}
	}
}

func TestAttachCSVRefuses(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ name, text, want string }{
		"an empty file":            {text: "", want: "the file is empty, its first line must name the columns"},
		"comments alone":           {text: "# a\n#b", want: "the file is empty, its first line must name the columns"},
		"a spreadsheet":            {text: "PK\x03\x04...", want: "it is a ZIP archive or a spreadsheet: save the sheet as CSV"},
		"gzip that breaks off":     {text: "\x1f\x8b\x08\x00", want: "gzip: unexpected EOF"},
		"a line that is too long":  {text: "a,b\n1,2\n\n1,2,3\n", want: "line 4 has 3 fields, the first line names 2 columns"},
		"a line that is too short": {text: "a,b\n1\n", want: "line 2 has 1 field, the first line names 2 columns"},
		"a quote that has no end":  {text: "a\n\"1\n", want: `parse error on line 2, column 4: extraneous or missing " in quoted-field`},
		"a file in UTF-16":         {text: "i\x00p\x00\n\x00", want: "the first line has a NUL character in it; is this a CSV file in UTF-8?"},
		"a record without an end":  {text: "a\n" + strings.Repeat("x", 17<<20), want: "a line is longer than 16 MB; is this a CSV file?"},
		"a quote without an end":   {text: "a\n\"" + strings.Repeat("x\n", 9<<20), want: "a line is longer than 16 MB; is this a CSV file?"},
		"the name of a table":      {name: "FAKE_event", text: "a\n1\n", want: "the table FAKE_event already exists, attach the file by another name"},
		"a name that is taken":     {name: "taken", text: "a\n1\n", want: `table "taken" already exists`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := open(t, 0)
			f.query(t, "create temp table taken (n)")
			if tt.name == "" {
				tt.name = "f"
			}
			path := write(t, "x.csv", tt.text)
			err := f.AttachCSV(tt.name, path)
			if want := path + ": " + tt.want; err == nil || err.Error() != want {
				t.Errorf("got  %v\nwant %s", err, want)
			}
			// Nothing is left of the attempt, and another one may succeed.
			if err := f.AttachCSV("again", write(t, "y.csv", "a\n1\n")); err != nil {
				t.Error(err)
			}
			if got := f.query(t, "select name from temp.sqlite_master order by name"); got != "again\ntaken" {
				t.Errorf("tables %q", got)
			}
		})
	}
	t.Run("a file that is not there", func(t *testing.T) {
		t.Parallel()
		if err := open(t, 0).AttachCSV("f", "/nowhere/f.csv"); !os.IsNotExist(err) {
			t.Errorf("got %v", err)
		}
	})
}

func FuzzAttachCSV(f *testing.F) {
	for _, seed := range []string{"a,b\n1,2\n", "", "\ufeffa\n", "a\n\"", "192.0.2.1\n", ",\n,\n", "a\r\n1e5\r\n-0\r\n", "\"\x00\"\n\x00\n"} {
		f.Add(seed)
	}
	db := open(f, 0)
	f.Fuzz(func(t *testing.T, text string) {
		if err := db.AttachCSV("f", write(t, "f.csv", text)); err != nil {
			return
		}
		if got := db.query(t, "select count(*) >= 0 from f; drop table f"); got != "1" {
			t.Errorf("got %q", got)
		}
	})
}
