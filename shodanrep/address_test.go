package shodanrep

import (
	"net/netip"
	"testing"

	"github.com/turbot/steampipe-plugin-sdk/v5/grpc/proto"
)

// inetForms are the forms in which a value reaches an inet column, with the status of their rows in
// shodan_ip_reputation.
var inetForms = map[string]string{
	bad:                       "indexed",
	bad + "/32":               "indexed",
	"::ffff:" + bad:           "indexed",
	"::ffff:" + bad + "/128":  "indexed",
	"::ffff:" + bad + "/120":  "not_a_host",
	"::ffff:0.0.0.0/96":       "not_a_host",
	"64:ff9b::b00:1":          "indexed",
	"11.0.0.0/24":             "not_a_host",
	"11.0.0.9/24":             "not_a_host",
	"0.0.0.0/0":               "not_a_host",
	"10.0.0.1":                "reserved",
	"::ffff:10.0.0.1":         "reserved",
	"2001:db8::1":             "reserved",
	"::8.8.8.8":               "reserved",
	"::1/128":                 "reserved",
	"2606:4700:4700::1111":    "not_indexed",
	"2606:4700:4700::/48":     "not_a_host",
	"2606:4700::8.8.8.8":      "not_indexed",
	"::ffff:0:0":              "reserved",
	"2606:4700:4700::1111/64": "not_a_host",
}

// samePostgresInet compares two texts as PostgreSQL compares inet values, which it does with a row's ip and the query's.
func samePostgresInet(t *testing.T, a, b string) bool {
	t.Helper()
	x, y := encodedInet(a), encodedInet(b)
	return x.Addr == y.Addr && x.Mask == y.Mask && x.ProtocolVersion == y.ProtocolVersion
}

func TestEveryFormOfAnInetThatSteampipeHandsOverIsEchoed(t *testing.T) {
	sim := simulate(t)
	s := mustConnect(t, free(sim))
	for given, status := range inetForms {
		for form, value := range map[string]*proto.QualValue{"inet or cidr": inets(given), "text": texts(given)} {
			rows := s.mustRun(t, query{table: "shodan_ip_reputation", columns: []string{"ip", "status"}, quals: map[string]*proto.QualValue{"ip": value}})
			if len(rows) != 1 || rows[0]["status"] != status {
				t.Errorf("%s as %s: %v, want one row with the status %s", given, form, rows, status)
				continue
			}
			if echo, _ := rows[0]["ip"].(string); !samePostgresInet(t, echo, given) {
				t.Errorf("%s as %s: the row has ip %q, which PostgreSQL takes for another value", given, form, echo)
			}
		}
	}
}

func TestAMappedAddressInAListIsOneRowBesideItsIPv4Form(t *testing.T) {
	s := mustConnect(t, free(simulate(t)))
	rows := s.mustRun(t, query{table: "shodan_ip_reputation", quals: map[string]*proto.QualValue{"ip": inets(bad, "::ffff:"+bad, "::ffff:"+good)}})
	if len(rows) != 3 {
		t.Fatalf("%d rows, want 3: %v", len(rows), rows)
	}
	if a, b := byIP(t, rows, bad), byIP(t, rows, "::ffff:"+bad); a["score"] != b["score"] || a["score"] == nil {
		t.Errorf("one address in two forms has the scores %v and %v", a["score"], b["score"])
	}
	byIP(t, rows, "::ffff:"+good)
}

// An address of NAT64 names a host with an IPv4 address, which is the one that Shodan knows.
func TestAnAddressOfNAT64IsItsIPv4Host(t *testing.T) {
	s := mustConnect(t, free(simulate(t)))
	given := netip.MustParseAddr("64:ff9b::" + bad).String()
	rows := s.mustRun(t, query{table: "shodan_ip_reputation", quals: map[string]*proto.QualValue{"ip": inets(bad, given)}})
	if len(rows) != 2 {
		t.Fatalf("%d rows, want 2: %v", len(rows), rows)
	}
	if a, b := byIP(t, rows, bad), byIP(t, rows, given); a["score"] != b["score"] || b["status"] != "indexed" {
		t.Errorf("one host by two addresses has the rows %v and %v", a, b)
	}
}

func TestAMappedNetworkIsItsIPv4Network(t *testing.T) {
	s := mustConnect(t, free(simulate(t)))
	for _, given := range []string{"::ffff:11.0.0.0/126", "11.0.0.0/30"} {
		rows := s.mustRun(t, query{table: "shodan_network_reputation", columns: []string{"network", "ip"}, quals: map[string]*proto.QualValue{"network": inets(given)}})
		if len(rows) != 4 {
			t.Errorf("%s: %d rows, want 4: %v", given, len(rows), rows)
			continue
		}
		for _, ip := range []string{"11.0.0.0", "11.0.0.1", "11.0.0.2", "11.0.0.3"} {
			if r := byIP(t, rows, ip); r["network"] != given {
				t.Errorf("%s: %v", given, r)
			}
		}
	}
}
