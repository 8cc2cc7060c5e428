package lookup

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"golang.org/x/net/http/httpproxy"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

// environment is how the environment chooses the proxy of a request. It is read once, as net/http does.
var environment = sync.OnceValue(func() func(*http.Request) (*url.URL, error) { return chooseProxy(httpproxy.FromEnvironment()) })

// Proxy is http.ProxyFromEnvironment, except that a proxy that cannot be used is an error. net/http ignores some, such as
// one that begins with a space, and sends the request directly, past the proxy that the user or the company wants.
func Proxy(req *http.Request) (*url.URL, error) { return environment()(req) }

// chooseProxy returns the function that chooses the proxy of a request, nil for none.
func chooseProxy(env *httpproxy.Config) func(*http.Request) (*url.URL, error) {
	choose := env.ProxyFunc()
	wanted := *env // the same with proxies that can be used
	const usable = "http://proxy.invalid"
	wanted.HTTPProxy, wanted.HTTPSProxy = usable, usable
	wants := wanted.ProxyFunc()
	return func(req *http.Request) (*url.URL, error) {
		proxy, err := choose(req.URL)
		// Of http://proxy.example:port, whose port is none, it makes http://http://proxy.example:port, with the host http,
		// and of proxy.example:port a URL without a host.
		misread := proxy != nil && (proxy.Host == "" || strings.HasSuffix(proxy.Host, ":") && strings.HasPrefix(proxy.Path, "//"))
		if proxy != nil && !misread || err != nil {
			return proxy, err
		}
		name, value := "HTTP_PROXY", env.HTTPProxy
		if req.URL.Scheme == "https" {
			name, value = "HTTPS_PROXY", env.HTTPSProxy
		}
		if value == "" {
			return nil, nil
		}
		if proxy, _ := wants(req.URL); proxy == nil {
			return nil, nil // NO_PROXY has the host
		}
		// The value may have a password.
		return nil, fmt.Errorf("%w: the environment variable %s is not the URL of a proxy, such as http://proxy.example:3128", shodan.ErrProxy, name)
	}
}
