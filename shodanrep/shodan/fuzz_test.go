package shodan_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/postgrestest"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

// escapes are what makes a text need cleaning, where a backslash before them is not one that is escaped itself.
var escapes = regexp.MustCompile(`(?i)\\u(0000|d[89a-f])`)

func FuzzCleanLeavesWhatIsFit(f *testing.F) {
	for _, seed := range []string{`{"a": "\\u0000 \u00e9 \ud83d\ude00"}`, `"\\\\ud800"`, "\"\xc3\xa9\"", `["\\\u0000"]`, `"\ud83d\u0000\ude00"`,
		`[1e131072, -1e-20000, 0e-16384, 12345678901234567890.5]`, `{"a": "[[", "b": [1e308, -1e309]}`, strings.Repeat("[", 501) + "1e999999" + strings.Repeat("]", 501)} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		cleaned := shodan.Clean(body)
		shallow := bytes.Count(body, []byte("["))+bytes.Count(body, []byte("{")) <= shodan.MaxDepth
		if !escapes.Match(body) && shallow && postgrestest.CheckSteampipe(body) == nil && !bytes.Equal(cleaned, body) {
			t.Errorf("%q needs no cleaning, and becomes %q", body, cleaned)
		}
		if !json.Valid(body) {
			return
		}
		if err := postgrestest.CheckSteampipe(cleaned); err != nil {
			t.Errorf("%q becomes %q: %v", body, cleaned, err)
		}
		// No escape of a NUL is left, nor one of half a pair: what is read of the text writes itself without them.
		decoder := json.NewDecoder(bytes.NewReader(cleaned))
		for {
			token, err := decoder.Token()
			if err != nil {
				break
			}
			if text, ok := token.(string); ok && strings.ContainsRune(text, 0) {
				t.Errorf("%q becomes %q, which has a NUL", body, cleaned)
			}
		}
		if lone(cleaned) {
			t.Errorf("%q becomes %q, which has half a pair", body, cleaned)
		}
		// Nothing else is lost: as Go reads them, with half pairs as U+FFFD, the texts are the same but for the NULs.
		var before, after any
		if json.Unmarshal(body, &before) != nil || json.Unmarshal(cleaned, &after) != nil {
			return
		}
		a, okA := before.(string)
		b, okB := after.(string)
		if okA && okB && utf8.Valid(body) && strings.ReplaceAll(a, "\x00", "") != b {
			t.Errorf("%q becomes %q: %q, then %q", body, cleaned, a, b)
		}
	})
}

// unit is an escape of any kind.
var unit = regexp.MustCompile(`\\(u[0-9a-fA-F]{4}|.)`)

// lone reports whether a JSON text has an escape of half a surrogate pair.
func lone(text []byte) bool {
	high := -1 // where the pair that a high half began has to go on
	for _, at := range unit.FindAllIndex(text, -1) {
		escape := strings.ToLower(string(text[at[0]:at[1]]))
		isHigh := len(escape) == 6 && escape[2] == 'd' && strings.Contains("89ab", escape[3:4])
		isLow := len(escape) == 6 && escape[2] == 'd' && strings.Contains("cdef", escape[3:4])
		if isLow != (high == at[0]) || high >= 0 && !isLow {
			return true
		}
		high = -1
		if isHigh {
			high = at[1]
		}
	}
	return high >= 0
}

// fit fails where a value has a text that PostgreSQL does not take, or a time that it does not know.
func fit(t *testing.T, v reflect.Value) {
	t.Helper()
	switch v.Kind() {
	case reflect.String:
		if s := v.String(); strings.ContainsRune(s, 0) || !utf8.ValidString(s) {
			t.Errorf("%q", s)
		}
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			fit(t, v.Elem())
		}
	case reflect.Struct:
		if at, ok := v.Interface().(time.Time); ok {
			if !at.IsZero() && !shodan.IsStorable(at) {
				t.Errorf("%v", at)
			}
			return
		}
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				fit(t, v.Field(i))
			}
		}
	case reflect.Slice:
		if raw, ok := v.Interface().(json.RawMessage); ok {
			if err := postgrestest.CheckSteampipe(raw); raw != nil && err != nil {
				t.Errorf("%.200q: %v", raw, err)
			}
			return
		}
		for i := range v.Len() {
			fit(t, v.Index(i))
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			fit(t, key)
			fit(t, v.MapIndex(key))
		}
	}
}

var answerSeeds = []string{
	`{"ip_str":"192.0.2.1","ports":[80,"443"],"vulns":["CVE-2021-0001"],"tags":["a\u0000"],"data":[{"port":80,"_shodan":{"module":"http"},"ssl":{"cert":{"serial":1e99,"issued":"00000101000000Z","subject":{"CN":"\ud800"}}}}]}`,
	`{"ip":3221225985,"data":[{"vulns":{"CVE-2021-0001":{"cvss":"9.8","verified":0}},"timestamp":"2023-07-15T08:31:35.019046","http":{"status":"200"}},null,1,[]]}`,
	`{"ip":"192.0.2.1","ports":[],"cpes":["cpe:/a"],"hostnames":null,"tags":"x","vulns":{}}`,
	`{"matches":[{"ip_str":"2001:db8::1","port":53}],"total":"7"}`,
	`{"cve_id":"CVE-2021-44228","cvss":"10.0","epss":1e999,"kev":"yes","references":"x","published_time":"0000-01-01T00:00:00","cpes":[{}]}`,
	`{"cves":[{"cve_id":"\ud800"},null,3,[],{"cve_id":{},"summary":"a\u0000"}]}`,
	`{"matches":[],"total":7,"facets":{"country":[{"count":"3","value":"U\u0000S"},{"count":1,"value":true},null]}}`,
	`{"ip_str":"192.0.2.1","port":1,"timestamp":"9999-12-31T23:59:59-01:00","x":[1e131072,1e-20000,` + strings.Repeat("[", 1001) + strings.Repeat("]", 1001) + `]}`,
	`{"data":[`, `{"data":[{},`, "{\"ports\":[1],\"org\":\"\xff\xfe\"}", `{"ports":[1e400,-1,99999999999999999999],"latitude":"NaN"}`,
}

func FuzzAnswersAreFitForPostgreSQL(f *testing.F) {
	for _, seed := range answerSeeds {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if h, err := shodan.ParseHost(body); err == nil {
			fit(t, reflect.ValueOf(h))
			again, err := shodan.ParseHost(h.Raw)
			if err != nil || !reflect.DeepEqual(again, h) {
				t.Errorf("what is kept of it makes another host: %+v, then %+v, %v", h, again, err)
			}
			if h.Ports == nil || h.Tags == nil || h.Vulns == nil {
				t.Errorf("a host's lists are never unknown: %+v", h)
			}
		}
		if h, err := shodan.ParseInternetDB(body); err == nil {
			fit(t, reflect.ValueOf(h))
			again, err := shodan.ParseInternetDB(h.Raw)
			if err != nil || !reflect.DeepEqual(again, h) {
				t.Errorf("what is kept of it makes another host: %+v, then %+v, %v", h, again, err)
			}
			if h.Banners != nil {
				t.Errorf("InternetDB has no banners: %+v", h)
			}
		}
		if b, err := shodan.ParseBanner(body); err == nil {
			fit(t, reflect.ValueOf(b))
			if !b.Addr.IsValid() || b.Addr.Zone() != "" || b.Addr.Is4In6() {
				t.Errorf("the address %v is not in its one form", b.Addr)
			}
			if h := shodan.MergeBanners([]shodan.Banner{*b, *b}); len(h.Banners) != 1 || h.Addr != b.Addr {
				t.Errorf("a banner and itself make %+v", h)
			}
		}
		if r, err := shodan.ParseSearch(body); err == nil {
			fit(t, reflect.ValueOf(r))
		}
		clean := shodan.Clean(body) // as Do hands it over
		if c, err := shodan.FindCVE("CVE-2021-44228").Read(clean); err == nil {
			fit(t, reflect.ValueOf(c))
			if !strings.EqualFold(string(c.ID), "CVE-2021-44228") {
				t.Errorf("the response is for %s", c.ID)
			}
		}
		if list, err := shodan.FindCVEs(shodan.CVEQuery{}).Read(clean); err == nil {
			fit(t, reflect.ValueOf(list))
		}
		if r, err := shodan.Count("x", []string{"country"}, 10).Read(clean); err == nil {
			fit(t, reflect.ValueOf(r))
		}
	})
}

func FuzzQuote(f *testing.F) {
	for _, seed := range []string{`a" port:"22`, `\`, "a\x00b", "é", `"""`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		quoted := shodan.Quote(value)
		if len(quoted) < 2 || quoted[0] != '"' || quoted[len(quoted)-1] != '"' || strings.ContainsAny(quoted[1:len(quoted)-1], "\"\\\n\r\x00") {
			t.Errorf("%q is written %s", value, quoted)
		}
	})
}

func FuzzAnswersToCallsAreFitForPostgreSQL(f *testing.F) {
	for _, seed := range append([]string{
		`{"plan": "dev\u0000", "usage_limits": {"\ud800": -1, "x": "y"}, "member": 1, "22": "SSH", "53": null}`, `[80, "443", null, {}, 1e400, "\u0000"]`,
		`{"matches": [{"id": "a", "title": "\udc00", "tags": [""], "votes": "3", "timestamp": "0000-01-01T00:00:00"}], "total": -1}`,
		`[{"id": 7, "filters": {"ip": "x\u0000"}, "triggers": {"\u0000": {"ignore": "\ud800"}}, "notifiers": [{"args": {"url": "x"}}, 3]}]`,
	}, shodantest.OddBodies...) {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		fitCall(t, shodan.Info(), body)
		fitCall(t, shodan.Profile(), body)
		fitCall(t, shodan.Ports(), body)
		fitCall(t, shodan.Protocols(), body)
		fitCall(t, shodan.ServiceNames(), body)
		fitCall(t, shodan.SearchFilters(), body)
		fitCall(t, shodan.SavedQueries("votes", 1), body)
		fitCall(t, shodan.Scans(1), body)
		fitCall(t, shodan.Alerts(), body)
	})
}

// fitCall fails if the value that a call reads from a cleaned response is not fit.
func fitCall[T any](t *testing.T, call shodan.Call[T], body []byte) {
	t.Helper()
	value, err := call.Read(shodan.Clean(body))
	if err != nil {
		return
	}
	fit(t, reflect.ValueOf(value))
	if again, err := call.Read(shodan.Clean(body)); err != nil || !reflect.DeepEqual(again, value) {
		t.Errorf("%s is read as %+v, then as %+v, %v", call.What, value, again, err)
	}
}
