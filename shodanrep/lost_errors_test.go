package shodanrep

import (
	"strings"
	"testing"
	"time"

	"github.com/turbot/steampipe-plugin-sdk/v5/grpc/proto"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

// A slowStream takes rows more slowly than a table makes them, so that some are on their way when the scan fails. The
// SDK then finds the error and the end of the rows together, and chooses one of them by chance.
type slowStream struct{ rowStream }

func (s *slowStream) Send(r *proto.ExecuteResponse) error {
	time.Sleep(time.Millisecond)
	return s.rowStream.Send(r)
}

func TestAnErrorAfterManyRowsIsNotLost(t *testing.T) {
	t.Parallel()
	sim := shodantest.New(t)
	web(sim, 150)
	sim.Fault(shodantest.Fault{Endpoint: shodantest.EndpointSearch, Skip: 1, Body: `{"matches": [], "total": 150}`})
	s := mustConnect(t, keyed(sim))
	for range 10 {
		stream := &slowStream{rowStream{ctx: t.Context()}}
		err := s.Execute(s.request(t, searching("shodan_search", "port:80")), stream)
		if err == nil || !strings.Contains(err.Error(), "test: searching for port:80 failed") {
			t.Fatalf("%d rows, error %v", len(stream.rows), err)
		}
	}
}

func TestMissingConditionsAreAnErrorThatSaysWhatToWrite(t *testing.T) {
	t.Parallel()
	s := mustConnect(t, keyed(shodantest.New(t)))
	for table, want := range map[string]string{
		"shodan_ip_reputation":      "shodan_ip_reputation needs a condition with = or in on ip or source, whose value is known when the scan begins: list the addresses (ip in (",
		"shodan_network_reputation": "needs a condition with = or in on network, whose value is known when the scan begins: write the values out (network in (",
		"shodan_search_facet":       "needs a condition with = or in on query and facet, ",
		"shodan_asn_correlation":    "needs a condition with = or in on ip or value or asn, ",
	} {
		rows, err := s.run(t, query{table: table})
		if err == nil || !strings.Contains(err.Error(), "test: missing required qual: ") || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %d rows, error %v", table, len(rows), err)
		}
	}
}
