package cli

import (
	"bytes"
	"encoding/base64"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/embedded/embeddedtest"
)

// offlineConnection is a connection to the sample that sends no request for other addresses.
const offlineConnection = sampleConnection + "source = \"dataset\"\n"

func TestAnArgumentThatIsNoNetworkIsNotChecked(t *testing.T) {
	for _, argument := range []string{
		"11.0.0.1/33", "1.2.3.4/", "::1/129", "11.0.0[.]1/33", "011.000.000.030", "11.0.0.70-80", "11.0.0.*", "300.0.0.0/8",
		"192.0.2.1, 11.0.0.1/33", "11.0.0.300", "256.1[.]1.1", "2001:db8:::1",
	} {
		words := strings.Fields(argument)
		for _, args := range [][]string{{"check"}, {}, {"report"}, {"changes"}, {"policy", "diff", "baseline", "extended"}} {
			args = append(args, argument)
			got := runCheck(t, offlineConnection, "", args...)
			want := "shodanrep: " + words[len(words)-1] + " "
			if got.stdout != "" || got.status != exitUsage || !strings.HasPrefix(got.stderr, want) {
				t.Errorf("%q: %+v", args, got)
			}
		}
	}
	for argument, want := range map[string]string{
		"http://1.2.3.4/33":   "1.2.3.4\n",
		"1.2.3.4:80/33":       "1.2.3.4\n",
		"1.2.3.4/x":           "1.2.3.4\n",
		"11.0.0.1-11.0.0.9":   "11.0.0.1\n11.0.0.9\n",
		"11.0.0.1/255.0.0.0":  "11.0.0.0/8\n",
		"11.0.0.1/11.0.0.2":   "11.0.0.1\n11.0.0.2\n",
		"11.0.0.1, 11.0.0.2/": "",
	} {
		got := runCheck(t, offlineConnection, "", "check", "--output", "list", argument)
		if got.stdout != want || (got.status == exitUsage) != (want == "") {
			t.Errorf("%q: %+v", argument, got)
		}
	}
}

func TestLoadRefusesAnArgumentThatIsNoNetwork(t *testing.T) {
	t.Parallel()
	var malformed malformedLines
	for _, err := range streamTargets(strings.NewReader(""), []string{"192.0.2.1", "11.0.0.1/33"}, nil, &malformed) {
		if status, messages := exitStatus(t.Context(), failed(err)); status != exitUsage || len(messages) != 1 || !strings.HasPrefix(messages[0], "11.0.0.1/33 is not") {
			t.Errorf("status %d: %s", status, messages)
		}
	}
}

// A list with lines that are left out says so, and everything else stays as it is.
func TestLinesThatAreLeftOutAreCounted(t *testing.T) {
	const list = "# hosts 011.0.0.1\n192.0.2.44\n 011.000.000.030\r\n11.0.0.70-80\n\"11.0.0.*\",\n11.0.0.1/33\nhttp://1.2.3.4/33\n1.2.3.4/24\n11.0.0.9/"
	file := writeFile(t, "hosts.txt", list)
	for name, tt := range map[string]struct {
		stdin, input string
		args         []string
	}{
		"standard input": {list, "standard input", nil},
		"a file":         {"", file, []string{file}},
	} {
		got := runCheck(t, offlineConnection, tt.stdin, append([]string{"check", "--output", "list"}, tt.args...)...)
		const found = "192.0.2.44\n11.0.0.1\n1.2.3.4\n1.2.3.0/24\n11.0.0.9\n"
		if got.stdout != found || got.status != exitDone {
			t.Errorf("%s: %+v", name, got)
		}
		for _, notice := range []string{
			"shodanrep: 3 lines were left out, the first is line 3 of " + tt.input + ": 011.000.000.030 has a number with leading zeros, which some programs read as octal: leave out the zeros\n",
			"shodanrep: 2 lines look like networks, and only their addresses are read, the first is line 6 of " + tt.input + ": 11.0.0.1/33 is not a network: a number up to 32 or a mask such as 255.255.255.0 must follow the slash\n",
		} {
			if !strings.Contains(got.stderr, notice) {
				t.Errorf("%s: no %q in %q", name, notice, got.stderr)
			}
		}
		for _, args := range [][]string{{"check", "--quiet"}, {"check", "--expand"}, {"changes"}, {"policy", "diff", "baseline", "extended"}} {
			got := runCheck(t, offlineConnection, tt.stdin, append(args, append([]string{"-"}, tt.args...)...)...)
			if is := strings.Contains(got.stderr, "3 lines were left out, the first is line 3 of "+tt.input); is != (len(args) < 2 || args[1] != "--quiet") {
				t.Errorf("%s: %q: %+v", name, args, got)
			}
		}
	}
}

// In a list a line that is not an address is reported, and in other text it is not: a bare number is not an address.
func TestALineOfAListThatIsNotAnAddressIsLeftOut(t *testing.T) {
	t.Parallel()
	const list = "# hosts\n192.0.2.44\n2001:db8::1\n192[.]0.2.45\n192.0.2.0/24\n"
	for name, tt := range map[string]struct {
		text  string
		n     int64
		first string
	}{
		"a list":               {list, 0, ""},
		"a decimal address":    {list + "2130706433\n", 1, "line 6 of standard input: 2130706433 is not an address"},
		"an octal address":     {list + "0177.0.0.1\n", 1, "line 6 of standard input: 0177.0.0.1 has a number with leading zeros"},
		"several":              {list + "example.com\n\n192.0.2..1\n2001:db8::g\n", 3, "line 6 of standard input: example.com is not an address"},
		"most are mistyped":    {"192.0.2.44\n2130706433\n0x7f000001\n192.0.2..1\n2001:db8:::1:2::3\n", 4, "line 2 of standard input: 2130706433 is not an address"},
		"one and a host":       {"192.0.2.44\n2130706433\nexample.com\n", 2, "line 2 of standard input: 2130706433 is not an address"},
		"hashes":               {list + "3f5a0c9d\nd41d8cd98f00b204e9800998ecf8427e\n0cc175b9c0f1b6a831c399e269772661\n", 0, ""},
		"written otherwise":    {list + "198-51-100-66\n198 51 100 66\n198,51,100,66\n", 3, "line 6 of standard input: 198-51-100-66 is"},
		"times":                {strings.Repeat("12:00:00\n", 50) + "192.0.2.44\n", 0, ""},
		"a letter":             {"l92.0.2.1\n192.0.2.2", 1, "line 1 of standard input: l92.0.2.1 is not an address"},
		"the name of a column": {"ip_v4\n" + list, 0, ""},
		"a heading":            {"Bad hosts:\n" + list, 0, ""},
		"comments at the end":  {"192.0.2.44 # office\n192.0.2.0/24 ; SBL1\n10.0.0.1\t// lab\n192.0.2.300 # old\nexample.com # name\n", 2, "line 4 of standard input: 192.0.2.300 is not"},
		"ports":                {"192.0.2.44:80\n[2001:db8::1]:443\nexample.com:443\n", 1, "line 3 of standard input: example.com:443 is"},
		"dates":                {list + "2026-11-27\n2026-11-27 10:00:00\n2026-11-27T10:00:00.5Z\n10:22\n", 0, ""},
		"sentences":            {list + "Updated: Fri, 27 Nov 2026 10:00:00 GMT\nsee example.com\nVersion 3.5\n", 0, ""},
		"other comments":       {list + "% whois.example.com\n! example.com\n", 0, ""},
		"a comment":            {list + "; see example.com\n// 2130706433\n", 0, ""},
		"a JSON array":         {"[\n\"192.0.2.44\",\n\"192.0.2.45\",\n\"2130706433\"\n]\n", 1, "line 4 of standard input: 2130706433 is not an address"},
		"a message":            {"Hello,\nthese were seen at 12:00 by example.com:\n192.0.2.44\nThey sent\n2130706433\nbytes.\n", 0, ""},
		"a log":                {strings.Repeat("2026-01-31 a.b\n", 200) + strings.Repeat("192.0.2.44\n", 300), 0, ""},
		"numbers":              {"1\n2\n3\n192.0.2.44\n", 0, ""},
		"notes on addresses":   {"192.0.2.44 a.b\n192.0.2.45 a.b\n7 a.b\n192.0.2.46\n", 0, ""},
	} {
		var lines malformedLines
		_, _ = io.Copy(io.Discard, lines.reader(iotest.OneByteReader(strings.NewReader(tt.text)), "-"))
		if lines.leftOut.n != tt.n || !strings.HasPrefix(lines.leftOut.first, tt.first) {
			t.Errorf("%s: %+v", name, lines.leftOut)
		}
	}
}

// The lines do not depend on how the text is read.
func TestMalformedLinesInParts(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 500)
	text := long + "011.0.0.1\n\n11.0.0.*\n" + long + "\n011.0.0.1\n" + strings.Repeat(" ", 126) + "11.0.0.*\n11.0.0.*"
	for name, source := range map[string]io.Reader{
		"whole":                strings.NewReader(text),
		"byte by byte":         iotest.OneByteReader(strings.NewReader(text)),
		"an error at last":     iotest.DataErrReader(strings.NewReader(text)),
		"in halves":            iotest.HalfReader(strings.NewReader(text)),
		"followed by an error": io.MultiReader(strings.NewReader(text), iotest.ErrReader(io.ErrUnexpectedEOF)),
	} {
		var lines malformedLines
		var copied bytes.Buffer
		_, _ = copied.ReadFrom(lines.reader(source, "-"))
		if lines.leftOut.n != 3 || !strings.HasPrefix(lines.leftOut.first, "line 3 of standard input: 11.0.0.* is") || copied.String() != text {
			t.Errorf("%s: %+v", name, lines)
		}
	}
	var one malformedLines
	one.add([]byte("11.0.0.*"), 1, "x")
	one.add([]byte("11.0.0.1/33"), 2, "x")
	if got := one.notices(); len(got) != 2 || !strings.HasPrefix(got[0], "1 line was left out: line 1 of x: ") ||
		!strings.HasPrefix(got[1], "1 line looks like a network, and only its address is read: line 2 of x: ") {
		t.Errorf("%q", got)
	}
}

func TestCheckMayBeLeftOutBeforeWhatIsNoNetwork(t *testing.T) {
	t.Parallel()
	root := (&app{plugin: new(embeddedtest.Plugin).Func}).command()
	for _, argument := range []string{"011.000.000.030", "11.0.0.*", "11.0.0.1/33"} {
		if got := insertCheck(root, []string{argument}); len(got) != 2 || got[0] != checkName {
			t.Errorf("%q: %q", argument, got)
		}
	}
}

// The addresses between the ends of a range are not checked, so that it is not silent.
func TestARangeIsReadAsItsEnds(t *testing.T) {
	const argument, ends = "11.0.0.1-11.0.0.9", "11.0.0.1\n11.0.0.9\n"
	file := writeFile(t, "hosts.txt", "192.0.2.44\n11.0.0.1 - 11.0.0.9\r\n")
	one := "shodanrep: 1 range is read as its first and its last address: " + argument + "; name networks to check the addresses between\n"
	several := "shodanrep: 2 ranges are read as their first and their last addresses, the first is " + argument + "; name networks to check the addresses between\n"
	inFile := "shodanrep: 1 range is read as its first and its last address: line 2 of " + file + ": 11.0.0.1 - 11.0.0.9; name networks to check the addresses between\n"
	for _, tt := range []struct {
		inputs         []string
		stdout, notice string
	}{
		{[]string{argument}, ends, one},
		{[]string{argument, "11.0.0.1 - 11.0.0.9"}, ends, several},
		{[]string{file}, "192.0.2.44\n" + ends, inFile},
		{[]string{argument + ",192.0.2.44"}, ends + "192.0.2.44\n", one},
		{[]string{writeFile(t, "list.txt", "192.0.2.44, "+argument+"\n")}, "192.0.2.44\n" + ends, ": 11.0.0.1-11.0.0.9; name networks"},
		{[]string{writeFile(t, "dots.txt", "11.0.0.1..11.0.0.9\n")}, "11.0.0.1\n", "11.0.0.1..11.0.0.9 is a range: name its networks or its addresses"},
	} {
		got := runCheck(t, offlineConnection, "", append([]string{"check", "--output", "list"}, tt.inputs...)...)
		if got.stdout != tt.stdout || got.status != exitDone || !strings.Contains(got.stderr, tt.notice) {
			t.Errorf("%q: %+v", tt.inputs, got)
		}
	}
	var malformed malformedLines
	for range streamTargets(strings.NewReader(""), []string{argument, file}, nil, &malformed) {
	}
	if malformed.ranges.n != 2 {
		t.Errorf("load: %+v", malformed)
	}
}

// A schedule sees only the exit status: what was left out was not checked.
func TestFailOnErrorFailsOnLinesThatAreLeftOut(t *testing.T) {
	for list, want := range map[string]int{
		"192.0.2.44\n":                      exitDone,
		"192.0.2.44\n11.0.0.300\n":          exitFound,
		"192.0.2.44\n192.0.2.45/33\n":       exitFound,
		"192.0.2.44\n10.0.0.1-10.0.0.9\n":   exitFound,
		"192.0.2.44 # not 11.0.0.300\n\n\n": exitDone,
		"192.0.2.44\n2130706433\n":          exitFound,
		"192.0.2.44\n0177.0.0.1\n":          exitFound,
	} {
		for _, args := range [][]string{{"check", "--fail-on", "error"}, {"report", "--fail-on", "error"}, {"check", "--quiet", "--fail-on", "error"}} {
			if got := runCheck(t, offlineConnection, list, args...); got.status != want {
				t.Errorf("%q %q: %+v", args, list, got)
			}
		}
	}
	history := "history_store = \"" + filepath.Join(t.TempDir(), "history.sqlite") + "\"\n"
	if got := runCheck(t, history, "10.0.0.1\n11.0.0.300\n", "changes", "--fail-on", "not_checked", "-"); got.status != exitFound {
		t.Errorf("changes: %+v", got)
	}
	if got := runCheck(t, history, "10.0.0.1\n", "changes", "--fail-on", "not_checked", "-"); got.status != exitDone {
		t.Errorf("changes: %+v", got)
	}
}

// In a list with columns or comments, the first word of a line is meant as an address.
func TestAFirstWordThatIsMalformedIsSaid(t *testing.T) {
	const network = " is not a network: a number up to 32 or a mask such as 255.255.255.0 must follow the slash"
	for name, test := range map[string]struct{ text, stdout, stderr string }{
		"a network": {"195.78.82.0/234 China\n", "195.78.82.0\n",
			"shodanrep: 1 line looks like a network, and only its address is read: line 1 of standard input: 195.78.82.0/234" + network + "\n"},
		"in CSV": {"ip,country\n192.0.2.44,FR\n\"192.0.2.44/234\",\"China\"\n", "192.0.2.44\n",
			"shodanrep: 1 line looks like a network, and only its address is read: line 3 of standard input: 192.0.2.44/234" + network + "\n"},
		"several": {"192.0.2.44 a\n192.0.2.0/33\tb\n192.0.2.1/99 c # d\n", "192.0.2.44\n192.0.2.0\n192.0.2.1\n",
			"shodanrep: 2 lines look like networks, and only their addresses are read, the first is line 2 of standard input: 192.0.2.0/33" + network + "\n"},
		"an address": {"192.0.2.44 a\n192.0.2.300 b\n", "192.0.2.44\n",
			"shodanrep: 1 line was left out: line 2 of standard input: 192.0.2.300 is not an address: its numbers must be up to 255\n"},
		"a range": {"192.0.2.44 a\n192.0.2.1-192.0.2.9 b\n", "192.0.2.44\n192.0.2.1\n192.0.2.9\n",
			"shodanrep: 1 range is read as its first and its last address: line 2 of standard input: 192.0.2.1-192.0.2.9; name networks to check the addresses between\n"},
		"IPv6":              {"2001:db8::1 a\n2001:db8::/234 b\n", "2001:db8::1\n2001:db8::\n", "shodanrep: 1 line looks like a network, and only its address is read: line 2 of standard input: 2001:db8::/234 is not a network: a number up to 128 must follow the slash\n"},
		"a comment":         {"# 192.0.2.0/234 a\n192.0.2.44 a\n", "192.0.2.0\n192.0.2.44\n", ""},
		"other text":        {"192.0.2.44 a\nupdated\nto version\nand so on\n1.0.300.2 fixes it\nas far as\nwe know\n", "192.0.2.44\n", ""},
		"a sentence":        {"1.0.300.2 fixes it\n", "", "shodanrep: no address was found in standard input\n"},
		"a date and a path": {"2026-01-02T10:00:00.123 192.0.2.44/234\n01/02/2026 192.0.2.44\n", "192.0.2.44\n", ""},
	} {
		got := runCheck(t, offlineConnection, test.text, "check", "--output", "list", "--only", "critical,high,medium,low,unknown")
		if got.stdout != test.stdout || got.stderr != test.stderr {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// What is not searched in an email, and text that the shell of Windows has appended, are reported and count as an error.
func TestPartsThatAreNotSearchedAreReported(t *testing.T) {
	archive := base64.StdEncoding.EncodeToString([]byte("PK\x03\x04 203.0.113.10 and so on"))
	mail := writeFile(t, "mail.eml", "Content-Transfer-Encoding: base64\n\nMTkyLjAuMi40NA==\n--b\nContent-Transfer-Encoding: base64\n\n"+archive+"\n--b--\n")
	mixed := writeFile(t, "mixed.txt", "192.0.2.44\n2\x000\x003\x00.\x000\x00.\x001\x00\n\x00")
	for file, notice := range map[string]string{
		mail:  "shodanrep: 1 line of an email begins a part that was not searched: line 7 of " + mail + ": it is a ZIP archive or an Office document: unpack it, or save it as text or CSV\n",
		mixed: "shodanrep: 1 line begins text in UTF-16 within other text, which was not searched: line 2 of " + mixed + ": convert it to UTF-8\n",
	} {
		got := runCheck(t, offlineConnection, "", "check", "--output", "list", "--fail-on", "error", file)
		if got.stdout != "192.0.2.44\n" || !strings.Contains(got.stderr, notice) || got.status != exitFound {
			t.Errorf("%+v", got)
		}
	}
	got := runCheck(t, offlineConnection, "", "annotate", mail)
	const want = "shodanrep: lines were left as they are, and their addresses not looked up (line 3: an encoded part of an email begins (check decodes it), and 1 more)\n"
	if got.status != exitFailed || !strings.Contains(got.stderr, want) || strings.Contains(got.stdout, "[shodanrep") {
		t.Errorf("%+v", got)
	}
}
