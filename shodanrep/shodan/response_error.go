package shodan

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// check returns the error in a response of a host, or nil for a successful one. The status alone does not decide: errors
// come with status 200, and a key without credits gets the status of a wrong key.
func (t transport) check(host string, resp *http.Response, body []byte) *Error {
	message, isJSON := t.message(body)
	if resp.StatusCode == http.StatusOK && message == "" {
		return nil
	}
	status := resp.StatusCode
	e := &Error{Service: t.name, Status: status, Host: host, Message: message}
	if text := statusText(status); !isJSON && text != "" {
		e.Err = errors.New(text)
	}
	if to, err := resp.Location(); err == nil && status/100 == 3 {
		e.Err = fmt.Errorf("a redirect to %s, which is not followed", t.hide(cmp.Or(to.Host, to.Scheme+":")))
	}
	if status == http.StatusProxyAuthRequired {
		e.Err = ErrProxyLogin
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

// statusText returns the text of a status, also of those that only Cloudflare uses, or "".
//
// https://developers.cloudflare.com/support/troubleshooting/http-status-codes/cloudflare-5xx-errors/
func statusText(status int) string {
	switch status {
	case 520:
		return "Cloudflare got no usable response from the service"
	case 521, 522, 523, 524:
		return "Cloudflare cannot reach the service"
	case 525, 526:
		return "Cloudflare cannot connect to the service with TLS"
	case 530:
		return "Cloudflare cannot find the service"
	}
	return http.StatusText(status)
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
		Error  json.RawMessage `json:"error"`
		Detail json.RawMessage `json:"detail"` // InternetDB: a string, or FastAPI's list of problems
	}
	if err := json.Unmarshal(Clean(body), &response); err != nil && !isTypeError(err) {
		return "", false
	}
	text := literal(response.Error)
	if text == "" {
		text = literal(response.Detail)
	}
	if text == "" && len(response.Error) > 0 && response.Error[0] == '{' { // as many services have it, and Shodan's have not yet
		var inner struct {
			Message Text `json:"message"`
		}
		_ = unmarshalObject(response.Error, &inner) // which has no message then
		text = cmp.Or(string(inner.Message), string(response.Error))
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

// retryAfter reads the Retry-After header, in seconds or as a date. It returns 0 if there is none. A date is compared with
// that of the response, because the clock of this machine may be wrong. A number that is too large is a very long time.
//
// https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
func retryAfter(h http.Header) time.Duration {
	value := h.Get("Retry-After")
	if strings.Trim(value, "0123456789") == "" {
		seconds, _ := strconv.Atoi(value) // the largest number where it is larger
		return duration(seconds)
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	now, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		now = time.Now()
	}
	return max(0, at.Sub(now))
}
