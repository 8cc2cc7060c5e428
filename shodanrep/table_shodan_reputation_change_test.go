package shodanrep

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/ncruces/go-sqlite3"
	"github.com/turbot/steampipe-plugin-sdk/v5/grpc/proto"
)

func TestReputationChange(t *testing.T) {
	s := withPast(t, recordedHere(t), recordedPast...)
	columns := []string{"ip", "source", "changed_at", "previous_checked_at", "change", "old_value", "new_value", "port", "old_level", "level", "old_score", "score", "is_worse"}
	const (
		firstLevel   = "203.0.114.1|internetdb|day 1|-|level|-|low|-|-|low|-|0|false"
		firstIndexed = "203.0.114.1|internetdb|day 1|-|indexed|-|443|-|-|low|-|0|false"
		level        = "203.0.114.1|internetdb|day 5|day 2|level|low|critical|-|low|critical|0|55|true"
		opened       = "203.0.114.1|internetdb|day 5|day 2|port_opened|-|8080|8080|low|critical|0|55|true"
		restOpened   = "203.0.114.1|shodan|day 7|day 6|port_opened|-|22|22|low|low|0|0|false"
		otherLevel   = "203.0.114.2|internetdb|day 3|-|level|-|high|-|-|high|-|40|true"
		otherIndexed = "203.0.114.2|internetdb|day 3|-|indexed|-|80|-|-|high|-|40|true"
		goneLevel    = "203.0.114.2|internetdb|day 4|day 3|level|high|unknown|-|high|unknown|40|-|false"
		gone         = "203.0.114.2|internetdb|day 4|day 3|not_indexed|80|-|-|high|unknown|40|-|false"
		six          = "2001:db9::1|internetdb|day 5|-|not_indexed|-|-|-|-|unknown|-|-|false"
	)
	all := []string{firstLevel, firstIndexed, level, opened, restOpened, otherLevel, otherIndexed, goneLevel, gone, six}
	for name, tt := range map[string]struct {
		quals  map[string]*proto.QualValue
		others map[string]*proto.Quals
		want   []string
	}{
		"all":                         {nil, nil, all},
		"of an address":               {map[string]*proto.QualValue{"ip": inets("203.0.114.2")}, nil, []string{otherLevel, otherIndexed, goneLevel, gone}},
		"of addresses":                {map[string]*proto.QualValue{"ip": inets("203.0.114.2", "2001:db9::1")}, nil, []string{otherLevel, otherIndexed, goneLevel, gone, six}},
		"of a source":                 {map[string]*proto.QualValue{"source": texts("shodan")}, nil, []string{restOpened}},
		"of an address and a source":  {map[string]*proto.QualValue{"ip": inets("203.0.114.1"), "source": texts("shodan")}, nil, []string{restOpened}},
		"since a day":                 {nil, since("changed_at", ">=", recordedDay(5)), []string{level, opened, restOpened, six}},
		"after a day":                 {nil, since("changed_at", ">", recordedDay(5)), []string{restOpened}},
		"until a day":                 {nil, since("changed_at", "<=", recordedDay(3)), []string{firstLevel, firstIndexed, otherLevel, otherIndexed}},
		"before a day":                {nil, since("changed_at", "<", recordedDay(3)), []string{firstLevel, firstIndexed}},
		"of an address since a day":   {map[string]*proto.QualValue{"ip": inets("203.0.114.1")}, since("changed_at", ">=", recordedDay(7)), []string{restOpened}},
		"none since a day":            {nil, since("changed_at", ">", recordedDay(50)), nil},
		"nothing new of a source":     {map[string]*proto.QualValue{"source": texts("shodan")}, since("changed_at", "<=", recordedDay(6)), nil},
		"of addresses never checked":  {map[string]*proto.QualValue{"ip": inets("203.0.114.99", "10.0.0.1")}, nil, []string{"203.0.114.99|-|-|-|-|-|-|-|-|unknown|-|-|-", "10.0.0.1|-|-|-|-|-|-|-|-|unknown|-|-|-"}},
		"of one never checked, since": {map[string]*proto.QualValue{"ip": inets("203.0.114.99")}, since("changed_at", ">=", recordedDay(1)), nil},
	} {
		rows := s.mustRun(t, query{table: "shodan_reputation_change", quals: tt.quals, others: tt.others})
		got := slices.DeleteFunc(fieldsOf(rows, columns...), func(line string) bool { return strings.Contains(line, "|vulnerability_added|") })
		slices.Sort(tt.want)
		if diff := cmp.Diff(tt.want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s: want (-), got (+): %s", name, diff)
		}
	}
}

// TestAnAddressWithoutAChangeSaysWhetherItWasChecked checks that "not checked" does not look like "unchanged".
func TestAnAddressWithoutAChangeSaysWhetherItWasChecked(t *testing.T) {
	s := withPast(t, recordedHere(t),
		recorded{"203.0.114.1", "internetdb", 1, []int{443}, nil}, recorded{"203.0.114.1", "shodan", 2, []int{443}, nil}, recorded{"203.0.114.1", "shodan", 6, []int{443}, nil})
	rows := s.mustRun(t, query{table: "shodan_reputation_change", quals: map[string]*proto.QualValue{
		"ip": inets("203.0.114.1", "203.0.114.99", "10.0.0.1", "203.0.114.0/24"), "source": texts("shodan"),
	}})
	want := []string{
		"203.0.114.1|shodan|indexed|-|day 6|low", "203.0.114.99|shodan|not_checked|-|-|unknown", "10.0.0.1|shodan|reserved|-|-|unknown",
		"203.0.114.0/24|shodan|not_a_host|-|-|unknown",
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, fieldsOf(rows, "ip", "source", "status", "change", "last_checked", "level")); diff != "" {
		t.Errorf("want (-), got (+): %s", diff)
	}
}

// TestFactsThatCannotBeReadHideNoOtherRows checks that damaged facts of an address are told, and are neither the end of the
// query nor "unchanged".
func TestFactsThatCannotBeReadHideNoOtherRows(t *testing.T) {
	location := recordedHere(t)
	s := withPast(t, location, recorded{"203.0.114.1", "internetdb", 1, []int{443}, nil}, recorded{"203.0.114.1", "internetdb", 3, []int{443, 22}, nil},
		recorded{"203.0.114.2", "internetdb", 2, []int{80}, nil})
	db, err := sqlite3.Open("file:" + location)
	if err == nil {
		err = errors.Join(db.Exec(`update history set facts = x'00112233' where ip = '203.0.114.1' and ports = '[443]'`), db.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		table, moment string
		others        map[string]*proto.Quals
		want          []string
	}{
		{"shodan_reputation_change", "changed_at", nil, []string{"203.0.114.1|error|day 1|unknown|-|true", "203.0.114.2|indexed|day 2|low|80|false", "203.0.114.2|indexed|day 2|low|low|false"}},
		{"shodan_reputation_change", "changed_at", since("changed_at", ">=", recordedDay(2)), []string{"203.0.114.1|error|day 3|unknown|-|true", "203.0.114.2|indexed|day 2|low|80|false", "203.0.114.2|indexed|day 2|low|low|false"}},
		{"shodan_reputation_history", "last_checked", nil, []string{"203.0.114.1|error|day 1|unknown|-|true", "203.0.114.1|indexed|day 3|low|-|false", "203.0.114.2|indexed|day 2|low|-|false"}},
	} {
		rows := s.mustRun(t, query{table: tt.table, others: tt.others})
		for _, r := range rows {
			r["told"] = r["error"] != nil
		}
		if diff := cmp.Diff(tt.want, fieldsOf(rows, "ip", "status", tt.moment, "level", "new_value", "told")); diff != "" {
			t.Errorf("%s: want (-), got (+): %s", tt.table, diff)
		}
	}
}

// TestAnotherPolicyIsNoChange checks that both sides of a change are by one policy.
func TestAnotherPolicyIsNoChange(t *testing.T) {
	s := withPast(t, recordedHere(t), recordedPast...)
	counts := map[any]int{}
	for _, r := range s.mustRun(t, query{table: "shodan_reputation_change", quals: map[string]*proto.QualValue{"policy": texts("baseline", "extended")}}) {
		if counts[r["policy"]]++; r["change"] == "level" && r["old_level"] == r["level"] {
			t.Errorf("the level did not change: %v", r)
		}
	}
	if counts["baseline"] < 20 || counts["extended"] != counts["baseline"] {
		t.Errorf("the rows by policy: %v", counts)
	}
}
