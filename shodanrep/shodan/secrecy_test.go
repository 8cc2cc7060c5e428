package shodan_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

// rawly starts a service that responds with bytes made from the first line of the request, which need not be HTTP.
func rawly(t *testing.T, answer func(request string) string) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			line, _ := bufio.NewReader(conn).ReadString('\n')
			fmt.Fprint(conn, answer(strings.TrimSpace(line)))
			conn.Close()
		}
	}()
	return "http://" + listener.Addr().String()
}

// chain is the texts of an error and of all it wraps.
func chain(err error) []string {
	var texts []string
	for ; err != nil; err = errors.Unwrap(err) {
		texts = append(texts, err.Error(), fmt.Sprintf("%#v", err))
	}
	return texts
}

func TestTheKeyIsInNoError(t *testing.T) {
	t.Parallel()
	path := func(request string) string { return strings.Fields(request)[1] }
	for name, base := range map[string]string{
		"a refused connection":          "http://127.0.0.1:1",
		"an address that is none":       "http://bad host",
		"a port that is none":           "http://127.0.0.1:port",
		"a scheme that is none":         "gopher://127.0.0.1",
		"a control character":           "http://127.0.0.1\x7f",
		"an answer that is the request": rawly(t, func(request string) string { return request + "\r\n\r\n" }),
		"a status that is the request":  rawly(t, func(request string) string { return "HTTP/1.1 " + path(request) + "\r\n\r\n" }),
		"a header that is the request":  rawly(t, func(request string) string { return "HTTP/1.1 200 OK\r\n" + path(request) + "\r\n\r\n" }),
		"a length that is the request":  rawly(t, func(request string) string { return "HTTP/1.1 200 OK\r\nContent-Length: " + path(request) + "\r\n\r\n" }),
		"a redirect that cannot be read": rawly(t, func(request string) string {
			return "HTTP/1.1 302 Found\r\nLocation: http://[::bad" + path(request) + "\r\nContent-Length: 0\r\n\r\n"
		}),
		"a redirect to itself": rawly(t, func(request string) string {
			return "HTTP/1.1 302 Found\r\nLocation: " + path(request) + "\r\nContent-Length: 0\r\n\r\n"
		}),
		"a transfer coding of its own": rawly(t, func(request string) string {
			return "HTTP/1.1 200 OK\r\nTransfer-Encoding: " + path(request) + "\r\n\r\n"
		}),
		"an error that echoes the request": rawly(t, func(request string) string {
			body := fmt.Sprintf(`{"error": "cannot serve %s"}`, path(request))
			return fmt.Sprintf("HTTP/1.1 400 Bad Request\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
		}),
		"an answer that echoes the request": rawly(t, func(request string) string {
			body := fmt.Sprintf(`[{"ip_str": %q, "ports": [1]}]`, path(request))
			return fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
		}),
		"an answer that breaks off": rawly(t, func(string) string { return "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{" }),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := &shodan.Client{BaseURL: base, Key: key}
			for what, send := range map[string]func() error{
				"Host": func() error { _, err := c.Host(t.Context(), addr, shodan.HostOptions{}); return err },
				"Hosts": func() error {
					_, err := c.Hosts(t.Context(), []netip.Addr{addr, addr.Next()}, shodan.HostOptions{})
					return err
				},
				"Search": func() error { _, _, err := shodan.Do(t.Context(), c.Get, shodan.Search("port:22", 2)); return err },
			} {
				err := send()
				var failure *shodan.Error
				if !errors.As(err, &failure) {
					t.Errorf("%s: %v, want an *Error", what, err)
				}
				for _, text := range chain(err) {
					if strings.Contains(text, key) {
						t.Errorf("%s: the key is in %s", what, text)
					}
				}
			}
		})
	}
}

func TestAKeyThatHasToBeEscapedIsInNoErrorEither(t *testing.T) {
	t.Parallel()
	const odd = "NOT+a/real=key&NOT a real key%"
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(400)
		fmt.Fprintf(w, `{"error": "%s is %s"}`, r.URL.RawQuery, r.URL.Query().Get("key"))
	}))
	t.Cleanup(server.Close)
	_, err := (&shodan.Client{BaseURL: server.URL, Key: odd}).Host(t.Context(), addr, shodan.HostOptions{})
	if err == nil || strings.Contains(err.Error(), odd) || strings.Contains(err.Error(), url.QueryEscape(odd)) {
		t.Errorf("%v", err)
	}
}

func TestAClientThatFollowsRedirectsIsTheCallersOwn(t *testing.T) {
	// Not even then does the other service learn the key, as far as it is in our hands: what it is sent is what the
	// redirect says, and no Referer that ends up in its log.
	t.Parallel()
	var seen []string
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen = append(seen, r.Header.Get("Referer"))
		fmt.Fprint(w, `{"error": "elsewhere"}`)
	}))
	t.Cleanup(other.Close)
	c := responding(t, 302, map[string]string{"Location": other.URL}, "")
	c.HTTP = &http.Client{}
	if _, err := c.Host(t.Context(), addr, shodan.HostOptions{}); err == nil || strings.Contains(err.Error(), key) {
		t.Errorf("%v", err)
	}
	for _, referer := range seen {
		if strings.Contains(referer, key) {
			t.Errorf("the key was handed on in the Referer: %s", referer)
		}
	}
}

func TestAMessageOfAServiceIsOneLine(t *testing.T) {
	t.Parallel()
	for _, line := range []string{"\n", "\r\n", "\r", "\v", "\u0085", "\u2028"} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(400)
			_ = json.NewEncoder(w).Encode(map[string]string{"error": "no" + line + "shodanrep: everything is clean"})
		}))
		t.Cleanup(server.Close)
		_, err := (&shodan.Client{BaseURL: server.URL, Key: key}).Host(t.Context(), addr, shodan.HostOptions{})
		if err == nil || !strings.Contains(err.Error(), "(HTTP 400: no shodanrep: everything is clean)") {
			t.Errorf("%q: %v", line, err)
		}
	}
}
