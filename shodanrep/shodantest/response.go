package shodantest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
)

// The errors of the services, from captures and public reports. Comments mark what is unknown and the simulator's
// choice.
const (
	unauthorizedPage = `<html>
 <head>
  <title>401 Unauthorized</title>
 </head>
 <body>
  <h1>401 Unauthorized</h1>
  This server could not verify that you are authorized to access the document you requested.<br/><br/>
 </body>
</html>`
	creditsSpent      = `{"error": "Insufficient query credits, please upgrade your API plan or wait for the monthly limit to reset"}`
	planTooLow        = `{"error": "Requires membership or higher to access"}`
	noInformation     = `{"error": "No information available for that IP."}`
	invalidIP         = `{"error": "Invalid IP"}`
	apiLimited        = `{"error": "Request rate limit reached (1 request/ second). Please wait a second before trying again and slow down your API calls."}`
	queryRefused      = `{"error": "The search request timed out or your query was invalid."}`
	tooManyAddresses  = `{"error": "At most 100 IPs can be looked up in one request"}` // the simulator's choice
	internetDBNothing = `{"detail":"No information available"}`
	internetDBLimited = `{"error": "Rate limit exceeded. Contact sales@shodan.io if you need a higher rate limit."}`
	cveDBNothing      = internetDBNothing
	cveDBLimited      = internetDBLimited // the simulator's choice
	cveDBNoPath       = `{"detail":"Not Found"}`
	cveDBEither       = `{"detail":"You can only specify one of cpe23 or product"}` // the simulator's choice
	internetDBInvalid = `{"detail":[{"loc":["path","ip"],"msg":"value is not a valid IPv4 or IPv6 address","type":"value_error.ipvanyaddress"}]}`
)

// response is the response of a service.
type response struct {
	status int
	header http.Header
	body   []byte
}

func jsonResponse(status int, body []byte) *response {
	return &response{status: status, header: http.Header{"Content-Type": {"application/json"}}, body: body}
}

func errorResponse(status int, body string) *response { return jsonResponse(status, []byte(body)) }

func htmlResponse(status int, body string) *response {
	return &response{status: status, header: http.Header{"Content-Type": {"text/html; charset=UTF-8"}}, body: []byte(body)}
}

// htmlPage returns an error page of the web server in front of the service.
func htmlPage(status int) *response { return htmlResponse(status, page(status)) }

func page(status int) string {
	title := fmt.Sprintf("%d %s", status, http.StatusText(status))
	return "<html>\r\n<head><title>" + title + "</title></head>\r\n<body bgcolor=\"white\">\r\n<center><h1>" + title +
		"</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
}

// ok returns a 200 response with a value as JSON.
func ok(value any) *response { return jsonResponse(http.StatusOK, marshal(value)) }

// limited returns the 429 response of a service.
func (s *Simulator) limited(body string) *response {
	a := errorResponse(http.StatusTooManyRequests, body)
	if s.retryAfter > 0 {
		a.header.Set("Retry-After", strconv.Itoa(int(math.Ceil(s.retryAfter.Seconds()))))
	}
	return a
}

func (a *response) write(w http.ResponseWriter) {
	for name, values := range a.header {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(a.body)))
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body) // the client may have gone, which is no error here
}

// marshal returns a value as JSON like the services do, without escapes for "<" and "&".
func marshal(value any) []byte {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(value); err != nil {
		panic(fmt.Sprintf("shodantest: a host has a value that JSON cannot represent: %v", err))
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n"))
}

// isHTML reports whether a body is an HTML page and not JSON.
func isHTML(body string) bool { return strings.HasPrefix(strings.TrimSpace(body), "<") }
