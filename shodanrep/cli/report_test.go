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
var changingInPages = regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d UTC|[\d,]+ requests?, [^<]*`)

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
	if !strings.Contains(got.stdout, `<p class="lead">0 addresses by the policy`) || strings.Contains(got.stdout, "Every address was checked") ||
		strings.Contains(got.stdout, "<legend>Levels") || got.status != exitDone {
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

// TestAPageShowsTheChangesThatTheHistoryHas checks a page of addresses of which two changed, one for the worse and one
// for the better. A first check is not a change.
func TestAPageShowsTheChangesThatTheHistoryHas(t *testing.T) {
	const chart = "<figcaption>Changes over time</figcaption>"
	connection := past(t)
	got := runCheck(t, connection, "203.0.114.10 203.0.114.11 203.0.114.12 203.0.114.15", "report", "--source", "internetdb")
	text := regexp.MustCompile(`aria-label="([^"]*(worse|better)[^"]*)"`).FindStringSubmatch(got.stdout)
	if got.status != exitDone || !strings.Contains(got.stdout, chart) || text == nil || strings.Count(text[1], "1 worse") != 1 || strings.Count(text[1], "1 better") != 1 {
		t.Errorf("got %q: %s", text, got.stderr)
	}
	for name, args := range map[string][]string{
		"an address that is new":           {"203.0.114.99"},
		"a source that has no history":     {"--source", "dataset", "203.0.113.10"},
		"no address":                       {"nothing"},
		"a network, which is not expanded": {"203.0.114.0/24"},
	} {
		arguments := connection
		if name == "a source that has no history" {
			arguments += sampleConnection[:strings.Index(sampleConnection, "\n")+1]
		}
		if name == "no address" {
			args = []string{writeFile(t, "empty.txt", "nothing")}
		}
		if got := runCheck(t, arguments, "", append([]string{"report"}, args...)...); strings.Contains(got.stdout, chart) || !strings.HasSuffix(got.stdout, "</html>\n") {
			t.Errorf("%s: status %d, %s", name, got.status, got.stderr)
		}
	}
	broken := filepath.Join(writeFile(t, "file", ""), "history.sqlite") // a file is not a folder
	got = runCheck(t, fmt.Sprintf("history_store = %q\n%s", broken, sampleConnection), "203.0.113.10", "report")
	if got.status != exitDone || !strings.Contains(got.stdout, "The history cannot be read: ") {
		t.Errorf("a broken history: %+v", got.stderr)
	}
}

// Ports that are open as often as each other are in the order of numbers.
func TestThePortsOfAPageAreNumbers(t *testing.T) {
	var banners strings.Builder
	for _, port := range []int{100, 9, 10, 1, 20} {
		fmt.Fprintf(&banners, `{"ip_str":"192.0.2.1","port":%d,"transport":"tcp","timestamp":"2026-11-20T00:00:00","_shodan":{"module":"http"},"data":""}`+"\n", port)
	}
	connection := fmt.Sprintf("data_files = [%q]\ncache = \"memory\"\n", writeFile(t, "hosts.json", banners.String()))
	got := runCheck(t, connection, "", "report", "192.0.2.1")
	_, chart, _ := strings.Cut(got.stdout, "<caption>Open ports")
	chart, _, _ = strings.Cut(chart, "</table>")
	var ports []string
	for _, match := range regexp.MustCompile(`<th scope="row" dir="auto">(\d+)`).FindAllStringSubmatch(chart, -1) {
		ports = append(ports, match[1])
	}
	if got := strings.Join(ports, " "); got != "1 9 10 20 100" {
		t.Errorf("the ports are %q in %s", got, chart)
	}
}
