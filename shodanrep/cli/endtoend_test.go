package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

// query runs SQL as a user does, with the text of a connection, and returns the rows by column.
func query(t *testing.T, connection, sql string, flags ...string) []map[string]any {
	t.Helper()
	stdout, stderr, status := runQuery(t, connection, sql, append(flags, "--output", "json")...)
	if status != exitDone {
		t.Fatalf("%s\nexit status %d: %s", sql, status, stderr)
	}
	var result struct {
		Rows []map[string]any `json:"rows"`
	}
	if err := json.Unmarshal([]byte(stdout), &result); err != nil {
		t.Fatal(err)
	}
	return result.Rows
}

func runQuery(t *testing.T, connection, sql string, flags ...string) (stdout, stderr string, status int) {
	t.Helper()
	spc := filepath.Join(t.TempDir(), "test.spc")
	text := "connection \"shodanrep\" {\n  plugin = \"local/shodanrep\"\n" + shodantest.Patient(connection) + "\n}\n"
	if err := os.WriteFile(spc, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	status = Main(append([]string{"query", "--config", spc, sql}, flags...), strings.NewReader(""), &out, &errs)
	return out.String(), errs.String(), status
}

// to is a connection to simulated services.
func to(sim *shodantest.Simulator, arguments ...string) string {
	return fmt.Sprintf("internetdb_url = %q\napi_url = %q\ninternetdb_requests_per_second = 10000\nrequests_per_second = 10000\ncache = \"memory\"\n%s",
		sim.InternetDBURL(), sim.APIURL(), strings.Join(arguments, "\n"))
}

// scored is what the baseline's rule, as the design has it, makes of a service's own answer. It shares nothing with
// the product.
func scored(answer map[string]any) (score int, level string) {
	items := func(key string) []any {
		list, _ := answer[key].([]any)
		return list
	}
	switch n := len(items("vulns")); {
	case n > 10:
		score += 40
	case n > 5:
		score += 25
	case n > 0:
		score += 10
	}
	if slices.ContainsFunc(items("ports"), func(port any) bool {
		return slices.Contains([]float64{4444, 5555, 6666, 8888, 9090, 1234, 31337, 6667, 6697, 8080, 8443, 3128, 1080}, port.(float64))
	}) {
		score += 15
	}
	if slices.ContainsFunc(items("tags"), func(tag any) bool {
		return slices.Contains([]string{"self-signed", "cloud", "vpn", "proxy", "tor"}, tag.(string))
	}) {
		score += 10
	}
	if len(items("ports")) > 20 {
		score += 15
	}
	switch {
	case score >= 50:
		return score, "critical"
	case score >= 35:
		return score, "high"
	case score >= 15:
		return score, "medium"
	}
	return score, "low"
}

// TestTheMainJobOnWhatTheServicesReallyAnswered asks in SQL for the captured hosts.
func TestTheMainJobOnWhatTheServicesReallyAnswered(t *testing.T) {
	files, _ := filepath.Glob(filepath.Join("..", "..", "..", "shared", "captures", "host", "*.json"))
	if len(files) == 0 {
		t.Skip("the captured answers are not beside the project")
	}
	sim := shodantest.New(t)
	answers := map[string]map[string]any{}
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var answer map[string]any
		if err := json.Unmarshal(body, &answer); err != nil {
			t.Fatal(err)
		}
		answers[sim.AddCapture(t, file).String()] = answer
	}
	var ips []string
	for ip := range answers {
		ips = append(ips, "'"+ip+"'")
	}
	for source, key := range map[string]string{"internetdb": "", "shodan": fmt.Sprintf("api_key = %q", shodantest.Key)} {
		rows := query(t, to(sim, key), "select * from shodan_ip_reputation where ip in ("+strings.Join(ips, ", ")+", '203.0.114.1')")
		if len(rows) != len(ips)+1 {
			t.Fatalf("%d rows for %d addresses", len(rows), len(ips)+1)
		}
		for _, row := range rows {
			ip := row["ip"].(string)
			if ip == "203.0.114.1" {
				if row["status"] != "not_indexed" || row["level"] != "unknown" || row["score"] != nil {
					t.Errorf("%v", row)
				}
				continue
			}
			score, level := scored(answers[ip])
			if row["score"] != float64(score) || row["level"] != level || row["status"] != "indexed" || row["source"] != source {
				t.Errorf("%s from %s: score %v, level %v, status %v; want %d, %s, indexed", ip, row["source"], row["score"], row["level"], row["status"], score, level)
			}
			points := 0.0
			for _, factor := range row["factors"].([]any) {
				points += factor.(map[string]any)["points"].(float64)
			}
			if points != float64(score) {
				t.Errorf("%s: the factors add up to %v", ip, points)
			}
		}
	}
}

// TestScoresOfManyInventedHosts holds the product's scores to the rule on hosts of every kind.
func TestScoresOfManyInventedHosts(t *testing.T) {
	sim := shodantest.New(t)
	sim.Generate(400)
	csv := filepath.Join(t.TempDir(), "list.csv")
	var text strings.Builder
	text.WriteString("ip\n")
	for i := range 400 {
		fmt.Fprintf(&text, "11.0.%d.%d\n", (i+1)/256, (i+1)%256)
	}
	if err := os.WriteFile(csv, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	levels := map[string]int{}
	for source, key := range map[string]string{"internetdb": "", "shodan": fmt.Sprintf("api_key = %q\napi_lookup_limit = 1000\nsource = \"shodan\"", shodantest.Key)} {
		for _, row := range query(t, to(sim, key), "select ip, source, score, level, ports, vulns, tags from shodan_ip_reputation where ip in (select ip from list)", "--attach", "list="+csv) {
			score, level := scored(row)
			if row["score"] != float64(score) || row["level"] != level || row["source"] != source {
				t.Errorf("%v: want %d, %s", row, score, level)
			}
			levels[level]++
		}
	}
	if len(levels) < 4 {
		t.Errorf("the hosts are of the levels %v only", levels)
	}
}

func TestTwoHundredAddressesSideBySide(t *testing.T) {
	const first, most = 20, 50
	sim := shodantest.NewHandler(shodantest.WithLatency(20 * time.Millisecond))
	sim.Generate(200)
	// After the first responses, from which the rate is learned, none comes before as many requests are under way as may be,
	// however late a busy machine sends them.
	var arrived atomic.Int64
	enough := make(chan struct{})
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch n := arrived.Add(1); {
		case n == first+most:
			close(enough)
		case n > first:
			select {
			case <-enough:
			case <-ctx.Done():
				t.Errorf("fewer look-ups than the %d of max_concurrency are under way at once", most)
			}
		}
		sim.ServeHTTP(w, r)
	}))
	defer server.Close()
	connection := fmt.Sprintf("internetdb_url = %q\ninternetdb_requests_per_second = 10000\ncache = \"memory\"\nmax_concurrency = %d", server.URL+shodantest.InternetDBPath, most)
	var ips []string
	for i := range 200 {
		ips = append(ips, fmt.Sprintf("'11.0.0.%d'", i+1))
	}
	sql := "select count(*) as n from shodan_ip_reputation where status = 'indexed' and ip in (" + strings.Join(ips, ", ") + ");"
	stdout, stderr, status := runQuery(t, connection, sql+sql, "--output", "csv")
	if status != exitDone || stdout != "n\n200\nn\n200\n" {
		t.Fatalf("exit status %d, %q, %s", status, stdout, stderr)
	}
	if n := sim.Count(""); n != 200 {
		t.Errorf("%d requests for 200 addresses asked for twice", n)
	}
	if n := sim.MaxInFlight(); n > most {
		t.Errorf("%d look-ups were under way at once, want the %d of max_concurrency", n, most)
	}
}

func TestWhatGoesWrongIsSaidAndNothingIsLost(t *testing.T) {
	sim := shodantest.New(t)
	sim.AddHost(shodantest.Host{IP: "11.0.0.1", Ports: []int{22}})
	key := fmt.Sprintf("api_key = %q", strings.Repeat("X", 32))
	for name, tt := range map[string]struct {
		connection, sql string
		status          int
		stdout, stderr  string
	}{
		"an address that is none":  {to(sim), "select ip, status, error from shodan_ip_reputation where ip in ('999.1.1.1', '11.0.0.1') order by ip", exitDone, "ip,status,error\n11.0.0.1,indexed,\n999.1.1.1,error,\"\"\"999.1.1.1\"\" is not an IP address: write it like 198.51.100.7 or 2001:db8::7\"\n", "shodanrep: 1 of 2 addresses could not be checked (not an IP address)\n"},
		"a name":                   {to(sim), "select ip, status from shodan_ip_reputation where ip = 'example.com'", exitDone, "ip,status\nexample.com,error\n", "shodanrep: 1 of 1 address could not be checked (not an IP address); select status, error\n"},
		"a network":                {to(sim), "select ip, status, level from shodan_ip_reputation where ip = '11.0.0.0/8'", exitDone, "ip,status,level\n11.0.0.0/8,not_a_host,unknown\n", ""},
		"an IPv4-mapped address":   {to(sim), "select ip, status from shodan_ip_reputation where ip = '::ffff:11.0.0.1'", exitDone, "ip,status\n::ffff:11.0.0.1,indexed\n", ""},
		"an empty list":            {to(sim), "select ip from shodan_ip_reputation where ip in (select '11.0.0.1' where false)", exitDone, "ip\n", "the list of ip is empty, nothing was looked up"},
		"a wrong key":              {to(sim, key), "select * from shodan_ip_reputation where ip = '11.0.0.1'", exitFailed, "", "shodanrep: 1 of 1 address could not be checked\nshodanrep: Shodan refused the API key"},
		"an unknown table":         {to(sim), "select * from shodan_nonesuch", exitFailed, "", "no such table: shodan_nonesuch"},
		"a missing key column":     {to(sim), "select * from shodan_ip_reputation", exitFailed, "", "needs a condition on ip or source"},
		"an unknown argument":      {to(sim, "api_keys = 1"), "select ip from shodan_ip_reputation where ip = '11.0.0.1'", exitFailed, "", "shodanrep: connection shodanrep: there is no argument \"api_keys\": did you mean \"api_key\"?\n"},
		"an argument out of range": {to(sim, "max_concurrency = 0"), "select ip from shodan_ip_reputation where ip = '11.0.0.1'", exitFailed, "", "shodanrep: connection shodanrep: max_concurrency = 0: use a whole number from 1 to 1000\n"},
		"a list that is a text":    {to(sim, `data_files = "x.json"`), "select ip from shodan_ip_reputation where ip = '11.0.0.1'", exitFailed, "", "shodanrep: connection shodanrep: data_files = \"x.json\": use a list of texts, such as [\"~/shodan/*.json.gz\"]\n"},
		"a rate that is a word":    {to(sim, `correlation_limit = "fast"`), "select ip from shodan_ip_reputation where ip = '11.0.0.1'", exitFailed, "", "shodanrep: connection shodanrep: correlation_limit = \"fast\": use a whole number from 1 to 10000\n"},
		"a number with a fraction": {to(sim, "max_concurrency = 1.5"), "select ip from shodan_ip_reputation where ip = '11.0.0.1'", exitFailed, "", "shodanrep: connection shodanrep: max_concurrency = 1.5: use a whole number from 1 to 1000\n"},
	} {
		t.Run(name, func(t *testing.T) {
			stdout, stderr, status := runQuery(t, tt.connection, tt.sql, "--output", "csv")
			if status != tt.status || stdout != tt.stdout || !strings.Contains(stderr, tt.stderr) || (tt.stderr == "") != (stderr == "") {
				t.Errorf("exit status %d, standard output %q, standard error %q", status, stdout, stderr)
			}
			if strings.Contains(stdout+stderr, "XXXX") {
				t.Error("the key is shown")
			}
		})
	}
	t.Run("an unreachable service", func(t *testing.T) {
		connection := "internetdb_url = \"http://127.0.0.1:1\"\ncache = \"memory\"\ntimeout = \"300ms\""
		stdout, _, status := runQuery(t, connection, "select ip, status, level, error from shodan_ip_reputation where ip = '11.0.0.1'", "--output", "csv")
		if status != exitDone || !strings.HasPrefix(stdout, "ip,status,level,error\n11.0.0.1,error,unknown,InternetDB sent no usable response (") {
			t.Errorf("exit status %d, standard output %q", status, stdout)
		}
	})
	t.Run("a spent key", func(t *testing.T) {
		spent := shodantest.New(t, shodantest.WithCredits(0))
		_, stderr, status := runQuery(t, to(spent, fmt.Sprintf("api_key = %q", shodantest.Key)), "select * from shodan_ssl_correlation where value = 'example.com'")
		if status != exitFailed || !strings.Contains(stderr, "no query credits left") || strings.Contains(stderr, shodantest.Key) {
			t.Errorf("exit status %d, standard error %q", status, stderr)
		}
	})
}
