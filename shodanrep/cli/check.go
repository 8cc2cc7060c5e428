package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/embedded"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/iptext"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation/policyfile"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/scan"
)

// checkName is the name of the check command.
const checkName = "check"

// checkOutputs are the formats of its result.
var checkOutputs = []string{"table", "jsonl", "csv", "json", "markdown", "list", "cidr", "nft"}

// checkFlags are the flags of the check command.
type checkFlags struct {
	connectionFlags
	policy, source   string
	noCache, refresh bool
	expand           bool
	output, file     string
	only, failOn     []string
	minScore         int
	sort             bool
	noColor, noPager bool
	quiet, verbose   bool

	selected selector
	hasOnly  bool
	hasScore bool
}

func (a *app) checkCommand() *cobra.Command {
	var flags checkFlags
	cmd := &cobra.Command{
		Use:   checkName + " [INPUT...]",
		Short: "Score the addresses of any text, and say why",
		Long: `Find the IP addresses in any text, look each up once, score it and say why.

An INPUT is an address, a network, a file, or "-" for standard input, which is also
read without any INPUT. Files may be lists, logs, e-mails, CSV or JSON, in UTF-8 or
UTF-16, and compressed (gzip, zstd, bzip2). Defanged addresses (198.51.100[.]66,
hxxp://198.51.100.66) are read; version numbers, times and hashes are not taken for
addresses.

The score is by the policy extended unless --policy names another. An address that
could not be checked has the level unknown, never a low score, and is reported on
standard error.

With one to three addresses the table is a card for each, with all its reasons.

The exit status is 0 when all was done, 1 when an input, the configuration or an
output failed, 2 when the command line is wrong, 3 when --fail-on found something,
and 130 when the command was interrupted.`,
		Example: `  # One address: "check" may be left out
  shodanrep 198.51.100.66

  # Who is at the door
  shodanrep check /var/log/auth.log

  # The addresses of an e-mail or a report, defanged or not
  shodanrep check < report.eml

  # A gate for a pipeline: exit status 3 where an address is high or critical, or was not checked
  shodanrep check --fail-on high,error allowlist.txt

  # One JSON object per address, as results arrive
  zcat access.log.gz | shodanrep check --output jsonl | jq -r 'select(.score >= 35) | .ip'

  # A set of networks for a firewall
  shodanrep check --only critical,high --output nft -o blocked.nft access.log`,
		Args: cobra.ArbitraryArgs,
		PreRunE: func(cmd *cobra.Command, args []string) error {
			flags.hasOnly, flags.hasScore = cmd.Flags().Changed("only"), cmd.Flags().Changed("min-score")
			if len(args) == 0 && isTerminal(a.stdin) {
				return errors.New("check needs an address, a network or a file, as an argument or on standard input")
			}
			return flags.check()
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			w, err := newWatch(cmd.Flags().Changed("fail-on"), flags.failOn)
			if err != nil {
				return err
			}
			w.hasLevel, w.hasStatus = true, true
			return w.outcome(a.check(cmd.Context(), &flags, args, w))
		},
	}
	f := cmd.Flags()
	flags.add(f)
	f.StringVar(&flags.policy, "policy", policyfile.ExtendedName, "score by this policy: `NAME|FILE`, a name such as baseline or the path of a file")
	f.StringVar(&flags.source, "source", "", "look up only in this `SOURCE`: dataset, shodan or internetdb")
	f.BoolVar(&flags.noCache, "no-cache", false, "neither read the cache nor write it")
	f.BoolVar(&flags.refresh, "refresh", false, "look up again what the cache has, and cache the new responses")
	f.BoolVar(&flags.expand, "expand", false, "check each address of a network, up to network_limit of the connection")
	f.StringVar(&flags.output, "output", "table", "the `FORMAT` of the result: "+strings.Join(checkOutputs, ", "))
	f.StringVarP(&flags.file, "output-file", "o", "", "write the result to this `FILE`, which is replaced only when the result is complete")
	f.StringSliceVar(&flags.only, "only", nil, "show only addresses with exactly one of these `WORDS`: levels or statuses, such as\nhigh,critical or error")
	f.IntVar(&flags.minScore, "min-score", 0, "show only addresses with at least this `SCORE`")
	f.StringSliceVar(&flags.failOn, "fail-on", nil, "exit with status 3 where an address has one of these `WORDS`: a level (that one or\na worse one) or a status, such as high,error")
	f.BoolVar(&flags.sort, "sort", false, "worst first in every format; the result is then written at the end")
	addNoColor(f, &flags.noColor)
	f.BoolVar(&flags.noPager, "no-pager", false, "do not show a long table in a pager")
	f.BoolVar(&flags.quiet, "quiet", false, "do not say on standard error how many addresses could not be checked, nor that\nanother source was used than expected, and show no progress")
	f.BoolVar(&flags.verbose, "verbose", false, "log what is looked up to standard error")
	return cmd
}

func (f *checkFlags) check() error {
	if !slices.Contains(checkOutputs, f.output) {
		return fmt.Errorf("--output must be one of %s, not %q", strings.Join(checkOutputs, ", "), f.output)
	}
	if f.noCache && f.refresh {
		return errors.New("--no-cache and --refresh exclude each other")
	}
	if f.hasOnly {
		var err error
		f.selected, err = newSelector("only", f.only)
		return err
	}
	return nil
}

// selects reports whether a verdict is to be shown.
func (f *checkFlags) selects(v *scan.Verdict) bool {
	if f.hasOnly {
		if _, ok := f.selected.match(string(v.Level()), string(v.Status())); !ok {
			return false
		}
	}
	return !f.hasScore || v.Score() != nil && v.Score().Score >= f.minScore
}

// withCheck puts the name of the check command before arguments that begin with an address: "shodanrep 198.51.100.66".
func withCheck(root *cobra.Command, args []string) []string {
	if len(args) == 0 || strings.HasPrefix(args[0], "-") {
		return args
	}
	if _, _, err := root.Find(args[:1]); err == nil {
		return args
	}
	for range iptext.Find([]byte(args[0])) {
		return append([]string{checkName}, args...)
	}
	return args
}

// check finds the addresses of inputs, looks them up and writes the verdicts.
func (a *app) check(ctx context.Context, flags *checkFlags, inputs []string, w *watch) error {
	found, err := within(ctx, func() ([]embedded.Connection, error) { return flags.connections(a.say) })
	if err != nil {
		return err
	}
	connection := found[0]
	if len(connection.Members) > 0 {
		return fmt.Errorf("%s is an aggregator of connections: choose one with --connection", connection.Name)
	}
	list, err := within(ctx, func() (*targetList, error) { return a.readTargets(inputs) })
	if err != nil {
		return err
	}
	defer scan.Shutdown() // what the services answered is written to the cache before the process ends
	progress := a.showProgress(flags.progressOutput(), flags.quiet)
	defer progress.end()
	shown := *a
	shown.stdout, shown.stderr = progress.before(a.stdout), progress.above(a.stderr)
	checker, err := shodanrep.NewChecker(ctx, connection.Name, connection.Config, shodanrep.CheckOptions{
		Policy: flags.policy, Source: flags.source, NoCache: flags.noCache, Refresh: flags.refresh, Logger: shown.logger(flags.verbose),
	})
	if err != nil {
		return err
	}
	if flags.expand {
		list = list.expanded(checker.NetworkLimit())
	}
	if list.len() == 0 {
		a.say("no address was found in " + inputNames(inputs))
		w.see("", string(lookup.Failed))
	}
	progress.meter.AddTotal(list.countable)
	c := &check{
		app: &shown, flags: flags, watch: w, list: list, meter: progress.meter, policy: checker.Policy(),
		networkLimit: checker.NetworkLimit(),
		verdicts: func(yield func(*scan.Verdict, error) bool) {
			checker.Check(lookup.WithProgress(ctx, progress.meter), list.all(), list.countable)(yield)
		},
		cost: func() (int64, int64) { return checker.Requests(), checker.Credits() },
	}
	err = c.write()
	progress.end()
	if !flags.quiet {
		a.report(progress.meter, "")
		if c.networks > 0 && !flags.expand {
			a.say(fmt.Sprintf("%s not looked up; --expand checks each of the addresses", wereNetworks(c.networks)))
		}
	}
	if err != nil && ctx.Err() != nil {
		return newInterruption(progress.meter)
	}
	return err
}

func wereNetworks(n int) string {
	if n == 1 {
		return "1 network was"
	}
	return plural(int64(n), "network") + " were"
}

// progressOutput returns the format by which showProgress decides whether the bar would mix with the result.
func (f *checkFlags) progressOutput() string {
	if f.file == "" && !f.collects() {
		return "csv" // written as it comes
	}
	return f.output
}

// collects reports whether the result is written at the end.
func (f *checkFlags) collects() bool {
	return f.sort || slices.Contains([]string{"table", "markdown", "cidr", "nft"}, f.output)
}

func inputNames(inputs []string) string {
	if len(inputs) == 0 || len(inputs) == 1 && inputs[0] == "-" {
		return "standard input"
	}
	if len(inputs) > 3 {
		return fmt.Sprintf("the %d inputs", len(inputs))
	}
	return strings.Join(inputs, ", ")
}
