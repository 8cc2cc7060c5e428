package shodanrep

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/turbot/steampipe-plugin-sdk/v5/grpc/proto"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation/policyfile"
)

// fieldsOf returns some columns of rows as text, sorted.
func fieldsOf(rows []row, columns ...string) []string {
	var lines []string
	for _, r := range rows {
		var values []string
		for _, column := range columns {
			value := r[column]
			if value == nil {
				value = "-"
			}
			text := fmt.Sprint(value)
			if at, err := time.Parse(time.RFC3339, text); err == nil {
				text = fmt.Sprint("day ", int(at.Sub(recordedStart)/(24*time.Hour)))
			}
			values = append(values, text)
		}
		lines = append(lines, strings.Join(values, "|"))
	}
	slices.Sort(lines)
	return lines
}

// since makes the condition that a column is within times.
func since(column, operator string, at time.Time) map[string]*proto.Quals {
	return map[string]*proto.Quals{column: {Quals: []*proto.Qual{{FieldName: column, Operator: &proto.Qual_StringValue{StringValue: operator}, Value: momentIs(at)}}}}
}

func TestReputationHistory(t *testing.T) {
	s := withPast(t, recordedHere(t), recordedPast...)
	columns := []string{"ip", "source", "status", "first_checked", "last_checked", "checks", "is_newest", "score", "level", "policy", "port_count"}
	const (
		first  = "203.0.114.1|internetdb|indexed|day 1|day 2|2|false|0|low|baseline|1"
		second = "203.0.114.1|internetdb|indexed|day 5|day 5|1|true|55|critical|baseline|2"
		rest1  = "203.0.114.1|shodan|indexed|day 6|day 6|1|false|0|low|baseline|1"
		rest2  = "203.0.114.1|shodan|indexed|day 7|day 7|1|true|0|low|baseline|2"
		other  = "203.0.114.2|internetdb|indexed|day 3|day 3|1|false|40|high|baseline|1"
		gone   = "203.0.114.2|internetdb|not_indexed|day 4|day 4|1|true|-|unknown|baseline|-"
		six    = "2001:db9::1|internetdb|not_indexed|day 5|day 5|1|true|-|unknown|baseline|-"
	)
	all := []string{six, first, second, rest1, rest2, other, gone}
	for name, tt := range map[string]struct {
		quals  map[string]*proto.QualValue
		others map[string]*proto.Quals
		want   []string
	}{
		"all":                   {nil, nil, all},
		"of an address":         {map[string]*proto.QualValue{"ip": inets("203.0.114.2")}, nil, []string{other, gone}},
		"of addresses":          {map[string]*proto.QualValue{"ip": inets("203.0.114.2", "2001:db9::1")}, nil, []string{other, gone, six}},
		"of a source":           {map[string]*proto.QualValue{"source": texts("shodan")}, nil, []string{rest1, rest2}},
		"of sources":            {map[string]*proto.QualValue{"source": texts("shodan", "internetdb")}, nil, all},
		"of an address and one": {map[string]*proto.QualValue{"ip": inets("203.0.114.1"), "source": texts("shodan")}, nil, []string{rest1, rest2}},
		"since a day":           {nil, since("last_checked", ">=", recordedDay(5)), []string{six, second, rest1, rest2}},
		"after a day":           {nil, since("last_checked", ">", recordedDay(5)), []string{rest1, rest2}},
		"until a day":           {nil, since("last_checked", "<=", recordedDay(3)), []string{first, other}},
		"before a day":          {nil, since("last_checked", "<", recordedDay(3)), []string{first}},
		"never checked": {map[string]*proto.QualValue{"ip": inets("203.0.114.99", "203.0.114.2")}, nil, []string{
			other, gone, "203.0.114.99|-|not_checked|-|-|-|-|-|unknown|baseline|-",
		}},
		"never checked by a source": {map[string]*proto.QualValue{"ip": inets("203.0.114.2"), "source": texts("shodan")}, nil, []string{
			"203.0.114.2|shodan|not_checked|-|-|-|-|-|unknown|baseline|-",
		}},
		"what is never checked": {map[string]*proto.QualValue{"ip": inets("10.0.0.1", "203.0.114.0/24")}, nil, []string{
			"10.0.0.1|-|reserved|-|-|-|-|-|unknown|baseline|-", "203.0.114.0/24|-|not_a_host|-|-|-|-|-|unknown|baseline|-",
		}},
		"a wrong address": {map[string]*proto.QualValue{"ip": texts("nonsense")}, nil, []string{"-|-|error|-|-|-|-|-|unknown|baseline|-"}},
	} {
		rows := s.mustRun(t, query{table: "shodan_reputation_history", columns: columns, quals: tt.quals, others: tt.others})
		slices.Sort(tt.want)
		if diff := cmp.Diff(tt.want, fieldsOf(rows, columns...), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s: want (-), got (+): %s", name, diff)
		}
	}
}

func TestThePastIsScoredByThePolicyOfTheQuery(t *testing.T) {
	s := withPast(t, recordedHere(t), recordedPast...)
	rows := s.mustRun(t, query{table: "shodan_reputation_history", quals: map[string]*proto.QualValue{
		"ip": inets("203.0.114.2"), "source": texts("internetdb"), "policy": texts("baseline", "extended"),
	}})
	want := []string{"baseline|-|unknown", "extended|-|unknown"}
	for _, name := range []string{"baseline", "extended"} {
		score := policyfile.BuiltIn(name).Score(reputation.Host{Ports: []int{80}, Vulnerabilities: manyVulns, Source: "internetdb"})
		want = append(want, fmt.Sprintf("%s|%d|%s", name, score.Score, score.Level))
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, fieldsOf(rows, "policy", "score", "level")); diff != "" {
		t.Errorf("want (-), got (+): %s", diff)
	}
	if _, err := s.run(t, query{table: "shodan_reputation_history", quals: map[string]*proto.QualValue{"policy": texts("extendet")}}); err == nil || !strings.Contains(err.Error(), "extended") {
		t.Errorf("an unknown policy: %v", err)
	}
}

// TestAStoreThatCannotBeReadIsNoEmptyResult is about both tables: "not checked" never looks like "nothing changed".
func TestAStoreThatCannotBeReadIsNoEmptyResult(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct{ location, want string }{
		"off":                     {"off", `the history store is off (history_store = "off")`},
		"a folder":                {dir + "/", "the history store: "},
		"below a file":            {filepath.Join(file, "history.sqlite"), "the history store: "},
		"a database that is away": {"postgres://nobody:secret@127.0.0.1:1/none?connect_timeout=2", "the history store: "},
	} {
		s := mustConnect(t, fmt.Sprintf("cache = \"off\"\nhistory_store = %q\n", tt.location))
		for _, table := range []string{"shodan_reputation_history", "shodan_reputation_change"} {
			for _, quals := range []map[string]*proto.QualValue{nil, {"ip": inets("203.0.114.1")}, {"ip": inets("203.0.114.1", "203.0.114.2")}} {
				rows, err := s.run(t, query{table: table, quals: quals})
				if err == nil || len(rows) > 0 || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "secret") {
					t.Errorf("%s: %s: %d rows, %v; want %s", name, table, len(rows), err, tt.want)
				}
			}
		}
	}
}

func TestWrongConditionsOnThePastAreErrors(t *testing.T) {
	s := withPast(t, recordedHere(t), recordedPast...)
	nothing := &proto.QualValue{}
	for name, tt := range map[string]struct {
		quals  map[string]*proto.QualValue
		others map[string]*proto.Quals
		want   string
	}{
		"a source that is not recorded": {map[string]*proto.QualValue{"source": texts("dataset")}, nil, `source = "dataset": the history store has the responses of services: use "shodan" or "internetdb"`},
		"no source":                     {map[string]*proto.QualValue{"source": texts("sodan")}, nil, `source = "sodan"`},
		"an address known when it runs": {map[string]*proto.QualValue{"ip": nothing}, nil, "ip is compared with a value that is only known when the query runs"},
		"a time known when it runs": {nil, map[string]*proto.Quals{"last_checked": {Quals: []*proto.Qual{{FieldName: "last_checked", Operator: &proto.Qual_StringValue{StringValue: ">"}, Value: nothing}}}},
			"last_checked is compared with a value that is only known when the query runs"},
	} {
		rows, err := s.run(t, query{table: "shodan_reputation_history", quals: tt.quals, others: tt.others})
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %d rows, %v; want %s", name, len(rows), err, tt.want)
		}
	}
}

func TestALimitOnThePastLosesNoRow(t *testing.T) {
	s := withPast(t, recordedHere(t), recordedPast...)
	for _, quals := range []map[string]*proto.QualValue{nil, {"ip": inets("203.0.114.1", "203.0.114.2", "2001:db9::1", "203.0.114.99")}} {
		if rows := s.mustRun(t, query{table: "shodan_reputation_history", quals: quals, limit: 3}); len(rows) < 3 {
			t.Errorf("%d rows with a limit of 3", len(rows))
		}
	}
}
