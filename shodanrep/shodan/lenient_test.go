package shodan_test

import (
	"encoding/json"
	"math"
	"net/netip"
	"reflect"
	"testing"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

// decoded reads a JSON value into one of the lenient types, which none of it may fail.
func decoded[T any](t *testing.T, text string) T {
	t.Helper()
	var v struct{ V T }
	if err := json.Unmarshal([]byte(`{"V": `+text+`}`), &v); err != nil {
		t.Errorf("%s fails: %v", text, err)
	}
	return v.V
}

func TestTexts(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]shodan.Text{`"a"`: "a", `""`: "", `1`: "1", `1.50`: "1.50", `true`: "true", `null`: "", `{}`: "", `["a"]`: "", `"é\n"`: "é\n", `-7e3`: "-7e3"} {
		if got := decoded[shodan.Text](t, text); got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

func TestNumbersAndBooleansMayBeInQuotesOrMissing(t *testing.T) {
	t.Parallel()
	number := func(n int64) *int64 { return &n }
	for text, want := range map[string]*int64{
		`1`: number(1), `"1"`: number(1), `" 22 "`: number(22), `443.0`: number(443), `1e3`: number(1000), `-1554870672`: number(-1554870672),
		`9223372036854775807`: number(math.MaxInt64), `9223372036854775808`: nil, `1e30`: nil, `1.5`: nil, `""`: nil, `"x"`: nil, `null`: nil, `{}`: nil, `[1]`: nil, `true`: nil,
	} {
		if got := decoded[shodan.Null[int64]](t, text).Ptr(); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
	}
	float := func(f float64) *float64 { return &f }
	for text, want := range map[string]*float64{
		`9.8`: float(9.8), `"9.8"`: float(9.8), `5`: float(5), `-122.25`: float(-122.25), `0`: float(0), `"NaN"`: nil, `"Infinity"`: nil, `"-inf"`: nil, `1e400`: nil, `null`: nil, `""`: nil, `{}`: nil, `"high"`: nil,
	} {
		if got := decoded[shodan.Null[float64]](t, text).Ptr(); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
	}
	boolean := func(b bool) *bool { return &b }
	for text, want := range map[string]*bool{`true`: boolean(true), `false`: boolean(false), `"true"`: boolean(true), `"False"`: boolean(false), `1`: boolean(true), `0`: boolean(false), `null`: nil, `"maybe"`: nil, `[]`: nil} {
		if got := decoded[shodan.Null[bool]](t, text).Ptr(); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
	}
}

func TestAListThatIsMissingIsNotAnEmptyOne(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]shodan.Texts{`null`: nil, `{}`: nil, `[]`: {}, `["a", 1, null, {}, "b"]`: {"a", "1", "b"}, `"a"`: {"a"}, `""`: nil, `[[]]`: {}} {
		if got := decoded[shodan.Texts](t, text); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %#v, want %#v", text, got, want)
		}
	}
	for text, want := range map[string]shodan.Ints{`null`: nil, `{}`: nil, `7`: nil, `[]`: {}, `[2, "1", 3.0, null, "x", {}]`: {2, 1, 3}} {
		if got := decoded[shodan.Ints](t, text); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %#v, want %#v", text, got, want)
		}
	}
	for text, want := range map[string]shodan.VulnMap{
		`null`: nil, `7`: nil, `[]`: {}, `{}`: {}, `["CVE-2024-0001", "!CVE-2024-0002"]`: {"CVE-2024-0001": {}}, `{"CVE-2024-0001": {"cvss": "7.5"}, "!CVE-2024-0002": {}, "CVE-2024-0003": null}`: {"CVE-2024-0001": {CVSS: shodan.Null[float64]{V: 7.5, Valid: true}}, "CVE-2024-0003": {}},
	} {
		if got := decoded[shodan.VulnMap](t, text); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %#v, want %#v", text, got, want)
		}
	}
	if ids := (shodan.VulnMap)(nil).IDs(); ids != nil {
		t.Errorf("no list has the ids %#v", ids)
	}
	if ids := (shodan.VulnMap{}).IDs(); ids == nil {
		t.Error("an empty list has no ids, but they are known")
	}
}

func TestTimes(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Time{
		"2023-07-15T08:31:35.019046":       time.Date(2023, 7, 15, 8, 31, 35, 19046000, time.UTC),
		"2023-07-15T08:31:35":              time.Date(2023, 7, 15, 8, 31, 35, 0, time.UTC),
		"2023-07-15T08:31:35.019046+00:00": time.Date(2023, 7, 15, 8, 31, 35, 19046000, time.UTC),
		"2023-07-15T10:31:35+02:00":        time.Date(2023, 7, 15, 8, 31, 35, 0, time.UTC),
		"2023-07-15T08:31:35Z":             time.Date(2023, 7, 15, 8, 31, 35, 0, time.UTC),
		"20260119082400Z":                  time.Date(2026, 1, 19, 8, 24, 0, 0, time.UTC),
		"99991231235959Z":                  time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC),
		"2023-07-15 08:31:35":              time.Date(2023, 7, 15, 8, 31, 35, 0, time.UTC),
		"2023-07-15":                       time.Date(2023, 7, 15, 0, 0, 0, 0, time.UTC),
		"00000101000000Z":                  {}, // PostgreSQL has no year 0
		"0001-01-01T00:00:00+01:00":        {},
		"20261319082400Z":                  {},
		"yesterday":                        {},
		"":                                 {},
	} {
		got := shodan.ParseTime(text)
		if !got.Equal(want) || got.Location() != time.UTC {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
		if p := (shodan.Time{Time: got}).Ptr(); (p == nil) != want.IsZero() {
			t.Errorf("%q: pointer %v", text, p)
		}
	}
}

func TestBannersWithoutAnEndpointAreNone(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]netip.Addr{
		`{"ip_str": "192.0.2.1", "port": 80}`:                             addr,
		`{"ip": 3221225985, "port": "80"}`:                                addr,
		`{"ip": "3221225985", "port": 80}`:                                addr,
		`{"ip_str": "::ffff:192.0.2.1", "port": 80}`:                      addr,
		`{"ip_str": "2001:db8::1%eth0", "port": 80}`:                      netip.MustParseAddr("2001:db8::1"),
		`{"ipv6": "2001:db8::1", "port": 80}`:                             netip.MustParseAddr("2001:db8::1"),
		`{"ip_str": "192.0.2.1", "ipv6": "2001:db8::1", "port": 80}`:      addr,
		`{"ip_str": null, "ip": null, "ipv6": "2001:db8::1", "port": 80}`: netip.MustParseAddr("2001:db8::1"),
		`{"ip_str": "192.0.2.1"}`:                                         {},
		`{"port": 80}`:                                                    {},
		`{"ip": -1, "port": 80}`:                                          {},
		`{"ip": 4294967296, "port": 80}`:                                  {},
		`{"ip": 42540766411282592856903984951653826561, "port": 80}`:      {},
		`{"ip_str": "example.com", "port": 80}`:                           {},
		`[{"ip_str": "192.0.2.1", "port": 80}]`:                           {},
		`{"ip_str": "192.0.2.1", "port": 80`:                              {},
		``:                                                                {},
	} {
		b, err := shodan.ParseBanner([]byte(text))
		switch {
		case want.IsValid() && (err != nil || b.Addr != want):
			t.Errorf("%s: %+v, %v", text, b, err)
		case !want.IsValid() && err == nil:
			t.Errorf("%s is taken for %v:%v", text, b.Addr, b.Port)
		}
	}
}

func TestCPEsOfAHost(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		`{"ports": []}`:             nil,
		`{"ports": [], "data": []}`: {},
		`{"data": [{"cpe": ["cpe:/b", "cpe:/a"], "cpe23": ["cpe:2.3:a:a"]}, {"cpe": ["cpe:/a"]}]}`: {"cpe:/a", "cpe:/b"},
		`{"data": [{"cpe23": ["cpe:2.3:a:a"]}]}`:                                                   {"cpe:2.3:a:a"},
		`{"data": [{"cpe": ["cpe:/a"]}], "cpes": []}`:                                              {},
	} {
		h, err := shodan.ParseHost([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		got := h.AllCPEs()
		if len(got) != len(want) || (got == nil) != (want == nil) || len(want) > 0 && !reflect.DeepEqual([]string(got), want) {
			t.Errorf("%s: %#v, want %#v", text, got, want)
		}
	}
}
