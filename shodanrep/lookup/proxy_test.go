package lookup

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"golang.org/x/net/http/httpproxy"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

func TestAProxyThatCannotBeUsedIsAnErrorAndNotIgnored(t *testing.T) {
	t.Parallel()
	const secret = "hunter2"
	for name, test := range map[string]struct {
		env  httpproxy.Config
		all  string // ALL_PROXY
		url  string
		want string // the proxy's URL, "" for none, or an error's text
	}{
		"none":                                    {httpproxy.Config{}, "", "https://api.shodan.io", ""},
		"a good one":                              {httpproxy.Config{HTTPSProxy: "http://user:" + secret + "@proxy.example:3128"}, "", "https://api.shodan.io", "http://user:" + secret + "@proxy.example:3128"},
		"without a scheme":                        {httpproxy.Config{HTTPSProxy: "proxy.example:3128"}, "", "https://api.shodan.io", "http://proxy.example:3128"},
		"a port that is a word":                   {httpproxy.Config{HTTPSProxy: "http://" + secret + "@proxy.example:port"}, "", "https://api.shodan.io", "HTTPS_PROXY is not the URL of a proxy"},
		"the same without a scheme":               {httpproxy.Config{HTTPSProxy: "proxy.example:port"}, "", "https://api.shodan.io", "HTTPS_PROXY is not the URL of a proxy"},
		"a blank before it":                       {httpproxy.Config{HTTPSProxy: " http://proxy.example:3128"}, "", "https://api.shodan.io", "HTTPS_PROXY is not the URL of a proxy"},
		"a blank":                                 {httpproxy.Config{HTTPSProxy: "http://proxy example"}, "", "https://api.shodan.io", "HTTPS_PROXY is not the URL of a proxy"},
		"another protocol":                        {httpproxy.Config{HTTPSProxy: "socks4://proxy.example:1080"}, "", "https://api.shodan.io", "HTTPS_PROXY is not the URL of a proxy"},
		"one for HTTP":                            {httpproxy.Config{HTTPProxy: "http://proxy.example:port"}, "", "http://api.example", "HTTP_PROXY is not the URL of a proxy"},
		"one for HTTP that is not used":           {httpproxy.Config{HTTPProxy: "http://proxy.example:port"}, "", "https://api.shodan.io", ""},
		"a host without a proxy":                  {httpproxy.Config{HTTPSProxy: "http://proxy.example:port", NoProxy: "shodan.io"}, "", "https://api.shodan.io", ""},
		"one for all":                             {httpproxy.Config{}, "socks5h://proxy.example:1080", "https://api.shodan.io", "socks5h://proxy.example:1080"},
		"one for all, and another":                {httpproxy.Config{HTTPSProxy: "http://proxy.example:3128"}, "socks5://proxy.example:1080", "https://api.shodan.io", "http://proxy.example:3128"},
		"one for all, for HTTP":                   {httpproxy.Config{HTTPSProxy: "http://proxy.example:3128"}, "proxy.example:1080", "http://api.example", "http://proxy.example:1080"},
		"one for all that is none":                {httpproxy.Config{}, "socks://" + secret + "@proxy.example:1080/", "https://api.shodan.io", "ALL_PROXY is not the URL of a proxy"},
		"one for all, and a host without a proxy": {httpproxy.Config{NoProxy: "shodan.io"}, "socks://proxy.example:1080/", "https://api.shodan.io", ""},
		"this machine":                            {httpproxy.Config{HTTPSProxy: "http://proxy.example:port"}, "", "https://127.0.0.1:1", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := ""
			proxy, err := chooseProxy(test.env, test.all)(httptest.NewRequest(http.MethodGet, test.url, nil))
			switch {
			case err != nil && (!errors.Is(err, shodan.ErrProxy) || strings.Contains(err.Error(), secret) || test.want == "" || !strings.Contains(err.Error(), test.want)):
				t.Errorf("%v, want %q", err, test.want)
			case err != nil:
				return
			case proxy != nil:
				got = proxy.String()
			}
			if got != test.want {
				t.Errorf("%q, want %q", got, test.want)
			}
		})
	}
}

func TestTheTransportOfTheServicesRefusesAProxyThatCannotBeUsed(t *testing.T) {
	transport := newTransport()
	transport.Proxy = chooseProxy(httpproxy.Config{HTTPSProxy: "http://proxy.example:port"}, "")
	c := &shodan.InternetDB{BaseURL: "https://internetdb.invalid", HTTP: &http.Client{Transport: transport}}
	_, err := c.Host(t.Context(), netip.MustParseAddr("192.0.2.1"))
	const want = "no request to InternetDB can be sent (the proxy cannot be used: the environment variable HTTPS_PROXY is not the URL of a proxy, such as http://proxy.example:3128 or socks5://proxy.example:1080)"
	if !shodan.IsKind(err, shodan.Invalid) || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

func TestAProxyThatDoesNotConnectIsNamed(t *testing.T) {
	t.Parallel()
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		status := http.StatusProxyAuthRequired
		if r.Host == "blocked.invalid:443" {
			status = http.StatusForbidden
		}
		w.WriteHeader(status)
	}))
	t.Cleanup(proxy.Close)
	const login = "the proxy requires a user and a password, as in HTTPS_PROXY=http://USER:PASSWORD@proxy.example:3128"
	address := strings.TrimPrefix(proxy.URL, "http://")
	for name, test := range map[string]struct{ user, url, want string }{
		"no password": {"", "https://internetdb.invalid", login},
		"another one": {"user:hunter2@", "https://internetdb.invalid", "the proxy " + address + " refuses the user and the password"},
		"a refusal":   {"", "https://blocked.invalid", "the proxy " + address + " does not connect to blocked.invalid:443: HTTP 403 Forbidden"},
		"without TLS": {"", "http://internetdb.invalid", "HTTP 407: " + login},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			transport := newTransport()
			defer transport.CloseIdleConnections()
			url := "http://" + test.user + address
			transport.Proxy = chooseProxy(httpproxy.Config{HTTPSProxy: url, HTTPProxy: url}, "")
			c := &shodan.InternetDB{BaseURL: test.url, HTTP: &http.Client{Transport: transport}}
			_, err := c.Host(t.Context(), netip.MustParseAddr("192.0.2.1"))
			if want := "InternetDB sent no usable response (" + test.want + ")"; !shodan.IsKind(err, shodan.Unavailable) || err.Error() != want {
				t.Errorf("%v, want %s", err, want)
			}
		})
	}
}
