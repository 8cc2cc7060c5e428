package shodan

import (
	"bytes"
	"compress/gzip"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

func TestReadBody(t *testing.T) {
	large := bytes.Repeat([]byte("0123456789abcdef"), 3<<16) // 3 MB
	for name, test := range map[string]struct {
		body   []byte
		length int64
	}{
		"empty":                       {nil, 0},
		"small":                       {[]byte("{}"), 2},
		"small, of unknown length":    {[]byte("{}"), -1},
		"as long as a small one":      {large[:LargeBody], LargeBody},
		"large":                       {large, int64(len(large))},
		"large, of unknown length":    {large, -1},
		"longer than its length says": {large, LargeBody + 1},
		"shorter":                     {large, 50 << 20},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := readBody(iotest.HalfReader(bytes.NewReader(test.body)), test.length, MaxBody)
			if err != nil || !bytes.Equal(got, test.body) {
				t.Errorf("got %d bytes, want %d: %v", len(got), len(test.body), err)
			}
		})
	}
	if got, err := readBody(bytes.NewReader(large), int64(len(large)), MaxBody); err != nil || cap(got) > len(large)+LargeBody {
		t.Errorf("%d bytes take %d: %v", len(large), cap(got), err)
	}
	for _, broken := range []error{io.ErrUnexpectedEOF, errors.New("reset")} {
		if _, err := readBody(io.MultiReader(bytes.NewReader(large), iotest.ErrReader(broken)), -1, MaxBody); !errors.Is(err, broken) {
			t.Errorf("a body that broke off with %v: %v", broken, err)
		}
	}
	if _, err := readBody(iotest.TimeoutReader(strings.NewReader(string(large))), int64(len(large)), MaxBody); err == nil {
		t.Error("a body that broke off is no error")
	}
}

// spaces is a body without an end, which counts what is read of it.
type spaces struct{ read int }

func (s *spaces) Read(p []byte) (int, error) {
	clear(p)
	s.read += len(p)
	return len(p), nil
}

func TestABodyThatIsTooLongIsReadNoFurther(t *testing.T) {
	const most = 2 * LargeBody
	for name, test := range map[string]struct {
		length int64
		read   int
	}{
		"without an end":              {-1, most + LargeBody + bytes.MinRead},
		"with an impossible length":   {1 << 60, 0},
		"one byte longer than it may": {most + 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			var endless spaces
			if body, err := readBody(&endless, test.length, most); !errors.Is(err, ErrTooLong) || body != nil || endless.read > test.read {
				t.Errorf("%d bytes, %v, after %d bytes", len(body), err, endless.read)
			}
		})
	}
	if body, err := readBody(io.LimitReader(new(spaces), most), -1, most); len(body) != most || err != nil {
		t.Errorf("as long as it may be: %d bytes, %v", len(body), err)
	}
}

// endlessly sends a body that ends with the connection.
func endlessly(w io.Writer) {
	page := bytes.Repeat([]byte(" "), 1<<16)
	for {
		if _, err := w.Write(page); err != nil {
			return
		}
	}
}

func TestAServiceThatNeverStopsSendingIsAnErrorOfItsKind(t *testing.T) {
	for name, test := range map[string]struct {
		status     int
		compressed bool
		length     int  // that the response says it has
		broken     bool // the body ends with the connection, after its first bytes
		kind       Kind
		pause      time.Duration
		tooLong    bool
	}{
		"a response that is too long":   {status: 200, length: MaxBody + 1, kind: Unavailable, tooLong: true},
		"a page of a proxy":             {status: 502, kind: Unavailable},
		"a refusal":                     {status: 429, kind: Limited, pause: 7 * time.Second},
		"a compressed refusal":          {status: 429, compressed: true, kind: Limited, pause: 7 * time.Second},
		"a refusal that is broken off":  {status: 429, broken: true, kind: Limited, pause: 7 * time.Second},
		"unavailable":                   {status: 503, kind: Unavailable, pause: 7 * time.Second},
		"unavailable and broken off":    {status: 503, broken: true, kind: Unavailable, pause: 7 * time.Second},
		"another page that breaks off":  {status: 404, broken: true, kind: Unavailable},
		"a response that is broken off": {status: 200, broken: true, kind: Unavailable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Retry-After", "7")
				switch {
				case test.broken:
					w.Header().Set("Content-Length", "1000")
					w.WriteHeader(test.status)
					_, _ = io.WriteString(w, "{")
				case test.compressed:
					w.Header().Set("Content-Encoding", "gzip")
					w.WriteHeader(test.status)
					endlessly(gzip.NewWriter(w))
				default:
					if test.length > 0 {
						w.Header().Set("Content-Length", strconv.Itoa(test.length))
					}
					w.WriteHeader(test.status)
					endlessly(w)
				}
			}))
			defer server.Close()
			_, err := (&InternetDB{BaseURL: server.URL}).Host(t.Context(), netip.MustParseAddr("11.0.0.1"))
			var failure *Error
			if !errors.As(err, &failure) || failure.Kind != test.kind || failure.RetryAfter != test.pause || errors.Is(err, ErrTooLong) != test.tooLong {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestErrorsOfCertificatesSayWhatToDo(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
	for name, test := range map[string]struct {
		url  string
		http *http.Client
		want string
	}{
		"unknown authority": {server.URL, &http.Client{}, "add its own to this system, or to the file in SSL_CERT_FILE"},
		"another name":      {"https://localhost:" + port, server.Client(), "something else answers in place of the service"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := (&InternetDB{BaseURL: test.url, HTTP: test.http}).Host(t.Context(), netip.MustParseAddr("192.0.2.1"))
			if !IsKind(err, Unavailable) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v, want %q", err, test.want)
			}
			test.http.CloseIdleConnections()
		})
	}
	expired := WithAdvice(x509.CertificateInvalidError{Cert: server.Certificate(), Reason: x509.Expired})
	if !strings.HasSuffix(expired.Error(), "; check the clock of this machine") {
		t.Error(expired)
	}
	if other := errors.New("reset"); WithAdvice(other) != other {
		t.Error("an error that is not of a certificate was changed")
	}
}

// TestErrorsOfAnythingInBetweenAreClear checks the texts about what a proxy, a firewall or Cloudflare sends.
func TestErrorsOfAnythingInBetweenAreClear(t *testing.T) {
	const host = `{"ip_str": "192.0.2.1", "ports": [80]}`
	for want, respond := range map[string]http.HandlerFunc{
		`InternetDB sent no usable response (HTTP 200: the response is compressed as "br", which was not requested, perhaps by a proxy)`: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "br")
			_, _ = io.WriteString(w, host)
		},
		`InternetDB sent no usable response (HTTP 200: {"code": 1})`: func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"error": {"code": 1}}`)
		},
		"InternetDB sent no usable response (HTTP 200: out of order)": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"error": {"message": "out of order"}}`)
		},
		"InternetDB sent no usable response (HTTP 520: Cloudflare got no usable response from the service)": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(520) },
		"InternetDB sent no usable response (HTTP 522: Cloudflare cannot reach the service)":                func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(522) },
		"InternetDB sent no usable response (HTTP 599)":                                                     func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(599) },
		"InternetDB sent no usable response (HTTP 302: a redirect to file:, which is not followed)": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "file:///etc/passwd")
			w.WriteHeader(http.StatusFound)
		},
		"InternetDB sent no usable response (the connection ended before the response: EOF)": func(w http.ResponseWriter, _ *http.Request) {
			connection, _, err := http.NewResponseController(w).Hijack()
			if err == nil {
				connection.Close()
			}
		},
	} {
		server := httptest.NewServer(respond)
		defer server.Close()
		client := InternetDB{BaseURL: server.URL}
		if _, err := client.Host(t.Context(), netip.MustParseAddr("192.0.2.1")); err == nil || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
}

// TestAnIdentityIsNoCompression checks that a header that some servers send without need does no harm.
func TestAnIdentityIsNoCompression(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "identity")
		_, _ = io.WriteString(w, `{"ip": "192.0.2.1", "ports": [80], "tags": [], "vulns": []}`)
	}))
	defer server.Close()
	client := InternetDB{BaseURL: server.URL}
	if _, err := client.Host(t.Context(), netip.MustParseAddr("192.0.2.1")); err != nil {
		t.Error(err)
	}
}
