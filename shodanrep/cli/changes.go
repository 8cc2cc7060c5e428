package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/changes"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/rowformat"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/stdio"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation/policyfile"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/scan"
)

// changesName is the name of the changes command.
const changesName = "changes"

// A changesCommand shows what the history store says has changed.
type changesCommand struct {
	*app
	connectionFlags
	policy, source, since  string
	onlyWords, failOnWords []string
	minScore               int
	format, file           string
	quiet                  bool
	noColor, noPager       bool
	escapeFormulas         bool
	// What the flags mean, see validate.
	from         time.Time
	only         *changeSelector // nil without --only
	failOn       *changeFailOn
	hasMinScore  bool
	output       changes.Format
	indicatorsOf []string // the words of --only
}

func newChangesCommand(a *app) *cobra.Command {
	c := &changesCommand{app: a}
	cmd := &cobra.Command{
		Use:   changesName + " [INPUT...]",
		Short: "Show what has changed since yesterday, from recorded checks",
		Long: `Show what has changed of addresses: the level, ports, vulnerabilities, tags, the
organization, certificates. Every response of a service is recorded in the
history (history_store of the connection), for any command and query. This
command reads the history and looks nothing up: run "shodanrep check --refresh"
before it. An address whose last lookup failed is shown as not checked, with the
reason.

An INPUT is an address, a network, a file, or "-" for standard input, as for
check. Without an INPUT all addresses in the history are read. An address in an
INPUT that was not checked since the time is shown as not checked, which does
not mean unchanged.

An address that was checked for the first time has changed as well: from new to
its level. The levels are by one policy, before and after: another policy, or
another source, is not a change.

The words of --only and --fail-on are:

  worse, better     the level is worse or better than before
  critical, ...     the level after the change; --fail-on also takes a worse one
  port_opened, ...  the change: ` + strings.Join(scan.ChangeKinds()[:4], ", ") + `,
                    ` + strings.Join(scan.ChangeKinds()[4:8], ", ") + `,
                    ` + strings.Join(scan.ChangeKinds()[8:], ", ") + `
  not_checked       the address was not checked since the time, or the lookups
                    after its last check failed

The formats of --output are:

` + changesFormats().list() + `
The formats about addresses (list, cidr, nft, stix, ecs, ocsf, misp) have each
address with a selected change, with its newest verdict.

The exit status is 0 if everything succeeded, also if nothing has changed, 1 if
the history store, an input, the configuration or an output failed, 2 for wrong
usage, 3 if --fail-on found something, and 130 if the command was interrupted.`,
		Example: `  # What changed since yesterday?
  shodanrep changes

  # Which of our addresses are newly bad? Check them, then compare
  shodanrep check --refresh --quiet addresses.txt > /dev/null
  shodanrep changes --only worse addresses.txt

  # For a schedule: exit status 3 if an address is worse or was not checked
  shodanrep changes --since 24h --fail-on worse,not_checked addresses.txt

  # The ports that opened this week, as JSON lines
  shodanrep changes --since 7d --only port_opened --output jsonl`,
		Args: cobra.ArbitraryArgs,
		PreRunE: func(cmd *cobra.Command, _ []string) error {
			c.hasMinScore = cmd.Flags().Changed("min-score")
			return c.validate(cmd.Flags(), time.Now())
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.failOn.outcome(c.run(cmd.Context(), args))
		},
	}
	f := cmd.Flags()
	c.register(f)
	f.StringVar(&c.since, "since", "24h", "show changes since this `TIME`: a duration such as 24h or 7d, or a date such as 2026-01-31")
	f.StringSliceVar(&c.onlyWords, "only", nil, "show only changes with one of these `WORDS`, such as worse, high or port_opened")
	f.StringSliceVar(&c.failOnWords, "fail-on", nil, "exit with status 3 if a change has one of these `WORDS`, such as worse, high or not_checked")
	addInt(f, &c.minScore, "min-score", 0, "show only changes to at least this `SCORE`")
	f.StringVar(&c.policy, "policy", policyfile.ExtendedName, "score by this policy: `NAME|FILE`, a name such as baseline or the path of a file")
	f.StringVar(&c.source, "source", "", "show only what this `SOURCE` responded: shodan or internetdb")
	changesFormats().register(cmd, &c.format)
	addOutputFile(f, &c.file)
	f.BoolVar(&c.quiet, "quiet", false, "do not report on standard error how many addresses were not checked")
	addEscapeFormulas(f, &c.escapeFormulas)
	addNoColor(f, &c.noColor)
	f.BoolVar(&c.noPager, "no-pager", false, "do not show a long table in a pager")
	return cmd
}

func (c *changesCommand) validate(flags *pflag.FlagSet, now time.Time) (err error) {
	var known bool
	if c.output, known = changes.Find(c.format); !known {
		return fmt.Errorf("--output must be one of %s, not %q", strings.Join(changes.Names(), ", "), c.format)
	}
	if err := rowformat.CheckEscapeFormulas(c.escapeFormulas, c.format); err != nil {
		return err
	}
	if c.file == "" {
		if err := rowformat.CheckTerminal(c.format, c.stdout); err != nil {
			return err
		}
	}
	if !slices.Contains([]string{"", string(lookup.Shodan), string(lookup.InternetDB)}, c.source) {
		return fmt.Errorf("--source must be shodan or internetdb, not %q: other answers are not recorded", c.source)
	}
	if c.from, err = parseSince(c.since, now); err != nil {
		return err
	}
	if err := checkMinScore(c.minScore); err != nil {
		return err
	}
	if flags.Changed("only") {
		only, err := newChangeSelector("only", c.onlyWords, false)
		if err != nil {
			return err
		}
		c.only, c.indicatorsOf = &only, only.words
	}
	c.failOn = &changeFailOn{}
	if flags.Changed("fail-on") {
		c.failOn.selector, err = newChangeSelector("fail-on", c.failOnWords, true)
	}
	return err
}

// run reads the store and writes the changes of the addresses of inputs, or of all.
func (c *changesCommand) run(ctx context.Context, inputs []string) error {
	connection, err := c.single(ctx, c.app)
	if err != nil {
		return err
	}
	if err := checkOutputFile(c.file, c.stdin, append(append(inputFiles(inputs), c.usedFiles(connection)...), policyFile(c.policy))); err != nil {
		return err
	}
	var list *targetList // nil for all
	if len(inputs) > 0 {
		list, err = stdio.Within(ctx, func() (*targetList, error) { return readTargets(c.stdin, inputs, c.awaiter()) })
		if err != nil {
			return err
		}
		if list.len() == 0 {
			c.say("no address was found in " + inputNames(inputs))
		}
	}
	defer scan.Shutdown()
	if err := checkPolicy(ctx, c.app, c.policy); err != nil {
		return err
	}
	reader, err := shodanrep.NewHistoryReader(ctx, connection.Name, connection.Config, shodanrep.CheckOptions{
		Policy: c.policy, Source: c.source, Logger: c.logger(false),
	})
	if err != nil {
		return err
	}
	r := &changesRun{changesCommand: c, reader: reader, list: list}
	if err := r.write(ctx); err != nil {
		return err
	}
	if !c.quiet {
		c.sayAll(r.notices())
	}
	return nil
}
