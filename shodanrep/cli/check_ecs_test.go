package cli

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// ecsTestEvent is an event of the Elastic Common Schema.
type ecsTestEvent struct {
	Timestamp string `json:"@timestamp"`
	Event     struct {
		ID, Kind, Outcome, Reason string
		Type                      []string
	}
	Error  struct{ Message string }
	Threat *struct {
		Indicator struct{ Type, IP, Confidence string }
	}
	Host struct {
		IP   []string
		Risk struct {
			Level string   `json:"static_level"`
			Score *float64 `json:"static_score"`
			Norm  *float64 `json:"static_score_norm"`
		}
	}
	Related       struct{ Hosts []string }
	Vulnerability struct{ ID []string }
	TLS           struct {
		Server struct {
			X509 []struct {
				Serial  string `json:"serial_number"`
				Subject struct {
					Name string `json:"distinguished_name"`
				}
			}
		}
	}
	Own struct{ IP, Status, Level string } `json:"shodanrep"`
}

// ecsEvents returns the events of an output, by their address or network.
func ecsEvents(t *testing.T, output string) map[string]ecsTestEvent {
	t.Helper()
	events := map[string]ecsTestEvent{}
	for line := range strings.Lines(output) {
		var e ecsTestEvent
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		events[e.Own.IP] = e
	}
	return events
}

func TestEventsOfTheElasticCommonSchema(t *testing.T) {
	got := runCheck(t, sampleConnection, "198.51.100.66 192.0.2.222 192.0.2.201 10.0.0.1 192.0.2.0/24 2001:db8:bad::10",
		append([]string{"check", "--output", "ecs"}, timeless...)...)
	events := ecsEvents(t, got.stdout)
	if len(events) != 6 {
		t.Fatalf("%d events: %+v", len(events), got)
	}
	for ip, want := range map[string]struct{ kind, outcome, level string }{
		"198.51.100.66":    {"enrichment", "success", "Critical"},
		"2001:db8:bad::10": {"enrichment", "success", "Critical"},
		"192.0.2.222":      {"event", "success", "Low"},
		"10.0.0.1":         {"event", "unknown", "Unknown"},
		"192.0.2.201":      {"event", "unknown", "Unknown"},
		"192.0.2.0/24":     {"event", "failure", "Unknown"},
	} {
		e := events[ip]
		if e.Event.Kind != want.kind || e.Event.Outcome != want.outcome || e.Host.Risk.Level != want.level || e.Event.Reason == "" {
			t.Errorf("%s: %+v", ip, e)
		}
		if isIndicator := want.kind == "enrichment"; (e.Threat != nil) != isIndicator || slices.Contains(e.Event.Type, "indicator") != isIndicator {
			t.Errorf("%s: %+v", ip, e)
		}
		if hasScore := want.outcome == "success"; (e.Host.Risk.Score != nil) != hasScore || (e.Host.Risk.Norm != nil) != hasScore {
			t.Errorf("%s: the risk is %+v", ip, e.Host.Risk)
		}
	}
	worst := events["198.51.100.66"]
	if *worst.Host.Risk.Score != 135 || *worst.Host.Risk.Norm != 100 || len(worst.Vulnerability.ID) != 13 ||
		worst.TLS.Server.X509[0].Serial != "459B4AEBE14CCB7DA9CE777825E8221C0" || !slices.Equal(worst.Related.Hosts, []string{"shared-66.hosting.example.net"}) {
		t.Errorf("got %+v", worst)
	}
	if i := events["2001:db8:bad::10"].Threat.Indicator; i.Type != "ipv6-addr" || i.IP != "2001:db8:bad::10" || i.Confidence != "High" {
		t.Errorf("got %+v", i)
	}
	if e := events["192.0.2.0/24"]; len(e.Host.IP) > 0 {
		t.Errorf("a network is no address: %+v", e)
	}
}

func TestAnEventSaysThatAnAddressWasNotChecked(t *testing.T) {
	got := runCheck(t, failingConnection(t), "93.184.216.34", "check", "--output", "ecs", "--only", "low")
	e := ecsEvents(t, got.stdout)["93.184.216.34"]
	if e.Threat != nil || e.Event.Outcome != "failure" || e.Error.Message == "" || !strings.HasPrefix(e.Event.Reason, "not checked: ") ||
		e.Host.Risk.Level != "Unknown" || e.Host.Risk.Score != nil || e.Own.Status != "error" {
		t.Errorf("got %+v", got)
	}
}

func TestHostileTextStaysTextInAnEvent(t *testing.T) {
	got := runCheck(t, hostileConnection(t), hostileAddress, "check", "--output", "ecs")
	e := ecsEvents(t, got.stdout)[hostileAddress]
	if strings.Count(got.stdout, "\n") != 1 || !slices.Equal(e.Related.Hosts, []string{"fine.example"}) || len(e.TLS.Server.X509) != 1 ||
		e.TLS.Server.X509[0].Serial != "" || !strings.Contains(e.TLS.Server.X509[0].Subject.Name, `\,CN\=trusted`) {
		t.Errorf("got %s", got.stdout)
	}
}
