package shodanrep

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/turbot/steampipe-plugin-sdk/v5/grpc/proto"
)

// failedPast are the lookups that failed besides recordedPast. Those of 203.0.114.2 were followed by a response.
var failedPast = []recordedFailure{
	{"203.0.114.1", "internetdb", 6, "HTTP 500"}, // before the REST API responded
	{"203.0.114.1", "shodan", 8, "HTTP 502"},
	{"203.0.114.1", "shodan", 9, "HTTP 503"},
	{"203.0.114.2", "internetdb", 3, "HTTP 504"},
	{"203.0.114.2", "shodan", 3, "no answer"}, // by a source that never responded, and then the other one did
	{"2001:db9::1", "shodan", 8, "refused"},   // by a source that never responded, after the other one did
	{"203.0.114.4", "internetdb", 9, "timeout"},
	{"203.0.114.4", "shodan", 10, "bad key"},
	{"2001:db9::4", "internetdb", 9, "timeout"},
}

// TestTablesOfThePastTellFailedLookups checks that an address whose lookups fail does not look current, and that one whose
// lookups only failed is not missing.
func TestTablesOfThePastTellFailedLookups(t *testing.T) {
	location := recordedHere(t)
	s := withPast(t, location, append(slices.Clone(recordedPast), recorded{"203.0.114.5", "internetdb", 1, []int{80}, nil}, recorded{"203.0.114.5", "shodan", 2, []int{80}, nil})...)
	recordFailures(t, location, append(slices.Clone(failedPast), recordedFailure{"203.0.114.5", "shodan", 3, "HTTP 500"})...)
	const (
		first  = "203.0.114.1|internetdb|indexed|day 2|-|-|-|false"
		second = "203.0.114.1|internetdb|indexed|day 5|day 6|HTTP 500|-|true"
		rest1  = "203.0.114.1|shodan|indexed|day 6|-|-|-|false"
		rest2  = "203.0.114.1|shodan|indexed|day 7|day 9|HTTP 503|-|true"
		other  = "203.0.114.2|internetdb|indexed|day 3|-|-|-|false"
		gone   = "203.0.114.2|internetdb|not_indexed|day 4|-|-|-|true"
		six    = "2001:db9::1|internetdb|not_indexed|day 5|-|-|-|true"
		sixBy  = "2001:db9::1|shodan|not_checked|-|day 8|refused|refused|-"
		never  = "203.0.114.4|internetdb|not_checked|-|day 9|timeout|timeout|-"
		neverB = "203.0.114.4|shodan|not_checked|-|day 10|bad key|bad key|-"
		six4   = "2001:db9::4|internetdb|not_checked|-|day 9|timeout|timeout|-"
		five   = "203.0.114.5|internetdb|indexed|day 1|-|-|-|true"
		five5  = "203.0.114.5|shodan|indexed|day 2|day 3|HTTP 500|-|true"
	)
	addresses := func(list ...string) map[string]*proto.QualValue {
		return map[string]*proto.QualValue{"ip": inets(list...)}
	}
	for name, tt := range map[string]struct {
		quals  map[string]*proto.QualValue
		others map[string]*proto.Quals
		want   []string
	}{
		"all":                              {nil, nil, []string{first, second, rest1, rest2, other, gone, six, sixBy, never, neverB, six4, five, five5}},
		"of an address":                    {addresses("203.0.114.1"), nil, []string{first, second, rest1, rest2}},
		"of one checked since":             {addresses("203.0.114.2"), nil, []string{other, gone}},
		"of one never checked":             {addresses("203.0.114.4"), nil, []string{never, neverB}},
		"of several":                       {addresses("203.0.114.4", "2001:db9::1", "2001:db9::4", "203.0.114.9"), nil, []string{never, neverB, six, sixBy, six4, "203.0.114.9|-|not_checked|-|-|-|-|-"}},
		"of a source":                      {map[string]*proto.QualValue{"source": texts("shodan")}, nil, []string{rest1, rest2, "203.0.114.2|shodan|not_checked|-|day 3|no answer|no answer|-", sixBy, neverB, five5}},
		"of an address and a source":       {map[string]*proto.QualValue{"ip": inets("203.0.114.4"), "source": texts("internetdb")}, nil, []string{never}},
		"of one, by another source":        {map[string]*proto.QualValue{"ip": inets("2001:db9::4"), "source": texts("shodan")}, nil, []string{"2001:db9::4|shodan|not_checked|-|-|-|-|-"}},
		"since a day":                      {nil, since("last_checked", ">=", recordedDay(6)), []string{rest1, rest2}},
		"until a day":                      {nil, since("last_checked", "<=", recordedDay(5)), []string{first, second, other, gone, six, five, five5}},
		"of an address with a time":        {addresses("203.0.114.1"), since("last_checked", ">", recordedDay(6)), []string{rest2}},
		"of one never checked with a time": {addresses("203.0.114.4"), since("last_checked", ">", recordedDay(0)), nil},
	} {
		columns := []string{"ip", "source", "status", "last_checked", "last_failed", "last_failure", "error", "is_newest"}
		rows := s.mustRun(t, query{table: "shodan_reputation_history", columns: append(columns, "score", "ports"), quals: tt.quals, others: tt.others})
		slices.Sort(tt.want)
		if diff := cmp.Diff(tt.want, fieldsOf(rows, columns...), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("states, %s: want (-), got (+): %s", name, diff)
		}
		for _, r := range rows {
			if r["status"] == "not_checked" && (r["score"] != nil || r["ports"] != nil) {
				t.Errorf("an address that was not checked has facts: %v", r)
			}
		}
	}

	const (
		notChecked  = "203.0.114.4|internetdb|not_checked|-|-|-|day 9|timeout"
		notCheckedB = "203.0.114.4|shodan|not_checked|-|-|-|day 10|bad key"
		notChecked6 = "2001:db9::4|internetdb|not_checked|-|-|-|day 9|timeout"
		firstSix    = "2001:db9::1|internetdb|not_indexed|not_indexed|day 5|day 5|-|-"
		failedSix   = "2001:db9::1|shodan|not_checked|-|-|-|day 8|refused"
		opened      = "203.0.114.1|internetdb|indexed|port_opened|day 5|day 5|day 6|HTTP 500"
		firstOpened = "203.0.114.1|internetdb|indexed|indexed|day 1|day 2|-|-"
		restOpened  = "203.0.114.1|shodan|indexed|port_opened|day 7|day 7|day 9|HTTP 503"
		firstFive   = "203.0.114.5|internetdb|indexed|indexed|day 1|day 1|-|-"
		failedFive  = "203.0.114.5|shodan|indexed|-|-|day 2|day 3|HTTP 500" // no change led to the state
		firstTwo    = "203.0.114.2|internetdb|indexed|indexed|day 3|day 3|-|-"
		goneTwo     = "203.0.114.2|internetdb|not_indexed|not_indexed|day 4|day 4|-|-"
	)
	for name, tt := range map[string]struct {
		quals  map[string]*proto.QualValue
		others map[string]*proto.Quals
		want   []string
	}{
		"all":                              {nil, nil, []string{notChecked, notCheckedB, notChecked6, firstSix, failedSix, opened, firstOpened, restOpened, firstFive, failedFive, firstTwo, goneTwo}},
		"of several":                       {addresses("203.0.114.4", "203.0.114.5", "2001:db9::1"), nil, []string{notChecked, notCheckedB, firstSix, failedSix, firstFive, failedFive}},
		"of one checked since":             {addresses("203.0.114.2"), nil, []string{firstTwo, goneTwo}},
		"of a source":                      {map[string]*proto.QualValue{"source": texts("shodan")}, nil, []string{restOpened, failedFive, failedSix, notCheckedB, "203.0.114.2|shodan|not_checked|-|-|-|day 3|no answer"}},
		"since a day":                      {nil, since("changed_at", ">=", recordedDay(5)), []string{opened, restOpened, firstSix}},
		"of one never checked with a time": {addresses("203.0.114.4"), since("changed_at", ">", recordedDay(0)), nil},
	} {
		columns := []string{"ip", "source", "status", "change", "changed_at", "last_checked", "last_failed", "last_failure"}
		got := fieldsOf(s.mustRun(t, query{table: "shodan_reputation_change", columns: columns, quals: tt.quals, others: tt.others}), columns...)
		got = slices.DeleteFunc(got, func(line string) bool {
			return strings.Contains(line, "|level|") || strings.Contains(line, "|vulnerability_")
		})
		slices.Sort(tt.want)
		if diff := cmp.Diff(tt.want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("changes, %s: want (-), got (+): %s", name, diff)
		}
	}
}
