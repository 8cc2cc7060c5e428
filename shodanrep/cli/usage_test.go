package cli

import (
	"strings"
	"testing"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/embedded/embeddedtest"
)

// A name that is misspelt is an error that has the name that is meant, where there is one.
func TestDidYouMean(t *testing.T) {
	t.Parallel()
	config := writeFile(t, "x.spc", `connection "home" { plugin = "shodanrep" }
		connection "work" { plugin = "shodanrep" }`)
	const usage = "\nRun 'shodanrep --help' for usage."
	tests := map[string]struct {
		args   string
		want   string
		status int
	}{
		"a command":                    {"qery", `unknown command "qery" for "shodanrep": did you mean "query"?` + usage, exitUsage},
		"an unknown command":           {"purple", `unknown command "purple" for "shodanrep"` + usage, exitUsage},
		"a command to be explained":    {"help qery", `unknown command "qery" for "shodanrep": did you mean "query"?` + usage, exitUsage},
		"a command below another":      {"cache claer", `unknown command "claer" for "shodanrep cache": did you mean "clear"?` + usage, exitUsage},
		"another command below one":    {"policy chek", `unknown command "chek" for "shodanrep policy": did you mean "check"?` + usage, exitUsage},
		"an unknown one below another": {"policy purple", `unknown command "purple" for "shodanrep policy"` + usage, exitUsage},
		"a shell":                      {"completion bsh", `unknown command "bsh" for "shodanrep completion": did you mean "bash"?` + usage, exitUsage},
		"no shell":                     {"completion", `completion needs a shell: bash, fish, powershell or zsh` + usage, exitUsage},
		"a source":                     {"check --source intrnetdb 192.0.2.1", `--source must be dataset, shodan or internetdb, not "intrnetdb"` + usage, exitUsage},
		"a source for a log":           {"annotate --source Shodan", `--source must be dataset, shodan or internetdb, not "Shodan"` + usage, exitUsage},
		"a flag":                       {"query --ouput csv", `unknown flag: --ouput: did you mean "--output"?` + usage, exitUsage},
		"a flag with its value":        {"query --fial-on=high", `unknown flag: --fial-on: did you mean "--fail-on"?` + usage, exitUsage},
		"the beginning of a flag":      {"query --conn work", `unknown flag: --conn: did you mean "--connection"?` + usage, exitUsage},
		"a flag of all":                {"--verison", `unknown flag: --verison: did you mean "--version"?` + usage, exitUsage},
		"a flag of the command above":  {"cache clear --confg x.spc", `unknown flag: --confg: did you mean "--config"?` + usage, exitUsage},
		"an unknown flag":              {"query --purple", `unknown flag: --purple` + usage, exitUsage},
		"an unknown letter":            {"query -z", `unknown shorthand flag: 'z' in -z` + usage, exitUsage},
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
