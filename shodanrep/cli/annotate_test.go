package cli

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/scan"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

// runAnnotate runs "shodanrep annotate" by a policy that does not depend on the day.
func runAnnotate(t *testing.T, connection, stdin string, args ...string) result {
	t.Helper()
	return runCheck(t, connection, stdin, append([]string{"annotate", "--policy", "baseline"}, args...)...)
}

func TestEachLineGetsItsVerdicts(t *testing.T) {
	const text = "from 198.51.100.66 port 22\r\n\nnothing here, curl/7.81.0.1\n10.0.0.1 192.0.2.222 10.0.0.1\n192.0.2.0/24 2001:db8:ffff::1\n\x00\xff 203.0.113.10"
	const want = "from 198.51.100.66 port 22 [shodanrep 198.51.100.66 critical 80]\r\n\nnothing here, curl/7.81.0.1\n" +
		"10.0.0.1 192.0.2.222 10.0.0.1 [shodanrep 10.0.0.1 reserved, 192.0.2.222 low 10]\n" +
		"192.0.2.0/24 2001:db8:ffff::1 [shodanrep 192.0.2.0/24 not_a_host, 2001:db8:ffff::1 reserved]\n\x00\xff 203.0.113.10 [shodanrep 203.0.113.10 critical 50]"
	got := runAnnotate(t, sampleConnection, text)
	if got.stdout != want || got.status != exitDone || got.stderr != "shodanrep: 1 network was not looked up; shodanrep check --expand checks each of the addresses\n" {
		t.Errorf("got %+v, want %q", got, want)
	}
	got = runAnnotate(t, sampleConnection, text, "-", "--only", "low", "--field", "x", "--quiet")
	if want := strings.Replace(text, "\n192.0.2.0", " [x 192.0.2.222 low 10]\n192.0.2.0", 1); got.stdout != want || got.stderr != "" {
		t.Errorf("with --only: got %+v, want %q", got, want)
	}
}

func TestJSONLinesGetAnObject(t *testing.T) {
	got := runAnnotate(t, sampleConnection, `{"a": 1.50, "src":"192.0.2.222", "dst":"198.51.100.66", "a":1e400 }`+"\n"+`{"ip":"10.0.0.1"}`+"\n{\"ip\":\"1.2.3.4.5\"}\n{\"shodanrep\":\"192.0.2.222\"}\n[\"192.0.2.222\"]\n")
	lines := strings.Split(got.stdout, "\n")
	if len(lines) != 6 || got.status != exitFailed || !strings.Contains(got.stderr, "not looked up (line 4: the object has the field already; line 5: only a JSON object can get a field)") {
		t.Fatalf("got %+v", got)
	}
	if want := `{"a": 1.50, "src":"192.0.2.222", "dst":"198.51.100.66", "a":1e400,"shodanrep":{"level":"critical","score":80,"ip":"198.51.100.66","status":"indexed","policy":"baseline","unchecked":0,"verdicts":[{"ip":"192.0.2.222",`; !strings.HasPrefix(lines[0], want) || !strings.HasSuffix(lines[0], "]}]} }") {
		t.Errorf("got %s", lines[0])
	}
	var event struct {
		Shodanrep struct {
			Verdicts []map[string]any
		}
	}
	if err := json.Unmarshal([]byte(strings.Replace(lines[0], "1e400", "1", 1)), &event); err != nil || len(event.Shodanrep.Verdicts) != 2 {
		t.Fatalf("%v: %+v", err, event)
	}
	names := slices.Collect(func(yield func(string) bool) {
		for _, column := range shodanrep.VerdictColumns() {
			yield(column.Name)
		}
	})
	for name := range event.Shodanrep.Verdicts[1] {
		if name != "reasons" && !slices.Contains(names, name) {
			t.Errorf("%s is no column", name)
		}
	}
	if want := []any{"13 known vulnerabilities, more than 10", "1 port open that seldom serves a good purpose", "23 open ports, more than 20", "tagged cloud"}; !cmp.Equal(event.Shodanrep.Verdicts[1]["reasons"], any(want)) {
		t.Errorf("the reasons are %v", event.Shodanrep.Verdicts[1]["reasons"])
	}
	if want := `{"ip":"10.0.0.1","shodanrep":{"level":"unknown","score":null,"ip":"10.0.0.1","status":"reserved",`; !strings.HasPrefix(lines[1], want) {
		t.Errorf("got %s", lines[1])
	}
	if want := []string{`{"ip":"1.2.3.4.5"}`, `{"shodanrep":"192.0.2.222"}`, `["192.0.2.222"]`}; !slices.Equal(lines[2:5], want) {
		t.Errorf("got %q", lines[2:5])
	}
}

func TestECSNamesAreFlat(t *testing.T) {
	got := runAnnotate(t, sampleConnection, `{"host":{"name":"x"},"source":{"ip":"198.51.100.66"}}`+"\n"+`{"ip":"10.0.0.1 192.0.2.222"}`+"\n"+`{"host":{"risk":{}},"ip":"10.0.0.1"}`+"\n", "--ecs")
	lines := strings.Split(got.stdout, "\n")
	var first, second map[string]any
	if json.Unmarshal([]byte(lines[0]), &first) != nil || json.Unmarshal([]byte(lines[1]), &second) != nil || got.status != exitFailed {
		t.Fatalf("got %+v", got)
	}
	for name, want := range map[string]any{
		"threat.indicator.ip": "198.51.100.66", "threat.indicator.type": "ipv4-addr", "threat.indicator.provider": "dataset",
		"host.risk.static_level": "Critical", "host.risk.static_score": 80.0, "host.risk.static_score_norm": 80.0,
		"shodanrep.status": "indexed", "shodanrep.policy": "baseline", "shodanrep.unchecked": 0.0, "threat.enrichments": nil,
	} {
		if first[name] != want {
			t.Errorf("%s is %v, want %v", name, first[name], want)
		}
	}
	if list, _ := second["threat.enrichments"].([]any); len(list) != 2 || second["threat.indicator.ip"] != "192.0.2.222" || second["host.risk.static_level"] != "Low" {
		t.Errorf("got %s", lines[1])
	}
	if lines[2] != `{"host":{"risk":{}},"ip":"10.0.0.1"}` {
		t.Errorf("got %s", lines[2])
	}
}

func TestCSVGetsColumns(t *testing.T) {
	const text = "\ufeffip,note\r\n198.51.100.66,\"a \"\"b\"\"\nc\"\r\nnone,\r\n10.0.0.1 192.0.2.222,x\r\n"
	got := runAnnotate(t, sampleConnection, text)
	records, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(got.stdout, "\ufeff"))).ReadAll()
	if err != nil || len(records) != 4 || got.status != exitDone {
		t.Fatalf("%v: %+v", err, got)
	}
	for i, want := range [][]string{
		{"shodanrep_ip", "shodanrep_level", "shodanrep_score", "shodanrep_confidence", "shodanrep_status", "shodanrep_source", "shodanrep_policy", "shodanrep_reasons", "shodanrep_unchecked", "shodanrep_verdicts"},
		{"198.51.100.66", "critical", "80", "", "indexed", "dataset", "baseline", "13 known vulnerabilities, more than 10; 1 port open that seldom serves a good purpose; 23 open ports, more than 20; tagged cloud", "0", "198.51.100.66 critical 80"},
		make([]string, 10),
		{"192.0.2.222", "low", "10", "", "indexed", "dataset", "baseline", records[3][9], "0", "10.0.0.1 reserved, 192.0.2.222 low 10"},
	} {
		added := records[i][2:]
		if i > 0 {
			added[3] = "" // the confidence, which depends on the day
		}
		if diff := cmp.Diff(want, added); diff != "" {
			t.Errorf("record %d (-want +got):\n%s", i, diff)
		}
	}
	if !strings.HasPrefix(got.stdout, "\ufeffip,note,shodanrep_ip") || !strings.Contains(got.stdout, "\r\n198.51.100.66,\"a \"\"b\"\"\nc\",198.51.100.66,") {
		t.Errorf("got %q", got.stdout)
	}
	got = runAnnotate(t, sampleConnection, "ip,shodanrep_level\n10.0.0.1,x\n")
	if got.status != exitFailed || got.stdout != "" || !strings.Contains(got.stderr, "standard input has a column shodanrep_level already: choose another name with --field") {
		t.Errorf("got %+v", got)
	}
}

func TestALineWithAFailedLookupSaysSo(t *testing.T) {
	sim := shodantest.New(t)
	sim.Fault(shodantest.Fault{Target: "93.184.216.34", Status: 400, Body: `{"error": "Invalid IP"}`}) // which is not tried again
	connection := fmt.Sprintf("internetdb_url = %q\ncache = \"memory\"\ninternetdb_requests_per_second = 10000\n", sim.InternetDBURL())
	got := runAnnotate(t, connection, "93.184.216.34\n93.184.216.35\n", "--only", "critical", "--fail-on", "error")
	if got.status != exitFound || !strings.HasPrefix(got.stdout, "93.184.216.34 [shodanrep 93.184.216.34 error: ") || !strings.HasSuffix(got.stdout, "]\n93.184.216.35\n") ||
		!strings.Contains(got.stderr, "1 of 2 addresses could not be checked") {
		t.Errorf("got %+v", got)
	}
	got = runAnnotate(t, connection, "{\"a\":\"93.184.216.34 93.184.216.35\"}\n")
	if !strings.Contains(got.stdout, `"level":"unknown","score":null,"ip":"93.184.216.34","status":"error","policy":"baseline","unchecked":1,`) {
		t.Errorf("got %+v", got)
	}
}

func TestAnAddressIsLookedUpOnceAndTheOrderKept(t *testing.T) {
	sim := shodantest.New(t)
	connection := fmt.Sprintf("internetdb_url = %q\ncache = \"off\"\ninternetdb_requests_per_second = 100000\n", sim.InternetDBURL())
	var in, want strings.Builder
	for i := range 6000 {
		ip := fmt.Sprintf("93.10.%d.%d", i%2, i%200)
		fmt.Fprintf(&in, "%d %s\n", i, ip)
		fmt.Fprintf(&want, "%d %s [shodanrep %s not_indexed]\n", i, ip, ip)
	}
	got := runAnnotate(t, connection, in.String(), "--no-cache")
	if got.stdout != want.String() || got.status != exitDone {
		t.Errorf("status %d, %s, %d bytes, want %d", got.status, got.stderr, len(got.stdout), want.Len())
	}
	if n := sim.Count(""); n != 200 {
		t.Errorf("%d requests", n)
	}
}

func TestTheSourceDependsOnTheLengthOfTheText(t *testing.T) {
	sim := shodantest.New(t)
	connection := to(sim, fmt.Sprintf("api_key = %q\napi_lookup_limit = 2\n", shodantest.Key))
	few := writeFile(t, "few.jsonl", "{\"a\":\"93.10.0.1 93.10.0.2 10.0.0.1\"}\n{\"a\":\"93.10.0.1\"}\n")
	many := writeFile(t, "many.jsonl", "{\"a\":\"93.10.0.1 93.10.0.2 93.10.0.3\"}\n")
	for _, test := range []struct {
		args   []string
		source string
	}{{[]string{few}, "shodan"}, {[]string{many}, "internetdb"}, {[]string{"-"}, "internetdb"}, {[]string{"--source", "shodan"}, "shodan"}} {
		got := runAnnotate(t, connection, "{\"a\":\"93.10.0.1\"}", test.args...)
		if !strings.Contains(got.stdout, `"ip":"93.10.0.1","level":"unknown","status":"not_indexed","source":"`+test.source+`"`) {
			t.Errorf("%v: got %+v, want source %s", test.args, got, test.source)
		}
	}
}

func TestCompressedAndBrokenTexts(t *testing.T) {
	var b bytes.Buffer
	g := gzip.NewWriter(&b)
	io.WriteString(g, strings.Repeat("192.0.2.222\n", 5000))
	g.Close()
	const line = "192.0.2.222 [shodanrep 192.0.2.222 low 10]\n"
	if got := runAnnotate(t, sampleConnection, b.String()); got.stdout != strings.Repeat(line, 5000) || got.status != exitDone {
		t.Errorf("status %d, %s", got.status, got.stderr)
	}
	file := writeFile(t, "out", "old")
	for _, args := range [][]string{nil, {"-o", file}} {
		got := runAnnotate(t, sampleConnection, b.String()[:b.Len()-9], args...)
		if got.status != exitFailed || !strings.Contains(got.stderr, "standard input: gzip: unexpected EOF") || args == nil && !strings.HasPrefix(got.stdout, line) {
			t.Errorf("%v: status %d, %s, %.50q", args, got.status, got.stderr, got.stdout)
		}
	}
	if text, _ := os.ReadFile(file); string(text) != "old" {
		t.Errorf("the file has %q", text)
	}
	// The end of what is cut off could be that of another address: 192.0.2.8 of 192.0.2.80.
	var stored bytes.Buffer
	if g, err := gzip.NewWriterLevel(&stored, gzip.NoCompression); err != nil {
		t.Fatal(err)
	} else if _, err := io.WriteString(g, "192.0.2.222\n192.0.2.80\n"); err != nil || g.Close() != nil {
		t.Fatal(err)
	}
	text := stored.Bytes()
	got := runAnnotate(t, sampleConnection, string(text[:bytes.Index(text, []byte("0\n"))]))
	if want := "gzip: unexpected EOF: line 2 is cut off and was left as it is, and its addresses not looked up\n"; got.status != exitFailed || !strings.HasSuffix(got.stderr, want) || got.stdout != line+"192.0.2.8" {
		t.Errorf("cut off: got %+v", got)
	}
	if got := runAnnotate(t, sampleConnection, "\xff\xfe"+strings.Join(strings.Split("192.0.2.222\n", ""), "\x00")+"\x00"); got.stdout != line {
		t.Errorf("UTF-16: got %+v", got)
	}
	if got := runAnnotate(t, sampleConnection, "192.0.2.222\n", "-o", file); got.status != exitDone || got.stdout != "" {
		t.Errorf("got %+v", got)
	}
	if text, _ := os.ReadFile(file); string(text) != line {
		t.Errorf("the file has %q", text)
	}
}

func TestWrongAnnotateCommands(t *testing.T) {
	for name, test := range map[string]struct {
		args   []string
		status int
		stderr string
	}{
		"no such file":     {[]string{"nothing.txt"}, exitFailed, "nothing.txt"},
		"a directory":      {[]string{"."}, exitFailed, ". is a directory"},
		"two files":        {[]string{"a", "b"}, exitUsage, "annotate takes one argument, the name of a file, and 2 were given"},
		"a format":         {[]string{"--format", "xml"}, exitUsage, "--format must be one of auto, jsonl, csv, text"},
		"ECS in CSV":       {[]string{"--ecs", "--format", "csv"}, exitUsage, "--ecs adds fields to JSON objects, and with --format csv there are none"},
		"a field":          {[]string{"--field", "a b"}, exitUsage, "--field must be a word"},
		"an unknown word":  {[]string{"--only", "crtical"}, exitUsage, `--only: "crtical" is not a level`},
		"a policy":         {[]string{"--policy", "basline"}, exitFailed, "policy basline"},
		"no address":       {nil, exitDone, "no address was found in standard input"},
		"failing for that": {[]string{"--fail-on", "error"}, exitFound, "1 with the status error"},
	} {
		got := runCheck(t, sampleConnection, "nothing\n", append([]string{"annotate"}, test.args...)...)
		if got.status != test.status || !strings.Contains(got.stderr, test.stderr) {
			t.Errorf("%s: got %+v, want %d and %q", name, got, test.status, test.stderr)
		}
	}
}

// startAnnotate runs annotate on pipes, and returns what is written and the exit status when it ends.
func startAnnotate(t *testing.T, ctx context.Context, connection string, stdout io.WriteCloser) (stdin io.WriteCloser, ended <-chan result) {
	t.Helper()
	t.Setenv("SHODAN_API_KEY", "")
	t.Setenv(configVariable, writeFile(t, "check.spc", "connection \"shodanrep\" {\n plugin = \"shodanrep\"\n"+shodantest.Patient(connection)+"}\n"))
	in, out := io.Pipe()
	t.Cleanup(func() { out.Close() })
	end := make(chan result, 1)
	go func() {
		var stderr bytes.Buffer
		a := app{plugin: shodanrep.Plugin, stdin: in, stdout: stdout, stderr: &stderr}
		status := a.run(ctx, []string{"annotate", "--policy", "baseline"})
		stdout.Close()
		end <- result{"", stderr.String(), status}
	}()
	return out, end
}

func TestAPipeThatDoesNotEndIsWrittenLineByLine(t *testing.T) {
	sim := shodantest.New(t)
	sim.Fault(shodantest.Fault{Target: "93.10.0.9", Kind: shodantest.Hang})
	connection := fmt.Sprintf("internetdb_url = %q\ncache = \"memory\"\ninternetdb_requests_per_second = 10000\n", sim.InternetDBURL())
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	read, write := io.Pipe()
	stdin, ended := startAnnotate(t, ctx, connection, write)
	lines := bufio.NewReader(read)
	for i := range 3 {
		ip := fmt.Sprintf("93.10.0.%d", i+1)
		io.WriteString(stdin, ip+"\n")
		if line, err := lines.ReadString('\n'); err != nil || line != fmt.Sprintf("%[1]s [shodanrep %[1]s not_indexed]\n", ip) {
			t.Fatalf("got %q, %v", line, err)
		}
	}
	// A line that waits for its lookup holds back those after it, and not those before.
	io.WriteString(stdin, "x\n93.10.0.9\n93.10.0.1\na part")
	if line, err := lines.ReadString('\n'); err != nil || line != "x\n" {
		t.Fatalf("got %q, %v", line, err)
	}
	cancel()
	rest, err := io.ReadAll(lines)
	const want = "93.10.0.9 [shodanrep 93.10.0.9 error: interrupted before it was looked up]\n93.10.0.1 [shodanrep 93.10.0.1 not_indexed]\n"
	if err != nil || string(rest) != want {
		t.Errorf("got %q, %v", rest, err)
	}
	if got := <-ended; got.status != exitInterrupted || got.stderr != "shodanrep: the output ends after line 6\nshodanrep: interrupted\n" {
		t.Errorf("got %+v", got)
	}
}

// What an interrupt cuts off is not written: its addresses may go on. It is reported.
func TestAnInterruptReportsThePartOfALine(t *testing.T) {
	for name, test := range map[string]struct{ in, stdout, stderr string }{
		"a line":                 {"x\n10.0.0.2", "x\n", "shodanrep: the output ends after line 1\n"},
		"the first line":         {"10.0.0.1", "", "shodanrep: the output has no line, because only a part of the first one was read\n"},
		"a record of CSV":        {"ip,text\n10.0.0.1,\"a\nb", "ip,text," + "shodanrep_" + strings.Join(noteColumns, ",shodanrep_") + "\n", "shodanrep: the output ends after line 1\n"},
		"an object of two lines": {"x\n{\n\"a\": ", "x\n", "shodanrep: the output ends after line 1\n"},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			read, write := io.Pipe()
			stdin, ended := startAnnotate(t, ctx, "cache = \"memory\"\n", write)
			go func() {
				defer cancel()
				io.WriteString(stdin, test.in)
				io.WriteString(stdin, "5") // which is read only when the rest was
			}()
			out, err := io.ReadAll(read)
			got := <-ended
			if want := test.stderr + "shodanrep: interrupted\n"; err != nil || string(out) != test.stdout || got.status != exitInterrupted || got.stderr != want {
				t.Errorf("%q, %v, %+v; want %q, %q", out, err, got, test.stdout, want)
			}
		})
	}
}

// The last line of a file is complete without a line ending.
func TestAnInterruptLosesNoLineOfAFile(t *testing.T) {
	sim := shodantest.New(t)
	sim.Fault(shodantest.Fault{Target: "93.10.0.9", Kind: shodantest.Hang})
	t.Setenv("SHODAN_API_KEY", "")
	t.Setenv(configVariable, writeFile(t, "check.spc", "connection \"shodanrep\" {\n plugin = \"shodanrep\"\n"+shodantest.Patient(to(sim))+"}\n"))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		defer cancel()
		for sim.Count("") == 0 { // the file is read before the first lookup
			time.Sleep(time.Millisecond)
		}
	}()
	var stdout, stderr bytes.Buffer
	a := app{plugin: shodanrep.Plugin, stdin: strings.NewReader(""), stdout: &stdout, stderr: &stderr}
	status := a.run(ctx, []string{"annotate", writeFile(t, "a.txt", "93.10.0.9\nthe last")})
	const want = "93.10.0.9 [shodanrep 93.10.0.9 error: interrupted before it was looked up]\nthe last"
	if status != exitInterrupted || stdout.String() != want || stderr.String() != "shodanrep: the output ends after line 2\nshodanrep: interrupted\n" {
		t.Errorf("status %d, %q, %q", status, stdout.String(), stderr.String())
	}
}

// The length of a pipe is not known before its end, so that it may be a long list. The message does not say that it is.
func TestTheSourceOfAPipeIsExplained(t *testing.T) {
	sim := shodantest.New(t)
	got := runCheck(t, to(sim, fmt.Sprintf("api_key = %q", shodantest.Key))+"\n", "93.10.0.1\n", "annotate")
	const want = "shodanrep: 1 address was looked up in InternetDB, because the list may be longer than api_lookup_limit (100): its length is not known before its end\n"
	if got.status != exitDone || got.stderr != want {
		t.Errorf("%+v", got)
	}
}

// brokenPipe is what nobody reads any more.
type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, syscall.EPIPE }
func (brokenPipe) Close() error              { return nil }

func TestAReaderThatHasSeenEnoughEndsAnnotate(t *testing.T) {
	stdin, ended := startAnnotate(t, t.Context(), sampleConnection, brokenPipe{})
	io.WriteString(stdin, "192.0.2.222\n")
	if got := <-ended; got.status != exitDone || got.stderr != "" {
		t.Errorf("got %+v", got)
	}
}

// endless is a text without an end, which counts what is read of it.
type endless struct{ read int }

func (e *endless) Read(b []byte) (int, error) {
	n := copy(b, strings.Repeat("192.0.2.222 is here\n", len(b)/20))
	e.read += n
	return n, nil
}

func TestNoMoreIsReadThanIsLookedUpAhead(t *testing.T) {
	checker, err := shodanrep.NewChecker(t.Context(), "shodanrep", sampleConnection, shodanrep.CheckOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(scan.Shutdown)
	text := &endless{}
	n := newAnnotation(t.Context(), &annotateCommand{app: &app{}, selectionFlags: selectionFlags{failOn: &failOn{}}, format: "auto", field: "x"}, textInput{Reader: text, name: "text"}, checker)
	stop, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		n.readErr = n.read(stop)
	}()
	for len(n.groups) < cap(n.groups) { // nobody writes
		select {
		case <-ended:
			t.Fatal(n.readErr)
		default:
		}
	}
	close(stop)
	<-ended
	if text.read > 1<<20 {
		t.Errorf("%d bytes were read", text.read)
	}
}

// annotations are what is added to lines of text and JSON.
// members and suffixes match what is added to JSON objects and to other lines.
var (
	members  = regexp.MustCompile(`,?"shodanrep":\{"level":[^\n]*?"reasons":\[[^\]]*\]\}\]\}`)
	suffixes = regexp.MustCompile(`(?s) \[shodanrep [^\n]*\](\r?\n)?$`)
)

// A document stays one: each object of it gets its field, and no line a suffix.
func TestJSONOfSeveralLinesStaysJSON(t *testing.T) {
	const object = "{\n  \"a\": \"198.51.100.66\",\n  \"b\": {\n    \"c\": [\n      \"192.0.2.222\"\n    ]\n  }\n}\n"
	for _, in := range []string{object, "[\n" + object + ",\n" + object + "]", "[" + object + "]\n", "\ufeff" + object, object + object} {
		for _, args := range [][]string{nil, {"--format", "jsonl"}, {"--ecs"}} {
			got := runAnnotate(t, sampleConnection, in, args...)
			var err error
			for d := json.NewDecoder(strings.NewReader(strings.TrimPrefix(got.stdout, "\ufeff"))); err == nil; {
				var value any
				err = d.Decode(&value)
			}
			fields := strings.Count(got.stdout, `unchecked":0`)
			if err != io.EOF || got.status != exitDone || fields != strings.Count(in, "198.51.100.66") {
				t.Errorf("%q: %d fields, %v: %+v", in, fields, err, got)
			}
		}
	}
}

func FuzzAnnotatedTextIsTheText(f *testing.F) {
	for _, text := range []string{
		"from 198.51.100.66\r\n{\"ip\":\"192.0.2.222\"}\r\n10.0.0.1", "{\"a\":1e400,\"b\":\"10.0.0.1\",\"a\":{}  } \n", "10.0.0.1 \x00 \xff\n\n\r\n", "[10.0.0.1\n]", "{}\n{ \"x\" : \"10.0.0.0/8\" }",
		"{\n\"a\": \"10.0.0.1\"\n}\n10.0.0.1", "[{\"a\":\"10.0.0.1\"},\n{},\"10.0.0.1\"] 10.0.0.1\n",
	} {
		f.Add([]byte(text))
	}
	checker, err := shodanrep.NewChecker(f.Context(), "shodanrep", sampleConnection+"source = \"dataset\"\n", shodanrep.CheckOptions{})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(scan.Shutdown)
	f.Fuzz(func(t *testing.T, text []byte) {
		// A text that begins with such marks is decoded.
		if bytes.Contains(text, []byte("shodanrep")) || bytes.HasPrefix(text, []byte{0xff, 0xfe}) || bytes.HasPrefix(text, []byte{0xfe, 0xff}) ||
			len(text) > 3 && (text[0] == 0 || text[1] == 0) || bytes.HasPrefix(text, []byte{0x1f, 0x8b}) || bytes.HasPrefix(text, []byte("BZh")) || bytes.Contains(text[:min(len(text), 4)], []byte{0x2a, 0x4d, 0x18}) ||
			bytes.HasPrefix(text, []byte{0x28, 0xb5}) {
			t.Skip()
		}
		var out bytes.Buffer
		n := newAnnotation(t.Context(), &annotateCommand{app: &app{}, selectionFlags: selectionFlags{failOn: &failOn{}}, format: "jsonl", field: "shodanrep"}, textInput{Reader: bytes.NewReader(text), name: "text"}, checker)
		if err := n.write(&out); err != nil {
			t.Fatal(err)
		}
		var without []byte
		for line := range bytes.Lines(members.ReplaceAll(out.Bytes(), nil)) {
			without = append(without, suffixes.ReplaceAll(line, []byte("$1"))...)
		}
		if !bytes.Equal(without, text) {
			t.Errorf("%q became %q", text, out.Bytes())
		}
	})
}

func TestTheFormatIsThatOfTheName(t *testing.T) {
	dir := t.TempDir()
	for name, want := range map[string]string{
		"a.csv": "name,x,shodanrep_ip", "a.tsv": "name,x\tshodanrep_ip", "a.csv.gz": "name,x,shodanrep_ip", "a.txt": "name,x\n", "a.JSONL": "name,x\n",
	} {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte("name,x\n192.0.2.222,\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := runAnnotate(t, sampleConnection, "", file); !strings.HasPrefix(got.stdout, want) {
			t.Errorf("%s: got %+v", name, got)
		}
	}
}
