package shodanrep

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/turbot/steampipe-plugin-sdk/v5/grpc/proto"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

func hostHistory(ips ...string) query {
	return query{table: "shodan_host_history", quals: map[string]*proto.QualValue{"ip": inets(ips...)}}
}

// seen is a sighting of a service on a day of 2025, as a banner.
func seen(port int, day string, more ...any) map[string]any {
	b := map[string]any{"port": port, "transport": "tcp", "timestamp": "2025-" + day + "T00:00:00.000000"}
	for i := 0; i < len(more); i += 2 {
		b[more[i].(string)] = more[i+1]
	}
	return b
}

func certificate(sha256 string) map[string]any {
	return map[string]any{"cert": map[string]any{"fingerprint": map[string]any{"sha256": sha256}}}
}

func asked(name string) map[string]any {
	return map[string]any{"module": "https", "options": map[string]any{"hostname": name}}
}

// story writes rows as "port day: changes (previous product version certificate) current", in order.
func story(rows []row) []string {
	slices.SortStableFunc(rows, func(a, b row) int {
		return cmp.Or(cmp.Compare(fmt.Sprint(a["port"]), fmt.Sprint(b["port"])), cmp.Compare(fmt.Sprint(b["timestamp"] == nil), fmt.Sprint(a["timestamp"] == nil))*-1,
			cmp.Compare(fmt.Sprint(a["timestamp"]), fmt.Sprint(b["timestamp"])))
	})
	var lines []string
	for _, r := range rows {
		line := fmt.Sprintf("%v %.5s: %v", r["port"], strings.TrimPrefix(fmt.Sprint(r["timestamp"]), "2025-"), r["changes"])
		for _, column := range []string{"previous_product", "previous_version", "previous_ssl_fingerprint_sha256"} {
			if r[column] != nil {
				line += fmt.Sprintf(" %v", r[column])
			}
		}
		if r["is_current"] == true {
			line += " current"
		}
		lines = append(lines, line)
	}
	return lines
}

func TestTheHistoryTellsWhatChanged(t *testing.T) {
	for name, tt := range map[string]struct {
		host shodantest.Host
		want []string
	}{
		"another version, then another product": {
			shodantest.Host{
				Banners: []map[string]any{seen(80, "03-01", "product", "Apache", "version", "2.4")},
				History: []map[string]any{seen(80, "01-01", "product", "nginx", "version", "1.18"), seen(80, "02-01", "product", "nginx", "version", "1.20")},
			},
			[]string{"80 01-01: [opened]", "80 02-01: [version] 1.18", "80 03-01: [product] nginx 1.20 current"},
		},
		"what a crawler did not find out is no change": {
			shodantest.Host{
				Banners: []map[string]any{seen(80, "03-01", "product", "Apache")},
				History: []map[string]any{seen(80, "01-01", "product", "nginx", "version", "1.18"), seen(80, "02-01", "data", "")},
			},
			[]string{"80 01-01: [opened]", "80 02-01: []", "80 03-01: [product] nginx 1.18 current"},
		},
		"several things at once": {
			shodantest.Host{
				Banners: []map[string]any{seen(443, "02-01", "product", "Apache", "ssl", certificate("bb"))},
				History: []map[string]any{seen(443, "01-01", "product", "nginx", "ssl", certificate("aa"))},
			},
			[]string{"443 01-01: [opened]", "443 02-01: [product certificate] nginx aa current"},
		},
		"certificates of different names on one port": {
			shodantest.Host{
				Banners: []map[string]any{seen(443, "03-01", "ssl", certificate("cc"), "_shodan", asked("a.example.com"))},
				History: []map[string]any{
					seen(443, "01-01", "ssl", certificate("aa"), "_shodan", asked("a.example.com")),
					seen(443, "01-02", "ssl", certificate("bb"), "_shodan", asked("b.example.com")),
					seen(443, "02-20", "ssl", certificate("bb"), "_shodan", asked("b.example.com")),
					seen(443, "01-03", "ssl", certificate("dd"), "_shodan", asked("d.example.com")),
				},
			},
			[]string{"443 01-01: [opened]", "443 01-02: []", "443 01-03: []", "443 02-20: [] current", "443 03-01: [certificate] aa current"},
		},
		"a port that is closed": {
			shodantest.Host{
				Banners: []map[string]any{seen(22, "03-01")},
				History: []map[string]any{seen(23, "01-01", "product", "telnetd", "version", "1"), seen(23, "02-01")},
			},
			[]string{"22 03-01: [opened] current", "23 01-01: [opened]", "23 02-01: []", "23 <nil>: [closed] telnetd 1"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sim := shodantest.New(t)
			tt.host.IP = bad
			sim.AddHost(tt.host)
			rows := mustConnect(t, keyed(sim)).mustRun(t, hostHistory(bad))
			if diff := gocmp.Diff(tt.want, story(rows)); diff != "" {
				t.Error(diff)
			}
			for _, r := range rows {
				if changes := r["changes"].([]any); len(changes) == 0 && r["change"] != nil || len(changes) > 0 && r["change"] != changes[0] {
					t.Errorf("change is %v of %v", r["change"], changes)
				}
			}
		})
	}
}

func TestAPortHasItsFirstAndLastSighting(t *testing.T) {
	sim := shodantest.New(t)
	sim.AddHost(shodantest.Host{IP: bad, Banners: []map[string]any{seen(22, "03-01")}, History: []map[string]any{
		seen(22, "01-01"), seen(53, "01-05"), seen(53, "02-05"), seen(53, "02-01", "transport", "udp"),
	}})
	for _, r := range mustConnect(t, keyed(sim)).mustRun(t, hostHistory(bad)) {
		want := map[string][2]string{"22/tcp": {"2025-01-01", "2025-03-01"}, "53/tcp": {"2025-01-05", "2025-02-05"}, "53/udp": {"2025-02-01", "2025-02-01"}}[fmt.Sprintf("%v/%v", r["port"], r["transport"])]
		if first, last := fmt.Sprintf("%.10v", r["first_seen"]), fmt.Sprintf("%.10v", r["last_seen"]); first != want[0] || last != want[1] {
			t.Errorf("%v: from %s to %s, want %v", r["title"], first, last, want)
		}
		if title := r["title"].(string); r["change"] == "closed" && title != fmt.Sprintf("%s 53/%v closed", bad, r["transport"]) || r["port"] == int64(22) && !strings.HasPrefix(title, bad+" 22/tcp 2025-0") {
			t.Errorf("the title is %s", title)
		}
	}
}

func TestAnAddressWithoutHistoryOrWithoutAnAnswerIsOneRow(t *testing.T) {
	t.Parallel()
	sim := simulate(t)
	sim.Fault(shodantest.Fault{Target: good, Body: shodantest.BodyPage(200)})
	rows := mustRunInTime(t, keyed(sim), "5s", hostHistory(empty, good, "11.0.0.9", "10.0.0.1", "11.0.0.0/24"))
	if len(rows) != 5 {
		t.Errorf("%d rows for five addresses", len(rows))
	}
	for ip, status := range map[string]string{empty: "indexed", "11.0.0.9": "not_indexed", "10.0.0.1": "reserved", "11.0.0.0/24": "not_a_host", good: "error"} {
		r := byIP(t, rows, ip)
		if r["status"] != status || r["port"] != nil || r["change"] != nil || r["changes"] != nil || r["is_current"] != nil || r["title"] != ip || (r["error"] != nil) != (status == "error") {
			t.Errorf("%s: %v", ip, r)
		}
	}
}

func TestTheHistoryNeedsASourceThatHasOne(t *testing.T) {
	for name, spc := range map[string]string{"without a key": free(simulate(t)), "from InternetDB": keyed(simulate(t)) + `source = "internetdb"`} {
		if rows, err := mustConnect(t, spc).run(t, hostHistory(bad)); err == nil || !strings.Contains(err.Error(), "InternetDB has no banners") {
			t.Errorf("%s: %d rows, error %v", name, len(rows), err)
		}
	}
	if _, err := mustConnect(t, keyed(simulate(t, shodantest.WithPlan("oss")))).run(t, hostHistory(bad)); err == nil || !strings.Contains(err.Error(), "plan") {
		t.Errorf("with too low a plan: %v", err)
	}
}

func TestTheHistoryOfADatasetIsAllThatItsFilesHave(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data.json")
	line := `{"ip_str": "192.0.2.1", "port": %d, "transport": "tcp", "timestamp": "2025-%sT00:00:00", "product": "nginx", "version": "%s"}` + "\n"
	text := fmt.Sprintf(line, 80, "01-01", "1.18") + fmt.Sprintf(line, 80, "02-01", "1.20") + fmt.Sprintf(line, 81, "01-15", "1.18")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s := mustConnect(t, free(shodantest.New(t))+fmt.Sprintf("data_files = [%q]", path))
	want := []string{"80 01-01: [opened]", "80 02-01: [version] 1.18 current", "81 01-15: [opened] current"}
	for name, q := range map[string]query{"by address": hostHistory("192.0.2.1"), "listed": {table: "shodan_host_history", quals: map[string]*proto.QualValue{"source": texts("dataset")}}} {
		if diff := gocmp.Diff(want, story(s.mustRun(t, q))); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestTheHistoryOfCapturedHostsIsTheirBanners(t *testing.T) {
	onCapturedHosts(t, func(t *testing.T, s server, ip string, _ []byte) {
		rows, services := s.mustRun(t, hostHistory(ip)), s.mustRun(t, services(ip))
		if services[0]["raw"] == nil { // a minified response, which has ports only
			if len(rows) != 1 || rows[0]["status"] != "error" || !strings.Contains(fmt.Sprint(rows[0]["error"]), "no banners") {
				t.Errorf("the history of a response without banners: %v", rows)
			}
			return
		}
		if len(rows) != len(services) {
			t.Errorf("%d rows and %d services", len(rows), len(services))
		}
		for _, r := range rows {
			i := slices.IndexFunc(services, func(o row) bool { return gocmp.Equal(o["raw"], r["raw"]) })
			if i < 0 {
				t.Errorf("no service like %v", r["title"])
				continue
			}
			for _, column := range []string{"port", "transport", "product", "version", "data", "timestamp", "ssl_fingerprint_sha256"} {
				if !gocmp.Equal(services[i][column], r[column]) {
					t.Errorf("%v: %s is %v, and of the service %v", r["title"], column, r[column], services[i][column])
				}
			}
			if r["port"] != nil && (r["timestamp"] == nil || r["first_seen"] != r["timestamp"] || r["last_seen"] != r["timestamp"] || r["is_current"] != true || r["change"] != "opened") {
				t.Errorf("%v was seen once: %v %v %v %v", r["title"], r["first_seen"], r["last_seen"], r["is_current"], r["change"])
			}
		}
	})
}
