package cli

import (
	"fmt"
	"strings"
	"testing"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

// timeless is the flag of a policy that does not depend on the day.
var timeless = []string{"--policy", "testdata/timeless.hcl"}

// checkTwice runs a check on the sample twice and returns the outputs. If they differ it runs it again: the verdicts
// change once when a day of the data's age ends between two checks.
func checkTwice(t *testing.T, list, format string) (first, second string) {
	t.Helper()
	check := func() string {
		return runCheck(t, sampleConnection, list, append([]string{"check", "--output", format}, timeless...)...).stdout
	}
	if first, second = check(), check(); first != second {
		first, second = second, check()
	}
	return first, second
}

func TestFormatsAreTheSameAgain(t *testing.T) {
	for _, format := range []string{"stix", "ecs", "ocsf", "misp", "cortex"} {
		first, second := checkTwice(t, "198.51.100.66 203.0.113.10 192.0.2.222 10.0.0.1", format)
		if first != second || len(first) < 1000 {
			t.Errorf("%s: %s\nbecame %s", format, first, second)
		}
	}
}

// TestAnAddressThatIsNotIndexedHasNoScore checks the formats for other platforms: the address must not look harmless.
func TestAnAddressThatIsNotIndexedHasNoScore(t *testing.T) {
	sim := shodantest.New(t)
	sim.Fault(shodantest.Fault{Status: 404, Body: `{"detail":"No information available"}`})
	connection := fmt.Sprintf("internetdb_url = %q\ncache = \"memory\"\n", sim.InternetDBURL())
	outputs := map[string]string{}
	for _, format := range []string{"stix", "ecs", "ocsf", "misp", "cortex"} {
		got := runCheck(t, connection, "93.184.216.34", "check", "--output", format)
		if got.status != exitDone || !strings.Contains(got.stdout, "not_indexed") {
			t.Errorf("%s: got %+v", format, got)
		}
		outputs[format] = got.stdout
	}
	for _, o := range stixObjects(t, outputs["stix"]) {
		if o.Type == "indicator" || o.Score != nil {
			t.Errorf("stix: got %+v", o)
		}
	}
	if e := ecsEvents(t, outputs["ecs"])["93.184.216.34"]; e.Event.Outcome != "unknown" || e.Host.Risk.Score != nil || e.Host.Risk.Level != "Unknown" || e.Threat != nil {
		t.Errorf("ecs: got %+v", e)
	}
	if e := ocsfEvents(t, outputs["ocsf"])["93.184.216.34"]; *e.Status != 0 || e.OSINT.Reputation != nil || !strings.HasPrefix(e.StatusDetail, "not indexed: ") {
		t.Errorf("ocsf: got %+v", e)
	}
	if !strings.Contains(outputs["cortex"], `"taxonomies":[{"level":"info","namespace":"shodanrep","predicate":"status","value":"not_indexed"}]`) {
		t.Errorf("cortex: got %s", outputs["cortex"])
	}
	if e := parseMISP(t, outputs["misp"]); e.Threat != "4" || e.Attribute[0].ToIDS || !strings.Contains(e.Attribute[0].Comment, "not indexed: ") {
		t.Errorf("misp: got %+v", e)
	}
}
