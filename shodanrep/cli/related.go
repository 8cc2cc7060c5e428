package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"
	"github.com/zclconf/go-cty/cty"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/related"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/spcfile"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/stdio"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/embedded"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation/policyfile"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/scan"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

// maxHops is how many hops related may go. Further away hosts hardly have anything to do with the address.
const maxHops = 5

// A relatedCommand finds hosts that share infrastructure with an address.
type relatedCommand struct {
	*app
	connectionFlags
	hops, limit int
	pivots      []string
	maxCredits  int
	yes         bool
	source      string
	policy      string
	output      string
	file        string
	noCache     bool
	noColor     bool
	quiet       bool
	verbose     bool
}

func newRelatedCommand(a *app) *cobra.Command {
	c := &relatedCommand{app: a}
	cmd := &cobra.Command{
		Use:   "related ADDRESS",
		Short: "Find hosts that share infrastructure with an address",
		Long: `Find hosts that share something with an address: its certificate, the keys,
pages, icons and responses of its services, its organization, its autonomous
system. It first counts how many services have each value, which is free, and
then searches for the rarest values, which costs query credits: no more than
--max-credits, and on a terminal only after you agreed. The files of data_files
are searched at no cost. Each host has the verdict of a policy. A value that was
not searched for is reported: other hosts may have it.

The exit status is 0 if everything succeeded, 1 if something could not be looked
up or searched for, or the configuration or an output failed, 2 for wrong usage,
and 130 if the command was interrupted.`,
		Example: `  # What shares something with this address?
  shodanrep related 198.51.100.66

  # A drawing of two hops
  shodanrep related 198.51.100.66 --hops 2 --output mermaid

  # By two pivots only, for at most one query credit
  shodanrep related 198.51.100.66 --pivots favicon,jarm --max-credits 1 --output jsonl`,
		Args: countArguments(1, 1, "one argument, an address"),
		RunE: func(cmd *cobra.Command, args []string) error {
			addr, err := addressOf(args[0])
			if err != nil {
				return err
			}
			o, err := c.options()
			if err != nil {
				return err
			}
			return failed(c.run(cmd.Context(), addr.String(), o))
		},
	}
	f := cmd.Flags()
	c.register(f)
	addInt(f, &c.hops, "hops", 1, fmt.Sprintf("go `N` hops, from 1 to %d: 2 also finds hosts that share something with a related host", maxHops))
	addInt(f, &c.limit, "limit", 100, "find at most `N` hosts")
	f.StringSliceVar(&c.pivots, "pivots", nil, "only these `PIVOTS`, which hosts may share, with commas between them: "+strings.Join(pivotNames(), ", ")+" (default all; values of more than 1,000 services only if their pivot is named)")
	addInt(f, &c.maxCredits, "max-credits", 5, "spend at most `N` query credits")
	f.BoolVar(&c.yes, "yes", false, "do not ask before credits are spent")
	f.StringVar(&c.source, "source", "", "look the address up and search only in this `SOURCE`: dataset or shodan (default the dataset first, if there is one)")
	f.StringVar(&c.policy, "policy", policyfile.ExtendedName, "the `NAME` of the policy of the verdicts: baseline, extended, or that of the policy file of the connection")
	f.StringVar(&c.output, "output", related.Formats[0], "the `FORMAT` of the result: "+strings.Join(related.Formats, ", "))
	addOutputFile(f, &c.file)
	addNoCache(f, &c.noCache)
	addNoColor(f, &c.noColor)
	f.BoolVar(&c.quiet, "quiet", false, "do not report on standard error how many addresses could not be checked or were looked up in another source than expected")
	addVerbose(f, &c.verbose)
	return cmd
}

// pivotNames returns the names of all pivots.
func pivotNames() []string {
	var names []string
	for _, p := range shodan.Pivots() {
		names = append(names, string(p))
	}
	return names
}

// options validates the flags and returns them as options.
func (c *relatedCommand) options() (related.Options, error) {
	o := related.Options{
		Source: lookup.Source(c.source), Policy: c.policy, Hops: c.hops, Limit: c.limit, Credits: int64(c.maxCredits),
		Pivots: shodan.Pivots(), Named: len(c.pivots) > 0,
	}
	switch {
	case c.hops < 1 || c.hops > maxHops:
		return o, fmt.Errorf("--hops must be from 1 to %d, not %d", maxHops, c.hops)
	case c.limit < 1 || c.limit > shodanrep.MaxCorrelationLimit:
		return o, fmt.Errorf("--limit must be from 1 to %s, not %d", humanize.Comma(shodanrep.MaxCorrelationLimit), c.limit)
	case c.maxCredits < 0:
		return o, fmt.Errorf("--max-credits must not be negative, but is %d", c.maxCredits)
	case !slices.Contains([]lookup.Source{"", lookup.Dataset, lookup.Shodan}, o.Source):
		return o, fmt.Errorf("--source must be dataset or shodan, not %q", c.source)
	case !slices.Contains(related.Formats, c.output):
		return o, fmt.Errorf("--output must be one of %s, not %q", strings.Join(related.Formats, ", "), c.output)
	}
	if o.Named {
		o.Pivots = nil
		for _, name := range c.pivots {
			if !slices.Contains(shodan.Pivots(), shodan.Pivot(name)) {
				return o, fmt.Errorf("--pivots: there is no pivot %q; there are %s", name, strings.Join(pivotNames(), ", "))
			}
			o.Pivots = append(o.Pivots, shodan.Pivot(name))
		}
	}
	return o, nil
}

// run finds and writes the hosts related to an address. The result is also written if some lookups or searches failed.
func (c *relatedCommand) run(ctx context.Context, ip string, o related.Options) error {
	connection, err := c.single(ctx, c.app) // each member of an aggregator would pay for the same search
	if err != nil {
		return err
	}
	if err := checkOutputFile(c.file, c.stdin, c.usedFiles(connection)); err != nil {
		return err
	}
	summary, err := shodanrep.SummarizeConnection(connection.Name, connection.Config)
	if err != nil {
		return err
	}
	// How many hosts are found, and paid for, is what --limit says.
	connection.Config, err = spcfile.SetArgument(connection.Config, "correlation_limit", cty.NumberIntVal(shodanrep.MaxCorrelationLimit))
	if err != nil {
		return err
	}
	if err := scan.CheckPolicyName(c.policy, summary.Policy); err != nil {
		return err // before credits are spent, and also if no host needs a verdict
	}
	progress := lookup.NewProgress()
	if !c.quiet {
		progress.OnUnpacking(unpackingMessages(c.say))
	}
	db, err := embedded.Open(ctx, embedded.Options{
		PluginFunc: c.plugin, Readers: scan.ReaderOf, Connections: []embedded.Connection{connection}, Logger: c.logger(c.verbose),
		ListContext: func(ctx context.Context, _ int) context.Context {
			if c.noCache {
				ctx = scan.WithoutCache(ctx)
			}
			return lookup.WithProgress(ctx, progress)
		},
	})
	if err != nil {
		return err
	}
	defer scan.Shutdown() // writes new responses to the cache
	defer db.Close()
	o.HasKey, o.HasDataset = summary.KeyOrigin != "", len(summary.DataFiles) > 0
	o.Allow = func(credits int64) bool {
		return credits > 0 && (c.yes || c.confirm(ctx, fmt.Sprintf("Searching costs query credits. Spend up to %d?", credits)))
	}
	var failures []error
	unsearched := ""
	find := func(out io.Writer) error {
		result, err := related.Find(ctx, db, ip, o)
		if err != nil {
			return err
		}
		failures = result.Failures
		unsearched = result.UnsearchedText()
		return related.Write(c.output, out, result, c.noColor)
	}
	if c.file == "" {
		err = find(c.stdout)
	} else {
		err = c.writeFile(ctx, c.file, find) // a file that cannot be written is an error before credits are spent
	}
	if !c.quiet {
		s := progress.Summary()
		if related.IsLookupError(err) {
			s.Failed = 0 // the error says it
		}
		c.sayAll(lookupNotices(s, "", err))
		if unsearched != "" && c.output != related.Formats[0] { // the table has a row for each
			c.say(unsearched + "; --output table lists them")
		}
	}
	if len(failures) > 0 && stdio.IsBrokenPipe(err) {
		err = nil // that nobody reads the rest does not end well what failed before
	}
	return errors.Join(append(failures, err)...)
}
