package config_test

import (
	"bytes"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/postgrestest"
)

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// examples returns the blocks of a page that are in a language.
func examples(t *testing.T, page, language string) []string {
	t.Helper()
	var found []string
	for _, m := range regexp.MustCompile("(?ms)^```"+regexp.QuoteMeta(language)+"\n(.*?)^```$").FindAllStringSubmatch(read(t, page), -1) {
		found = append(found, m[1])
	}
	if len(found) == 0 {
		t.Fatalf("%s has no examples in %s", page, language)
	}
	return found
}

// filled makes a database with the functions, and with resources of AWS whose addresses are known.
func filled(t *testing.T) *postgrestest.Database {
	t.Helper()
	db := install(t)
	db.ExecRemote(`insert into shodanrep.shodan_ip_reputation (ip, title, status, level, score) select a, host(a), 'indexed', 'high', 40 from unnest('{203.0.113.1,203.0.113.2,203.0.113.3}'::inet[]) as a;
		insert into shodanrep.shodan_service (ip, status, port, ssl_expires) values ('203.0.113.1', 'indexed', 443, now())`)
	db.Exec(read(t, "powerpipe/testdata/cloud_tables.sql"))
	db.Exec(read(t, "powerpipe/testdata/aws.sql"))
	return db
}

func TestTheExamplesOfJoiningRunInPostgreSQL(t *testing.T) {
	db := filled(t)
	for _, sql := range examples(t, "../docs/joining.md", "sql") {
		if len(db.Query(sql)) == 0 {
			t.Errorf("no rows:\n%s", sql)
		}
	}
	if !strings.Contains(read(t, "../docs/joining.md"), "shodan_reputation_join_example") {
		t.Error("there is no shodan_reputation_join_example")
	}
}

func TestTheExamplesOfJoiningRunOnTheSample(t *testing.T) {
	t.Chdir("..")
	t.Setenv("SHODAN_API_KEY", "")
	t.Setenv("SHODANREP_CACHE_DIR", t.TempDir())
	t.Setenv("XDG_DATA_HOME", t.TempDir())
	for _, sql := range examples(t, "docs/joining.md", "sql+sqlite") {
		var stdout, stderr bytes.Buffer
		status := cli.Main([]string{"query", "--config", "config/sample/sample.spc", "--attach", "aws_vpc_security_group_rule=config/sample/security_group_rules.csv", "--output", "csv", sql},
			strings.NewReader(""), &stdout, &stderr)
		if status != 0 || stderr.Len() > 0 || strings.Count(stdout.String(), "\n") < 2 {
			t.Errorf("exit status %d, %s\n%s", status, stderr.String(), sql)
		}
	}
}

// TestTheREADMEShowsWhatPsqlPrints runs the README's lines for a PostgreSQL without Steampipe.
func TestTheREADMEShowsWhatPsqlPrints(t *testing.T) {
	db := postgrestest.New(t)
	t.Chdir("..")
	var script string
	for _, block := range examples(t, "README.md", "bash") {
		if strings.Contains(block, "psql") {
			script = strings.ReplaceAll(block, "bin/shodanrep", asCommand+"=1 "+os.Args[0])
		}
	}
	cmd := exec.Command("sh", "-c", script)
	cmd.Env = append(append(os.Environ(), db.Environ()...), "SHODAN_API_KEY=", "SHODANREP_CACHE_DIR="+t.TempDir(), "XDG_DATA_HOME="+t.TempDir())
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if diff := cmp.Diff(examples(t, "README.md", "console")[0], string(out)); diff != "" {
		t.Errorf("the README (-) and the output (+) differ: %s", diff)
	}
}

// TestTheExamplesOfTheREADMERunInPostgreSQL runs its SQL for Steampipe's database.
func TestTheExamplesOfTheREADMERunInPostgreSQL(t *testing.T) {
	db := filled(t)
	for _, sql := range examples(t, "../README.md", "sql") {
		if len(db.Query(sql)) == 0 {
			t.Errorf("no rows:\n%s", sql)
		}
	}
}

// TestTheLinksOfThePagesLeadSomewhere is about the pages on joins and schedules, and the mods' own.
func TestTheLinksOfThePagesLeadSomewhere(t *testing.T) {
	t.Parallel()
	link := regexp.MustCompile(`\]\(([\w./-]*)(?:#([\w-]+))?\)`)
	for _, folder := range []string{"../docs/", "flowpipe/"} {
		for _, page := range []string{"joining.md", "schedules.md", "README.md"} {
			if _, err := os.Stat(folder + page); err != nil {
				continue // of the other folder
			}
			for _, m := range link.FindAllStringSubmatch(read(t, folder+page), -1) {
				target := folder + m[1]
				if m[1] == "" {
					target = folder + page
				}
				if info, err := os.Stat(target); err != nil {
					t.Errorf("%s: %v", page, err)
				} else if heading := strings.ReplaceAll(m[2], "-", "[ -]"); heading != "" && !info.IsDir() && !regexp.MustCompile("(?mi)^#+ "+heading+"$").MatchString(read(t, target)) {
					t.Errorf("%s: %s has no heading %s", page, target, m[2])
				}
			}
		}
	}
}
