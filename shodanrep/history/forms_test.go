package history

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

// restHost returns a response of the REST API with some ports, of which each in services has a banner. The certificate
// is that of port 443.
func restHost(t testing.TB, ports, services []int, certificate string, seen float64) *shodan.Host {
	t.Helper()
	list := func(numbers []int) (text string) {
		for i, n := range numbers {
			if i > 0 {
				text += ","
			}
			text += fmt.Sprint(n)
		}
		return text
	}
	banners := ""
	for i, port := range services {
		if i > 0 {
			banners += ","
		}
		ssl := ""
		if port == 443 {
			ssl = fmt.Sprintf(`, "ssl": {"cert": {"fingerprint": {"sha256": %q}, "subject": {"CN": "a"}, "issuer": {"CN": "b"}}}`, certificate)
		}
		banners += fmt.Sprintf(`{"port": %d, "transport": "tcp", "product": "p%[1]d", "timestamp": %q, "data": "hello"%s}`,
			port, day(seen).Format("2006-01-02T15:04:05.000000"), ssl)
	}
	return parsed(t, `{"ip_str": "192.0.2.1", "org": "Example", "asn": "AS64500", "country_code": "NL", "ports": [%s], "tags": [],
		"last_update": %q, "data": [%s]}`, list(ports), day(seen).Format("2006-01-02T15:04:05.000000"), banners)
}

// services returns the ports of the banners of each state with the certificate of 443; "-" where the services are unknown.
func services(all []State) (lines []string) {
	for _, s := range all {
		line := fmt.Sprintf("%.3g-%.3g x%d %v:", s.FirstChecked.Sub(start).Hours()/24, s.LastChecked.Sub(start).Hours()/24, s.Checks, []int(s.Host.Ports))
		if s.Host.Banners == nil {
			line += " -"
		}
		for i := range s.Host.Banners {
			b := &s.Host.Banners[i]
			line += fmt.Sprintf(" %d", b.Port.V)
			if b.SSL != nil {
				line += string("=" + b.SSL.Cert.Fingerprint.SHA256)
			}
		}
		lines = append(lines, line)
	}
	return lines
}

// TestAResponseWithoutServicesClosesNoneAndLosesNoCertificate has the forms of a response one after the other: with
// banners, minified, and with the banners of all times.
func TestAResponseWithoutServicesClosesNoneAndLosesNoCertificate(t *testing.T) {
	t.Parallel()
	type seen struct {
		ports, services []int
		certificate     string
	}
	full := func(certificate string, ports ...int) seen { return seen{ports, ports, certificate} }
	minified := func(ports ...int) seen { return seen{ports, nil, ""} }
	tests := map[string]struct {
		seen []seen
		want []string
	}{
		"full, minified, full": {
			[]seen{full("x", 80, 443), minified(80, 443), full("x", 80, 443)},
			[]string{"0-2 x3 [80 443]: 80 443=x"},
		},
		"minified first": {
			[]seen{minified(80, 443), minified(80, 443), full("x", 80, 443), minified(80, 443)},
			[]string{"0-3 x4 [80 443]: 80 443=x"},
		},
		"minified only": {
			[]seen{minified(80), minified(80), minified(81)},
			[]string{"0-1 x2 [80]: -", "2-2 x1 [81]: -"},
		},
		"a port is closed, as a minified response says": {
			[]seen{full("x", 22, 443), minified(443), full("x", 443)},
			[]string{"0-0 x1 [22 443]: 22 443=x", "1-2 x2 [443]: 443=x"},
		},
		"a port is opened, as a minified response says": {
			[]seen{full("", 22), minified(22, 443), minified(22, 443), full("x", 22, 443)},
			[]string{"0-0 x1 [22]: 22", "1-3 x3 [22 443]: 22 443=x"},
		},
		"the certificate is another one": {
			[]seen{full("x", 443), minified(443), full("y", 443), minified(443)},
			[]string{"0-1 x2 [443]: 443=x", "2-3 x2 [443]: 443=y"},
		},
		"all ports are closed": {
			[]seen{full("x", 443), minified(), full("")},
			[]string{"0-0 x1 [443]: 443=x", "1-2 x2 []:"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			places(t, func(t *testing.T, open func(Options) *Store) {
				s := open(Options{})
				for i, seen := range test.seen {
					record1(t, s, addrA, "shodan", restHost(t, seen.ports, seen.services, seen.certificate, float64(i)), day(float64(i)))
				}
				if diff := cmp.Diff(test.want, services(states(t, s, Filter{}))); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}

// TestOnlyCurrentBannersOfThePastCount records responses with the banners of all times beside one without the past ones.
func TestOnlyCurrentBannersOfThePastCount(t *testing.T) {
	t.Parallel()
	banner := func(port int, seen float64, more string) string {
		return fmt.Sprintf(`{"port": %d, "transport": "tcp", "timestamp": %q %s}`, port, day(seen).Format("2006-01-02T15:04:05.000000"), more)
	}
	const head = `{"ip_str": "192.0.2.1", "ports": [80, 443], "tags": [], "data": [%s]}`
	now := banner(80, 95, `, "product": "new", "vulns": {"CVE-2024-1111": {"verified": true}}`) + "," + banner(443, 99, "")
	old := banner(80, 20, `, "product": "old", "vulns": {"CVE-2020-9999": {}}`) + "," + banner(22, 10, "") + "," +
		banner(443, 40, `, "http": {"host": "gone.example.com"}`)
	s := openTest(t, Options{Location: t.TempDir() + "/h.sqlite"})
	record1(t, s, addrA, "shodan", parsed(t, head, now), day(100))
	s.Record(Observation{Addr: addrA, Source: "shodan", Host: parsed(t, head, old+","+now), CheckedAt: day(101), Past: true})
	got := states(t, s, Filter{})
	if len(got) != 1 || got[0].Checks != 2 || len(got[0].Host.Banners) != 2 {
		t.Fatalf("%v", services(got))
	}
	if ids := got[0].Host.Vulns.IDs(); len(ids) != 1 || ids[0] != "CVE-2024-1111" {
		t.Errorf("%v, want what is vulnerable now", ids)
	}
	// Long after Shodan last saw the host its list of ports still counts.
	s.Record(Observation{Addr: addrA, Source: "shodan", Host: parsed(t, head, old+","+now), CheckedAt: day(200), Past: true})
	if got := states(t, s, Filter{}); len(got) != 1 || got[0].Checks != 3 {
		t.Errorf("%v", services(got))
	}
}

// TestOnlyWhatLastsMakesAState changes what differs from day to day, and then what does not.
func TestOnlyWhatLastsMakesAState(t *testing.T) {
	t.Parallel()
	host := func(epss float64, seen float64, more string) *shodan.Host {
		at := day(seen).Format("2006-01-02T15:04:05.000000")
		return parsed(t, `{"ip_str": "192.0.2.1", "ports": [80], "tags": [], "vulns": ["CVE-2024-1111"], "last_update": %q, "hostnames": ["b", "a"],
			"data": [{"port": 80, "timestamp": %q, "hash": %d, "vulns": {"CVE-2024-1111": {"epss": %v, "cvss": 7.5}} %s}]}`, at, at, int(seen*1000), epss, more)
	}
	places(t, func(t *testing.T, open func(Options) *Store) {
		s := open(Options{})
		record1(t, s, addrA, "shodan", host(0.1201, 0, ""), day(0))
		record1(t, s, addrA, "shodan", host(0.1204, 1, ""), day(1))
		got := states(t, s, Filter{})
		if len(got) != 1 || got[0].Checks != 2 {
			t.Fatalf("%v", services(got))
		}
		if h := got[0].Host; !h.LastUpdate.Equal(day(1)) || !h.Banners[0].Timestamp.Equal(day(1)) || h.Banners[0].Vulns["CVE-2024-1111"].EPSS.V != 0.1204 {
			t.Errorf("%+v is not the newest", h)
		}
		// A response without services has the time too.
		minified := host(0, 2, "")
		minified.Banners = shodan.Banners{}
		record1(t, s, addrA, "shodan", minified, day(2))
		if got := states(t, s, Filter{}); len(got) != 1 || !got[0].Host.LastUpdate.Equal(day(2)) || got[0].Checks != 3 {
			t.Errorf("%v", services(got))
		}
		for i, h := range []*shodan.Host{
			host(0.62, 3, ""), host(0.62, 4, `, "product": "x"`), host(0.62, 5, `, "product": "x", "http": {}`),
			host(0.62, 6, `, "product": "x", "http": {"title": "t"}`), host(0.62, 7, `, "cloud": {"provider": "x"}`),
		} {
			record1(t, s, addrA, "shodan", h, day(float64(3+i)))
			if got := states(t, s, Filter{}); len(got) != i+2 {
				t.Errorf("%d states after change %d", len(got), i)
			}
		}
	})
}
