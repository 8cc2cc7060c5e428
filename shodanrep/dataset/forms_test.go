package dataset

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/netip"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/unicode"
)

// hostResponseOf is a response for a host, with its banners.
func hostResponseOf(addr string, ports []int, more string, banners ...string) string {
	list, err := json.Marshal(ports)
	if err != nil {
		panic(err)
	}
	return fmt.Sprintf(`{"ip_str": %q, "last_update": "2026-01-02T00:00:00", "ports": %s, %s"data": [%s]}`, addr, list, more, strings.Join(banners, ", "))
}

func pretty(text string) string {
	var b bytes.Buffer
	if err := json.Indent(&b, []byte(text), "", "  "); err != nil {
		panic(err)
	}
	return b.String()
}

// all returns what a Dataset has, a host per line: address, ports, tags, vulnerabilities, and the number of banners or "-"
// for a host without any.
func all(t testing.TB, d *Dataset) string {
	t.Helper()
	var b strings.Builder
	for h, err := range d.All(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		banners := "-"
		if h.Banners != nil {
			banners = fmt.Sprint(len(h.Banners))
		}
		fmt.Fprintln(&b, h.Addr, h.Ports, h.Tags, h.Vulns.IDs(), banners)
		single, err := d.Hosts(t.Context(), []netip.Addr{h.Addr}, false)
		if diff := cmp.Diff(h, single[h.Addr], cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" || err != nil {
			t.Errorf("the host by its address: %v\n%s", err, diff)
		}
	}
	return b.String()
}

var (
	seen      = "2026-01-02T00:00:00"
	web       = line("192.0.2.1", 80, seen, "tags", []string{"cloud"}, "vulns", map[string]any{"CVE-2021-44228": map[string]any{"verified": true}})
	tlsOf1    = line("192.0.2.1", 443, seen)
	ssh       = line("192.0.2.2", 22, seen)
	response1 = hostResponseOf("192.0.2.1", []int{80, 443}, `"tags": ["cloud"], "vulns": ["CVE-2021-44228"], `, web, tlsOf1)
	response2 = hostResponseOf("192.0.2.2", []int{22}, "", ssh)
	minified  = hostResponseOf("192.0.2.2", []int{22, 23}, `"tags": ["compromised"], `)
	searched  = fmt.Sprintf(`{"matches": [%s, %s, %s], "total": 3}`, web, tlsOf1, ssh)
	internet1 = `{"cpes":["cpe:/a:f5:nginx"],"hostnames":["a.example"],"ip":"192.0.2.1","ports":[80,443],"tags":["cloud"],"vulns":["CVE-2021-44228"]}`
	internet2 = `{"cpes":[],"hostnames":[],"ip":"192.0.2.2","ports":[22],"tags":[],"vulns":[]}`
)

const (
	bothHosts = "192.0.2.1 [80 443] [cloud] [CVE-2021-44228] 2\n192.0.2.2 [22] [] [] 1\n"
	firstHost = "192.0.2.1 [80 443] [cloud] [CVE-2021-44228] 2\n"
	summaries = "192.0.2.1 [80 443] [cloud] [CVE-2021-44228] -\n192.0.2.2 [22] [] [] -\n"
)

// forms are files of every layout that is read.
var forms = []struct {
	name, text, want string
	bad              int64
	reason           string
}{
	{"a banner per line", web + "\n" + tlsOf1 + "\n" + ssh + "\n", bothHosts, 0, ""},
	{"banners without a line break", web + tlsOf1 + ssh, bothHosts, 0, ""},
	{"banners on several lines each", pretty(web) + "\n" + pretty(tlsOf1) + pretty(ssh), bothHosts, 0, ""},
	{"an array on one line", "[" + web + "," + tlsOf1 + "," + ssh + "]", bothHosts, 0, ""},
	{"an array with a banner per line", "[\n" + web + ",\n" + tlsOf1 + ",\n" + ssh + "\n]\n", bothHosts, 0, ""},
	{"an array, pretty-printed", pretty("[" + web + "," + tlsOf1 + "," + ssh + "]"), bothHosts, 0, ""},
	{"an array per line", "[" + web + "," + tlsOf1 + "]\n[" + ssh + "]\n[]\n", bothHosts, 0, ""},
	{"a line that is an array", ssh + "\n[" + web + "," + tlsOf1 + "]\n", bothHosts, 0, ""},
	{"a line with several banners", ssh + "\n" + web + tlsOf1 + "\n", bothHosts, 0, ""},
	{"one host response", response1, firstHost, 0, ""},
	{"one host response, pretty-printed", pretty(response1) + "\n", firstHost, 0, ""},
	{"a host response per line", response1 + "\n" + response2, bothHosts, 0, ""},
	{"host responses, concatenated", response1 + response2, bothHosts, 0, ""},
	{"host responses, pretty-printed", pretty(response1) + "\n" + pretty(response2), bothHosts, 0, ""},
	{"a bulk lookup's response", "[" + response1 + ", " + response2 + "]", bothHosts, 0, ""},
	{"a host response whose banners have no address", strings.ReplaceAll(response2, `"ip_str":"192.0.2.2",`, ""), "192.0.2.2 [22] [] [] 1\n", 0, ""},
	{"a host response whose banners are of another host", strings.Replace(response2, `"192.0.2.2"`, `"192.0.2.3"`, 1), "192.0.2.2 [22] [] [] 1\n192.0.2.3 [22] [] [] -\n", 0, ""},
	{"a host response whose ports are null", strings.Replace(response2, `"ports": [22]`, `"ports": null`, 1), "192.0.2.2 [22] [] [] 1\n", 0, ""},
	{"a host response without ports", strings.Replace(response2, `"ports": [22], `, "", 1), "192.0.2.2 [22] [] [] 1\n", 0, ""},
	{"a host response with the history", `{"ip_str": "192.0.2.2", "last_update": "2026-01-02T00:00:00", "ports": [22], "data": [` + ssh + ", " +
		line("192.0.2.2", 22, "2025-01-02T00:00:00", "vulns", map[string]any{"CVE-2021-44228": nil}) + ", " +
		line("192.0.2.2", 8080, "2025-01-02T00:00:00", "vulns", map[string]any{"CVE-2021-44228": nil}) + "]}", "192.0.2.2 [22] [] [] 1\n", 0, ""},
	{"a minified host response", minified, "192.0.2.2 [22 23] [compromised] [] -\n", 0, ""},
	{"a host response that has more than its banners", hostResponseOf("192.0.2.2", []int{22, 23}, `"tags": ["compromised"], "vulns": ["CVE-2014-0160"], `, ssh),
		"192.0.2.2 [22 23] [compromised] [CVE-2014-0160] 1\n", 0, ""},
	{"a summary older than the banners", minified + "\n" + line("192.0.2.2", 22, "2026-01-03T00:00:00"), "192.0.2.2 [22] [] [] 1\n", 0, ""},
	{"a search page", searched, bothHosts, 0, ""},
	{"search pages, one per line", searched + "\n" + searched + "\n", bothHosts, 0, ""},
	{"search pages, pretty-printed", pretty(searched) + pretty(searched), bothHosts, 0, ""},
	{"InternetDB's response", internet2, "192.0.2.2 [22] [] [] -\n", 0, ""},
	{"InternetDB's responses, one per line", internet1 + "\n" + internet2, summaries, 0, ""},
	{"InternetDB's responses, concatenated", internet1 + internet2, summaries, 0, ""},
	{"InternetDB's responses, pretty-printed", pretty(internet1) + "\n" + pretty(internet2), summaries, 0, ""},
	{"InternetDB's responses in an array", "[" + internet1 + "," + internet2 + "]", summaries, 0, ""},
	{"InternetDB's response and a banner", internet2 + "\n" + line("192.0.2.2", 23, seen), "192.0.2.2 [23] [] [] 1\n", 0, ""},
	{"InternetDB's response and a minified one", internet2 + "\n" + minified, "192.0.2.2 [22 23] [compromised] [] -\n", 0, ""},
	{"all of them", web + "\n" + internet2 + "\n" + searched + "\n" + response1 + "\n", bothHosts, 0, ""},

	{"a banner and a pretty-printed response", ssh + "\n" + pretty(response1) + "\n", bothHosts, 0, ""},
	{"a banner, a pretty-printed array and a banner", ssh + "\r\n" + pretty("["+web+"]") + "\n" + tlsOf1, bothHosts, 0, ""},
	{"a banner, a pretty-printed response and a bad line", ssh + "\n" + pretty(internet1) + "\nx\n" + web + tlsOf1, bothHosts, 1, `line=21 reason="the text is not a JSON object"`},
	{"a banner and a bracket", ssh + "\n" + web + tlsOf1 + "\n{", bothHosts, 1, `line=3 reason="the file breaks off in the middle of a JSON object"`},
	{"lines after a damaged first one", web[:len(web)/2] + "\n" + web + "\n" + tlsOf1 + "\n" + ssh, bothHosts, 1, "line=1 "},
	{"a search page with a bad match", strings.Replace(searched, "[{", `[{"port": 1}, 7, {`, 1), bothHosts, 2, `line=1 reason="matches[0]: the banner has no address or no port"`},
	{"a host response with a bad banner", hostResponseOf("192.0.2.2", []int{22, 23}, "", ssh, `{"port": "x"}`), "192.0.2.2 [22 23] [] [] 1\n", 1, `line=1 reason="data[1]: `},
	{"an unknown address between responses", internet1 + "\n{\"detail\":\"No information available\"}\n" + internet2, summaries, 1, "line=2 "},
	{"a host response without ports and banners", internet1 + "\n" + `{"ip_str": "192.0.2.2", "data": []}`,
		"192.0.2.1 [80 443] [cloud] [CVE-2021-44228] -\n", 1, `line=2 reason="the response has neither ports nor data"`},
	{"a host response without ports, with a bad banner", internet1 + "\n" + `{"ip_str": "192.0.2.2", "data": [{"port": "x"}]}`,
		"192.0.2.1 [80 443] [cloud] [CVE-2021-44228] -\n", 2, "line=2 "},
	{"a host response cut off before the next", pretty(response2)[:60] + "\n" + pretty(response1), firstHost, 1, `line=1 reason="the JSON text is damaged"`},
	{"a host response cut off before the next on its line", response1 + response2[:60] + response1, firstHost, 1, `line=1 reason="the JSON text is damaged"`},
	{"a host response cut off at the end", pretty(response1) + "\n" + pretty(response2)[:99], firstHost, 1, `reason="the file breaks off in the middle of a JSON object"`},
	{"an array cut off in a banner", pretty("[" + web + "," + tlsOf1 + "," + ssh + "]")[:len(pretty("["+web+","+tlsOf1+"]"))+9], firstHost, 2, `reason="the file breaks off in the middle of a JSON object"`},
	{"an array cut off between banners", "[" + web + ",\n" + tlsOf1 + ",\n", firstHost, 1, `reason="the file breaks off in the middle of a JSON array"`},
	{"an array with a damaged banner", strings.Replace(pretty("["+web+","+ssh+","+tlsOf1+"]"), `"192.0.2.2"`, `"192.0.2.2`, 1), firstHost, 1, `reason="the JSON text is damaged"`},
	{"an array with other values", `["x", 1, null, ` + web + `, true, ` + tlsOf1 + `]`, firstHost, 2, `line=1 reason="the text is not a JSON object"`},
	{"text between pretty-printed responses", pretty(response1) + "\nHTTP/2 200\n\n" + pretty(response2), bothHosts, 1, `reason="the text is not a JSON object"`},
	{"a value that only json.Decoder finds damaged", "[" + web + ",\n" + `{"port" 80}` + ",\n" + tlsOf1 + "]", firstHost, 1, "line=2 "},
}

func TestEveryFormIsRead(t *testing.T) {
	t.Parallel()
	for _, tt := range forms {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			read(t, []byte(tt.text), tt.want, tt.bad, tt.reason)
		})
	}
}

// read checks what a Dataset of one file has.
func read(t *testing.T, content []byte, want string, bad int64, reason string) {
	t.Helper()
	path := in(t.TempDir(), "data")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	logger, log := logged()
	d, err := Open(t.Context(), Options{Files: []string{path}, Logger: logger})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if diff := cmp.Diff(want, all(t, d)); diff != "" {
		t.Error(diff)
	}
	if got := d.Stats().BadRecords; got != bad {
		t.Errorf("%d bad records, want %d", got, bad)
	}
	if !strings.Contains(log.String(), reason) || (bad > 0) != strings.Contains(log.String(), path) {
		t.Errorf("the log is %s", log)
	}
}

func TestEveryFormIsReadInEveryEncoding(t *testing.T) {
	t.Parallel()
	text := web + "\n" + tlsOf1 + "\n" + ssh + "\n"
	array := pretty("[" + web + "," + tlsOf1 + "," + ssh + "]")
	for layout, text := range map[string]string{"lines": text, "array": array} {
		for _, encoding := range []string{"UTF-8", "UTF-8 with a byte order mark", "UTF-16LE", "UTF-16BE", "UTF-16LE with a byte order mark", "UTF-16BE with a byte order mark"} {
			for packing, content := range packings(t, encode(t, encoding, text)) {
				t.Run(layout+", "+encoding+", "+packing, func(t *testing.T) {
					t.Parallel()
					read(t, content, bothHosts, 0, "")
				})
			}
		}
	}
}

func encode(t testing.TB, encoding, text string) []byte {
	t.Helper()
	endian, bom := unicode.LittleEndian, unicode.IgnoreBOM
	if strings.Contains(encoding, "BE") {
		endian = unicode.BigEndian
	}
	if strings.HasSuffix(encoding, "mark") {
		bom = unicode.UseBOM
	}
	if strings.HasPrefix(encoding, "UTF-8") {
		return []byte(map[bool]string{true: "\uFEFF"}[bom == unicode.UseBOM] + text)
	}
	out, err := unicode.UTF16(endian, bom).NewEncoder().Bytes([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestCompressedFiles(t *testing.T) {
	t.Parallel()
	first := `{"ip_str": "192.0.2.1", "port": 80, "transport": "tcp"}` + "\n"
	both := "192.0.2.1 [80] [] [] 1\n192.0.2.2 [80] [] [] 1\n"
	second := strings.Replace(first, "2.1", "2.2", 1)
	// bzip2 has no writer in Go. These are first and second.
	bzip := [][]byte{unhex(t, "425a6839314159265359a2250c2300001b5b800010500570700000a821dc0a2000486a68c81a8c8c9bd50a681a3434d030bb22255b7c0650e5faec26301731a3ac2aef2f546b65a60826e1a80a0c2ee48a70a121444a1846"),
		unhex(t, "425a6839314159265359ca54180900001b5b800010500570700000a821dc0a200040d4f54d911b534d0d37aa14006234d3468a1c93c3e7414e5ab73507abb1c1ae1a5bc44fc61ee53d0209583d0a3f8bb9229c2848652a0c0480")}
	zstd := func(text string) []byte { return packings(t, []byte(text))["zstd"] }
	long := first + strings.Repeat(second, 5000)
	for _, tt := range []struct {
		name    string
		content []byte
		want    string
		bad     int64
		reason  string
	}{
		{"bzip2", bzip[0], "192.0.2.1 [80] [] [] 1\n", 0, ""},
		{"bzip2 files, one after the other", slices.Concat(bzip...), both, 0, ""},
		{"gzip files, one after the other", append(zip(t, []byte(first)), zip(t, []byte(second))...), both, 0, ""},
		{"zstd files, one after the other", append(zstd(first), zstd(second)...), both, 0, ""},
		{"a zstd file after a frame to skip", append([]byte("\x50\x2a\x4d\x18\x03\x00\x00\x00abc"), zstd(first+second)...), both, 0, ""},
		{"bzip2 data cut off in the second file", slices.Concat(bzip[0], bzip[1][:40]), "192.0.2.1 [80] [] [] 1\n", 1, "the file breaks off: its compressed data is damaged or incomplete: bzip2: "},
		{"bzip2 data followed by something else", append(slices.Clone(bzip[0]), "something else"...), "192.0.2.1 [80] [] [] 1\n", 1, "bzip2: "},
		{"zstd data followed by something else", append(zstd(first), "something else"...), "192.0.2.1 [80] [] [] 1\n", 1, "zstd: "},
		{"zstd data cut off in the second file", append(zstd(first), zstd(long)[:30]...), "192.0.2.1 [80] [] [] 1\n", 1, "zstd: "},
		{"an array in zstd data that is cut off", append(zstd("["+first+","), zstd(long)[:30]...), "192.0.2.1 [80] [] [] 1\n", 1, "zstd: "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			read(t, tt.content, tt.want, tt.bad, tt.reason)
		})
	}
}

func unhex(t testing.TB, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestAHistoryHasNoSummaries(t *testing.T) {
	t.Parallel()
	d := open(t, "", write(t, in(t.TempDir(), "a.json"), minified, response1, internet2))
	addrs := []netip.Addr{netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")}
	found, err := d.Hosts(t.Context(), addrs, true)
	if got := slices.Collect(maps.Keys(found)); err != nil || !slices.Equal(got, addrs[:1]) {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestARecordOfMillionsOfBadOnesIsCounted(t *testing.T) {
	t.Parallel()
	n := 0
	var more int64
	err := parseEach(t.Context(), strings.NewReader(`{"matches": [`+strings.Repeat("0,", 100_000)+`0]}`), func(p parsed) error {
		n++
		more += p.more
		return nil
	})
	if err != nil || n != 1 || more != 100_000 {
		t.Errorf("%d records, %d more, %v", n, more, err)
	}
}

func TestAnObjectThatIsTooLongIsSkipped(t *testing.T) {
	t.Parallel()
	text := `[{"a": "` + strings.Repeat("x", 1<<19) + `"}, {"b": 1}, {"c": "` + strings.Repeat("x", 100) + `"}, {"d": 2}]`
	got, err := values(strings.NewReader(text), 8)
	if diff := cmp.Diff([]string{errTooLong.Error(), `{"b": 1}`, errTooLong.Error(), `{"d": 2}`}, got); diff != "" || err != io.EOF {
		t.Errorf("%v\n%s", err, diff)
	}
}

func TestNestingWithoutEndTakesNoMemory(t *testing.T) {
	t.Parallel()
	got, err := values(strings.NewReader(`[{"a": `+strings.Repeat("[", 1<<20)+"\n"+`{"b": 1}]`), maxRecord)
	if diff := cmp.Diff([]string{errDamaged.Error(), `{"b": 1}`}, got); diff != "" || err != io.EOF {
		t.Errorf("%v\n%s", err, diff)
	}
}

// values returns the objects of a text, and the errors of those that are bad.
func values(r io.Reader, long int) (found []string, err error) {
	text, err := newText(context.Background(), r)
	if err != nil {
		return nil, err
	}
	defer text.close()
	v := newValueReader(text)
	v.long = long
	for {
		value, err := v.next([]byte("kept"))
		switch {
		case isBadRecord(err):
			found = append(found, err.Error())
		case err != nil:
			return found, err
		default:
			found = append(found, strings.TrimPrefix(string(value), "kept"))
		}
	}
}

// FuzzRecords checks that every text is read to its end, and that what encoding/json takes for a list of objects, or for
// objects one after the other, is read as such.
func FuzzRecords(f *testing.F) {
	for _, form := range forms {
		f.Add([]byte(form.text))
	}
	f.Add([]byte("[[{}], [\n{\"a\": \"\\\"{\"}]"))
	f.Fuzz(func(t *testing.T, text []byte) {
		err := parseEach(t.Context(), iotest.HalfReader(bytes.NewReader(text)), func(p parsed) error {
			if (p.err == nil) == (p.banner == nil && p.host == nil) || p.number < 1 {
				t.Errorf("%+v", p)
			}
			if p.host != nil {
				items, err := decodeItems(nil, 1, string(new(codec).encodeItems([]item{{kind: p.kind, host: p.host}})))
				if err != nil || len(items) != 1 || !reflect.DeepEqual(items[0].host, p.host) {
					t.Errorf("a summary cannot be read again: %v", err)
				}
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
		if isCompressed(text) || isUTF16(text) || bytes.HasPrefix(text, []byte("\uFEFF")) {
			return
		}
		got, err := values(bytes.NewReader(text), maxRecord)
		if err != io.EOF {
			t.Error(err)
		}
		if want, ok := decoded(text); ok && !slices.Equal(got, want) {
			t.Error(cmp.Diff(want, got))
		}
	})
}

// decoded returns the objects of a text as encoding/json's Decoder finds them, or false for a text that has anything else.
func decoded(text []byte) (objects []string, ok bool) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	for {
		var value json.RawMessage
		err := decoder.Decode(&value)
		if err == io.EOF {
			return objects, true
		}
		var list []json.RawMessage
		if err == nil && value[0] == '{' {
			list = append(list, value)
		} else if err != nil || json.Unmarshal(value, &list) != nil {
			return nil, false
		}
		for _, item := range list {
			if item[0] != '{' {
				return nil, false
			}
			objects = append(objects, string(item))
		}
	}
}
