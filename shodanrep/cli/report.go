package cli

import (
	"github.com/spf13/cobra"
)

// newReportCommand returns the report command, which is the check command with the format html.
func newReportCommand(a *app) *cobra.Command {
	c := &checkCommand{app: a, format: "html"}
	cmd := &cobra.Command{
		Use:   "report [INPUT...]",
		Short: "Write a page with the scores of the addresses of any text",
		Long: `Check the addresses of any text, and write the results as a page: the levels and
what was not checked, charts, a table to sort and filter, and the details of
each critical or high address. It is the same as check --output html, and has
the same inputs and scores: see shodanrep check --help.

The page is one file. It opens from disk in any browser and loads nothing from
the network. It is written to the file that -o names, which is replaced only
when the page is complete, or else to standard output, unless that is a
terminal.

The exit status is 0 if everything succeeded, 1 if an input, the configuration
or an output failed, or if --fail-on was given and no address could be checked,
2 for wrong usage, 3 if --fail-on found something, and 130 if the command was
interrupted.`,
		Example: `  # A page about the addresses in a log
  shodanrep report -o report.html /var/log/auth.log

  # Only the addresses that need attention, and those that could not be checked
  shodanrep report --only critical,high,error -o report.html access.log

  # In a pipeline
  zcat access.log.gz | shodanrep report --fail-on high > report.html`,
		Args:    cobra.ArbitraryArgs,
		PreRunE: c.prepare,
		RunE:    c.runE,
	}
	c.register(cmd.Flags())
	return cmd
}
