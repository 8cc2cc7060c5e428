package shodanrep

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/turbot/steampipe-plugin-sdk/v5/grpc/proto"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

// shareCertificate adds hosts that share a certificate, organization and network, each with a service of its own.
func shareCertificate(sim *shodantest.Simulator, cn string, ips ...string) {
	expires := time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
	for i, ip := range ips {
		sim.AddHost(shodantest.Host{
			IP: ip, Org: "Example Hosting", ASN: "AS64500",
			Banners: []map[string]any{
				{"port": 443, "transport": "tcp", "product": "nginx", "ssl": shodantest.TLS(cn, expires)},
				{"port": 8000 + i, "transport": "tcp", "ssl": shodantest.TLS(fmt.Sprintf("own-%d.example.com", i), expires)},
			},
		})
	}
}

// relatedTo runs a correlation and returns the related addresses with ports, sorted.
func relatedTo(t *testing.T, s server, table string, quals map[string]*proto.QualValue) []string {
	t.Helper()
	var found []string
	for _, r := range s.mustRun(t, query{table: table, quals: quals}) {
		found = append(found, fmt.Sprintf("%v %v:%v", r["pivot"], r["related_ip"], r["related_port"]))
	}
	slices.Sort(found)
	return found
}

func TestHostsWithTheSameCertificate(t *testing.T) {
	sim := shodantest.New(t)
	shareCertificate(sim, "shared.example.com", "11.0.1.1", "11.0.1.2", "11.0.1.3")
	s := mustConnect(t, keyed(sim))
	for name, tt := range map[string]struct {
		quals map[string]*proto.QualValue
		want  []string
	}{
		"by the name that the certificate is for, where no pivot is named": {
			map[string]*proto.QualValue{"ip": inets("11.0.1.1")},
			[]string{"subject_cn 11.0.1.2:443", "subject_cn 11.0.1.3:443"},
		},
		"by the certificate itself": {
			map[string]*proto.QualValue{"ip": inets("11.0.1.2"), "pivot": texts("fingerprint_sha256")},
			[]string{"fingerprint_sha256 11.0.1.1:443", "fingerprint_sha256 11.0.1.3:443"},
		},
		"by several pivots": {
			map[string]*proto.QualValue{"ip": inets("11.0.1.2"), "pivot": texts("jarm", "ja3s")},
			[]string{"ja3s 11.0.1.1:443", "ja3s 11.0.1.3:443", "jarm 11.0.1.1:443", "jarm 11.0.1.3:443"},
		},
		"by a value without an address": {
			map[string]*proto.QualValue{"pivot": texts("subject_cn"), "value": texts("shared.example.com")},
			[]string{"subject_cn 11.0.1.1:443", "subject_cn 11.0.1.2:443", "subject_cn 11.0.1.3:443"},
		},
		"of a host of which nothing is indexed": {map[string]*proto.QualValue{"ip": inets("11.0.9.9")}, []string{"<nil> <nil>:<nil>"}},
		"of a value that no host has":           {map[string]*proto.QualValue{"value": texts("none.example.com")}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			if got := relatedTo(t, s, "shodan_ssl_correlation", tt.quals); !slices.Equal(got, tt.want) {
				t.Errorf("%v, want %v", got, tt.want)
			}
		})
	}
	t.Run("with the address, its own port and what is known of the other", func(t *testing.T) {
		rows := s.mustRun(t, query{table: "shodan_ssl_correlation", quals: map[string]*proto.QualValue{"ip": inets("11.0.1.1")}})
		i := slices.IndexFunc(rows, func(r row) bool { return r["related_ip"] == "11.0.1.2" })
		if i < 0 {
			t.Fatal(rows)
		}
		for column, want := range map[string]any{
			"ip": "11.0.1.1", "source": "shodan", "status": "indexed", "error": nil, "pivot": "subject_cn", "value": "shared.example.com", "port": int64(443),
			"organization": "Example Hosting", "asn": "AS64500", "product": "nginx", "title": "11.0.1.2 443",
		} {
			if rows[i][column] != want {
				t.Errorf("%s is %v, want %v", column, rows[i][column], want)
			}
		}
	})
}

func TestHostsOfTheSameOrganizationAndNetwork(t *testing.T) {
	sim := shodantest.New(t)
	shareCertificate(sim, "shared.example.com", "11.0.1.1", "11.0.1.2")
	sim.AddHost(shodantest.Host{IP: "11.0.1.7", Org: "Example Hosting Services", ASN: "AS645000", Ports: []int{22}})
	s := mustConnect(t, keyed(sim))
	for table, quals := range map[string]map[string]*proto.QualValue{
		"shodan_org_correlation": {"ip": inets("11.0.1.1"), "value": texts("Example Hosting"), "organization": texts("Example Hosting")},
		"shodan_asn_correlation": {"ip": inets("11.0.1.1"), "value": texts("AS64500"), "asn": texts("AS64500")},
	} {
		for column, value := range quals {
			var others, own int
			for _, r := range s.mustRun(t, query{table: table, quals: map[string]*proto.QualValue{column: value}}) {
				switch r["related_ip"] {
				case "11.0.1.2":
					others++
				case "11.0.1.1":
					own++
				default:
					t.Errorf("%s by %s has a row of another organization: %v", table, column, r)
				}
			}
			if others != 2 || (own == 0) != (column == "ip") {
				t.Errorf("%s by %s: %d rows of the other host, %d of the address itself", table, column, others, own)
			}
		}
	}
	if rows := s.mustRun(t, query{table: "shodan_asn_correlation", quals: map[string]*proto.QualValue{"value": texts("64500")}}); len(rows) != 4 || rows[0]["value"] != "64500" {
		t.Errorf("a number without AS: %v", rows)
	}
	if _, err := s.run(t, query{table: "shodan_asn_correlation", quals: map[string]*proto.QualValue{"asn": texts("64500")}}); err == nil || !strings.Contains(err.Error(), "AS64500") {
		t.Errorf("a number without AS in a column that the rows write with it: %v", err)
	}
}

func TestASearchIsPaidForOnce(t *testing.T) {
	sim := shodantest.New(t)
	ips := []string{}
	for i := range 40 {
		ips = append(ips, fmt.Sprintf("11.0.2.%d", i+1))
	}
	shareCertificate(sim, "shared.example.com", ips...)
	s := mustConnect(t, keyed(sim))
	searches := func() (n int) {
		for _, r := range sim.Requests() {
			if strings.HasPrefix(r.Endpoint, "/shodan/host/search") {
				n++
			}
		}
		return n
	}
	for range 2 {
		got := relatedTo(t, s, "shodan_ssl_correlation", map[string]*proto.QualValue{"value": texts("shared.example.com")})
		if len(got) != 20 || searches() != 1 {
			t.Fatalf("%d rows and %d searches, want the 20 of correlation_limit and one", len(got), searches())
		}
	}
	rows := s.mustRun(t, query{table: "shodan_ssl_correlation", limit: 3, quals: map[string]*proto.QualValue{"value": texts("shared.example.com")}})
	if len(rows) != 3 || searches() != 1 {
		t.Errorf("limit 3: %d rows, %d searches", len(rows), searches())
	}
}

func TestASearchIsPaidForOnlyWhereItsRowsAreNeeded(t *testing.T) {
	for name, tt := range map[string]struct {
		value    string
		searches int
		rows     int
	}{
		"a value of the address":          {"shared.example.com", 1, 1},
		"a value that it does not have":   {"none.example.com", 0, 0},
		"no value, so that it has two":    {"", 2, 1},
		"its own value, which no one has": {"own-0.example.com", 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			sim := shodantest.New(t)
			shareCertificate(sim, "shared.example.com", "11.0.1.1", "11.0.1.2")
			quals := map[string]*proto.QualValue{"ip": inets("11.0.1.1")}
			if tt.value != "" {
				quals["value"] = texts(tt.value)
			}
			rows := mustConnect(t, keyed(sim)).mustRun(t, query{table: "shodan_ssl_correlation", quals: quals})
			searches := 0
			for _, r := range sim.Requests() {
				if r.Endpoint == shodantest.EndpointSearch {
					searches++
				}
			}
			if len(rows) != tt.rows || searches != tt.searches {
				t.Errorf("%d rows of %d searches, want %d of %d", len(rows), searches, tt.rows, tt.searches)
			}
		})
	}
}

func TestASearchOfAnotherOrganizationThanTheQueryNamesIsNotPaidFor(t *testing.T) {
	t.Parallel()
	for table, columns := range map[string]map[string]string{
		"shodan_org_correlation": {"organization": "Example Hosting"},
		"shodan_asn_correlation": {"asn": "AS64500"},
	} {
		for column, own := range columns {
			for _, value := range []string{own, own + "9"} {
				sim := shodantest.New(t)
				shareCertificate(sim, "shared.example.com", "11.0.1.1", "11.0.1.2")
				rows := mustConnect(t, keyed(sim)).mustRun(t, query{table: table, quals: map[string]*proto.QualValue{"ip": inets("11.0.1.1"), column: texts(value)}})
				isSearch := func(r shodantest.Request) bool { return r.Endpoint == shodantest.EndpointSearch }
				if searches := slices.ContainsFunc(sim.Requests(), isSearch); (value == own) != searches || (value == own) != (len(rows) > 0) {
					t.Errorf("%s = %s: %d rows, searched %t", column, value, len(rows), searches)
				}
			}
		}
	}
}

func TestACertificateCannotChangeTheQuery(t *testing.T) {
	sim := shodantest.New(t)
	evil := `a" port:"22`
	shareCertificate(sim, evil, "11.0.3.1")
	sim.AddHost(shodantest.Host{IP: "11.0.3.2", Ports: []int{22}})
	rows := mustConnect(t, keyed(sim)).mustRun(t, query{table: "shodan_ssl_correlation", quals: map[string]*proto.QualValue{"ip": inets("11.0.3.1")}})
	if len(rows) != 0 {
		t.Errorf("%v", rows)
	}
	for _, r := range sim.Requests() {
		if strings.Contains(r.Target, `"22`) {
			t.Errorf("the query is %s", r.Target)
		}
	}
}

func TestSearchesThatAreRefused(t *testing.T) {
	empty := func(sim *shodantest.Simulator) string {
		sim.Fault(shodantest.Fault{Endpoint: shodantest.EndpointSearch, Body: `{"matches": [], "total": 2}`})
		return keyed(sim)
	}
	value := map[string]*proto.QualValue{"value": texts("shared.example.com")}
	for name, tt := range map[string]struct {
		options []shodantest.Option
		spc     func(*shodantest.Simulator) string
		quals   map[string]*proto.QualValue
		want    string
	}{
		"without a key or a dataset":         {nil, free, value, "needs an API key whose plan allows searches, or a dataset"},
		"with a plan that cannot search":     {[]shodantest.Option{shodantest.WithPlan("oss")}, keyed, value, "needs a plan that allows searches"},
		"with a plan, by address":            {[]shodantest.Option{shodantest.WithPlan("oss")}, keyed, map[string]*proto.QualValue{"ip": inets(bad)}, "plan"},
		"without credits":                    {[]shodantest.Option{shodantest.WithCredits(0)}, keyed, value, "no query credits left"},
		"with a pivot that there is not":     {nil, keyed, map[string]*proto.QualValue{"value": texts("x"), "pivot": texts("issuer")}, "use subject_cn, fingerprint_sha256, jarm, ja3s"},
		"from a source that has no search":   {nil, keyed, map[string]*proto.QualValue{"value": texts("x"), "source": texts("internetdb")}, "InternetDB cannot be searched"},
		"from a dataset that is not there":   {nil, keyed, map[string]*proto.QualValue{"value": texts("x"), "source": texts("dataset")}, "data_files"},
		"with a page that is empty too soon": {nil, empty, value, "page 1 has no match, though Shodan counts 2 matches in all"},
		"without a value":                    {nil, keyed, map[string]*proto.QualValue{"value": texts("")}, `value = "" is empty: give the subject_cn to search for`},
		"with a value of spaces":             {nil, keyed, map[string]*proto.QualValue{"value": texts("x", " \" "), "pivot": texts("jarm")}, "is empty: give the jarm to search for"},
		"with a query that is not completed": {nil, keyed, nil, "missing"},
	} {
		t.Run(name, func(t *testing.T) {
			sim := simulate(t, tt.options...)
			rows, err := mustConnect(t, tt.spc(sim)).run(t, query{table: "shodan_ssl_correlation", quals: maps.Clone(tt.quals)})
			if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), shodantest.Key) {
				t.Errorf("%d rows, error %v", len(rows), err)
			}
		})
	}
}

func TestAnAddressThatCannotBeLookedUpIsARowOfTheCorrelation(t *testing.T) {
	t.Parallel()
	sim := simulate(t)
	shareCertificate(sim, "shared.example.com", "11.0.1.1", "11.0.1.2")
	sim.Fault(shodantest.Fault{Target: "11.0.1.2", Endpoint: "/shodan/host/{ip}", Status: 502, Body: shodantest.BodyPage(502)})
	rows := mustRunInTime(t, keyed(sim), "5s", query{table: "shodan_ssl_correlation", quals: map[string]*proto.QualValue{"ip": inets("11.0.1.1", "11.0.1.2")}})
	if r := byIP(t, rows, "11.0.1.2"); r["error"] == nil || r["related_ip"] != nil {
		t.Errorf("%v", r)
	}
	if r := byIP(t, rows, "11.0.1.1"); r["error"] != nil || r["related_ip"] != "11.0.1.2" {
		t.Errorf("%v", r)
	}
}

func TestAnAddressOfWhichNothingIsKnownIsARowOfEachCorrelation(t *testing.T) {
	sim := simulate(t)
	sim.AddHost(shodantest.Host{IP: "11.0.1.1", Org: "Example", ASN: "AS64500", Banners: []map[string]any{{"port": 21, "transport": "tcp", "hash": 7}}})
	s := mustConnect(t, keyed(sim))
	statuses := map[string]any{"11.0.9.9": "not_indexed", "10.0.0.1": "reserved", "11.0.0.0/24": "not_a_host"}
	for table, alias := range map[string]string{
		"shodan_ssl_correlation": "value", "shodan_fingerprint_correlation": "value", "shodan_asn_correlation": "asn", "shodan_org_correlation": "organization",
	} {
		rows := s.mustRun(t, query{table: table, quals: map[string]*proto.QualValue{"ip": inets("11.0.9.9", "10.0.0.1", "11.0.0.0/24", "11.0.1.1")}})
		if len(rows) != len(statuses) {
			t.Errorf("%s: %d rows, want one for each address without data, and none for that without related hosts: %v", table, len(rows), rows)
		}
		for ip, status := range statuses {
			r := byIP(t, rows, ip)
			if r["status"] != status || r["related_ip"] != nil || (r["error"] == nil) == (status == "not_a_host") || r["title"] != ip {
				t.Errorf("%s: %v", table, r)
			}
		}
		// PostgreSQL checks the conditions of the query against the rows again.
		rows = s.mustRun(t, query{table: table, quals: map[string]*proto.QualValue{"ip": inets("10.0.0.1"), alias: texts("AS64500"), "source": texts("shodan")}})
		if len(rows) != 1 || rows[0][alias] != "AS64500" || rows[0]["source"] != "shodan" || rows[0]["status"] != "reserved" {
			t.Errorf("%s with conditions: %v", table, rows)
		}
		for _, r := range s.mustRun(t, query{table: table, quals: map[string]*proto.QualValue{"value": texts("AS64500")}}) {
			if r["status"] != nil {
				t.Errorf("%s: a value has the status of an address: %v", table, r)
			}
		}
	}
}
