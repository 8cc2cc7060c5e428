package embedded_test

import "testing"

func TestFunctions(t *testing.T) {
	t.Parallel()
	f := open(t, 0)
	for sql, want := range map[string]string{
		"select ipcontains('192.0.2.0/24', '192.0.2.7'), ipcontains('192.0.2.0/24', '198.51.100.7')":                                                                                           "1|0",
		"select ipcontains('192.0.2.0/24', '192.0.2.0/25'), ipcontains('192.0.2.0/25', '192.0.2.0/24')":                                                                                        "1|0",
		"select ipcontains('192.0.2.0/24', 'example.com'), ipcontains(null, '192.0.2.7')":                                                                                                      "<nil>|<nil>",
		"select ipoverlaps('192.0.2.0/25', '192.0.2.0/24'), ipoverlaps('192.0.2.0/25', '192.0.2.128/25')":                                                                                      "1|0",
		"select ipfamily('192.0.2.1'), ipfamily('2001:db8::/32'), ipfamily('x')":                                                                                                               "4|6|<nil>",
		"select iphost('192.0.2.1/24'), iphost('2001:DB8::1')":                                                                                                                                 "192.0.2.1|2001:db8::1",
		"select ipmasklen('192.0.2.1'), ipmasklen('2001:db8::/32')":                                                                                                                            "32|32",
		"select ipnetwork('192.0.2.7/24'), ipnetwork('192.0.2.7')":                                                                                                                             "192.0.2.0/24|192.0.2.7/32",
		"select iphost(' 198.51.100.66 '), iphost('::ffff:198.51.100.66'), iphost('fe80::1%eth0')":                                                                                             "198.51.100.66|198.51.100.66|fe80::1",
		"select ipcontains('198.51.100.0/24', '::ffff:198.51.100.66'), ipfamily('::ffff:198.51.100.66')":                                                                                       "1|4",
		"select value from json_each('[\"2001:db8::10\",\"10.0.0.1\",\"x\",\"2001:db8::9\",\"9.0.0.1\",\"10.0.0.7/8\",\"10.0.0.0/8\",\"::ffff:9.0.0.2\"]') order by iporder(value) nulls last": "9.0.0.1\n::ffff:9.0.0.2\n10.0.0.0/8\n10.0.0.7/8\n10.0.0.1\n2001:db8::9\n2001:db8::10\nx",
		"select iporder('10.0.0.9') between iporder('10.0.0.1') and iporder('10.0.0.10'), iporder('x')":                                                                                        "1|<nil>",
		"select regexp_substr('nginx/1.25', '[0-9.]+'), 'abc' regexp '^a'":                                                                                                                     "1.25|1",
		"select json_extract('{\"a\":[1,2]}', '$.a[1]'), '{\"a\":1}' ->> 'a'":                                                                                                                  "2|1",
	} {
		if got := f.query(t, sql); got != want {
			t.Errorf("%s: got %q, want %q", sql, got, want)
		}
	}
}
