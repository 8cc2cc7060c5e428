package shodan

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const (
	// MaxBody is the maximum size of a response in bytes. Some hosts have several MB, but none has a hundred.
	MaxBody = 100 << 20
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
		return nil, nil, t.failure(kind, 0, withoutURL(err))
	}
	defer resp.Body.Close()
	body, err := readBody(io.LimitReader(resp.Body, MaxBody+1), resp.ContentLength)
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, nil, ctx.Err()
	case err != nil:
		return nil, nil, t.failure(Unavailable, resp.StatusCode, fmt.Errorf("the response ended early: %w", withoutURL(err)))
	case len(body) > MaxBody:
		return nil, nil, t.failure(Unavailable, resp.StatusCode, fmt.Errorf("the response is longer than %d MB", MaxBody>>20))
	}
	if failure := t.check(req.URL.Host, resp, body); failure != nil {
		return nil, nil, failure
	}
	return body, resp.Header, nil
}

// readBody reads a body of the given length, which is negative where it is not known. A large body of a known length is
// read into memory of that length: a slice that grows step by step to 60 MB leaves several times as much garbage behind.
// The reader may make a large body wait for its turn, so memory is reserved only when more than LargeBody has come.
func readBody(r io.Reader, length int64) ([]byte, error) {
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
	body := bytes.NewBuffer(start)
	if length > LargeBody {
		body = bytes.NewBuffer(make([]byte, 0, min(length, MaxBody)+bytes.MinRead))
		body.Write(start)
	}
	_, err = body.ReadFrom(r)
	return body.Bytes(), err
}

// check returns the error in a response of a host, or nil for a successful one. The status alone does not decide: errors
// come with status 200, and a key without credits gets the status of a wrong key.
func (t transport) check(host string, resp *http.Response, body []byte) *Error {
	message, isJSON := t.message(body)
	if resp.StatusCode == http.StatusOK && message == "" {
		return nil
	}
	status := resp.StatusCode
	e := &Error{Service: t.name, Status: status, Host: host, Message: message}
	if !isJSON {
		e.Err = errors.New(http.StatusText(status))
	}
	if to, err := resp.Location(); err == nil && status/100 == 3 {
		e.Err = fmt.Errorf("a redirect to %s, which is not followed", t.hide(to.Host))
	}
	text := strings.ToLower(message)
	has := func(part string) bool { return strings.Contains(text, part) }
	switch {
	case status == http.StatusTooManyRequests || isRateLimit(text):
		e.Kind, e.RetryAfter = Limited, retryAfter(resp.Header)
	case t.keyed && checkKey(e, text, isJSON):
	case refuses(status) && (isCloudflare(resp.Header, body) || !isHTML(body) && (!t.keyed || !isJSON && len(body) > 0)):
		// It is not for a key, so the service refuses the client.
		e.Kind, e.RetryAfter = Limited, retryAfter(resp.Header)
	case !t.keyed && refuses(status):
		e.Err = fmt.Errorf("%w, with an HTML page of %s, perhaps by a proxy or firewall", e.Err, e.Host)
	case status < 500 && has("no information available"): // 404, as far as is known
		e.Kind = NotFound
	case has("timed out"), status == http.StatusRequestTimeout, status == http.StatusTooEarly:
		e.Kind = Unavailable
	case status == http.StatusServiceUnavailable: // the service needs a pause, not because of the request
		e.Kind, e.RetryAfter = Unavailable, retryAfter(resp.Header)
	case isJSON && status >= 400 && status < 500, has("invalid"), blamesRequest(status):
		e.Kind = Invalid
	}
	// All else may be temporary: a 502 of a proxy, a page with 403, an error page from something in between.
	return e
}

// isRateLimit reports whether a message in lower case is about the number of requests.
func isRateLimit(text string) bool { return strings.Contains(text, "rate limit") }

// checkKey sets the kind of an error about the API key, and reports whether it is one.
func checkKey(e *Error, text string, isJSON bool) bool {
	has := func(part string) bool { return strings.Contains(text, part) }
	switch {
	case has("credits"):
		e.Kind = CreditsSpent
	case has("upgrade your api plan"), has("requires membership"), has("requires enterprise access"), e.Status == http.StatusPaymentRequired:
		e.Kind = PlanTooLow
	case e.Status == http.StatusUnauthorized:
		e.Kind = BadKey
	case e.Status == http.StatusForbidden && isJSON:
		e.Kind = PlanTooLow
	default:
		return false
	}
	return true
}

// refuses reports whether a status means that the service refuses the client.
func refuses(status int) bool {
	return status == http.StatusUnauthorized || status == http.StatusPaymentRequired || status == http.StatusForbidden
}

// blamesRequest reports whether a status says, even with an HTML page, that the same request can never succeed.
func blamesRequest(status int) bool {
	switch status {
	case http.StatusBadRequest, http.StatusMethodNotAllowed, http.StatusGone, http.StatusRequestEntityTooLarge,
		http.StatusRequestURITooLong, http.StatusRequestHeaderFieldsTooLarge, http.StatusUnavailableForLegalReasons:
		return true
	}
	return false
}

// isHTML reports whether a body is an HTML page and not JSON or plain text.
func isHTML(body []byte) bool { return bytes.HasPrefix(bytes.TrimSpace(body), []byte("<")) }

// isCloudflare reports whether a page is of Cloudflare, which is in front of Shodan's services and refuses or challenges
// clients in their name, and not of a proxy or firewall of the client.
//
// https://developers.cloudflare.com/cloudflare-challenges/challenge-types/challenge-pages/detect-response/
func isCloudflare(h http.Header, body []byte) bool {
	return h.Get("Cf-Ray") != "" || h.Get("Cf-Mitigated") != "" || strings.EqualFold(h.Get("Server"), "cloudflare") ||
		bytes.Contains(bytes.ToLower(body), []byte("cloudflare"))
}

// message returns the error message in a JSON response, and whether the response is a JSON object or list.
func (t transport) message(body []byte) (string, bool) {
	body = bytes.TrimSpace(body)
	if len(body) == 0 || body[0] != '{' && body[0] != '[' {
		return "", false
	}
	if body[0] == '[' {
		return "", true
	}
	// Hosts of several MB without these keys are not decoded twice.
	if !bytes.Contains(body, []byte(`"error"`)) && !bytes.Contains(body, []byte(`"detail"`)) {
		return "", true
	}
	var response struct {
		Error  Text            `json:"error"`
		Detail json.RawMessage `json:"detail"` // InternetDB: a string, or FastAPI's list of problems
	}
	if err := json.Unmarshal(Clean(body), &response); err != nil && !isTypeError(err) {
		return "", false
	}
	text := string(response.Error)
	if text == "" {
		text = literal(response.Detail)
	}
	if text == "" && response.Detail != nil {
		var faults []struct {
			Message Text `json:"msg"`
		}
		if json.Unmarshal(response.Detail, &faults) == nil && len(faults) > 0 {
			text = string(faults[0].Message)
		}
	}
	if text == "" {
		return "", true
	}
	if strings.HasPrefix(strings.TrimSpace(text), "<") {
		text = "an HTML page"
	}
	// In one line: on standard error and in a log a further line would look like one of shodanrep.
	text = strings.Join(strings.Fields(t.hide(text)), " ")
	const longest = 300
	if runes := []rune(text); len(runes) > longest {
		text = string(runes[:longest]) + "…"
	}
	return text, true
}

// hide removes the secret from a text, also in the form that it has in URLs.
func (t transport) hide(text string) string {
	if t.secret == "" {
		return text
	}
	return strings.NewReplacer(t.secret, "…", url.QueryEscape(t.secret), "…").Replace(text)
}

// failure makes an Error with a cause. The cause may contain the URL: net/http quotes responses that it cannot read.
func (t transport) failure(kind Kind, status int, err error) *Error {
	if text := err.Error(); t.hide(text) != text {
		err = errors.New(t.hide(text))
	}
	return &Error{Service: t.name, Kind: kind, Status: status, Err: err}
}

// withoutURL removes the URL, which contains the key, from an error of net/http.
func withoutURL(err error) error {
	var urlError *url.Error
	if errors.As(err, &urlError) {
		return urlError.Err
	}
	return err
}

// retryAfter reads the Retry-After header, in seconds or as a date. It returns 0 if there is none.
//
// https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
func retryAfter(h http.Header) time.Duration {
	value := h.Get("Retry-After")
	if seconds, err := strconv.Atoi(value); err == nil && seconds > 0 {
		return duration(seconds)
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(0, time.Until(at))
	}
	return 0
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
