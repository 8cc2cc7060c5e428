package shodan

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"runtime"
	"strconv"
	"strings"
	"time"
)

const (
	// MaxBody is the maximum size of a response in bytes, uncompressed. Hosts and pages of a search have up to several MB,
	// and a host with its history some tens. A hundred hosts in one response can have more: they are requested again in
	// smaller groups. It is as much as a record of data_files may have, and as package upstream has in memory at once.
	MaxBody = 64 << 20
	// LargeBody is from which size in bytes on a response is large: clients read so much of each response before they
	// reserve memory for all of it, so that a Transport can make the large ones wait.
	LargeBody = 1 << 20
)

// noRedirects is the HTTP client of Clients without one. It follows no redirects: the key is part of the URL, and
// net/http would send it on in the Referer header.
var noRedirects = &http.Client{
	Timeout:       30 * time.Second,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// A transport sends the requests of a client and turns unsuccessful responses into errors.
type transport struct {
	name      string
	http      *http.Client
	userAgent string
	keyed     bool   // requests have an API key, so that a refusal may be about the key, its plan or its credits
	secret    string // the key, which no error may contain
}

// get returns the body and the headers of a 200 response. Any other error than the context's is an *Error.
func (t transport) get(ctx context.Context, base, path string, query url.Values) ([]byte, http.Header, error) {
	address := strings.TrimSuffix(base, "/") + path
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, nil, t.failure(Invalid, 0, withoutURL(err))
	}
	req.Header.Set("Accept", "application/json")
	if t.userAgent != "" {
		req.Header.Set("User-Agent", t.userAgent)
	}
	client := *noRedirects
	if t.http != nil {
		client = *t.http
		client.CheckRedirect = noRedirects.CheckRedirect
	}
	resp, err := client.Do(req)
	if err != nil {
		if ctx.Err() != nil {
			return nil, nil, ctx.Err()
		}
		kind := Unavailable
		if errors.Is(err, ErrProxy) {
			kind = Invalid
		}
		return nil, nil, t.failure(kind, 0, WithAdvice(withoutURL(err)))
	}
	defer resp.Body.Close()
	var body []byte
	if resp.StatusCode == http.StatusOK {
		body, err = readBody(resp.Body, resp.ContentLength, MaxBody)
	} else {
		body, err = readErrorPage(resp.Body)
	}
	switch {
	case err != nil && asksForPause(resp.StatusCode) && ctx.Err() == nil:
		body = nil // that the service asks for a pause is known from the status
	case err != nil && ctx.Err() != nil:
		return nil, nil, ctx.Err()
	case errors.Is(err, ErrTooLong):
		return nil, nil, t.failure(Unavailable, resp.StatusCode, err)
	case err != nil:
		return nil, nil, t.failure(Unavailable, resp.StatusCode, fmt.Errorf("the response ended early: %w", withoutURL(err)))
	}
	encoding := resp.Header.Get("Content-Encoding") // net/http removes that of what it has decompressed
	if encoding = strings.ToLower(encoding); encoding == "identity" {
		encoding = ""
	}
	if encoding != "" {
		body = nil // an error is known from its status
	}
	if failure := t.check(req.URL.Host, resp, body); failure != nil {
		return nil, nil, failure
	}
	if encoding != "" {
		return nil, nil, t.failure(Unavailable, resp.StatusCode, fmt.Errorf("the response is compressed as %q, which was not requested, perhaps by a proxy", encoding))
	}
	return body, resp.Header, nil
}

// UsesCertificateFiles says whether crypto/x509 reads the files in SSL_CERT_FILE and SSL_CERT_DIR. On Windows and macOS it
// uses the system's certificates.
const UsesCertificateFiles = runtime.GOOS != "windows" && runtime.GOOS != "darwin"

// WithAdvice says what an error of a connection means, and what to do about one of a certificate. Proxies and firewalls of
// companies replace the certificates of services with their own, which programs do not trust by themselves.
func WithAdvice(err error) error {
	var (
		unknown x509.UnknownAuthorityError
		invalid x509.CertificateInvalidError
		name    x509.HostnameError
	)
	switch {
	case errors.Is(err, io.EOF):
		return fmt.Errorf("the connection ended before the response: %w", err)
	case errors.As(err, &unknown):
		file := ""
		if UsesCertificateFiles {
			file = ", or to the file in SSL_CERT_FILE"
		}
		return fmt.Errorf("%w; if a proxy or firewall of your network replaces certificates, add its own to this system%s", err, file)
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return fmt.Errorf("%w; check the clock of this machine", err)
	case errors.As(err, &name):
		return fmt.Errorf("%w; something else answers in place of the service, such as a proxy, a firewall or the page of a network where you log in", err)
	}
	return err
}

// readBody reads a body of the given length, which is negative where it is not known. A large body of a known length is
// read into memory of that length, and one of an unknown length, such as a compressed one, in parts: a slice that grows
// step by step to 60 MB leaves several times as much garbage behind. The reader may make a large body wait for its turn,
// so memory is reserved only when more than LargeBody has come. A body of more than so many bytes is read no further.
func readBody(r io.Reader, length, most int64) ([]byte, error) {
	if length > most {
		return nil, ErrTooLong
	}
	start, err := io.ReadAll(io.LimitReader(r, LargeBody))
	if err != nil || len(start) < LargeBody {
		return start, err
	}
	next := make([]byte, 1)
	if _, err := io.ReadFull(r, next); err == io.EOF {
		return start, nil
	} else if err != nil {
		return start, err
	}
	start = append(start, next...)
	if length > LargeBody {
		body := bytes.NewBuffer(make([]byte, 0, length+bytes.MinRead))
		body.Write(start)
		_, err = body.ReadFrom(r)
		return body.Bytes(), err
	}
	parts, read := [][]byte{start}, int64(len(start))
	for {
		part := bytes.NewBuffer(make([]byte, 0, LargeBody+bytes.MinRead))
		n, err := io.CopyN(part, r, LargeBody)
		parts, read = append(parts, part.Bytes()), read+n
		switch {
		case read > most:
			return nil, ErrTooLong
		case err == io.EOF:
			return bytes.Join(parts, nil), nil
		case err != nil:
			return nil, err
		}
	}
}

// readErrorPage reads the body of a response that is not successful. Of one that is larger than any of a service nothing
// is used: its status says what it is.
func readErrorPage(r io.Reader) ([]byte, error) {
	page, err := io.ReadAll(io.LimitReader(r, LargeBody))
	if len(page) == LargeBody {
		return nil, nil
	}
	return page, err
}

// asksForPause reports whether a status means that the service wants no request for a while, whatever its body says.
func asksForPause(status int) bool {
	return status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable
}

// maxAge reads max-age of the Cache-Control header. It returns 0 if there is none.
func maxAge(h http.Header) time.Duration {
	for directive := range strings.SplitSeq(h.Get("Cache-Control"), ",") {
		if value, ok := strings.CutPrefix(strings.TrimSpace(directive), "max-age="); ok {
			if seconds, err := strconv.Atoi(value); err == nil && seconds > 0 {
				return duration(seconds)
			}
		}
	}
	return 0
}

// duration returns a header's number of seconds, at most a year, because larger numbers overflow a time.Duration.
func duration(seconds int) time.Duration {
	const year = 365 * 24 * 60 * 60
	return time.Duration(min(seconds, year)) * time.Second
}
