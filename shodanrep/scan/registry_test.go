package scan

import (
	"testing"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
)

func TestAKeyWithoutEncryption(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]bool{
		"http://shodan.example.com": true, "http://192.0.2.1:8080": true, "http://[2001:db8::1]": true,
		"https://api.shodan.io": false, "http://localhost:8080": false, "http://127.0.0.2": false, "http://[::1]:80": false,
	} {
		if got := sendsKeyInClear(lookup.Config{APIKey: "abc", APIURL: address}); got != want {
			t.Errorf("%s: got %v", address, got)
		}
		if sendsKeyInClear(lookup.Config{APIURL: address}) {
			t.Errorf("%s: a warning without a key", address)
		}
	}
}
