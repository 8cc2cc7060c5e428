package shodanrep

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/turbot/steampipe-plugin-sdk/v5/grpc/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

// day is midnight of a day of May 2024.
func day(n int) time.Time { return time.Date(2024, 5, n, 0, 0, 0, 0, time.UTC) }

// cveDB is a simulator with CVEs of a product, published a day after the other, every tenth of them known to be
// exploited.
func cveDB(t *testing.T, n int, opts ...shodantest.Option) *shodantest.Simulator {
	t.Helper()
	sim := shodantest.New(t, opts...)
	for i := range n {
		sim.AddCVE(shodantest.CVE{
			ID: fmt.Sprintf("CVE-2024-%04d", i), CVSS: 7.5, CVSSVersion: 3.1, EPSS: 0.5, RankingEPSS: 0.97, KEV: i%10 == 0,
			Published: day(1).AddDate(0, 0, i), CPEs: []string{"cpe:2.3:a:example:shop:1.0"},
		})
	}
	return sim
}

func momentIs(at time.Time) *proto.QualValue {
	return &proto.QualValue{Value: &proto.QualValue_TimestampValue{TimestampValue: timestamppb.New(at)}}
}

// idsOf returns the CVE ids of rows, sorted.
func idsOf(rows []row) []string {
	ids := []string{}
	for _, r := range rows {
		ids = append(ids, fmt.Sprint(r["cve_id"]))
	}
	slices.Sort(ids)
	return ids
}

func TestACVEHasAllThatCVEDBKnows(t *testing.T) {
	sim := cveDB(t, 0)
	sim.AddCVE(shodantest.CVE{
		ID: "CVE-2021-44228", Summary: "Log4j runs \x00code", CVSS: 10, CVSSVersion: 3.1, EPSS: 0.94, RankingEPSS: 0.999, KEV: true, ProposeAction: "Update it.",
		RansomwareCampaign: "Known", References: []string{"https://example.com"}, Published: day(3), CPEs: []string{"cpe:2.3:a:apache:log4j:2.0"},
	})
	rows := mustConnect(t, free(sim)).mustRun(t, query{table: "shodan_cve", quals: map[string]*proto.QualValue{"cve_id": texts("cve-2021-44228")}})
	if len(rows) != 1 || rows[0]["checked_at"] == nil {
		t.Fatalf("%v", rows)
	}
	delete(rows[0], "checked_at")
	want := row{
		"cve_id": "cve-2021-44228", "summary": "Log4j runs code", "cvss": 10.0, "cvss_version": 3.1, "cvss_v2": nil, "cvss_v3": 10.0, "cvss_v4": nil,
		"epss": 0.94, "ranking_epss": 0.999, "kev": true, "propose_action": "Update it.", "ransomware_campaign": "Known", "reference_urls": []any{"https://example.com"},
		"published_time": "2024-05-03T00:00:00Z", "cpes": []any{"cpe:2.3:a:apache:log4j:2.0"}, "cpe23": nil, "product": nil, "title": "cve-2021-44228",
		"affected_vendor": nil, "affected_product": nil, "affected_version": nil,
	}
	if diff := cmp.Diff(want, rows[0]); diff != "" {
		t.Error(diff)
	}
}

func TestCVEsAreFoundByWhatIsKnownOfThem(t *testing.T) {
	sim := cveDB(t, 15)
	sim.AddCVE(shodantest.CVE{ID: "CVE-2023-0001", KEV: true, Published: day(1).AddDate(-1, 0, 0), CPEs: []string{"cpe:2.3:a:f5:nginx:1.18.0", "cpe:2.3:a:f5:nginx:1.19.0"}})
	s := mustConnect(t, free(sim))
	type quals = map[string]*proto.QualValue
	for name, test := range map[string]struct {
		quals    quals
		ids      []string
		requests int
	}{
		"an id":                      {quals{"cve_id": texts("CVE-2024-0001")}, []string{"CVE-2024-0001"}, 1},
		"several, one unknown":       {quals{"cve_id": texts("CVE-2024-0002", "CVE-2024-0003", "CVE-2030-0001")}, []string{"CVE-2024-0002", "CVE-2024-0003"}, 3},
		"ids of other schemes":       {quals{"cve_id": texts("MS15-034", "GHSA-jfh8-c2jp-5v3q", "ALAS2-2021-1722")}, []string{}, 0},
		"ids in other spellings":     {quals{"cve_id": texts("cve-2024-0007", " CVE-2024-0008")}, []string{" CVE-2024-0008", "cve-2024-0007"}, 2},
		"a product":                  {quals{"product": texts("nginx")}, []string{"CVE-2023-0001"}, 1},
		"a product that is unknown":  {quals{"product": texts("apache")}, []string{}, 1},
		"a CPE":                      {quals{"cpe23": texts("cpe:2.3:a:f5:nginx:1.19.0")}, []string{"CVE-2023-0001"}, 1},
		"a CPE as InternetDB has it": {quals{"cpe23": texts("cpe:/a:f5:nginx:1.18.0")}, []string{"CVE-2023-0001"}, 1},
		"several CPEs":               {quals{"cpe23": texts("cpe:2.3:a:f5:nginx:1.0", "cpe:2.3:a:f5:nginx:1.18.0:*")}, []string{}, 2},
		"the exploited ones":         {quals{"kev": truth(true)}, []string{"CVE-2023-0001", "CVE-2024-0000", "CVE-2024-0010"}, 1},
		"exploited, of a product":    {quals{"kev": truth(true), "product": texts("shop")}, []string{"CVE-2024-0000", "CVE-2024-0010"}, 1},
		"not exploited, by ids":      {quals{"kev": truth(false), "cve_id": texts("CVE-2024-0010", "CVE-2024-0011")}, []string{"CVE-2024-0010", "CVE-2024-0011"}, 2},
		"two lists":                  {quals{"kev": oneOrList([]*proto.QualValue{truth(true), truth(false)}), "cve_id": texts("CVE-2024-0004", "CVE-2024-0005")}, []string{"CVE-2024-0004", "CVE-2024-0005"}, 2},
		"an id of a product":         {quals{"cve_id": texts("CVE-2024-0006"), "product": texts("shop")}, []string{"CVE-2024-0006"}, 1},
		"two spellings, of a CPE":    {quals{"cve_id": texts("cve-2024-0006", "CVE-2024-0006", "CVE-2030-0001"), "cpe23": texts("cpe:2.3:a:example:shop:1.0")}, []string{"CVE-2024-0006", "cve-2024-0006"}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			before := sim.Count(shodantest.CVEDB)
			rows := s.mustRun(t, query{table: "shodan_cve", quals: test.quals})
			if diff := cmp.Diff(test.ids, idsOf(rows)); diff != "" {
				t.Error(diff)
			}
			if n := sim.Count(shodantest.CVEDB) - before; n != test.requests {
				t.Errorf("%d requests, want %d", n, test.requests)
			}
			for _, r := range rows { // PostgreSQL drops a row that does not echo what was asked for
				for _, column := range []string{"product", "cpe23"} {
					if value := test.quals[column]; value != nil && r[column] != value.GetStringValue() {
						t.Errorf("%s is %v", column, r[column])
					}
				}
			}
		})
	}
}

func TestBoundsOnTheTimeArePassedDownAndHoldExactly(t *testing.T) {
	sim := cveDB(t, 10)
	s := mustConnect(t, free(sim))
	type bound struct {
		operator string
		at       time.Time
	}
	ms := time.Millisecond
	for name, test := range map[string]struct {
		bounds     []bound
		first, len int
		query      string
	}{
		"from a day on":     {[]bound{{">=", day(8)}}, 7, 3, "limit=1000&start_date=2024-05-08T00:00:00"},
		"after a day":       {[]bound{{">", day(8)}}, 8, 2, "limit=1000&start_date=2024-05-08T00:00:00"},
		"up to a day":       {[]bound{{"<=", day(2)}}, 0, 2, "end_date=2024-05-02T00:00:00&limit=1000"},
		"before a day":      {[]bound{{"<", day(2)}}, 0, 1, "end_date=2024-05-02T00:00:00&limit=1000"},
		"between":           {[]bound{{">=", day(3)}, {"<=", day(5)}}, 2, 3, "end_date=2024-05-05T00:00:00&limit=1000&start_date=2024-05-03T00:00:00"},
		"the narrowest":     {[]bound{{">", day(1)}, {">=", day(3)}, {"<", day(9)}, {"<=", day(4)}}, 2, 2, "end_date=2024-05-04T00:00:00&limit=1000&start_date=2024-05-03T00:00:00"},
		"parts of a second": {[]bound{{">=", day(3).Add(ms)}, {"<=", day(5).Add(-ms)}}, 3, 1, "end_date=2024-05-05T00:00:00&limit=1000&start_date=2024-05-03T00:00:00"},
		"in another zone":   {[]bound{{">=", day(8).In(time.FixedZone("", 7200))}}, 7, 3, "limit=1000&start_date=2024-05-08T00:00:00"},
		// Steampipe passes other times: '9999-12-31', 'infinity', '1601-01-01', '-infinity' and (select …).
		"a year after 2292":  {[]bound{{">=", day(8)}, {"<", time.Date(1816, 3, 29, 5, 56, 8, 0, time.UTC)}}, 7, 3, "limit=1000&start_date=2024-05-08T00:00:00"},
		"infinity":           {[]bound{{">=", day(8)}, {"<=", time.Date(1999, 12, 31, 23, 59, 59, 999_999_000, time.UTC)}}, 7, 3, "limit=1000&start_date=2024-05-08T00:00:00"},
		"a year before 1707": {[]bound{{">=", day(8)}, {">", time.Date(2185, 7, 22, 0, 34, 33, 0, time.UTC)}}, 7, 3, "limit=1000&start_date=2024-05-08T00:00:00"},
		"known when it runs": {[]bound{{">=", day(8)}, {"<", time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)}}, 7, 3, "limit=1000&start_date=2024-05-08T00:00:00"},
		"minus infinity":     {[]bound{{">", time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)}, {"<=", day(2)}}, 0, 2, "end_date=2024-05-02T00:00:00&limit=1000&start_date=1988-01-01T00:00:00"},
	} {
		t.Run(name, func(t *testing.T) {
			quals := &proto.Quals{}
			for _, b := range test.bounds {
				quals.Quals = append(quals.Quals, &proto.Qual{FieldName: "published_time", Operator: &proto.Qual_StringValue{StringValue: b.operator}, Value: momentIs(b.at)})
			}
			rows := s.mustRun(t, query{table: "shodan_cve", others: map[string]*proto.Quals{"published_time": quals}})
			want := []string{}
			for i := range test.len {
				want = append(want, fmt.Sprintf("CVE-2024-%04d", test.first+i))
			}
			if diff := cmp.Diff(want, idsOf(rows)); diff != "" {
				t.Error(diff)
			}
			if !slices.ContainsFunc(sim.Requests(), func(r shodantest.Request) bool { return r.Target == test.query }) {
				t.Errorf("%s was not asked for", test.query)
			}
		})
	}
}

func TestALimitStopsThePaging(t *testing.T) {
	sim := cveDB(t, 1250)
	s := mustConnect(t, free(sim))
	for _, test := range []struct {
		quals          map[string]*proto.QualValue
		limit          int64
		rows, requests int
		newest         bool
	}{
		{nil, 3, 3, 1, true},
		{nil, 100, 100, 0, true}, // the same page, from the cache
		{nil, 1100, 1100, 2, true},
		{map[string]*proto.QualValue{"product": texts("shop")}, 0, 1250, 2, false},
		{map[string]*proto.QualValue{"kev": truth(false)}, 150, 150, 2, true}, // of which a tenth is left out
		{map[string]*proto.QualValue{"kev": truth(true)}, 0, 125, 1, false},
	} {
		before := sim.Count("")
		rows := s.mustRun(t, query{table: "shodan_cve", quals: test.quals, limit: test.limit, columns: []string{"cve_id", "product"}})
		if n := sim.Count("") - before; len(rows) != test.rows || n != test.requests {
			t.Errorf("%v, limit %d: %d rows and %d requests, want %d and %d", test.quals, test.limit, len(rows), n, test.rows, test.requests)
		}
		if ids := idsOf(rows); len(slices.Compact(ids)) != test.rows || test.newest && ids[len(ids)-1] != "CVE-2024-1249" {
			t.Errorf("%v: %d different ids, the newest %s", test.quals, len(slices.Compact(ids)), ids[len(ids)-1])
		}
	}
}

func TestALimitEndsTheLookUpsOfAList(t *testing.T) {
	sim := cveDB(t, 300, shodantest.WithLatency(10*time.Millisecond))
	list := []string{}
	for i := range 300 {
		list = append(list, fmt.Sprintf("CVE-2024-%04d", i))
	}
	s := mustConnect(t, free(sim))
	if rows := s.mustRun(t, query{table: "shodan_cve", quals: map[string]*proto.QualValue{"cve_id": texts(list...)}, limit: 2}); len(rows) != 2 {
		t.Errorf("%d rows", len(rows))
	}
	// What is under way when the rows are there comes to its end.
	if n := sim.Count(""); n > 40 {
		t.Errorf("%d requests for two rows", n)
	}
}

func TestQueriesForCVEsThatCannotBeAnsweredSayHowToAsk(t *testing.T) {
	sim := cveDB(t, 1)
	s := mustConnect(t, free(sim))
	nothing := &proto.QualValue{}
	for name, test := range map[string]struct {
		quals  map[string]*proto.QualValue
		others map[string]*proto.Quals
		want   string
	}{
		"all of them":              {nil, nil, "shodan_cve has hundreds of thousands of rows: ask for some by cve_id, product, cpe23, kev = true or published_time"},
		"all that are not kev":     {map[string]*proto.QualValue{"kev": truth(false)}, nil, "hundreds of thousands of rows"},
		"a product that is empty":  {map[string]*proto.QualValue{"product": texts("")}, nil, `product = "" is empty: write the product as CPEs do`},
		"a product and a CPE":      {map[string]*proto.QualValue{"product": texts("x"), "cpe23": texts("cpe:2.3:a:x:x:1")}, nil, "not of both: leave one out"},
		"a CPE without a version":  {map[string]*proto.QualValue{"cpe23": texts("cpe:/a:f5:nginx")}, nil, `cpe23 = "cpe:/a:f5:nginx" is no CPE with a version: write it like cpe:2.3:a:f5:nginx:1.18.0`},
		"an id that is none":       {map[string]*proto.QualValue{"cve_id": texts("CVE-2024-0000", "CVE-2024-ABC")}, nil, `cve_id = "CVE-2024-ABC" is not the id of a CVE: write it like CVE-2021-44228, or leave it out`},
		"an id that is empty":      {map[string]*proto.QualValue{"cve_id": texts("")}, nil, `cve_id = "" is not the id of a CVE`},
		"an id without a prefix":   {map[string]*proto.QualValue{"cve_id": texts("2021-44228"), "product": texts("shop")}, nil, `cve_id = "2021-44228" is not the id of a CVE`},
		"an id known when it runs": {map[string]*proto.QualValue{"cve_id": nothing}, nil, "cve_id is compared with a value that is only known when the query runs"},
		"a time known when it runs": {nil, map[string]*proto.Quals{"published_time": {Quals: []*proto.Qual{{FieldName: "published_time", Operator: &proto.Qual_StringValue{StringValue: ">"}, Value: nothing}}}},
			"published_time is compared with a value that is only known when the query runs"},
		"a text known when it runs": {map[string]*proto.QualValue{"product": texts("?")}, nil, "product is compared with a value that is only known when the query runs"},
		"any of some times": {nil, map[string]*proto.Quals{"published_time": {Quals: []*proto.Qual{{FieldName: "published_time", Operator: &proto.Qual_StringValue{StringValue: ">"},
			Value: oneOrList([]*proto.QualValue{momentIs(time.Now()), momentIs(time.Now().AddDate(-1, 0, 0))})}}}},
			"published_time is compared with a list of times, and Steampipe does not say whether any or all are meant"},
	} {
		t.Run(name, func(t *testing.T) {
			rows, err := s.run(t, query{table: "shodan_cve", quals: test.quals, others: test.others})
			if err == nil || !strings.Contains(err.Error(), test.want) || len(rows) != 0 {
				t.Errorf("%d rows, error %v", len(rows), err)
			}
		})
	}
	if n := sim.Count(""); n != 0 {
		t.Errorf("%d requests", n)
	}
}

// Steampipe may mean another time than 2000-01-01. Then the rows of a LIMIT need not satisfy the condition, and PostgreSQL
// drops them: it must get all rows.
func TestALimitDoesNotCountRowsOfATimeThatIsUnknown(t *testing.T) {
	s := mustConnect(t, free(cveDB(t, 3)))
	for _, operator := range []string{"<", ">"} {
		rows := s.mustRun(t, query{table: "shodan_cve", limit: 2, quals: map[string]*proto.QualValue{"product": texts("shop")}, others: map[string]*proto.Quals{
			"published_time": {Quals: []*proto.Qual{{FieldName: "published_time", Operator: &proto.Qual_StringValue{StringValue: operator}, Value: momentIs(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC))}}},
		}})
		if len(rows) != 3 {
			t.Errorf("%s: %d rows, want 3", operator, len(rows))
		}
	}
}

// Steampipe passes false for kev = (select true), and PostgreSQL drops the rows that are not meant.
func TestCVEsThatAreNotExploitedMayBeAnyWithoutALimit(t *testing.T) {
	s := mustConnect(t, free(cveDB(t, 15)))
	quals := map[string]*proto.QualValue{"kev": truth(false), "product": texts("shop")}
	if rows := s.mustRun(t, query{table: "shodan_cve", quals: quals}); len(rows) != 15 {
		t.Errorf("%d rows, want 15", len(rows))
	}
	// The rows of a LIMIT count, and SQLite does not check the rows of the command line again.
	for _, q := range []query{{limit: 12}, {exact: true}} {
		q.table, q.quals = "shodan_cve", quals
		for _, row := range s.mustRun(t, q) {
			if row["kev"] != false {
				t.Errorf("%s is exploited", row["cve_id"])
			}
		}
	}
}

func TestCVEDBThatDoesNotAnswerFailsTheQuery(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		fault shodantest.Fault
		want  string
	}{
		"HTML":            {shodantest.Fault{Status: 502, Body: shodantest.BodyPage(502)}, "CVEDB sent no usable response (HTTP 502: Bad Gateway)"},
		"HTML with 200":   {shodantest.Fault{Body: shodantest.BodyPage(200)}, "CVEDB sent no usable response (HTTP 200: the response is not a JSON object)"},
		"truncated JSON":  {shodantest.Fault{Kind: shodantest.Truncated}, "CVEDB sent no usable response (HTTP 200: the response is not complete JSON"},
		"no answer":       {shodantest.Fault{Kind: shodantest.Hang}, "CVEDB sent no usable response (no response within 5s)"},
		"another's JSON":  {shodantest.Fault{Body: `{"cve_id": "CVE-1999-0001", "cves": null}`}, "CVEDB sent no usable response (HTTP 200: the response "},
		"an empty answer": {shodantest.Fault{}, "CVEDB sent no usable response (HTTP 200: the response is not a JSON object)"},
		"a ban": {shodantest.Fault{Status: http.StatusTooManyRequests, Header: http.Header{"Retry-After": {"3600"}}},
			"CVEDB refuses further requests as too many: no request is sent before"},
		"a refusal": {shodantest.Fault{Status: 422, Body: `{"detail": [{"msg": "String should match"}]}`}, "CVEDB refused the request (HTTP 422: String should match)"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sim := cveDB(t, 3)
			sim.Fault(test.fault)
			connection := free(sim)
			if test.fault.Kind == shodantest.Hang {
				connection += `timeout = "5s"`
			}
			s := mustConnect(t, connection)
			for what, quals := range map[string]map[string]*proto.QualValue{
				"looking up CVE-2024-0001 failed: ": {"cve_id": texts("CVE-2024-0001")}, "listing CVEs of shop failed: ": {"product": texts("shop")},
			} {
				rows, err := s.run(t, query{table: "shodan_cve", quals: quals})
				if err == nil || !strings.Contains(err.Error(), what+test.want) || len(rows) != 0 || strings.Contains(err.Error(), "<") {
					t.Errorf("%d rows, error %v", len(rows), err)
				}
			}
		})
	}
}

func TestCVEDBThatAnswersLaterIsWaitedFor(t *testing.T) {
	sim := cveDB(t, 3)
	sim.Fault(shodantest.Fault{Times: 1, Status: 502, Body: shodantest.BodyPage(502)})
	s := mustConnect(t, free(sim))
	for range 2 { // the second time from the cache
		rows := s.mustRun(t, query{table: "shodan_cve", quals: map[string]*proto.QualValue{"cve_id": texts("CVE-2024-0001")}})
		if len(rows) != 1 || sim.Count("") != 2 {
			t.Errorf("%v after %d requests", rows, sim.Count(""))
		}
	}
}

func TestACVEOfNullsIsARow(t *testing.T) {
	sim := cveDB(t, 0)
	sim.AddCVE(shodantest.CVE{ID: "CVE-2024-0001", Raw: json.RawMessage(`{"cve_id": "CVE-2024-0001", "summary": null, "cvss": null, "kev": {}, "references": null, "cpes": "x", "published_time": "soon"}`)})
	rows := mustConnect(t, free(sim)).mustRun(t, query{table: "shodan_cve", quals: map[string]*proto.QualValue{"cve_id": texts("CVE-2024-0001")}})
	if len(rows) != 1 {
		t.Fatalf("%v", rows)
	}
	for column, value := range rows[0] {
		known := map[string]bool{"cve_id": true, "title": true, "cpes": true, "checked_at": true}[column]
		if known == (value == nil) {
			t.Errorf("%s is %v", column, value)
		}
	}
}

// TestAListOfCVEsNamesWhatIsAffected checks the fields that only lists have: CVEDB's documentation of the responses has them.
func TestAListOfCVEsNamesWhatIsAffected(t *testing.T) {
	t.Parallel()
	sim := cveDB(t, 1)
	c := mustConnect(t, free(sim))
	for column, want := range map[string]row{
		"product": {"affected_vendor": "example", "affected_product": "shop", "affected_version": "1.0"},
		"cve_id":  {"affected_vendor": nil, "affected_product": nil, "affected_version": nil},
	} {
		value := map[string]string{"product": "shop", "cve_id": "CVE-2024-0000"}[column]
		rows := c.mustRun(t, query{table: "shodan_cve", quals: map[string]*proto.QualValue{column: texts(value)}})
		if len(rows) != 1 {
			t.Fatalf("by %s: %v", column, rows)
		}
		for name, affected := range want {
			if rows[0][name] != affected {
				t.Errorf("by %s: %s is %v, want %v", column, name, rows[0][name], affected)
			}
		}
	}
}
