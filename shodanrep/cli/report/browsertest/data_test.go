package browsertest

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// hostile are texts of attackers that would do something if a page had them as they are. Each is shown as written.
var hostile = []string{
	`</script><script>window.hacked=1</script>`,
	`</style><style>@import url(http://evil.example/x.css)</style>`,
	`"><img src=http://evil.example/x onerror=window.hacked=1>`,
	`' autofocus onfocus=window.hacked=1 x='`,
	`<svg onload=window.hacked=1>`,
	`<iframe src="http://evil.example/"></iframe>`,
	`<meta http-equiv=refresh content="0;url=http://evil.example/">`,
	`<base href="http://evil.example/">`,
	`javascript:window.hacked=1//`,
	"<!-- ]]> {{.}} {{template \"foot\"}} `${window.hacked=1}`",
	`&lt;b&gt; &amp; &#60;`,
	`</td></tr></table></main><h1>All clear`,
}

// disturbing are texts that would disturb the layout, or be read as something else.
var disturbing = []string{
	"\u202egnp.exe\u202c and \u2066more\u2069 \u200e\u200f\u061c",
	"שלום עולם, \u202eمرحبا",
	"z" + strings.Repeat("\u0301\u0489", 400) + "algo",
	strings.Repeat("A", 100_000),
	strings.Repeat("﷽", 500),
	"\x1b[31mred\x1b[0m\x00\x07\u2028\u2029\ufeff\u00ad",
	strings.Repeat("👩‍👩‍👧‍👦🏴‍☠️", 200),
}

// A banner is a banner of a dataset.
type banner map[string]any

// datasetOf writes banners, and returns the path of the file.
func datasetOf(t *testing.T, banners []banner) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "banners.json")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	encoder := json.NewEncoder(file)
	encoder.SetEscapeHTML(false)
	for _, b := range banners {
		if err := encoder.Encode(b); err != nil {
			t.Fatal(err)
		}
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// hostileBanners are those of hosts that have a hostile text in every field.
func hostileBanners() (banners []banner, addresses []string) {
	for i, text := range append(append([]string{}, hostile...), disturbing...) {
		ip := fmt.Sprintf("203.0.113.%d", i+1)
		addresses = append(addresses, ip)
		banners = append(banners, banner{
			"ip_str": ip, "port": 443, "transport": text, "timestamp": "2026-01-02T03:04:05.000000", "org": text, "isp": text + "!", "asn": text,
			"hostnames": []string{text, text + ".example"}, "domains": []string{text}, "os": text, "product": text, "version": text, "data": text,
			"tags": []string{"c2", text}, "location": banner{"city": text, "country_code": text, "country_name": text},
			"http":    banner{"title": text, "server": text, "favicon": banner{"hash": 7}},
			"ssl":     banner{"cert": banner{"subject": banner{"CN": text}, "fingerprint": banner{"sha256": text}}},
			"vulns":   banner{"CVE-2021-44228": banner{"kev": true, "verified": true, "cvss": 10.0, "epss": 0.97, "summary": text}},
			"_shodan": banner{"module": text},
		})
	}
	many := banner{}
	for i := range 10_000 {
		words := 5
		if i%4 == 0 { // the page shows some of these
			words = 500
		}
		many[fmt.Sprintf("CVE-2020-%05d", 10_000+i)] = banner{"kev": i%2 == 0, "epss": 0.5, "cvss": 9.8, "summary": strings.Repeat("long ", words)}
	}
	banners = append(banners, banner{"ip_str": "203.0.113.200", "port": 80, "timestamp": "2026-01-02T03:04:05.000000", "vulns": many, "data": ""})
	for port := range 300 {
		banners = append(banners, banner{"ip_str": "203.0.113.200", "port": 1000 + port, "product": "x", "timestamp": "2026-01-02T03:04:05.000000", "data": ""})
	}
	return banners, append(addresses, "203.0.113.200")
}

// manyBanners are those of hosts of all levels.
func manyBanners(hosts int) (banners []banner, addresses []string) {
	for i := range hosts {
		ip := fmt.Sprintf("2001:db8:1234:5678:9abc:def0:%x:%x", i/256+1, i%256+1)
		addresses = append(addresses, ip)
		b := banner{
			"ip_str": ip, "port": 443, "timestamp": "2026-01-02T03:04:05.000000", "org": fmt.Sprintf("Organization number %d of a list", i%300),
			"asn": fmt.Sprintf("AS%d", 64496+i%15), "hostnames": []string{fmt.Sprintf("host-%d.hosting.example", i)}, "product": "nginx", "version": "1.18.0",
			"location": banner{"city": "Amsterdam", "country_code": []string{"NL", "DE", "US", "BR", "JP"}[i%5]},
			"http":     banner{"title": "Welcome", "html_hash": i % 50}, "data": "HTTP/1.1 200 OK", "tags": []string{},
		}
		if i%10 < 3 {
			b["vulns"] = banner{
				"CVE-2021-44228": banner{"kev": true, "cvss": 10.0, "epss": 0.97, "summary": "Log4j runs code from what it logs"},
				"CVE-2021-41617": banner{"cvss": 7.0, "epss": 0.02}, "CVE-2020-15778": banner{"cvss": 7.8, "epss": 0.63},
			}
		}
		if i%10 == 0 {
			b["tags"] = []string{"c2"}
		}
		banners = append(banners, b)
		for _, port := range []int{22, 80, 3306}[:i%4%3] {
			banners = append(banners, banner{"ip_str": ip, "port": port, "timestamp": "2026-01-02T03:04:04.000000", "product": "OpenSSH", "version": "8.4p1", "data": "x"})
		}
	}
	return banners, addresses
}
