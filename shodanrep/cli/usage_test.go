package cli

import (
	"strings"
	"testing"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/report"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/embedded/embeddedtest"
)

// A name that is misspelt is an error that has the name that is meant, where there is one.
func TestDidYouMean(t *testing.T) {
	t.Parallel()
	config := writeFile(t, "x.spc", `connection "home" { plugin = "shodanrep" }
		connection "work" { plugin = "shodanrep" }`)
	const usage = "\nRun 'shodanrep --help' for usage."
	usageOf := func(command string) string { return "\nRun 'shodanrep " + command + " --help' for usage." }
	tests := map[string]struct {
		args   string
		want   string
		status int
	}{
		"a command":                    {"qery", `unknown command "qery" for "shodanrep": did you mean "query"?` + usage, exitUsage},
		"an unknown command":           {"purple", `unknown command "purple" for "shodanrep"` + usage, exitUsage},
		"a command to be explained":    {"help qery", `unknown command "qery" for "shodanrep": did you mean "query"?` + usage, exitUsage},
		"a command below another":      {"cache claer", `unknown command "claer" for "shodanrep cache": did you mean "clear"?` + usageOf("cache"), exitUsage},
		"another command below one":    {"policy chek", `unknown command "chek" for "shodanrep policy": did you mean "check"?` + usageOf("policy"), exitUsage},
		"an unknown one below another": {"policy purple", `unknown command "purple" for "shodanrep policy"` + usageOf("policy"), exitUsage},
		"a shell":                      {"completion bsh", `unknown command "bsh" for "shodanrep completion": did you mean "bash"?` + usageOf("completion"), exitUsage},
		"no shell":                     {"completion", `completion needs a shell: bash, fish, powershell or zsh` + usageOf("completion"), exitUsage},
		"a source":                     {"check --source intrnetdb 192.0.2.1", `--source must be dataset, shodan or internetdb, not "intrnetdb"` + usageOf("check"), exitUsage},
		"a source for a log":           {"annotate --source Shodan", `--source must be dataset, shodan or internetdb, not "Shodan"` + usageOf("annotate"), exitUsage},
		"a flag":                       {"query --ouput csv", `unknown flag: --ouput: did you mean "--output"?` + usageOf("query"), exitUsage},
		"a flag with its value":        {"query --fial-on=high", `unknown flag: --fial-on: did you mean "--fail-on"?` + usageOf("query"), exitUsage},
		"the beginning of a flag":      {"query --conn work", `unknown flag: --conn: did you mean "--connection"?` + usageOf("query"), exitUsage},
		"a flag of all":                {"--verison", `unknown flag: --verison: did you mean "--version"?` + usage, exitUsage},
		"a flag of the command above":  {"cache clear --confg x.spc", `unknown flag: --confg: did you mean "--config"?` + usageOf("cache clear"), exitUsage},
		"an unknown flag":              {"query --purple", `unknown flag: --purple` + usageOf("query"), exitUsage},
		"an unknown letter":            {"query -z", `unknown shorthand flag: 'z' in -z` + usageOf("query"), exitUsage},
		"a flag with one dash":         {"check -output csv 192.0.2.1", `there is no flag -output: did you mean "--output"?` + usageOf("check"), exitUsage},
		"the same with its value":      {"check -output=csv 192.0.2.1", `there is no flag -output: did you mean "--output"?` + usageOf("check"), exitUsage},
		"a switch with one dash":       {"query -quiet select", `there is no flag -quiet: did you mean "--quiet"?` + usageOf("query"), exitUsage},
		"one of the command above":     {"cache clear -config x.spc", `there is no flag -config: did you mean "--config"?` + usageOf("cache clear"), exitUsage},
		"one of all with one dash":     {"-version", `there is no flag -version: did you mean "--version"?` + usage, exitUsage},
		"a value with a dash":          {"check --output -output 192.0.2.1", `--output must be one of ` + strings.Join(report.Names(), ", ") + `, not "-output"` + usageOf("check"), exitUsage},
		"a file alone":                 {"usage_test.go", `unknown command "usage_test.go" for "shodanrep": did you mean "shodanrep check usage_test.go"?` + usage, exitUsage},
		"a file that is not there":     {"./nothing.log", `unknown command "./nothing.log" for "shodanrep": it is not an address, and there is no such file` + usage, exitUsage},
		"the name of a host":           {"www.example.com", `unknown command "www.example.com" for "shodanrep": it is not an address, and there is no such file` + usage, exitUsage},
		"an address in place of SQL":   {"query 192.0.2.1", `query needs SQL, and 192.0.2.1 is an address: 'shodanrep 192.0.2.1' checks it` + usageOf("query"), exitUsage},
		"a command of sqlite3":         {"query .tables", `query needs SQL, and ".tables" is a command of a database's shell: 'shodanrep tables' lists the tables, and 'shodanrep tables NAME' the columns of one` + usageOf("query"), exitUsage},
		"help on nothing":              {"help policy bogus", `unknown command "bogus" for "shodanrep policy"` + usage, exitUsage},
		"help on a command below":      {"help policy chek", `unknown command "chek" for "shodanrep policy": did you mean "check"?` + usage, exitUsage},
		"help on an argument":          {"help query x", `unknown command "x" for "shodanrep query"` + usage, exitUsage},
		"no address":                   {"related", `related takes one argument, an address, and none was given` + usageOf("related"), exitUsage},
		"two addresses":                {"cache clear 192.0.2.1 192.0.2.2", `cache clear takes one argument, an address, and 2 were given` + usageOf("cache clear"), exitUsage},
		"an argument too many":         {"doctor x", `doctor takes no arguments, and "x" was given` + usageOf("doctor"), exitUsage},
		"a shell and more":             {"completion bash x", `completion bash takes no arguments, and "x" was given` + usageOf("completion bash"), exitUsage},
		"a table":                      {"tables fake_adress", `there is no table fake_adress: did you mean "fake_address"?`, exitFailed},
		"a table without its prefix":   {"tables pair", `there is no table pair: did you mean "fake_pair"?`, exitFailed},
		"a policy":                     {"policy show extendd", `there is no built-in policy "extendd": did you mean "extended"?`, exitFailed},
		"an unknown policy":            {"policy show ours", `there is no built-in policy "ours"; there are baseline and extended`, exitFailed},
		"a connection":                 {"query --config " + config + " --connection wrok select", `there is no connection "wrok" in the configuration: did you mean "work"?`, exitFailed},
		"an unknown connection":        {"query --config " + config + " --connection lab select", `there is no connection "lab" in the configuration`, exitFailed},
		"a table of SQL":               {"query --config " + config + " select*from(fake_evnt)", `no such table: fake_evnt: did you mean "fake_event"?`, exitFailed},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := run(t, &embeddedtest.Plugin{}, "", strings.Fields(tt.args)...)
			if want := (result{"", "shodanrep: " + tt.want + "\n", tt.status}); got != want {
				t.Errorf("got  %+v\nwant %+v", got, want)
			}
		})
	}
}
