package cli

import (
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/embedded/embeddedtest"
)

// arguments are valid arguments of the commands that need some.
var arguments = map[string][]string{
	"shodanrep annotate":      {"/nowhere"},
	"shodanrep cache clear":   {"192.0.2.1"},
	"shodanrep changes":       {"192.0.2.1"},
	"shodanrep check":         {"192.0.2.1"},
	"shodanrep dataset index": {"/nowhere"},
	"shodanrep load":          {"--to", "postgres:///x", "192.0.2.1"},
	"shodanrep policy check":  {"/nowhere"},
	"shodanrep policy diff":   {"baseline", "extended", "192.0.2.1"},
	"shodanrep policy show":   {"extended"},
	"shodanrep query":         {"select 1"},
	"shodanrep related":       {"192.0.2.1"},
	"shodanrep report":        {"192.0.2.1"},
	"shodanrep tables":        {"fake_address"},
}

// An empty variable of a script must not become the default, such as standard output or another configuration.
func TestAnEmptyFlagIsWrongUsage(t *testing.T) {
	t.Parallel()
	flags := 0
	eachCommand((&app{plugin: new(embeddedtest.Plugin).Func}).command(), func(cmd *cobra.Command) {
		path := cmd.CommandPath()
		visit := func(flag *pflag.Flag) {
			if flag.NoOptDefVal != "" {
				return // a switch, whose empty value is an error of the parser
			}
			flags++
			args := append(strings.Fields(path)[1:], arguments[path]...)
			got := run(t, &embeddedtest.Plugin{}, "", append(args, "--"+flag.Name, "")...)
			if got.status != exitUsage || got.stdout != "" || !strings.Contains(got.stderr, flag.Name) {
				t.Errorf("%s --%s '': %+v", path, flag.Name, got)
			}
		}
		cmd.LocalFlags().VisitAll(visit)
		cmd.InheritedFlags().VisitAll(visit)
	})
	if flags < 50 {
		t.Errorf("only %d flags were tested", flags)
	}
	got := run(t, &embeddedtest.Plugin{}, "", "query", "select 1", "-o", "")
	if got.status != exitUsage || !strings.HasPrefix(got.stderr, "shodanrep: --output-file is empty") {
		t.Errorf("-o '': %+v", got)
	}
}

func TestAnEmptyArgumentIsWrongUsage(t *testing.T) {
	t.Parallel()
	for path, args := range arguments {
		for i, arg := range args {
			if strings.HasPrefix(arg, "-") {
				continue
			}
			with := append(strings.Fields(path)[1:], args...)
			with[len(with)-len(args)+i] = ""
			got := run(t, &embeddedtest.Plugin{}, "192.0.2.1\n", with...)
			if got.status != exitUsage || got.stdout != "" {
				t.Errorf("%q: %+v", with, got)
			}
		}
	}
}

// Every command that takes arguments is one of those that the tests above know.
func TestTheArgumentsOfAllCommandsAreTested(t *testing.T) {
	t.Parallel()
	eachCommand((&app{plugin: new(embeddedtest.Plugin).Func}).command(), func(cmd *cobra.Command) {
		_, takes, _ := strings.Cut(cmd.Use, " ")
		if _, known := arguments[cmd.CommandPath()]; takes != "" && !known {
			t.Errorf("%s takes %s", cmd.CommandPath(), takes)
		}
	})
}

// eachCommand calls use for each command that does something itself.
func eachCommand(cmd *cobra.Command, use func(*cobra.Command)) {
	for _, child := range cmd.Commands() {
		if child.Name() == "help" {
			continue
		}
		if child.Runnable() && !child.HasSubCommands() {
			use(child)
		}
		eachCommand(child, use)
	}
}
