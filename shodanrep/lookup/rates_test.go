package lookup

import (
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
)

func TestTheSlowestRateInForceDecides(t *testing.T) {
	t.Parallel()
	// No request is sent: the address is that of no service, and other tests share nothing with it.
	engine := func(rest, internetDB float64) *Engine {
		e, err := New(t.Context(), Config{
			APIKey: "key", RequestsPerSecond: rest, InternetDBRequestsPerSecond: internetDB, MaxConcurrency: 1, Timeout: time.Second,
			Cache: "off", APIURL: "http://rates.test/api", InternetDBURL: "http://rates.test/idb", CVEDBURL: "http://rates.test/cvedb",
			Logger: hclog.NewNullLogger(),
		})
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	slow, fast := engine(1, 50), engine(5, 10)
	check := func(when string, rest, internetDB float64) {
		t.Helper()
		if fast.rest.Service != slow.rest.Service || fast.internetDB.Service != slow.internetDB.Service {
			t.Fatal("the engines share no services")
		}
		if got := fast.rest.Rate(); got != rest {
			t.Errorf("%s: the REST API is sent %v requests a second, want %v", when, got, rest)
		}
		if got := fast.internetDB.Rate(); got != internetDB {
			t.Errorf("%s: InternetDB is sent %v requests a second, want %v", when, got, internetDB)
		}
	}
	check("both in force", 1, 10)
	slow.SetInForce(false)
	check("the fast one in force", 5, 10)
	fast.SetInForce(false)
	check("none in force", 5, 10)
	slow.SetInForce(true)
	check("the slow one in force", 1, 50)
	fast.SetInForce(true)
	check("both in force again", 1, 10)
	if err := slow.Close(); err != nil {
		t.Fatal(err)
	}
	check("the slow one closed", 5, 10)
	if err := fast.Close(); err != nil {
		t.Fatal(err)
	}
}
