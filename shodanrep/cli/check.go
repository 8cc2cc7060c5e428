package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/report"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/rowformat"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/stdio"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/scan"
)

// checkName is the name of the check command.
const checkName = "check"

// A checkCommand scores the addresses of any text.
type checkCommand struct {
	*app
	lookupFlags
	selectionFlags
	expand           bool
	format           string
	file             string
	minScore         int
	hasMinScore      bool
	sort             bool
	noColor, noPager bool
	escapeFormulas   bool
	output           report.Format // of the format, see validate
}

func newCheckCommand(a *app) *cobra.Command {
	c := &checkCommand{app: a}
	cmd := &cobra.Command{
		Use:   checkName + " [INPUT...]",
		Short: "Score the addresses of any text, and explain the scores",
		Long: `Find the IP addresses in any text, look up each of them once, score it and
explain the score.

An INPUT is an address, a network, a file, or "-" for standard input. Without an
INPUT standard input is read. Files may be lists, logs, e-mails, CSV or JSON, in
UTF-8 or UTF-16, and compressed (gzip, zstd, bzip2). Defanged addresses
(198.51.100[.]66, hxxp://198.51.100.66) are found; version numbers, times and
hashes are not taken for addresses.

The score is by the policy extended unless --policy names another. An address
that could not be checked has the level unknown, never a low score, and is
reported on standard error.

The formats of --output are:

` + reportFormats().list() + `
The formats for other platforms (stix, ecs, ocsf, cortex, misp) always have the
addresses that could not be checked. Their indicators are the critical and high
addresses, or those of the levels that --only names.

The exit status is 0 if everything succeeded, 1 if an input, the configuration
or an output failed, or if --fail-on was given and no address could be checked,
2 for wrong usage, 3 if --fail-on found something, and 130 if the command was
interrupted.`,
		Example: `  # One address: "check" may be left out
  shodanrep 198.51.100.66

  # The addresses in a log
  shodanrep check /var/log/auth.log

  # The addresses of an e-mail or a report, defanged or not
  shodanrep check < report.eml

  # For a pipeline: exit status 3 if an address is high, critical or not checked
  shodanrep check --fail-on high,error allowlist.txt

  # One JSON object per address, as results arrive
  zcat access.log.gz | shodanrep check --output jsonl | jq -r 'select(.score >= 35) | .ip'

  # A set of networks for a firewall
  shodanrep check --only critical,high --fail-on error --output nft -o blocked.nft access.log && nft -f blocked.nft`,
		Args:    cobra.ArbitraryArgs,
		PreRunE: c.prepare,
		RunE:    c.runE,
	}
	c.register(cmd.Flags())
	f := cmd.Flags()
	reportFormats().register(cmd, &c.format)
	f.BoolVar(&c.sort, "sort", false, "worst first in every format; the result is then written at the end")
	addEscapeFormulas(f, &c.escapeFormulas)
	addNoColor(f, &c.noColor)
	f.BoolVar(&c.noPager, "no-pager", false, "do not show a long table in a pager")
	return cmd
}

// register adds the flags that every format has.
func (c *checkCommand) register(f *pflag.FlagSet) {
	c.lookupFlags.register(f)
	c.selectionFlags.register(f, "show only addresses with exactly one of these `WORDS`: levels or statuses, such as high,critical or error")
	f.BoolVar(&c.expand, "expand", false, "check each address of a network, up to network_limit of the connection")
	addInt(f, &c.minScore, "min-score", 0, "show only addresses with at least this `SCORE`")
	addOutputFile(f, &c.file)
}

// prepare validates the arguments and the flags.
func (c *checkCommand) prepare(cmd *cobra.Command, args []string) error {
	c.hasMinScore = cmd.Flags().Changed("min-score")
	if len(args) == 0 && stdio.IsTerminal(c.stdin) {
		return fmt.Errorf("%s needs an address, a network or a file, as an argument or on standard input", cmd.Name())
	}
	return c.validate(cmd.Flags())
}

// runE runs the command.
func (c *checkCommand) runE(cmd *cobra.Command, args []string) error {
	return c.failOn.outcome(c.run(cmd.Context(), args))
}

func (c *checkCommand) validate(flags *pflag.FlagSet) error {
	var known bool
	if c.output, known = report.Find(c.format); !known {
		return fmt.Errorf("--output must be one of %s, not %q", strings.Join(report.Names(), ", "), c.format)
	}
	if c.output.IsFile && c.file == "" && stdio.IsTerminal(c.stdout) {
		return fmt.Errorf("the format %s is not for a terminal: name a file, such as -o report.%s", c.output.Name, c.output.Name)
	}
	if err := rowformat.CheckEscapeFormulas(c.escapeFormulas, c.format); err != nil {
		return err
	}
	if err := checkMinScore(c.minScore); err != nil {
		return err
	}
	if err := c.lookupFlags.validate(); err != nil {
		return err
	}
	return c.selectionFlags.validate(flags)
}

// checkMinScore returns an error if a value of --min-score is lower than every score.
func checkMinScore(score int) error {
	if score < 0 {
		return fmt.Errorf("--min-score must not be negative, but is %d", score)
	}
	return nil
}

// shows reports whether a verdict is written.
func (c *checkCommand) shows(v *scan.Verdict) bool {
	if !c.selects(string(v.Level()), string(v.Status())) {
		return false
	}
	return !c.hasMinScore || v.Score() != nil && v.Score().Score >= c.minScore
}

// collects reports whether all results are collected before anything is written.
func (c *checkCommand) collects() bool { return (c.sort || c.output.WorstFirst) && !c.output.Sorts }

// run finds the addresses of inputs, looks them up and writes the results.
func (c *checkCommand) run(ctx context.Context, inputs []string) error {
	connection, err := c.single(ctx, c.app)
	if err != nil {
		return err
	}
	if err := checkOutputFile(c.file, c.stdin, append(inputFiles(inputs), c.usedFiles(connection)...)); err != nil {
		return err
	}
	list, err := stdio.Within(ctx, func() (*targetList, error) { return readTargets(c.stdin, inputs, c.awaiter()) })
	if err != nil {
		return err
	}
	defer scan.Shutdown() // writes new responses to the cache
	bar := newProgressBar(c.app, c.file == "" && !c.collects() && !c.output.AtEnd, c.quiet)
	defer bar.end()
	shown := *c.app
	shown.stdout, shown.stderr = bar.before(c.stdout), bar.above(c.stderr)
	checker, err := c.checker(ctx, c.app, connection, shown.logger(c.verbose))
	if err != nil {
		return err
	}
	if c.expand {
		list = list.expanded(checker.NetworkLimit())
	}
	list.complete()
	if list.len() == 0 {
		c.say("no address was found in " + inputNames(inputs))
	}
	if list.len() == 0 || list.malformed.found() {
		c.failOn.count("", string(lookup.Failed))
	}
	bar.progress.AddTotal(list.countable)
	check := &check{checkCommand: c, connection: connection, checker: checker, list: list, bar: bar}
	err = check.write(ctx, shown.stdout)
	bar.end()
	if !c.quiet {
		c.sayAll(list.malformed.notices())
		c.sayAll(progressNotices(bar.progress, "", err))
		if c.output.AddressesOnly && c.only == nil && err == nil {
			c.sayAll(check.written.notices())
		}
		if n := check.summary.Networks; n > 0 {
			c.say(networksNotice(n, check.summary.LargeNetworks, "--expand checks each of the addresses"))
		}
	}
	if err != nil && ctx.Err() != nil {
		return newInterruption(bar.progress)
	}
	if err != nil {
		return err
	}
	return check.checked.err()
}
