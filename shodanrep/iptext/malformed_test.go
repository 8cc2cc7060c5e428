package iptext

import (
	"slices"
	"strings"
	"testing"
)

func TestMalformed(t *testing.T) {
	t.Parallel()
	const (
		network4    = "is not a network: a number up to 32 or a mask"
		network6    = "is not a network: a number up to 128 must"
		zeros       = "has a number with leading zeros"
		short       = "is a short range"
		pattern     = "is a pattern"
		octets      = "is not an address: its numbers must be up to 255"
		hexadecimal = "has a hexadecimal number"
		groups      = "is not an address: an IPv6 address has"
	)
	for text, want := range map[string]string{
		"11.0.0.1/33":             network4,
		"11.0.0.1/":               network4,
		"11.0.0.1/-1":             network4,
		"11.0.0.1/+8":             network4,
		"11.0.0.1/24/":            network4,
		"11.0.0.1/99999999999999": network4,
		"11.0.0.1/255.255.0.255":  network4,
		"11.0.0.0/0.0.0.255":      network4,
		"11.0.0[.]1/33":           network4,
		"11[dot]0.0.1/33":         network4,
		"::1/129":                 network6,
		"2001:db8::/":             network6,
		"[2001:db8::]/129":        network6,
		"2001:db8::/::":           network6,
		"fe80::1%eth0/64":         "is not a network: leave out the zone",
		"300.0.0.0/8":             "is not a network: its address",
		"11.0.0/8":                "is not a network: its address",
		"011.000.000.030":         zeros,
		"11.0.0.030/24":           zeros,
		"11.0.0[.]01":             zeros,
		"0177.0.0.1":              zeros,
		"0377.0.0.1/8":            zeros,
		"0x7f.0.0.1":              hexadecimal,
		"11.0.0.0XFF":             hexadecimal,
		"0x7f.0[.]0.0x1/8":        hexadecimal,
		"11.0.0.70-80":            short,
		"11.0.0.7..11.0.0.9":      "is a range",
		"11.0.0[.]7..11.0.0[.]9":  "is a range",
		"11.0.0.9..11.0.0.7":      "",
		"11.0.0-9.1":              short,
		"11.0.0.70-80/24":         short,
		"11.0.0.*":                pattern,
		"11.0.*.*":                pattern,
		"11.*":                    pattern,
		"11.0.0[.]*":              pattern,
		"11.0.0.300":              octets,
		"256.1.1.1":               octets,
		"11.0[.]0.300":            octets,
		"2001:db8:::1":            groups,
		"2001:db8::1::2":          groups,
		"2001:db8::12345":         groups,

		"":                                    "",
		"11.0.0.1":                            "",
		"11.0.0.0/8":                          "",
		"11.0.0.0/08":                         "",
		"11.0.0.0/255.0.0.0":                  "",
		"11.0.0.1/11.0.0.2":                   "",
		"11.0.0.1-11.0.0.9":                   "",
		"::1":                                 "",
		"::1/128":                             "",
		"[::1]:443":                           "",
		"fe80::1%eth0":                        "",
		"http://11.0.0.1/33":                  "",
		"11.0.0.1/index.html":                 "",
		"11.0.0.1:80/33":                      "",
		"1.2.3.4-1":                           "",
		"2024.01.02":                          "",
		"300.1.02.03":                         "",
		"1.5/10":                              "",
		"2024.1.2.3":                          "",
		"1.300.2":                             "",
		"1.2.3.4.500":                         "",
		"4294967296":                          "",
		"0x7f000001":                          "",
		"0x7f.1":                              "",
		"0477.0.0.1":                          "",
		"0124.01.02":                          "",
		"::":                                  "",
		"std::dead":                           "",
		"1::2.53":                             "",
		"12:34:56":                            "",
		"00:0c:29:aa:bb:cc":                   "",
		"10/8":                                "",
		"*":                                   "",
		"*.11.0.0":                            "",
		"example.*":                           "",
		"1-2":                                 "",
		"deadbeef":                            "",
		"11.0.0.1\x1b/33":                     "",
		"11.0.0.1/" + strings.Repeat("9", 99): "",
	} {
		got := Malformed([]byte(text))
		if got != want && (want == "" || !strings.HasPrefix(got, want)) {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

// What is read as it is written is never malformed.
func FuzzMalformed(f *testing.F) {
	for _, text := range []string{"11.0.0.1", "11.0.0.0/8", "11.0.0.0/255.0.0.0", "::1/128", "011.0.0.1", "11.0.0.*", "11.0.0.1/33", "2001:db8::/08"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		matches := slices.Collect(Find([]byte(text)))
		reason := Malformed([]byte(text))
		if len(matches) == 1 && matches[0].Text == text && reason != "" {
			t.Errorf("%q is %v, and %s", text, matches[0].Prefix, reason)
		}
	})
}

func TestIsRange(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"11.0.0.1-11.0.0.9":            true,
		"11.0.0.1 - 11.0.0.9":          true,
		"11.0.0[.]1–11.0.0[.]9":        true,
		"2001:db8::1-2001:db8::f":      true,
		"11.0.0.1—11.0.0.9":            true,
		"11.0.0.1 − 11.0.0.9":          true,
		"11.0.0.1…11.0.0.9":            true,
		"11.0.0.1 to 11.0.0.9":         true,
		"11.0.0.1~11.0.0.9":            true,
		"11.0.0.1 ~ 11.0.0.9":          true,
		"11.0.0.1～11.0.0.9":            true,
		"11.0.0.1〜11.0.0.9":            true,
		"11.0.0.1..11.0.0.9":           false, // it is malformed
		"11.0.0.9 to 11.0.0.1":         false,
		"11.0.0.9-11.0.0.1":            false,
		"11.0.0.1-11.0.0.1":            false,
		"11.0.0.1-2001:db8::1":         false,
		"11.0.0.1-9":                   false,
		"11.0.0.1":                     false,
		"11.0.0.1-11.0.0.9-11.0.0.20":  false,
		"-":                            false,
		"":                             false,
		"11.0.0.1 -> 11.0.0.9":         false,
		"a 11.0.0.1-11.0.0.9":          false,
		"11.0.0.1:443-11.0.0.9:51000 ": false,
	} {
		if got := IsRange([]byte(text)); got != want {
			t.Errorf("%q: got %v", text, got)
		}
	}
}
