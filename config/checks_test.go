package config_test

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

// The addresses of InternetDB: of the first it knows a port, of the second nothing, and of the third much that is bad.
const known, unknown, bad = "203.0.114.3", "203.0.114.1", "203.0.114.4"

// connection is one that has the sample as its dataset, and a simulated InternetDB for what is not in it.
func connection(t *testing.T) string {
	t.Helper()
	sim := shodantest.New(t)
	sim.AddHost(shodantest.Host{IP: known, Ports: []int{443}})
	var vulns []string
	for i := range 11 {
		vulns = append(vulns, fmt.Sprintf("CVE-2021-%04d", i+1))
	}
	sim.AddHost(shodantest.Host{IP: bad, Ports: []int{443}, Vulns: vulns})
	sample, err := filepath.Abs("sample/hosts.json.gz")
	if err != nil {
		t.Fatal(err)
	}
	return write(t, "test.spc", "connection \"test\" {\n  plugin = \"shodanrep\"\n"+shodantest.Patient(fmt.Sprintf(
		"  data_files = [%q]\n  internetdb_url = %q\n  cvedb_url = %q\n  cache = \"memory\"\n", sample, sim.InternetDBURL(), sim.CVEDBURL()))+"}\n")
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// check runs a file of the folder checks as a schedule does, and returns the resources of each status but ok.
func check(t *testing.T, file, addresses, rules string) (found map[string][]string, status int) {
	t.Helper()
	t.Setenv("SHODAN_API_KEY", "")
	t.Setenv("SHODANREP_CACHE_DIR", t.TempDir())
	t.Setenv("XDG_DATA_HOME", t.TempDir())
	var stdout, stderr bytes.Buffer
	status = cli.Main([]string{
		"query", "--config", connection(t), "--attach", "public_address=" + addresses, "--attach", "aws_vpc_security_group_rule=" + rules, "--output", "csv", "--fail-on", "alarm",
	}, strings.NewReader(read(t, file)), &stdout, &stderr)
	rows, err := csv.NewReader(&stdout).ReadAll()
	if err != nil || len(rows) == 0 {
		t.Fatalf("%s: %v: %s", file, err, stderr.String())
	}
	if want := []string{"resource", "status", "reason"}; !slices.Equal(rows[0], want) {
		t.Errorf("%s has the columns %q", file, rows[0])
	}
	found = map[string][]string{}
	ok := 0
	for _, row := range rows[1:] {
		if row[0] == "" || !strings.HasSuffix(row[2], ".") {
			t.Errorf("%s: %q", file, row)
		}
		if row[1] == "ok" {
			ok++
		} else {
			found[row[1]] = append(found[row[1]], row[0][max(0, len(row[0])-4):])
		}
	}
	if ok == 0 {
		t.Errorf("%s: nothing is ok", file)
	}
	return found, status
}

func TestChecks(t *testing.T) {
	addresses := write(t, "addresses.csv", read(t, "checks/public_addresses.csv")+"x/i-20,Unknown,"+unknown+"\nx/i-21,Wrong,no address\nx/i-22,Known,"+known+"\nx/i-23,Bad,"+bad+"\n,,"+known+"\n") // the last one has no names
	rules := write(t, "rules.csv", strings.TrimSpace(read(t, "sample/security_group_rules.csv"))+`
sgr-0030,sg-1,false,ingress,1,,tcp,22,22,`+unknown+`/32,,,,,us-east-1,1
sgr-0031,sg-1,false,ingress,1,,tcp,22,22,no address,,,,,us-east-1,1
sgr-0032,sg-1,false,ingress,1,,tcp,4000,5000,0.0.0.0/0,,,,,us-east-1,1
sgr-0033,sg-1,false,ingress,1,,-1,,,,::/0,,,,us-east-1,1
sgr-0034,sg-1,false,ingress,1,,icmp,-1,-1,0.0.0.0/0,,,,,us-east-1,1
`)
	expected := map[string]map[string][]string{
		"public_address_newly_bad.sql":               {"alarm": {"i-23"}, "skip": {"i-04", "i-05"}, "info": {"c-06", "c-07", "i-01", "i-02", "i-03", "i-20"}, "error": {"i-21"}},
		"public_address_reputation.sql":              {"alarm": {"c-06", "i-02", "i-23"}, "skip": {"i-04", "i-05"}, "info": {"i-20"}, "error": {"i-21"}},
		"public_address_suspicious_port.sql":         {"alarm": {"i-02"}, "skip": {"i-04", "i-05"}, "info": {"i-20"}, "error": {"i-21"}},
		"public_address_database.sql":                {"alarm": {"i-02", "i-03"}, "skip": {"i-04", "i-05"}, "info": {"i-20"}, "error": {"i-21"}},
		"public_address_exploited_vulnerability.sql": {"alarm": {"c-06", "i-02"}, "skip": {"i-04", "i-05"}, "info": {"i-20"}, "error": {"i-21"}},
		"public_address_expired_certificate.sql":     {"alarm": {"c-06", "c-07", "i-01", "i-02"}, "skip": {"i-04", "i-05"}, "info": {"14.3", "i-20", "i-22", "i-23"}, "error": {"i-21"}},
		"security_group_ingress_reputation.sql": {
			"alarm": {"0004", "0009", "0011", "0014", "0015", "0017", "0018"}, "skip": {"0000", "0001", "0007", "0008", "0010", "0012", "0013", "0032", "0033", "0034"},
			"info": {"0030"}, "error": {"0031"},
		},
		"security_group_egress_reputation.sql":    {"alarm": {"000c"}, "skip": {"0006"}},
		"security_group_open_suspicious_port.sql": {"alarm": {"0032", "0033"}, "skip": {"0007"}, "error": {"0031"}},
	}
	files, err := filepath.Glob("checks/*.sql")
	if err != nil || len(files) != len(expected) {
		t.Fatalf("there are %q, and tests of %d: %v", files, len(expected), err)
	}
	for _, file := range files {
		t.Run(file, func(t *testing.T) {
			got, status := check(t, file, addresses, rules)
			for _, resources := range got {
				slices.Sort(resources)
			}
			if diff := cmp.Diff(expected[filepath.Base(file)], got); diff != "" || status != 3 {
				t.Errorf("exit status %d; want (-), got (+): %s", status, diff)
			}
		})
	}
}

// TestACheckWithoutAlarmSucceeds also says that what is not known makes no alarm, and no ok either.
func TestACheckWithoutAlarmSucceeds(t *testing.T) {
	addresses := write(t, "addresses.csv", "resource,title,ip\na,Web,192.0.2.80\nb,Unknown,"+unknown+"\n")
	got, status := check(t, "checks/public_address_reputation.sql", addresses, "sample/security_group_rules.csv")
	if diff := cmp.Diff(map[string][]string{"info": {"b"}}, got); diff != "" || status != 0 {
		t.Errorf("exit status %d; want (-), got (+): %s", status, diff)
	}
}

// TestTheScriptRunsEveryCheck runs run.sh as cron does, with its connection where Steampipe has it.
func TestTheScriptRunsEveryCheck(t *testing.T) {
	home := t.TempDir()
	if err := os.MkdirAll(filepath.Join(home, ".steampipe/config"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(home, ".steampipe/config/shodanrep.spc"), []byte(read(t, connection(t))), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("HOME", home)
	t.Setenv("SHODAN_API_KEY", "")
	t.Setenv("SHODANREP_CACHE_DIR", t.TempDir())
	t.Setenv("XDG_DATA_HOME", t.TempDir())
	t.Setenv("SHODANREP", os.Args[0])
	t.Setenv(asCommand, "1")
	good := write(t, "good.csv", "resource,title,ip\na,Web,192.0.2.80\n")
	for name, tt := range map[string]struct {
		args   []string
		status int
	}{
		"an alarm":                 {[]string{"public_addresses.csv", "../sample/security_group_rules.csv"}, 3},
		"a file that is not there": {[]string{good, "nowhere.csv"}, 1},
		"no files":                 {nil, 2},
	} {
		cmd := exec.Command("./run.sh", tt.args...)
		cmd.Dir = "checks"
		out, err := cmd.CombinedOutput()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != tt.status {
			t.Errorf("%s: %v, want exit status %d: %s", name, err, tt.status, out)
		}
		files, _ := filepath.Glob("checks/*.sql")
		for _, file := range files {
			title, _, _ := strings.Cut(read(t, file), "\n")
			if tt.status == 3 && !strings.Contains(string(out), title) {
				t.Errorf("%s: %s is not among what is printed", name, file)
			}
		}
	}
}

// TestEveryControlHasAFile holds the files to the controls of the mod, one for each of AWS.
func TestEveryControlHasAFile(t *testing.T) {
	t.Parallel()
	for line := range strings.Lines(read(t, "powerpipe/aws.pp")) {
		_, name, isControl := strings.Cut(strings.TrimSuffix(line, "\" {\n"), "control \"aws_")
		if _, err := os.Stat("checks/" + name + ".sql"); isControl && err != nil {
			t.Errorf("the control %s has no file: %v", name, err)
		}
	}
}
