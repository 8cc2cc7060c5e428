package iptext

import "testing"

func TestListLines(t *testing.T) {
	t.Parallel()
	for want, lines := range map[ListLine][]string{
		EntryLine:    {"192.0.2.44", "192[.]0[.]2[.]44", "192.0.2.44:443", "[2001:db8::1]:443", "2001:db8::1", "192.0.2.0/24", "2001:db8::/32"},
		TextLine:     {"192.0.2.44 a host", "https://192.0.2.44/x", "192.0.2.44 192.0.2.45"},
		NameLine:     {"example.com", "a.b c", "1234567", "12345678901", "1.2"},
		MistypedLine: {"2130706433", "0x7f000001", "1.2.3.4.5", "192.0.2.", "2001:db8::1::2"},
		OtherLine:    {"", "ip", "the addresses", "# x", "2026-01-31", "2026-01-31 10:00:00", "10:00", "d41d8cd98f00b204e9800998ecf8427e"},
	} {
		for _, line := range lines {
			if got := ListLineOf([]byte(line)); got != want {
				t.Errorf("%q: got %d, want %d", line, got, want)
			}
		}
	}
}
