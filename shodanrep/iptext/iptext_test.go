package iptext

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/iotest"
)

// found returns the addresses and networks of a text.
func found(text string) []string {
	var list []string
	for m := range Find([]byte(text)) {
		list = append(list, shown(m))
	}
	return list
}

func shown(m Match) string {
	if !m.Prefix.IsSingleIP() {
		return m.Prefix.String()
	}
	return m.Prefix.Addr().String()
}

func TestForms(t *testing.T) {
	for text, want := range map[string]string{
		"198.51.100.66":                            "198.51.100.66",
		" 198.51.100.66\r":                         "198.51.100.66",
		"198.51.100.66.":                           "198.51.100.66",
		"198.51.100.66, 192.0.2.1;":                "198.51.100.66 192.0.2.1",
		"198.51.100[.]66":                          "198.51.100.66",
		"198[.]51[.]100[.]66":                      "198.51.100.66",
		"198.51.100(.)66":                          "198.51.100.66",
		"198[dot]51(dot)100[DOT]66":                "198.51.100.66",
		"198{.}51{dot}100{.}66":                    "198.51.100.66",
		`198\.51\.100\.66`:                         "198.51.100.66",
		`"198\\.51\\.100\\.66"`:                    "198.51.100.66",
		"198[.51[.100[.66/24":                      "198.51.100.0/24",
		"198.]51.)100(.66.]":                       "198.51.100.66",
		"(198.51.100.66.) [198.51.100.67.]":        "198.51.100.66 198.51.100.67",
		"::ffff:198[.51{.}100.66":                  "198.51.100.66",
		"hxxp://198.51.100.66:8080/x":              "198.51.100.66",
		"hxxp[:]//198.51.100[.]66[:]80/x":          "198.51.100.66",
		"hxxp[://]198.51.100.66/24":                "198.51.100.66",
		"http://198.51.100.66/24":                  "198.51.100.66",
		"http://u:p@198.51.100.66/":                "198.51.100.66",
		"2001:db8[:]5::1":                          "2001:db8:5::1",
		"2001[:]db8[:][:]1":                        "2001:db8::1",
		"198.51.100.66:443":                        "198.51.100.66",
		"[2001:db8::1]:443":                        "2001:db8::1",
		"http://[2001:db8::1]/":                    "2001:db8::1",
		"hxxps://[2001:db8::1]:8443/x":             "2001:db8::1",
		"fe80::1%eth0":                             "fe80::1",
		"fe80::1%25eth0.":                          "fe80::1",
		"2001:db8::1%2Fx":                          "2001:db8::1",
		"::ffff:198.51.100.66":                     "198.51.100.66",
		"[::ffff:198.51.100.66]:443":               "198.51.100.66",
		"::ffff:c633:6442":                         "198.51.100.66",
		"::1":                                      "::1",
		"2001:db8::":                               "2001:db8::",
		"2001:db8::1.":                             "2001:db8::1",
		"2001:db8::1: text":                        "2001:db8::1",
		"2001:db8::1:failed":                       "2001:db8::1",
		"2001:db8::1:54321":                        "2001:db8::1",
		"2001:DB8:0:0:0:0:0:1:443":                 "2001:db8::1",
		"2001:db8::198.51.100.66":                  "2001:db8::c633:6442",
		"198.51.100.66/24":                         "198.51.100.0/24",
		"198.51.100.66/32":                         "198.51.100.66",
		"198.51.100.0/255.255.255.0":               "198.51.100.0/24",
		"192.0.2.1/192.0.2.2":                      "192.0.2.1 192.0.2.2",
		"198.51.100.66/33":                         "198.51.100.66",
		"198.51.100.66/24/x":                       "198.51.100.66",
		"2001:db8::/32":                            "2001:db8::/32",
		"2001:db8::1/128":                          "2001:db8::1",
		"2001:db8::1/129":                          "2001:db8::1",
		"198.51.100.1-198.51.100.9":                "198.51.100.1 198.51.100.9",
		"2001:db8::1-2001:db8::9":                  "2001:db8::1 2001:db8::9",
		"ip=198.51.100.66&x":                       "198.51.100.66",
		"ip:198.51.100.66":                         "198.51.100.66",
		"ip6:2001:db8::1":                          "2001:db8::1",
		"root@198.51.100.66":                       "198.51.100.66",
		"<198.51.100.66>":                          "198.51.100.66",
		"ip.src==198.51.100.66":                    "198.51.100.66",
		"%20198.51.100.66%20":                      "198.51.100.66",
		"%3A%2F%2F198.51.100.66%2F":                "198.51.100.66",
		"%5B2001:db8::1%5D":                        "2001:db8::1",
		`\u003c198.51.100.66\u003e`:                "198.51.100.66",
		`\n198.51.100.66\n`:                        "198.51.100.66",
		"地址198.51.100.66是":                         "198.51.100.66",
		"localhost/198.51.100.66:8080":             "198.51.100.66",
		"/198.51.100.66:8080":                      "198.51.100.66",
		"https://www.shodan.io/host/198.51.100.66": "198.51.100.66",
		"https://ipinfo.example/198.51.100.66":     "198.51.100.66",
		"198.51.100.66\x00192.0.2.1":               "198.51.100.66 192.0.2.1",

		"curl/7.81.0.1": "", "v1.2.3.4": "", "1.2.3.4.5": "", "Chrome/120.0.0.0": "", "rv:1.9.2.3": "",
		"12:34:56": "", "12:34:56.789": "", "00:1a:2b:3c:4d:5e": "", "50:06:01:60:3b:a0:1b:ff": "",
		"std::vector": "", "a::b": "", "d3::c4": "", "face::cafe": "", "::error": "", "::": "", ":::80": "",
		"1.3.6.1.4.1.8072": "", ".1.3.6.1": "", "iso.3.6.1.2": "", "256.1.2.3": "", "01.2.3.4": "", "1.2.3": "",
		"x1.2.3.4": "", "1.2.3.4x": "", "1.2.3.4_": "", "1.2.3.4.example.com": "", "2001:db8::1x": "", "2001:db8::g": "",
		"1[.]2[.]3[.]4[.]example[.]com": "", `1\.2\.3\.4\.example`: "", "a[.]1[.]2[.]3[.]4": "", `x\.1\.2\.3\.4`: "",
		"1{2}3": "", `1\2\3\4`: "", "9{.": "", `9\`: "", "f(1.)2": "",
		"https://dl.example.com/1.2.3.4/x.zip": "", "": "", ".": "", ":": "", "1.": "", "1.2.3.": "", "[.]": "", "9[.": "",
	} {
		if got := strings.Join(found(text), " "); got != want {
			t.Errorf("%q: found %q, want %q", text, got, want)
		}
	}
}

// The corpus is ordinary logs. Each address counts as often as it is there, and nothing else may be found.
func TestCorpusHasItsAddressesAndNoOthers(t *testing.T) {
	for name, want := range map[string]string{
		"auth.log":   "2:198.51.100.66 3:198.51.100.66 4:203.0.113.10 5:2001:db8::25 6:192.0.2.7 7:198.51.100.66 9:0.0.0.0",
		"nginx.log":  "1:198.51.100.66 2:203.0.113.10 2:192.0.2.44 2:192.0.2.8 3:2001:db8::25 4:198.51.100.7 4:203.0.113.99 5:198.51.100.66 5:10.0.0.12 5:203.0.113.1",
		"apache.log": "1:198.51.100.66 2:203.0.113.10 3:2001:db8::9",
		"json.log":   "1:198.51.100.66 1:203.0.113.10 2:2001:db8::25 2:192.0.2.1 3:198.51.100.66 3:203.0.113.77 3:192.0.2.3 3:192.0.2.4 4:10.0.0.5 4:fe80::42:acff:fe11:2 4:203.0.113.5",
		"flow.log":   "2:172.31.16.139 2:172.31.16.21 3:198.51.100.66 3:172.31.16.21 4:2001:db8:1234:a100:8d6e:3477:df66:f105 4:2001:db8:1234:a102:3304:8879:34cf:4071",
		"hosts.csv":  "2:198.51.100.66 3:203.0.113.10 3:203.0.113.11 4:192.0.2.5 4:10.0.0.0/8 5:2001:db8::25 5:2001:db8:1::/48",
		"mail.eml": "1:198.51.100.66 5:10.0.0.5 5:2001:db8::25 7:198.51.100.66 7:198.51.100.66 8:192.0.2.0/24 8:2001:db8:1::/48 9:203.0.113.9 " +
			"13:198.51.100.7 13:203.0.113.8 13:192.0.2.9 13:192.0.2.10 14:203.0.113.12 14:2001:db8:5::1 14:198.51.100.20 14:198.51.100.29 14:198.51.100.77",
		"pcap.txt": "1:198.51.100.66 1:203.0.113.10 2:203.0.113.10 2:198.51.100.66 3:2001:db8::25 3:2001:db8::1 4:192.0.2.1 4:192.0.2.7 " +
			"5:198.51.100.66 5:203.0.113.10 6:fe80::1 6:ff02::1 8:192.0.2.7 8:198.51.100.66",
		"netstat.txt": "3:192.0.2.7 3:198.51.100.66 4:192.0.2.7 4:203.0.113.10 5:2001:db8::25 5:2001:db8::1 7:192.0.2.7 7:198.51.100.1 " +
			"8:192.0.2.8 8:203.0.113.11",
		"syslog": "",
	} {
		text, err := os.ReadFile("testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		var list []string
		lines := bytes.Split(text, []byte("\n"))
		for m := range Find(text) {
			list = append(list, fmt.Sprintf("%d:%s", m.Line, shown(m)))
			if at := string(lines[m.Line-1][m.Start:m.End]); at != m.Text {
				t.Errorf("%s: line %d, bytes %d to %d are %q and not %q", name, m.Line, m.Start, m.End, at, m.Text)
			}
		}
		if got := strings.Join(list, " "); got != want {
			t.Errorf("%s:\n got %s\nwant %s", name, got, want)
		}
	}
}

func TestRangesAreThoseOfTheText(t *testing.T) {
	var got []string
	for m := range Find([]byte("a 198.51.100[.]66:80\n\n[fe80::1%eth0] 10.0.0.1/8,")) {
		got = append(got, fmt.Sprintln(m.Line, m.Start, m.End, m.Text, m.Prefix))
	}
	want := "1 2 17 198.51.100[.]66 198.51.100.66/32\n3 1 13 fe80::1%eth0 fe80::1/128\n3 15 25 10.0.0.1/8 10.0.0.0/8\n"
	if s := strings.Join(got, ""); s != want {
		t.Errorf("got  %s\nwant %s", s, want)
	}
}

func scanned(t *testing.T, s *Scanner) []Match {
	t.Helper()
	var list []Match
	for m, err := range s.All() {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, m)
	}
	return list
}

func TestALongLineHasAllItsAddresses(t *testing.T) {
	var text strings.Builder
	const n = 200_000
	for i := range n {
		fmt.Fprintf(&text, "%d.%d.%d.1,", 1+i>>16, i>>8&255, i&255)
	}
	list := scanned(t, NewScanner(strings.NewReader(text.String())))
	if len(list) != n {
		t.Fatalf("found %d addresses, want %d", len(list), n)
	}
	for _, m := range list {
		if m.Line != 1 || text.String()[m.Start:m.End] != m.Text {
			t.Fatalf("%+v is not what is there", m)
		}
	}
}

func TestAnErrorComesAfterTheMatches(t *testing.T) {
	broken := iotest.ErrReader(fmt.Errorf("disk broken"))
	n, failed := 0, ""
	for m, err := range NewScanner(readers(strings.NewReader("198.51.100.66 "), broken)).All() {
		if err != nil {
			failed = err.Error()
			continue
		}
		_ = m
		n++
	}
	if n != 1 || failed != "disk broken" {
		t.Errorf("%d matches and the error %q", n, failed)
	}
}
