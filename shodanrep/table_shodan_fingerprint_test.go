package shodanrep

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/turbot/steampipe-plugin-sdk/v5/grpc/proto"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

const hostKey = "16:27:ac:a5:76:28:2d:36:63:1b:56:4d:eb:df:a6:48"

// shareFingerprints adds hosts that share every kind of fingerprint, and one more that shares none.
func shareFingerprints(sim *shodantest.Simulator, ips ...string) {
	expires := time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
	banners := func(name string) []map[string]any {
		page := shodantest.HTTP("Page of "+name, "nginx")
		page["favicon"] = map[string]any{"hash": -len(name) * 1001}
		return []map[string]any{
			{"port": 443, "transport": "tcp", "product": "nginx", "data": "the answer of " + name, "http": page, "ssl": shodantest.TLS(name, expires)},
			{"port": 22, "transport": "tcp", "product": "OpenSSH", "data": "SSH-2.0-" + name + "\nFingerprint: " + strings.Repeat("0"+name[:1]+":", 3) + hostKey[9:] + "\n", "ssh": map[string]any{
				"fingerprint": strings.Repeat("0"+name[:1]+":", 3) + hostKey[9:], "hassh": strings.Repeat(name[:1], 32),
			}},
		}
	}
	for _, ip := range ips {
		sim.AddHost(shodantest.Host{IP: ip, Banners: banners("a.example.com")})
	}
	sim.AddHost(shodantest.Host{IP: "11.0.5.99", Banners: banners("bb.example.com")})
}

func fingerprints(ips ...string) query {
	return query{table: "shodan_fingerprint", quals: map[string]*proto.QualValue{"ip": inets(ips...)}}
}

func TestEveryFingerprintLeadsToTheOthersThatHaveIt(t *testing.T) {
	sim := shodantest.New(t)
	shareFingerprints(sim, "11.0.5.1", "11.0.5.2")
	s := mustConnect(t, keyed(sim))
	found := map[string]bool{}
	for _, r := range s.mustRun(t, fingerprints("11.0.5.1")) {
		kind, value := r["kind"].(string), r["value"].(string)
		found[kind] = true
		if want := fmt.Sprintf("11.0.5.1 %v %s", r["port"], kind); r["title"] != want || r["source"] != "shodan" || r["status"] != "indexed" || r["last_seen"] == nil || r["transport"] != "tcp" {
			t.Errorf("%v", r)
		}
		for name, quals := range map[string]map[string]*proto.QualValue{
			"by address": {"ip": inets("11.0.5.1"), "pivot": texts(kind)}, "by value": {"value": texts(value), "pivot": texts(kind)},
		} {
			var related []string
			for _, c := range s.mustRun(t, query{table: "shodan_fingerprint_correlation", quals: quals}) {
				if c["value"] == value {
					related = append(related, fmt.Sprintf("%v:%v", c["related_ip"], c["related_port"]))
				}
			}
			slices.Sort(related)
			want := []string{fmt.Sprintf("11.0.5.2:%v", r["port"])}
			if name == "by value" {
				want = append([]string{fmt.Sprintf("11.0.5.1:%v", r["port"])}, want...)
			}
			if diff := cmp.Diff(want, related); diff != "" {
				t.Errorf("%s %s: %s", kind, name, diff)
			}
		}
	}
	if kinds := slices.Sorted(maps.Keys(found)); len(kinds) != len(shodan.Fingerprints()) {
		t.Errorf("the host shows %v, want all of %v", kinds, shodan.Fingerprints())
	}
}

func TestTheSearchOfAFingerprintIsTheOneThatIsMade(t *testing.T) {
	sim := shodantest.New(t)
	shareFingerprints(sim, "11.0.5.1", "11.0.5.2")
	s := mustConnect(t, keyed(sim))
	for _, r := range s.mustRun(t, fingerprints("11.0.5.1")) {
		s.mustRun(t, query{table: "shodan_fingerprint_correlation", quals: map[string]*proto.QualValue{"ip": inets("11.0.5.1"), "pivot": texts(r["kind"].(string))}})
		if !slices.ContainsFunc(sim.Requests(), func(q shodantest.Request) bool {
			return q.Endpoint == shodantest.EndpointSearch && q.Target == r["search_query"]
		}) {
			t.Errorf("nobody searched for %v", r["search_query"])
		}
	}
}

func TestAnAddressWithoutFingerprintsOrWithoutAnAnswerIsOneRow(t *testing.T) {
	t.Parallel()
	sim := simulate(t)
	sim.Fault(shodantest.Fault{Target: good, Kind: shodantest.Truncated})
	rows := mustRunInTime(t, keyed(sim), "5s", fingerprints(empty, good, "11.0.0.9", "10.0.0.1", "11.0.0.0/24"))
	if len(rows) != 5 {
		t.Errorf("%d rows for five addresses", len(rows))
	}
	for ip, status := range map[string]string{empty: "indexed", "11.0.0.9": "not_indexed", "10.0.0.1": "reserved", "11.0.0.0/24": "not_a_host", good: "error"} {
		r := byIP(t, rows, ip)
		if r["status"] != status || r["kind"] != nil || r["search_query"] != nil || r["title"] != ip || (r["error"] != nil) != (status == "error") {
			t.Errorf("%s: %v", ip, r)
		}
	}
}

func TestFingerprintsNeedASourceThatHasBanners(t *testing.T) {
	for name, tt := range map[string]struct {
		options []shodantest.Option
		spc     func(*shodantest.Simulator) string
		source  string
		want    string
	}{
		"without a key":         {nil, free, "", "InternetDB has no banners"},
		"from InternetDB":       {nil, keyed, "internetdb", "InternetDB has no banners"},
		"with too low a plan":   {[]shodantest.Option{shodantest.WithPlan("oss")}, keyed, "", "plan"},
		"from a missing source": {nil, keyed, "dataset", "data_files"},
	} {
		t.Run(name, func(t *testing.T) {
			q := fingerprints(bad, good)
			if tt.source != "" {
				q.quals["source"] = texts(tt.source)
			}
			rows, err := mustConnect(t, tt.spc(simulate(t, tt.options...))).run(t, q)
			if err == nil || !strings.Contains(err.Error(), tt.want) || len(rows) != 0 {
				t.Errorf("%d rows, error %v", len(rows), err)
			}
		})
	}
}

func TestAValueThatNoFingerprintCanHaveIsNotSearchedFor(t *testing.T) {
	sim := simulate(t)
	_, err := mustConnect(t, keyed(sim)).run(t, query{table: "shodan_fingerprint_correlation", quals: map[string]*proto.QualValue{"pivot": texts("favicon"), "value": texts("-1 port:22")}})
	if err == nil || !strings.Contains(err.Error(), `value = "-1 port:22" is no favicon`) || sim.Count("") != 0 {
		t.Errorf("%v after %d requests", err, sim.Count(""))
	}
}

func TestTheAddressesOfACorrelationAreLookedUpInBulk(t *testing.T) {
	sim := shodantest.New(t, shodantest.WithPlan("corp"))
	ips := []string{}
	for i := range 20 {
		ips = append(ips, fmt.Sprintf("11.0.6.%d", i+1))
	}
	shareFingerprints(sim, ips...)
	spc := strings.Replace(keyed(sim), `bulk_lookup = "off"`, `bulk_lookup = "auto"`, 1)
	rows := mustConnect(t, spc).mustRun(t, query{table: "shodan_fingerprint_correlation", quals: map[string]*proto.QualValue{"ip": inets(ips...), "pivot": texts("jarm")}})
	if len(rows) != 20*19 {
		t.Errorf("%d rows of 20 hosts with 19 others each", len(rows))
	}
	kinds := map[string]int{}
	for _, r := range sim.Requests() {
		kinds[r.Endpoint]++
	}
	if diff := cmp.Diff(map[string]int{shodantest.EndpointHosts: 1, shodantest.EndpointSearch: 1}, kinds); diff != "" {
		t.Error(diff)
	}
}

// TestFingerprintsAgreeWithCapturedHosts reads the captured answers on its own, and expects of them what is worth a
// search.
func TestFingerprintsAgreeWithCapturedHosts(t *testing.T) {
	onCapturedHosts(t, func(t *testing.T, server server, ip string, body []byte) {
		var host struct {
			Data []struct {
				Port int         `json:"port"`
				Hash json.Number `json:"hash"`
				HTTP struct {
					HTML    json.Number `json:"html_hash"`
					Favicon *struct {
						Hash json.Number `json:"hash"`
					} `json:"favicon"`
				} `json:"http"`
				SSH struct{ Fingerprint, HASSH string } `json:"ssh"`
				SSL struct {
					JARM, JA3S string
					Cert       struct {
						Serial      json.Number
						Fingerprint struct{ SHA256 string }
					}
				} `json:"ssl"`
			} `json:"data"`
		}
		if err := json.Unmarshal(body, &host); err != nil {
			t.Fatal(err)
		}
		var want, got []string
		for _, b := range host.Data {
			values := map[string]string{
				"banner_hash:hash:": string(b.Hash), "http_html:http.html_hash:": string(b.HTTP.HTML), "hassh:ssh.hassh:": b.SSH.HASSH,
				"jarm:ssl.jarm:": b.SSL.JARM, "ja3s:ssl.ja3s:": b.SSL.JA3S, "fingerprint_sha256:ssl.cert.fingerprint:": b.SSL.Cert.Fingerprint.SHA256,
			}
			if b.HTTP.Favicon != nil {
				values["favicon:http.favicon.hash:"] = string(b.HTTP.Favicon.Hash)
			}
			if b.SSH.Fingerprint != "" {
				values["ssh_host_key:"] = `"` + b.SSH.Fingerprint + `"`
			}
			if serial := string(b.SSL.Cert.Serial); !strings.Contains(serial, "e") {
				values["cert_serial:ssl.cert.serial:"] = serial
			}
			for prefix, value := range values {
				if value != "" && value != "0" {
					want = append(want, fmt.Sprint(b.Port, " ", prefix, value))
				}
			}
		}
		for _, r := range server.mustRun(t, fingerprints(ip)) {
			if r["kind"] != nil {
				got = append(got, fmt.Sprint(r["port"], " ", r["kind"], ":", r["search_query"]))
			}
		}
		slices.Sort(want)
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
}
