package shodanrep

import (
	"fmt"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/turbot/steampipe-plugin-sdk/v5/grpc/proto"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/internetdbfile/internetdbtest"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/scan"
)

// withFile writes a file of InternetDB, and returns the arguments of a connection with it and a service that fails.
func withFile(t *testing.T, rows ...internetdbtest.Row) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "internetdb.sqlite")
	if err := internetdbtest.Write(path, slices.Values(rows)); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("internetdb_file = %q\ninternetdb_url = \"http://127.0.0.1:9\"\ncache = \"memory\"\n", path)
}

// addressRow is a row of the file with an open port.
func addressRow(ip string, port string) internetdbtest.Row {
	return internetdbtest.Row{IP: ip, Ports: port, Tags: "vpn"}
}

func TestTheFileOfInternetDBIsListedWhole(t *testing.T) {
	s := mustConnect(t, withFile(t, addressRow("11.0.0.1", "4444"), addressRow("2606:4700::1111", "22"), addressRow("11.0.0.3", "ssh"), addressRow("11.0.0.2.example", "22")))
	for _, table := range []string{"shodan_ip_reputation", "shodan_host", "shodan_vulnerability", "shodan_reputation_factor"} {
		rows := s.mustRun(t, query{table: table, quals: map[string]*proto.QualValue{"source": texts("internetdb")}})
		statuses := map[any]any{}
		for _, r := range rows {
			statuses[r["ip"]] = r["status"]
			if r["source"] != "internetdb" {
				t.Errorf("%s: source %v", table, r["source"])
			}
		}
		if len(statuses) != 4 || statuses["11.0.0.1"] != "indexed" || statuses["2606:4700::1111"] != "indexed" || statuses["11.0.0.3"] != "error" || statuses[nil] != "error" {
			t.Errorf("%s: %v", table, statuses)
		}
	}
	rows := s.mustRun(t, query{table: "shodan_ip_reputation", quals: map[string]*proto.QualValue{"source": texts("internetdb")}})
	if r := byIP(t, rows, "11.0.0.1"); r["level"] != "medium" || r["score"] != int64(25) || r["checked_at"] == nil {
		t.Errorf("%v", r)
	}
	if r := byIP(t, rows, "11.0.0.3"); r["level"] != "unknown" || r["score"] != nil || !strings.Contains(fmt.Sprint(r["error"]), "is not a port") {
		t.Errorf("%v", r)
	}
	rows, err := s.run(t, query{table: "shodan_fingerprint", quals: map[string]*proto.QualValue{"source": texts("internetdb")}})
	if err == nil || !strings.Contains(err.Error(), "InternetDB has no banners") || len(rows) != 0 {
		t.Errorf("fingerprints: %d rows, error %v", len(rows), err)
	}
}

func TestANetworkIsAnsweredByTheFile(t *testing.T) {
	s := mustConnect(t, withFile(t, addressRow("11.0.0.1", "4444"), addressRow("11.0.3.255", "22"))+"network_limit = 1024\n")
	for _, source := range []string{"", "internetdb"} {
		q := ofNetwork("11.0.0.0/22")
		if source != "" {
			q = q.from(source)
		}
		rows := s.mustRun(t, q)
		counts := map[any]int{}
		for _, r := range rows {
			counts[r["status"]]++
		}
		if len(rows) != 1024 || counts["indexed"] != 2 || counts["not_indexed"] != 1022 {
			t.Errorf("source %q: %d rows, %v", source, len(rows), counts)
		}
		if r := byIP(t, rows, "11.0.0.1"); r["level"] != "medium" || r["source"] != "internetdb" {
			t.Errorf("%v", r)
		}
	}
	if _, err := s.run(t, ofNetwork("11.0.0.0/21")); err == nil || !strings.Contains(err.Error(), "more than network_limit") {
		t.Errorf("a larger network: error %v", err)
	}
	limited := ofNetwork("11.0.0.0/22")
	limited.limit = 3
	if rows := s.mustRun(t, limited); len(rows) != 3 {
		t.Errorf("%d rows of a LIMIT of 3", len(rows))
	}
}

// TestALongListKeepsItsOrder checks more addresses than a window has, with networks and addresses that the file does not
// have among them.
func TestALongListKeepsItsOrder(t *testing.T) {
	t.Parallel()
	var rows []internetdbtest.Row
	var targets []netip.Prefix
	for i := range 9000 {
		n := i * 7919 % 9000 // in another order than the file
		addr := netip.AddrFrom4([4]byte{11, 0, byte(n >> 8), byte(n)})
		if n%3 > 0 {
			rows = append(rows, addressRow(addr.String(), fmt.Sprint(n+1)))
		}
		targets = append(targets, netip.PrefixFrom(addr, 32))
		if i%100 == 0 {
			targets = append(targets, netip.PrefixFrom(addr, 24).Masked())
		}
	}
	c, err := NewChecker(t.Context(), "a long list", withFile(t, rows...), CheckOptions{})
	if err != nil {
		t.Fatal(err)
	}
	i := 0
	for v, err := range c.Check(t.Context(), slices.Values(targets), len(targets)) {
		if err != nil {
			t.Fatal(err)
		}
		p := targets[i]
		i++
		switch {
		case !p.IsSingleIP():
			if !v.IsNetwork() || v.IP() != p.String() {
				t.Errorf("%s: %s, %s", p, v.IP(), v.Status())
			}
		default:
			b := p.Addr().As4()
			n := int(b[2])<<8 | int(b[3])
			isThere := n%3 > 0
			if v.IP() != p.Addr().String() || isThere != (v.Host() != nil) || isThere && !slices.Equal(v.Host().Ports, []int{n + 1}) {
				t.Errorf("%s: %s, %s, %+v", p, v.IP(), v.Status(), v.Host())
			}
		}
	}
	if i != len(targets) {
		t.Errorf("%d verdicts on %d targets", i, len(targets))
	}
}

// TestVerdictsThatAreNotKeptAreTheSame makes texts of verdicts whose memory is used again, of several windows.
func TestVerdictsThatAreNotKeptAreTheSame(t *testing.T) {
	t.Parallel()
	var rows []internetdbtest.Row
	var targets []netip.Prefix
	for i := range 10_000 {
		addr := netip.AddrFrom4([4]byte{11, 0, byte(i >> 8), byte(i)})
		targets = append(targets, netip.PrefixFrom(addr, 32))
		if i%7 == 0 {
			continue // the file does not have it
		}
		row := addressRow(addr.String(), []string{"22", "22,3389,6379", "", "443,4444"}[i%4])
		row.Tags, row.Vulns = []string{"", "c2,vpn", "self-signed"}[i%3], []string{"CVE-2021-44228,CVE-2019-0708", "", "", ""}[i/5%4]
		rows = append(rows, row)
	}
	c, err := NewChecker(t.Context(), "verdicts that are not kept", withFile(t, rows...), CheckOptions{})
	if err != nil {
		t.Fatal(err)
	}
	textOf := func(v *scan.Verdict) string {
		factors := "nothing"
		if score := v.Score(); score != nil {
			factors = fmt.Sprintf("%d %+v", score.Score, score.Factors)
		}
		return fmt.Sprintln(v.IP(), v.Status(), v.Level(), factors)
	}
	var want, got []string
	for v, err := range c.Check(t.Context(), slices.Values(targets), len(targets)) {
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, textOf(v))
	}
	texts := func(first int, verdicts []*scan.Verdict) (all []string) {
		for i, v := range verdicts {
			all = append(all, textOf(v))
			if v.IP() != targets[first+i].Addr().String() {
				t.Errorf("number %d is %s", first+i, v.IP())
			}
		}
		return all
	}
	for part, err := range scan.CheckParts(t.Context(), c, slices.Values(targets), len(targets), scan.VerdictConverter[[]string]{Convert: texts}) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, part...)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-kept +not kept)\n%s", diff)
	}
}

func TestAFileThatCannotBeUsedFailsTheQuery(t *testing.T) {
	s := mustConnect(t, fmt.Sprintf("internetdb_file = %q\ncache = \"memory\"\n", filepath.Join(t.TempDir(), "internetdb.sqlite")))
	for name, q := range map[string]query{
		"an address": {table: "shodan_ip_reputation", quals: map[string]*proto.QualValue{"ip": inets("11.0.0.1")}},
		"others":     {table: "shodan_internetdb", quals: map[string]*proto.QualValue{"ip": inets("11.0.0.1", "11.0.0.2")}},
		"a network":  ofNetwork("11.0.0.0/30"),
		"all of it":  {table: "shodan_ip_reputation", quals: map[string]*proto.QualValue{"source": texts("internetdb")}},
	} {
		rows, err := s.run(t, q)
		if err == nil || !strings.Contains(err.Error(), "internetdb_file: ") || !strings.Contains(err.Error(), "there is no such file") || len(rows) != 0 {
			t.Errorf("%s: %d rows, error %v", name, len(rows), err)
		}
	}
}

func TestBadPathsOfTheFileAreRefused(t *testing.T) {
	for argument, want := range map[string]string{
		`internetdb_file = ""`:                             `internetdb_file = "": use the path of a file, such as "~/shodan/internetdb.sqlite"`,
		`internetdb_file = "https://example.com/i.sqlite"`: `use the path of a file`,
		`internetdb_file = "C:\new.sqlite"`:                `has a control character`,
		`internetdb_file = ["a"]`:                          `internetdb_file = ["a"]: use the path of a file`,
	} {
		_, err := mustConnect(t, argument).run(t, query{table: "shodan_ip_reputation", quals: map[string]*proto.QualValue{"ip": inets("11.0.0.1")}})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %s", argument, err, want)
		}
	}
}
