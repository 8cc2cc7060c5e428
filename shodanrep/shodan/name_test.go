package shodan_test

import (
	"strings"
	"testing"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

func TestANameHasOneForm(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"www.example.com": "www.example.com", "WWW.Example.COM": "www.example.com", "www.example.com.": "www.example.com", " www.example.com\n": "www.example.com",
		"localhost": "localhost", "_dmarc.example.com": "_dmarc.example.com", "my_host.example.com": "my_host.example.com",
		"r3---sn-a5.example.com": "r3---sn-a5.example.com", "xn--bcher-kva.example": "xn--bcher-kva.example", "0.example": "0.example",
		"bücher.example": "xn--bcher-kva.example", "BÜCHER.example": "xn--bcher-kva.example", "faß.example": "xn--fa-hia.example",
		"例え。example": "xn--r8jz45g.example", "ＥＸＡＭＰＬＥ.com": "example.com", "ex\u00adample.com": "example.com", "-a.example.com": "-a.example.com",
		strings.Repeat("a", 63) + ".example": strings.Repeat("a", 63) + ".example",
	} {
		if got, err := shodan.HostName(text); err != nil || got != want {
			t.Errorf("%q: %q, %v, want %q", text, got, err, want)
		}
	}
}

func TestWhatIsNoNameIsRefused(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", " ", ".", "..", "...", "a..b", ".example.com", "example.com..", "a b.example.com", "a.example.com,b.example.com", "a,b", "example.com/../x", "a/b", `a\b`,
		"https://example.com", "example.com:443", "user@example.com", "example.com?x=1", "example.com#x", "a%2fb.example", "*.example.com", "a;b", "a\x00b.example",
		"ａ／ｂ.example", "a\uff0cb.example", "\xff.example", "xn--\u00fc.example", "12345", "300.1.2.3", "1.2.3", "0x7f.1", "例え.1",
		strings.Repeat("a", 64) + ".example", strings.Repeat("a.", 127) + "example",
	} {
		if got, err := shodan.HostName(text); err == nil || got != "" || !strings.Contains(err.Error(), "is not the name of a host: write it like www.example.com") {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
	for _, text := range []string{"198.51.100.7", " 2001:db8::7 ", "[2001:db8::7]", "::ffff:198.51.100.7"} {
		if got, err := shodan.HostName(text); err == nil || got != "" || !strings.Contains(err.Error(), "is an IP address, not the name of a host") {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
}
