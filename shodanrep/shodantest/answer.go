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

// What the services say when they don't answer as asked. They are known from captures and from public reports; where
// only the text is known, not the status or the spacing, the simulator's choice is marked.
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
	tooManyAddresses  = `{"error": "At most 100 IPs can be looked up in one request"}` // the simulator's own words
	internetDBNothing = `{"detail":"No information available"}`
	internetDBLimited = `{"error": "Rate limit exceeded. Contact sales@shodan.io if you need a higher rate limit."}`
	cveDBNothing      = internetDBNothing
	cveDBLimited      = internetDBLimited // not known of CVEDB
	cveDBNoPath       = `{"detail":"Not Found"}`
	cveDBEither       = `{"detail":"You can only specify one of cpe23 or product"}` // the simulator's own words
	internetDBInvalid = `{"detail":[{"loc":["path","ip"],"msg":"value is not a valid IPv4 or IPv6 address","type":"value_error.ipvanyaddress"}]}`
)

// answer is what a service answers.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func jsonAnswer(status int, body []byte) *answer {
	return &answer{status: status, header: http.Header{"Content-Type": {"application/json"}}, body: body}
}

func errorAnswer(status int, body string) *answer { return jsonAnswer(status, []byte(body)) }

func htmlAnswer(status int, body string) *answer {
	return &answer{status: status, header: http.Header{"Content-Type": {"text/html; charset=UTF-8"}}, body: []byte(body)}
}

// htmlPage is an error page as the web server in front of the service makes it.
func htmlPage(status int) *answer { return htmlAnswer(status, page(status)) }

func page(status int) string {
	title := fmt.Sprintf("%d %s", status, http.StatusText(status))
	return "<html>\r\n<head><title>" + title + "</title></head>\r\n<body bgcolor=\"white\">\r\n<center><h1>" + title +
		"</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
}

// ok is a 200 answer of a value as JSON.
func ok(value any) *answer { return jsonAnswer(http.StatusOK, marshal(value)) }

// limited is the 429 of a service.
func (s *Simulator) limited(body string) *answer {
	a := errorAnswer(http.StatusTooManyRequests, body)
	if s.retryAfter > 0 {
		a.header.Set("Retry-After", strconv.Itoa(int(math.Ceil(s.retryAfter.Seconds()))))
	}
	return a
}

func (a *answer) write(w http.ResponseWriter) {
	for name, values := range a.header {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(a.body)))
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body) // a caller that went away is no error here
}

// marshal writes a value as the services do: "<" and "&" as they are.
func marshal(value any) []byte {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(value); err != nil {
		panic(fmt.Sprintf("shodantest: a host has a value that is no JSON: %v", err))
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n"))
}

// isHTML reports whether a body is a page rather than JSON.
func isHTML(body string) bool { return strings.HasPrefix(strings.TrimSpace(body), "<") }
