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

// fromEnvironment chooses proxies by the environment, which is read once, as net/http does.
var fromEnvironment = sync.OnceValue(func() func(*http.Request) (*url.URL, error) { return chooseProxy(httpproxy.FromEnvironment()) })

// Proxy is http.ProxyFromEnvironment, except that a proxy that cannot be used is an error. net/http ignores some, such as
// one that begins with a space, and sends the request directly, past the proxy that the user or the company wants.
func Proxy(req *http.Request) (*url.URL, error) { return fromEnvironment()(req) }

// chooseProxy returns the function that chooses the proxy of a request, or nil if the request needs no proxy.
func chooseProxy(env *httpproxy.Config) func(*http.Request) (*url.URL, error) {
	choose := env.ProxyFunc()
	valid := *env // the same with valid proxies, which tell whether a request needs one
	valid.HTTPProxy, valid.HTTPSProxy = "http://proxy.invalid", "http://proxy.invalid"
	chooseValid := valid.ProxyFunc()
	return func(req *http.Request) (*url.URL, error) {
		proxy, err := choose(req.URL)
		// The port of http://proxy.example:port is not a number. It is read as http://http://proxy.example:port, so that the
		// host is http, and proxy.example:port as a URL without a host.
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
		if proxy, _ := chooseValid(req.URL); proxy == nil {
			return nil, nil // NO_PROXY has the host
		}
		// The value may have a password.
		return nil, fmt.Errorf("%w: the environment variable %s is not the URL of a proxy, such as http://proxy.example:3128", shodan.ErrProxy, name)
	}
}
