package lookup

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"

	"golang.org/x/net/http/httpproxy"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

// fromEnvironment chooses proxies by the environment, which is read once, as net/http does.
var fromEnvironment = sync.OnceValue(func() func(*http.Request) (*url.URL, error) {
	return chooseProxy(*httpproxy.FromEnvironment(), cmp.Or(os.Getenv("ALL_PROXY"), os.Getenv("all_proxy")))
})

// Proxy is http.ProxyFromEnvironment with two differences, so that no request is sent past the proxy that the user or the
// company wants. A proxy that cannot be used is an error: net/http ignores some, such as one that begins with a space. And
// ALL_PROXY counts where the variable for the scheme is not set, as for curl and for Shodan's own command line.
func Proxy(req *http.Request) (*url.URL, error) { return fromEnvironment()(req) }

// UseProxy makes a transport use Proxy, and say what a proxy responds that does not connect to a service. net/http only
// says "Forbidden", as if the service had.
func UseProxy(t *http.Transport) {
	t.Proxy = Proxy
	t.OnProxyConnectResponse = func(_ context.Context, proxy *url.URL, request *http.Request, response *http.Response) error {
		switch response.StatusCode {
		case http.StatusOK:
			return nil
		case http.StatusProxyAuthRequired:
			if proxy.User != nil {
				return fmt.Errorf("the proxy %s refuses the user and the password", proxy.Host)
			}
			return shodan.ErrProxyLogin
		}
		return fmt.Errorf("the proxy %s does not connect to %s: HTTP %s", proxy.Host, request.Host, response.Status)
	}
}

// proxySchemes are those of the proxies that net/http can use. It sends HTTP to any other, such as one with socks4.
var proxySchemes = map[string]bool{"http": true, "https": true, "socks5": true, "socks5h": true}

// chooseProxy returns the function that chooses the proxy of a request, or nil if the request needs no proxy. all is the
// proxy where the environment has none for a scheme.
func chooseProxy(env httpproxy.Config, all string) func(*http.Request) (*url.URL, error) {
	httpName, httpsName := "HTTP_PROXY", "HTTPS_PROXY"
	if env.HTTPProxy == "" {
		env.HTTPProxy, httpName = all, "ALL_PROXY"
	}
	if env.HTTPSProxy == "" {
		env.HTTPSProxy, httpsName = all, "ALL_PROXY"
	}
	choose := env.ProxyFunc()
	valid := env // the same with valid proxies, which tell whether a request needs one
	valid.HTTPProxy, valid.HTTPSProxy = "http://proxy.invalid", "http://proxy.invalid"
	chooseValid := valid.ProxyFunc()
	return func(req *http.Request) (*url.URL, error) {
		proxy, err := choose(req.URL)
		// The port of http://proxy.example:port is not a number. It is read as http://http://proxy.example:port, so that the
		// host is http, and proxy.example:port as a URL without a host.
		misread := proxy != nil && (proxy.Host == "" || strings.HasSuffix(proxy.Host, ":") && strings.HasPrefix(proxy.Path, "//"))
		if proxy != nil && !misread && proxySchemes[proxy.Scheme] || err != nil {
			return proxy, err
		}
		name, value := httpName, env.HTTPProxy
		if req.URL.Scheme == "https" {
			name, value = httpsName, env.HTTPSProxy
		}
		if value == "" {
			return nil, nil
		}
		if proxy, _ := chooseValid(req.URL); proxy == nil {
			return nil, nil // NO_PROXY has the host
		}
		// The value may have a password.
		return nil, fmt.Errorf("%w: the environment variable %s is not the URL of a proxy, such as http://proxy.example:3128 or socks5://proxy.example:1080", shodan.ErrProxy, name)
	}
}
