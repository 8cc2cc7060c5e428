package cli

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/related"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

// relations returns the relationships of a bundle, as "source kind target" with names or values.
func relations(t *testing.T, bundle string) []string {
	t.Helper()
	objects, names := stixObjects(t, bundle), map[string]string{}
	for _, o := range objects {
		names[o.ID] = o.Value + o.Name
		if o.Type == "x509-certificate" || o.Type == "autonomous-system" {
			names[o.ID] = o.Type
		}
	}
	var found []string
	for _, o := range objects {
		if o.Type == "relationship" {
			found = append(found, names[o.Source]+" "+o.Kind+" "+names[o.Target])
		}
	}
	slices.Sort(found)
	return found
}

func TestRelatedHostsAreWrittenAsSTIX(t *testing.T) {
	sim := neighbourhood(t)
	connection := to(sim, fmt.Sprintf("api_key = %q", shodantest.Key))
	stdout, stderr, status := runRelated(t, connection, "11.0.1.1", "--pivots", "subject_cn", "--hops", "2", "--output", "stix")
	if status != exitDone {
		t.Fatalf("exit status %d: %s", status, stderr)
	}
	want := []string{
		"11.0.1.1 related-to 11.0.1.2", "11.0.1.2 related-to 11.0.1.3",
		"subject_cn first.example.com consists-of 11.0.1.1", "subject_cn first.example.com consists-of 11.0.1.2",
		"subject_cn first.example.com consists-of first.example.com",
		"subject_cn second.example.com consists-of 11.0.1.2", "subject_cn second.example.com consists-of 11.0.1.3",
		"subject_cn second.example.com consists-of second.example.com",
	}
	if got := relations(t, stdout); !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	for _, o := range stixObjects(t, stdout) {
		switch {
		case o.Type == "indicator":
			t.Errorf("a related host is an indicator: %+v", o)
		case o.Type == "ipv4-addr" && (o.Score == nil) != (o.Value == "11.0.1.1"):
			t.Errorf("got %+v", o)
		case o.Type == "note" && !strings.Contains(o.Content, "shares the subject_cn"):
			t.Errorf("got %+v", o)
		}
	}
	if again, _, _ := runRelated(t, connection, "11.0.1.1", "--pivots", "subject_cn", "--hops", "2", "--output", "stix"); again != stdout {
		t.Errorf("%s\nbecame %s", stdout, again)
	}
	t.Run("by the schema", func(t *testing.T) { stixSchemas(t)(t, stdout) })
}

// sampleRelated runs related on the sample.
func sampleRelated(t *testing.T, args ...string) string {
	t.Helper()
	stdout, stderr, status := runRelated(t, sampleConnection+`source = "dataset"`, append([]string{"203.0.113.10"}, args...)...)
	if status != exitDone {
		t.Fatalf("exit status %d: %s", status, stderr)
	}
	return stdout
}

func TestSharedValuesAreObservables(t *testing.T) {
	bundle := sampleRelated(t, "--output", "stix", "--pivots", "fingerprint_sha256")
	if got := strings.Join(relations(t, bundle), "\n"); !strings.Contains(got, " consists-of x509-certificate") || !strings.Contains(got, "203.0.113.10 related-to 2001:db8:bad::10") {
		t.Errorf("got %s", got)
	}
	event := parseMISP(t, sampleRelated(t, "--output", "misp", "--pivots", "fingerprint_sha256"))
	var kinds []string
	for _, a := range event.Attribute {
		kinds = append(kinds, a.Type)
		if a.ToIDS {
			t.Errorf("a related host is an indicator: %+v", a)
		}
	}
	if !slices.Equal(kinds, []string{"ip-dst", "ip-dst", "ip-dst", "ip-dst", "x509-fingerprint-sha256"}) || len(event.Object) != 3 || event.Threat != "1" || event.Analysis != "2" {
		t.Errorf("got %+v", event)
	}
	for _, o := range event.Object {
		targets := []string{event.Attribute[0].UUID, event.Attribute[4].UUID}
		if len(o.ObjectReference) != 2 || o.ObjectReference[0].Target != targets[0] || o.ObjectReference[1].Target != targets[1] {
			t.Errorf("got %+v", o)
		}
	}
	for _, format := range []string{"stix", "misp"} {
		output := sampleRelated(t, "--output", format)
		t.Run("by the schema "+format, func(t *testing.T) {
			if format == "misp" {
				validateMISP(t, output)
			} else {
				stixSchemas(t)(t, output)
			}
		})
	}
}

// STIX allows no empty hashes.
func TestACertificateOfWhichOnlyTheSerialIsSharedHasNoHashes(t *testing.T) {
	t.Parallel()
	result := &related.Result{IP: "11.0.1.1", Policy: "extended", Hosts: []*related.Host{{
		IP: "11.0.1.2", From: "11.0.1.1", Pivot: shodan.CertSerial, Value: "77", Status: "indexed", Level: "low", Score: new(int64), Policy: "extended",
	}}}
	var bundle strings.Builder
	if err := related.Write("stix", &bundle, result, false); err != nil {
		t.Fatal(err)
	}
	if got := bundle.String(); strings.Contains(got, "hashes") || !strings.Contains(got, `"serial_number":"77"`) {
		t.Errorf("got %s", got)
	}
	t.Run("by the schema", func(t *testing.T) { stixSchemas(t)(t, bundle.String()) })
}

// TestRelatedValuesOfStrangersStayValues writes values that break the form of their types, and a failed lookup.
func TestRelatedValuesOfStrangersStayValues(t *testing.T) {
	t.Parallel()
	result := &related.Result{IP: "11.0.1.1", Policy: "extended", Hosts: []*related.Host{{
		IP: "11.0.1.99", From: "11.0.1.1", Pivot: shodan.Organization, Value: "x", Status: "error", Level: "unknown", Policy: "extended", Error: "the service is down",
	}}}
	for i, pivot := range shodan.Pivots() {
		result.Hosts = append(result.Hosts, &related.Host{
			IP: fmt.Sprintf("11.0.1.%d", i+2), From: "11.0.1.1", Pivot: pivot, Value: "\"}],\u202e\n<b>", Also: []string{"jarm"}, Status: "indexed", Level: "low", Score: new(int64), Policy: "extended",
		})
	}
	var bundle, event bytes.Buffer
	if err := related.Write("stix", &bundle, result, false); err != nil {
		t.Fatal(err)
	}
	if err := related.Write("misp", &event, result, false); err != nil {
		t.Fatal(err)
	}
	for _, o := range stixObjects(t, bundle.String()) {
		if slices.Contains([]string{"x509-certificate", "autonomous-system", "domain-name"}, o.Type) {
			t.Errorf("got %+v", o)
		}
		if o.Value == "11.0.1.99" && (o.Score != nil || o.Status != "error") || strings.Contains(o.Name, "11.0.1.99") {
			t.Errorf("a failed lookup has a verdict: %+v", o)
		}
	}
	if !strings.Contains(bundle.String(), `not checked: the service is down`) {
		t.Errorf("the bundle does not say what was not checked: %s", bundle.String())
	}
	e := parseMISP(t, event.String())
	if e.Analysis != "1" || !strings.HasSuffix(e.Info, ", 1 not checked") {
		t.Errorf("got %+v", e)
	}
	form := regexp.MustCompile(`^(ip-dst|text)$`)
	for _, a := range e.Attribute {
		if !form.MatchString(a.Type) || a.ToIDS || a.Value == "11.0.1.99" && (!strings.Contains(a.Comment, "not checked: the service is down") || a.Tag[0].Name != `shodanrep:level="unknown"`) {
			t.Errorf("got %+v", a)
		}
	}
	t.Run("by the schemas", func(t *testing.T) {
		stixSchemas(t)(t, bundle.String())
		validateMISP(t, event.String())
	})
}
