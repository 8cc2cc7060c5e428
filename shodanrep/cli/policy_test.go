package cli

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/embedded/embeddedtest"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation/policyfile"
)

// runOnSample runs the command line over the plugin itself, on the sample as a dataset. More is added to its
// connection.
func runOnSample(t *testing.T, stdin, more string, args ...string) result {
	t.Helper()
	t.Setenv("SHODAN_API_KEY", "")
	hosts, err := filepath.Abs("../../config/sample/hosts.json.gz")
	if err != nil {
		t.Fatal(err)
	}
	config := writeFile(t, "sample.spc", fmt.Sprintf("connection \"sample\" {\n plugin = \"shodanrep\"\n data_files = [%q]\n source = \"dataset\"\n cache = \"memory\"\n%s\n}", hosts, more))
	var stdout, stderr bytes.Buffer
	a := app{plugin: shodanrep.Plugin, stdin: strings.NewReader(stdin), stdout: &stdout, stderr: &stderr}
	status := a.run(t.Context(), append(args, "--config", config))
	return result{stdout.String(), stderr.String(), status}
}

func TestPoliciesAreShown(t *testing.T) {
	t.Parallel()
	for _, name := range policyfile.Names() {
		if got := run(t, &embeddedtest.Plugin{}, "", "policy", "show", name); got.status != exitDone || got.stdout != policyfile.Text(name) {
			t.Errorf("%s: %+v", name, got)
		}
		if got := run(t, &embeddedtest.Plugin{}, "", "policy", "show"); !strings.Contains(got.stdout, "| "+name+" ") {
			t.Errorf("the list is %s", got.stdout)
		}
	}
	got := run(t, &embeddedtest.Plugin{}, "", "policy", "show", "strict")
	if want := "shodanrep: there is no built-in policy \"strict\"; there are baseline and extended\n"; got.status != exitFailed || got.stderr != want || got.stdout != "" {
		t.Errorf("%+v", got)
	}
}

func TestPoliciesAreChecked(t *testing.T) {
	t.Parallel()
	right := writeFile(t, "right.hcl", "policy \"ours\" {\n  base = \"extended\"\n  history = true\n}\n")
	plain := writeFile(t, "plain.hcl", "policy \"plain\" {\n  base = \"baseline\"\n}\n")
	wrong := writeFile(t, "wrong.hcl", "policy \"ours\" {\n  base = \"strict\"\n  histry = true\n}\n")
	got := run(t, &embeddedtest.Plugin{}, "", "policy", "check", right, plain)
	want := fmt.Sprintf("%s: the policy ours is valid: %d factors, needs the history of each host\n%s: the policy plain is valid: 4 factors, needs only a host's summary\n",
		right, len(policyfile.Extended().Factors), plain)
	if got != (result{stdout: want}) {
		t.Errorf("got %+v, want %s", got, want)
	}
	got = run(t, &embeddedtest.Plugin{}, "", "policy", "check", wrong, right)
	for _, want := range []string{wrong + `:2: base = "strict": use "baseline", "extended"`, wrong + ":3: a policy has no argument histry: arguments are base,", "shodanrep: 1 of 2 files wrong"} {
		if !strings.Contains(got.stderr, want) || got.status != exitFailed || !strings.Contains(got.stdout, "is valid") {
			t.Errorf("got %+v, want %s", got, want)
		}
	}
	if got := run(t, &embeddedtest.Plugin{}, "", "policy", "check", filepath.Join(t.TempDir(), "none.hcl")); got.status != exitFailed || !strings.Contains(got.stderr, "none.hcl: no such file") {
		t.Errorf("%+v", got)
	}
	none := filepath.Join(t.TempDir(), "none.hcl")
	for want, files := range map[string][]string{
		"shodanrep: open " + none + ": no such file or directory\n":                                                                   {none},
		"shodanrep: open " + none + ": no such file or directory\nshodanrep: 1 of 2 files cannot be read\n":                           {none, plain},
		wrong + ":2: *shodanrep: open " + none + ": no such file or directory\nshodanrep: 1 of 2 files wrong, and 1 cannot be read\n": {wrong, none},
	} {
		got := run(t, &embeddedtest.Plugin{}, "", append([]string{"policy", "check"}, files...)...)
		begin, end, _ := strings.Cut(want, "*")
		if got.status != exitFailed || !strings.HasPrefix(got.stderr, begin) || !strings.HasSuffix(got.stderr, end) {
			t.Errorf("%q: got %+v, want %s", files, got, want)
		}
	}
}

// A result that is lost is a failure of the output, not of the policy.
func TestALostResultOfACheckIsNotAWrongPolicy(t *testing.T) {
	t.Parallel()
	plain := writeFile(t, "plain.hcl", "policy \"plain\" {\n  base = \"baseline\"\n}\n")
	var stderr bytes.Buffer
	a := app{plugin: new(embeddedtest.Plugin).Func, stdin: strings.NewReader(""), stdout: fullDisk{}, stderr: &stderr}
	if status := a.run(t.Context(), []string{"policy", "check", plain}); status != exitFailed || stderr.String() != "shodanrep: no space left on device\n" {
		t.Errorf("status %d, %q", status, stderr.String())
	}
}

// An error names the policy, and names it once.
func TestErrorsNameThePolicyOnce(t *testing.T) {
	t.Parallel()
	none := filepath.Join(t.TempDir(), "none.hcl")
	wrong := writeFile(t, "wrong.hcl", "policy \"ours\" {\n  histry = true\n}\n")
	for _, args := range [][]string{{"policy", "diff", "baseline", "?", "192.0.2.1"}, {"check", "--policy", "?", "192.0.2.1"}, {"changes", "--policy", "?"}, {"annotate", "--policy", "?"}, {"report", "--policy", "?", "192.0.2.1"}} {
		for policy, want := range map[string]string{none: "policy " + none + ": no such file or directory\n", wrong: wrong + ":2: a policy has no argument histry", "strict": "policy strict: there is no policy of that name"} {
			args := slices.Clone(args)
			args[slices.Index(args, "?")] = policy
			got := run(t, &embeddedtest.Plugin{}, "", args...)
			if got.status != exitFailed || !strings.HasPrefix(got.stderr, "shodanrep: "+want) || strings.Count(got.stderr, policy) != 1 {
				t.Errorf("%q: got %+v, want %s", args, got, want)
			}
		}
	}
}

func TestPoliciesAreCompared(t *testing.T) {
	ours := writeFile(t, "ours.hcl", "policy \"ours\" {\n  base = \"extended\"\n  without = [\"exposed_databases\"]\n}\n")
	for name, tt := range map[string]struct {
		stdin string
		args  []string
		want  []string // ip, old level and score, new level and score, factor and change
	}{
		"names": {"", []string{"baseline", "extended", "192.0.2.80", "198.51.100.13"}, []string{
			"198.51.100.13 medium 20 critical 60 exposed_databases 20", "198.51.100.13 medium 20 critical 60 known_exploited 20", "198.51.100.13 medium 20 critical 60 likely_exploited 10",
			"198.51.100.13 medium 20 critical 60 tags -10", "198.51.100.13 medium 20 critical 60 hosting_type 5", "198.51.100.13 medium 20 critical 60 vulnerabilities -5",
		}},
		"a file, and addresses from standard input": {"# ours\n198.51.100.13 # twice\n\n198.51.100.13\n192.0.2.80\n", []string{"extended", ours}, []string{
			"198.51.100.13 critical 60 high 40 exposed_databases -20",
		}},
		"what is not known is shown": {"", []string{"baseline", "extended", "10.0.0.1", "192.0.2.250"}, []string{"10.0.0.1 unknown  unknown   ", "192.0.2.250 unknown  unknown   "}},
		"a text, and a network":      {"seen 198[.]51[.]100[.]13:443, v1.2.3.4\n", []string{"extended", ours, "-", "192.0.2.0/30"}, []string{"192.0.2.0/30 unknown  unknown   ", "198.51.100.13 critical 60 high 40 exposed_databases -20"}},
		"the addresses of a network": {"", []string{"extended", ours, "198.51.100.12/31", "--expand"}, []string{"198.51.100.13 critical 60 high 40 exposed_databases -20"}},
		"nothing changes":            {"", []string{"baseline", "baseline", "198.51.100.13"}, nil},
		"all":                        {"", []string{"baseline", "baseline", "198.51.100.13", "--all"}, []string{"198.51.100.13 medium 20 medium 20  "}},
	} {
		t.Run(name, func(t *testing.T) {
			got := runOnSample(t, tt.stdin, "policy = \"baseline\" # which does not count here", append([]string{"policy", "diff", "--output", "csv"}, tt.args...)...)
			records, err := csv.NewReader(strings.NewReader(got.stdout)).ReadAll()
			if err != nil || got.status != exitDone || len(records) == 0 || strings.Join(records[0], " ") != "ip old_level old_score new_level new_score factor change detail" {
				t.Fatalf("%+v, %v", got, err)
			}
			var lines []string
			for _, r := range records[1:] {
				lines = append(lines, strings.Join(r[:7], " "))
			}
			slices.Sort(lines)
			slices.Sort(tt.want)
			if !slices.Equal(lines, tt.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(lines, "\n"), strings.Join(tt.want, "\n"))
			}
		})
	}
	if got := runOnSample(t, "", "", "policy", "diff", "baseline", "extended", "--dataset"); got.status != exitDone || !strings.Contains(got.stdout, "| 203.0.113.12 ") {
		t.Errorf("of a dataset: %+v", got)
	}
}

func TestAComparisonSaysThatNoLevelChanges(t *testing.T) {
	for name, tt := range map[string]struct {
		args           []string
		stdout, stderr string
	}{
		"a table":                  {[]string{"198.51.100.13", "192.0.2.80"}, "no level changes\n", ""},
		"another format":           {[]string{"198.51.100.13", "--output", "jsonl"}, "", "shodanrep: no level changes\n"},
		"what could not be judged": {[]string{"198.51.100.13", "10.0.0.1", "--output", "jsonl"}, `{"ip":"10.0.0.1","old_level":"unknown","old_score":null,"new_level":"unknown","new_score":null,"factor":null,"change":null,"detail":"reserved"}` + "\n", "shodanrep: no level changes\n"},
	} {
		got := runOnSample(t, "", "", append([]string{"policy", "diff", "baseline", "baseline"}, tt.args...)...)
		if got != (result{tt.stdout, tt.stderr, exitDone}) {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestAComparisonThatCannotBeMadeSaysWhy(t *testing.T) {
	wrong := writeFile(t, "wrong.hcl", "policy \"ours\" {\n  bse = 1\n}\n")
	for name, tt := range map[string]struct {
		args   []string
		status int
		want   string
	}{
		"no such policy":            {[]string{"baseline", "strict", "192.0.2.1"}, exitFailed, `strict: there is no policy of that name: use "baseline", "extended", or the path of a file`},
		"a wrong file":              {[]string{wrong, "baseline", "192.0.2.1"}, exitFailed, wrong + ":2: a policy has no argument bse"},
		"no address":                {[]string{"baseline", "extended", "example.com"}, exitFailed, "example.com: no such file, and not an address"},
		"no addresses":              {[]string{"baseline", "extended"}, exitFailed, "no address was found in standard input"},
		"one policy":                {[]string{"baseline"}, exitUsage, `policy diff takes two policies, and the inputs after them, and only "baseline" was given`},
		"a form that there is not":  {[]string{"baseline", "extended", "192.0.2.1", "--output", "xml"}, exitUsage, `--output must be one of table, csv, tsv, json, jsonl, line, markdown, not "xml"`},
		"a dataset and addresses":   {[]string{"baseline", "extended", "192.0.2.1", "--dataset"}, exitUsage, "--dataset and addresses exclude each other"},
		"a connection there is not": {[]string{"baseline", "extended", "192.0.2.1", "--connection", "other"}, exitFailed, `there is no connection "other"`},
	} {
		got := runOnSample(t, "", "", append([]string{"policy", "diff"}, tt.args...)...)
		if got.status != tt.status || !strings.Contains(got.stderr, tt.want) || got.stdout != "" {
			t.Errorf("%s: %+v, want status %d and %s", name, got, tt.status, tt.want)
		}
	}
	if got := run(t, &embeddedtest.Plugin{}, "", "policy"); got.status != exitUsage || !strings.Contains(got.stderr, "show, check or diff") {
		t.Errorf("%+v", got)
	}
}

// A wrong file is found also behind a valid one about which nobody reads.
func TestPolicyCheckFailsAlsoIfNobodyReadsTheRest(t *testing.T) {
	valid, wrong := writeFile(t, "valid.hcl", "policy \"ours\" {\n  base = \"baseline\"\n}\n"), writeFile(t, "wrong.hcl", "x = 1\n")
	for _, files := range [][]string{{valid, wrong}, {wrong, valid}, {valid}} {
		want := exitFailed
		if len(files) == 1 {
			want = exitDone
		}
		var stderr bytes.Buffer
		if got := Main(append([]string{"policy", "check"}, files...), strings.NewReader(""), closedPipe{}, &stderr); got != want {
			t.Errorf("%v: exit status %d, want %d: %s", files, got, want, stderr.String())
		}
	}
}
