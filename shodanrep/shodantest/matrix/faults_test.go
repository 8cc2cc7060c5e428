package matrix

import (
	"net/http"
	"strings"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

// outcome is what a fault must lead to.
type outcome int

const (
	// unchanged: the rows are those of a query without the fault. The fault passed and the request was retried.
	unchanged outcome = iota
	// failed: the target is an error row, or where the table has no rows for targets, the query fails.
	failed
	// failedOrAbsent: as failed, or the service is taken at its word that it has nothing.
	failedOrAbsent
	// refused: the key is refused. The query fails, or the target is an error row.
	refused
)

// A faultCase is a fault, and what it must lead to.
type faultCase struct {
	name  string
	fault shodantest.Fault
	want  outcome
	// service limits the case to the services without a key, where it is keylessOnly.
	service string
}

const keylessOnly = "keyless"

// turnsAway reports whether the fault tells the client to send fewer requests, or none with its key.
func (f faultCase) turnsAway() bool {
	s := f.fault.Status
	return f.want != unchanged && (s == 401 || s == 402 || s == 403 || f.refusesRequests() ||
		strings.Contains(f.fault.Body, "membership"))
}

// refusesRequests reports whether the fault says that there were too many requests.
func (f faultCase) refusesRequests() bool {
	return f.fault.Status == http.StatusTooManyRequests || f.fault.Body == shodantest.BodyRateLimited
}

// faultCases returns every fault of the simulator: those that pass after one request, and those that stay.
func faultCases() []faultCase {
	var cases []faultCase
	for _, f := range []struct {
		name  string
		fault shodantest.Fault
	}{
		{"500", shodantest.Fault{Status: 500, Body: `{"error": "Internal error"}`}},
		{"502 page", shodantest.Fault{Status: 502, Body: shodantest.BodyPage(502)}},
		{"503", shodantest.Fault{Status: 503}},
		{"challenge page", shodantest.Fault{Status: 200, Body: shodantest.BodyChallenge}},
		{"429", shodantest.Fault{Status: 429, Body: shodantest.BodyRateLimited}},
		{"limit in a 200", shodantest.Fault{Status: 200, Body: shodantest.BodyRateLimited}},
		{"truncated", shodantest.Fault{Kind: shodantest.Truncated}},
		{"broken off", shodantest.Fault{Kind: shodantest.BrokenOff}},
		{"dropped", shodantest.Fault{Kind: shodantest.Dropped}},
	} {
		once := f.fault
		once.Times = 1
		cases = append(cases,
			faultCase{name: f.name + " once", fault: once, want: unchanged},
			faultCase{name: f.name + " always", fault: f.fault, want: failed})
	}
	const forbidden = `{"detail": "Forbidden"}`
	credits := `{"error": "Insufficient query credits, please upgrade your API plan or wait for the monthly limit to reset"}`
	cases = append(cases,
		faultCase{name: "hang", fault: shodantest.Fault{Kind: shodantest.Hang}, want: failed},
		faultCase{name: "204", fault: shodantest.Fault{Status: 204}, want: failed},
		faultCase{name: "redirect to itself", fault: shodantest.Fault{Status: 302, Header: http.Header{"Location": {"."}}}, want: failed},
		faultCase{name: "404 page", fault: shodantest.Fault{Status: 404, Body: shodantest.BodyPage(404)}, want: failedOrAbsent},
		faultCase{name: "401", fault: shodantest.Fault{Status: 401, Body: shodantest.BodyPage(401)}, want: refused},
		faultCase{name: "403 plan", fault: shodantest.Fault{Status: 403, Body: shodantest.BodyPlanTooLow}, want: refused},
		faultCase{name: "401 credits", fault: shodantest.Fault{Status: 401, Body: credits}, want: refused},
		faultCase{name: "402", fault: shodantest.Fault{Status: 402, Body: `{}`}, want: failed, service: keylessOnly},
		faultCase{name: "403 forbidden", fault: shodantest.Fault{Status: 403, Body: forbidden}, want: failed, service: keylessOnly},
		faultCase{name: "200 requires membership", fault: shodantest.Fault{Body: `{"detail": "requires membership"}`}, want: failed, service: keylessOnly},
	)
	for _, body := range shodantest.OddBodies {
		cases = append(cases, faultCase{name: "200 " + body, fault: shodantest.Fault{Body: body}, want: failedOrAbsent})
	}
	return cases
}
