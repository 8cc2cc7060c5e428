package cli

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// ocsfTestEvent is an event of the class OSINT Inventory Info. A required number is a pointer: 0 is a value.
type ocsfTestEvent struct {
	Activity     *int   `json:"activity_id"`
	Category     *int   `json:"category_uid"`
	Class        *int   `json:"class_uid"`
	Type         *int   `json:"type_uid"`
	Severity     *int   `json:"severity_id"`
	Status       *int   `json:"status_id"`
	StatusDetail string `json:"status_detail"`
	Time         int64
	Metadata     struct {
		UID, Version string
		Product      struct{ Name string }
	}
	OSINT struct {
		Value, Subnet string
		Type          *int `json:"type_id"`
		Labels        []string
		Pattern       string `json:"detection_pattern"`
		Confidence    *int   `json:"confidence_id"`
		Reputation    *struct {
			Base     *float64 `json:"base_score"`
			Score    *int     `json:"score_id"`
			Provider string
		}
		Location        struct{ Country string }
		Vulnerabilities []struct {
			CVE       struct{ UID string }
			Exploited bool `json:"is_exploit_available"`
		}
	}
}

// ocsfEvents returns the events of an output, by their address or network. It checks what the schema requires.
func ocsfEvents(t *testing.T, output string) map[string]ocsfTestEvent {
	t.Helper()
	events := map[string]ocsfTestEvent{}
	for line := range strings.Lines(output) {
		var e ocsfTestEvent
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		if *e.Activity != 2 || *e.Category != 5 || *e.Class != 5021 || *e.Type != 502102 || e.Severity == nil || e.Status == nil ||
			e.OSINT.Type == nil || e.OSINT.Value == "" || e.Time < 1e12 || e.Metadata.Version != "1.5.0" || e.Metadata.UID == "" || e.Metadata.Product.Name == "" {
			t.Errorf("a required field is wrong: %s", line)
		}
		events[e.OSINT.Value] = e
	}
	return events
}

func TestEventsOfOCSF(t *testing.T) {
	got := runCheck(t, sampleConnection, "198.51.100.66 192.0.2.44 192.0.2.222 192.0.2.201 10.0.0.1 192.0.2.0/24",
		append([]string{"check", "--output", "ocsf"}, timeless...)...)
	events := ocsfEvents(t, got.stdout)
	if len(events) != 6 {
		t.Fatalf("%d events: %+v", len(events), got)
	}
	for ip, want := range map[string]struct {
		severity, status, reputation int
		isIndicator                  bool
	}{
		"198.51.100.66": {5, 1, 9, true},
		"192.0.2.44":    {4, 1, 7, true},
		"192.0.2.222":   {2, 1, 4, false},
		"192.0.2.201":   {0, 0, 0, false},
		"10.0.0.1":      {0, 0, 0, false},
		"192.0.2.0/24":  {0, 2, 0, false},
	} {
		e := events[ip]
		if *e.Severity != want.severity || *e.Status != want.status || (e.OSINT.Reputation != nil) != (want.reputation > 0) ||
			(e.OSINT.Pattern != "") != want.isIndicator || slices.Contains(e.OSINT.Labels, "indicator") != want.isIndicator {
			t.Errorf("%s: %+v", ip, e)
		}
		if r := e.OSINT.Reputation; r != nil && (*r.Score != want.reputation || r.Base == nil || r.Provider != "shodanrep") {
			t.Errorf("%s: the reputation is %+v", ip, r)
		}
		if (e.StatusDetail != "") != (want.status != 1) {
			t.Errorf("%s: the detail is %q", ip, e.StatusDetail)
		}
	}
	worst := events["198.51.100.66"]
	exploited := 0
	for _, v := range worst.OSINT.Vulnerabilities {
		if v.Exploited {
			exploited++
		}
	}
	if *worst.OSINT.Reputation.Base != 135 || *worst.OSINT.Confidence != 3 || len(worst.OSINT.Vulnerabilities) != 13 || exploited != 1 {
		t.Errorf("got %+v", worst)
	}
	if e := events["192.0.2.0/24"]; *e.OSINT.Type != 99 || e.OSINT.Subnet != "192.0.2.0/24" {
		t.Errorf("a network is no address: %+v", e)
	}
}

func TestAnOCSFEventSaysThatAnAddressWasNotChecked(t *testing.T) {
	got := runCheck(t, failingConnection(t), "93.184.216.34", "check", "--output", "ocsf", "--only", "low")
	e := ocsfEvents(t, got.stdout)["93.184.216.34"]
	if *e.Status != 2 || *e.Severity != 0 || e.OSINT.Reputation != nil || !strings.HasPrefix(e.StatusDetail, "not checked: ") {
		t.Errorf("got %+v", got)
	}
}

func TestHostileTextStaysTextInAnOCSFEvent(t *testing.T) {
	got := runCheck(t, hostileConnection(t), hostileAddress, "check", "--output", "ocsf")
	e := ocsfEvents(t, got.stdout)[hostileAddress]
	if strings.Count(got.stdout, "\n") != 1 || e.OSINT.Location.Country != "" || len(e.OSINT.Vulnerabilities) != 1 {
		t.Errorf("got %s", got.stdout)
	}
}
