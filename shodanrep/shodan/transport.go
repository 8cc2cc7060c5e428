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

// maxBody is the longest answer that is read, in bytes. Hosts of several MB are real; a hundred is a fault.
const maxBody = 100 << 20

// noRedirects is the client of a zero-valued Client or InternetDB. It follows no redirect: the key is part of the
// address asked, and net/http would hand it on in the Referer.
var noRedirects = &http.Client{
	Timeout:       30 * time.Second,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// service is what the clients share: one GET, its whole answer, and what an answer other than 200 means.
type service struct {
	name      string
	http      *http.Client
	userAgent string
	keyed     bool   // requests carry an API key, so that a refusal may be about the key, its plan or its credits
	secret    string // the key, never shown
}

// get returns the body of a 200 answer and its headers. Every other outcome is an *Error, or the context's error.
func (s service) get(ctx context.Context, base, path string, query url.Values) ([]byte, http.Header, error) {
	address := strings.TrimSuffix(base, "/") + path
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, nil, s.failure(Invalid, 0, withoutURL(err))
	}
	req.Header.Set("Accept", "application/json")
	if s.userAgent != "" {
		req.Header.Set("User-Agent", s.userAgent)
	}
	client := *noRedirects
	if s.http != nil {
		client = *s.http
		client.CheckRedirect = noRedirects.CheckRedirect
	}
	resp, err := client.Do(req)
	if err != nil {
		if ctx.Err() != nil {
			return nil, nil, ctx.Err()
		}
		return nil, nil, s.failure(Unavailable, 0, withoutURL(err))
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, nil, ctx.Err()
	case err != nil:
		return nil, nil, s.failure(Unavailable, resp.StatusCode, fmt.Errorf("the response ended early: %w", withoutURL(err)))
	case len(body) > maxBody:
		return nil, nil, s.failure(Unavailable, resp.StatusCode, fmt.Errorf("the response is longer than %d MB", maxBody>>20))
	}
	if failure := s.judge(resp, body); failure != nil {
		return nil, nil, failure
	}
	return body, resp.Header, nil
}

// judge says what an answer means that is not the one asked for, and nil for one that is. The status alone does not
// decide: errors come with status 200, and a spent key has the status of a wrong one.
func (s service) judge(resp *http.Response, body []byte) *Error {
	message, isJSON := s.message(body)
	if resp.StatusCode == http.StatusOK && message == "" {
		return nil
	}
	e := &Error{Service: s.name, Status: resp.StatusCode, Message: message}
	if !isJSON {
		e.Err = errors.New(http.StatusText(resp.StatusCode))
	}
	text := strings.ToLower(message)
	has := func(part string) bool { return strings.Contains(text, part) }
	status := resp.StatusCode
	switch {
	case status == http.StatusTooManyRequests || has("rate limit"):
		e.Kind, e.RetryAfter = Limited, retryAfter(resp.Header)
	case s.keyed && s.judgeKey(e, text, isJSON):
	case !s.keyed && refuses(status) && !isHTML(body):
		// There is no key to be wrong: the service refuses this client. A page of HTML comes from a proxy or the like.
		e.Kind, e.RetryAfter = Limited, retryAfter(resp.Header)
	case status < 500 && has("no information available"): // 404, as far as is known
		e.Kind = NotFound
	case has("timed out"):
		e.Kind = Unavailable
	case status == http.StatusServiceUnavailable: // in need of a pause, not because of this request
		e.Kind, e.RetryAfter = Unavailable, retryAfter(resp.Header)
	case isJSON && status >= 400 && status < 500, has("invalid"):
		e.Kind = Invalid
	}
	// All else passes, or may: a 502 of a proxy, a challenge page under 403, an error page of something in between.
	return e
}

// judgeKey sets the kind of an error that is about the API key, and reports whether it is.
func (s service) judgeKey(e *Error, text string, isJSON bool) bool {
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

// refuses reports whether a status says that the service does not serve this client.
func refuses(status int) bool {
	return status == http.StatusUnauthorized || status == http.StatusPaymentRequired || status == http.StatusForbidden
}

// isHTML reports whether a body is a page and not JSON or plain text.
func isHTML(body []byte) bool { return bytes.HasPrefix(bytes.TrimSpace(body), []byte("<")) }

// message returns what a JSON answer gives as its error, and whether the answer is a JSON object or list at all.
func (s service) message(body []byte) (string, bool) {
	body = bytes.TrimSpace(body)
	if len(body) == 0 || body[0] != '{' && body[0] != '[' {
		return "", false
	}
	if body[0] == '[' {
		return "", true
	}
	// A host of several MB is not read twice for the sake of two keys that it lacks.
	if !bytes.Contains(body, []byte(`"error"`)) && !bytes.Contains(body, []byte(`"detail"`)) {
		return "", true
	}
	var said struct {
		Error  Text            `json:"error"`
		Detail json.RawMessage `json:"detail"` // InternetDB: a text, or FastAPI's list of what is wrong
	}
	if err := json.Unmarshal(Clean(body), &said); err != nil && !isTypeError(err) {
		return "", false
	}
	text := string(said.Error)
	if text == "" {
		text = literal(said.Detail)
	}
	if text == "" && said.Detail != nil {
		var faults []struct {
			Message Text `json:"msg"`
		}
		if json.Unmarshal(said.Detail, &faults) == nil && len(faults) > 0 {
			text = string(faults[0].Message)
		}
	}
	if text == "" {
		return "", true
	}
	if strings.HasPrefix(strings.TrimSpace(text), "<") {
		text = "an HTML page"
	}
	text = s.hide(text)
	const longest = 300
	if runes := []rune(text); len(runes) > longest {
		text = string(runes[:longest]) + "…"
	}
	return text, true
}

// hide takes the secret out of a text, also as it is written in an address.
func (s service) hide(text string) string {
	if s.secret == "" {
		return text
	}
	return strings.NewReplacer(s.secret, "…", url.QueryEscape(s.secret), "…").Replace(text)
}

// failure makes an Error of a cause that is no answer. What net/http quotes of an answer that it cannot read may be the
// address that was asked.
func (s service) failure(kind Kind, status int, err error) *Error {
	if text := err.Error(); s.hide(text) != text {
		err = errors.New(s.hide(text))
	}
	return &Error{Service: s.name, Kind: kind, Status: status, Err: err}
}

// withoutURL drops the address from an error of net/http: the key is in it.
func withoutURL(err error) error {
	var urlError *url.Error
	if errors.As(err, &urlError) {
		return urlError.Err
	}
	return err
}

// retryAfter reads the Retry-After header, in seconds or as a date; 0 where there is none.
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

// maxAge reads max-age of the Cache-Control header; 0 where there is none.
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

// duration is a header's number of seconds, a year at most: more than that does not fit a time.Duration.
func duration(seconds int) time.Duration {
	const year = 365 * 24 * 60 * 60
	return time.Duration(min(seconds, year)) * time.Second
}
