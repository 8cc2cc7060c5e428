package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// changingInPages is what differs between two pages about the same addresses.
var changingInPages = regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d UTC|0 requests, [^<]*`)

func TestReportIsCheckWithTheFormatHTML(t *testing.T) {
	file := filepath.Join(t.TempDir(), "report.html")
	got := runCheck(t, sampleConnection, someText, append([]string{"report", "-o", file}, timeless...)...)
	page, err := os.ReadFile(file)
	if err != nil || got.stdout != "" || got.stderr != "" || got.status != exitDone {
		t.Fatalf("%v: %+v", err, got)
	}
	checked := runCheck(t, sampleConnection, someText, append([]string{"check", "--output", "html"}, timeless...)...)
	if diff := cmp.Diff(changingInPages.ReplaceAllString(checked.stdout, "…"), changingInPages.ReplaceAllString(string(page), "…")); diff != "" {
		t.Error(diff)
	}
	printed := runCheck(t, sampleConnection, someText, append([]string{"report"}, timeless...)...)
	if diff := cmp.Diff(changingInPages.ReplaceAllString(printed.stdout, "…"), changingInPages.ReplaceAllString(string(page), "…")); diff != "" {
		t.Errorf("standard output: %s", diff)
	}
}

func TestReportHasTheExitStatusesOfCheck(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing", "report.html")
	for _, test := range []struct {
		args   []string
		status int
		stderr string
	}{
		{[]string{"--fail-on", "high"}, exitFound, "critical"},
		{[]string{"-o", missing}, exitFailed, "missing"},
		{[]string{"--output", "csv"}, exitUsage, "unknown flag: --output"},
		{[]string{"--only", "terrible"}, exitUsage, "terrible"},
		{[]string{"nowhere.txt"}, exitFailed, "nowhere.txt"},
	} {
		got := runCheck(t, sampleConnection, someText, append([]string{"report"}, test.args...)...)
		if got.status != test.status || !strings.Contains(got.stderr, test.stderr) {
			t.Errorf("%q: status %d, %s", test.args, got.status, got.stderr)
		}
	}
}

func TestAPageWithoutAddressesSaysSo(t *testing.T) {
	got := runCheck(t, sampleConnection, "nothing", "report")
	if !strings.Contains(got.stdout, `<p class="lead">0 addresses by the policy`) || strings.Contains(got.stdout, "Every address was checked") || got.status != exitDone {
		t.Errorf("got %+v", got)
	}
}

// TestAPageHasLessThanTenMegabytes checks a list that does not fit, with addresses that were not checked at its end.
func TestAPageHasLessThanTenMegabytes(t *testing.T) {
	if testing.Short() {
		t.Skip("the list is long")
	}
	var list strings.Builder
	for i := range 80_000 {
		fmt.Fprintf(&list, "10.%d.%d.%d\n", i>>16, i>>8&255, i&255)
	}
	got := runCheck(t, sampleConnection, list.String()+"203.0.113.10", "report")
	if n := len(got.stdout); n > 9_500_000 || n < 6_500_000 {
		t.Errorf("the page has %d bytes", n)
	}
	leftOut := regexp.MustCompile(`<li>Addresses that do not fit in a page: ([\d,]+) unknown\. `).FindStringSubmatch(got.stdout)
	shown := strings.Count(got.stdout, "<tr class=")
	if leftOut == nil || fmt.Sprint(80_001-shown) != strings.ReplaceAll(leftOut[1], ",", "") || !strings.Contains(got.stdout, "<b>80,000</b> <span>reserved</span>") {
		t.Errorf("%d rows, and %q", shown, leftOut)
	}
}
