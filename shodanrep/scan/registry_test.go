package scan

import (
	"bytes"
	"strings"
	"testing"

	"github.com/hashicorp/go-hclog"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
)

func TestAKeyWithoutEncryption(t *testing.T) {
	t.Parallel()
	warnings := func(config lookup.Config) string {
		var log bytes.Buffer
		warnOfKeyInClear(config, hclog.New(&hclog.LoggerOptions{Output: &log}))
		return log.String()
	}
	for address, want := range map[string]bool{
		"http://shodan.example.com": true, "http://192.0.2.1:8080": true, "http://[2001:db8::1]": true,
		"https://api.shodan.io": false, "http://localhost:8080": false, "http://127.0.0.2": false, "http://[::1]:80": false,
	} {
		for argument, config := range map[string]lookup.Config{"api_url": {APIKey: "abc", APIURL: address}, "exploits_url": {APIKey: "abc", ExploitsURL: address}} {
			if got := warnings(config); strings.Contains(got, argument+"="+address) != want || !want && got != "" {
				t.Errorf("%s = %s: %q", argument, address, got)
			}
		}
		if got := warnings(lookup.Config{APIURL: address, ExploitsURL: address}); got != "" {
			t.Errorf("%s: a warning without a key: %s", address, got)
		}
	}
}
