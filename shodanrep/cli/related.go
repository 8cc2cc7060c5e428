package cli

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/embedded"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/scan"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

// relatedFlags are the flags of the related command.
type relatedFlags struct {
	connectionFlags
	hops, limit int
	pivots      []string
	maxCredits  int
	yes         bool
	source      string
	policy      string
	output      string
	noColor     bool
}

// relatedOutputs are the formats of related.
var relatedOutputs = []string{"table", "jsonl", "mermaid", "dot"}

// maxHops is how far related goes. Beyond it hosts share something with a host that shares something with a host …
const maxHops = 5

func (a *app) relatedCommand() *cobra.Command {
	var flags relatedFlags
	cmd := &cobra.Command{
		Use:   "related ADDRESS",
		Short: "Find hosts that share infrastructure with an address",
		Long: `Find hosts that share something with an address: its certificate, the keys, pages,
icons and answers of its services, its organization, its autonomous system. It counts
first how many services have each value, which is free, and then searches for the
rarest values, which costs query credits: no more than --max-credits, and on a terminal
only after you agreed. The files of data_files are searched at no cost. Each host has
the verdict of a policy.

The exit status is 0 when it is done, 1 when something could not be looked up or
searched for, and 2 for wrong usage.`,
		Example: `  shodanrep related 198.51.100.66
  shodanrep related 198.51.100.66 --hops 2 --output mermaid
  shodanrep related 198.51.100.66 --pivots favicon,jarm --max-credits 1 --output jsonl`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			addr, err := netip.ParseAddr(strings.TrimSpace(args[0]))
			if err != nil {
				return fmt.Errorf("%q is not an IP address", args[0])
			}
			finder, err := flags.finder()
			if err != nil {
				return err
			}
			return a.related(cmd, &flags, finder, addr.Unmap().WithZone("").String())
		},
	}
	f := cmd.Flags()
	flags.add(f)
	f.IntVar(&flags.hops, "hops", 1, fmt.Sprintf("how far to go, from 1 to %d: 2 also finds what the related hosts share with others", maxHops))
	f.IntVar(&flags.limit, "limit", 100, "find at most `N` hosts")
	f.StringSliceVar(&flags.pivots, "pivots", nil, "what hosts may share, with commas between: "+strings.Join(pivotNames(), ", ")+"\n(default all; those that more than 1,000 services share only where they are named)")
	f.IntVar(&flags.maxCredits, "max-credits", 5, "spend at most `N` query credits")
	f.BoolVar(&flags.yes, "yes", false, "do not ask before credits are spent")
	f.StringVar(&flags.source, "source", "", "where to search: dataset or shodan (default the dataset first, if there is one)")
	f.StringVar(&flags.policy, "policy", "extended", "the `NAME` of the policy of the verdicts")
	f.StringVar(&flags.output, "output", "table", "the `FORMAT` of the result: "+strings.Join(relatedOutputs, ", "))
	addNoColor(f, &flags.noColor)
	return cmd
}

func pivotNames() []string {
	var names []string
	for _, p := range shodan.Pivots() {
		names = append(names, string(p))
	}
	return names
}

// finder checks the flags, and returns a finder that does what they say.
func (f *relatedFlags) finder() (*relatedFinder, error) {
	finder := &relatedFinder{
		source: f.source, policy: f.policy, hops: f.hops, limit: f.limit, credits: int64(f.maxCredits),
		pivots: shodan.Pivots(), named: len(f.pivots) > 0,
	}
	switch {
	case f.hops < 1 || f.hops > maxHops:
		return nil, fmt.Errorf("--hops must be from 1 to %d, not %d", maxHops, f.hops)
	case f.limit < 1 || f.limit > 10_000:
		return nil, fmt.Errorf("--limit must be from 1 to 10,000, not %d", f.limit)
	case f.maxCredits < 0:
		return nil, fmt.Errorf("--max-credits must not be negative, but is %d", f.maxCredits)
	case !slices.Contains([]string{"", string(lookup.Dataset), string(lookup.Shodan)}, f.source):
		return nil, fmt.Errorf("--source must be dataset or shodan, not %q", f.source)
	case !slices.Contains(relatedOutputs, f.output):
		return nil, fmt.Errorf("--output must be one of %s, not %q", strings.Join(relatedOutputs, ", "), f.output)
	}
	if finder.named {
		finder.pivots = nil
		for _, name := range f.pivots {
			if !slices.Contains(shodan.Pivots(), shodan.Pivot(name)) {
				return nil, fmt.Errorf("--pivots: there is no pivot %q; there are %s", name, strings.Join(pivotNames(), ", "))
			}
			finder.pivots = append(finder.pivots, shodan.Pivot(name))
		}
	}
	return finder, nil
}

// related finds and prints the hosts related to an address. What was found is printed even where something failed.
func (a *app) related(cmd *cobra.Command, flags *relatedFlags, finder *relatedFinder, ip string) error {
	found, err := flags.connections(a.say)
	if err != nil {
		return failure{err}
	}
	summary, err := shodanrep.SummarizeConnection(found[0].Name, found[0].Config)
	if err != nil {
		return failure{err}
	}
	db, err := embedded.Open(cmd.Context(), embedded.Options{PluginFunc: a.plugin, Connections: found, Logger: a.logger(false)})
	if err != nil {
		return failure{err}
	}
	defer scan.Shutdown()
	defer db.Close()
	finder.db, finder.canSearch, finder.hasDataset = db, summary.KeyOrigin != "", len(summary.DataFiles) > 0
	finder.allow = func(credits int64) bool { return credits > 0 && (flags.yes || a.agrees(cmd.Context(), credits)) }
	if err := finder.find(cmd.Context(), ip); err != nil {
		return failure{err}
	}
	shown := *a
	shown.noColor = flags.noColor
	if err := shown.printRelated(flags.output, ip, finder); err != nil {
		return failed(err)
	}
	if len(finder.failures) > 0 {
		return failure{errors.Join(finder.failures...)}
	}
	return nil
}

// agrees asks on a terminal whether so many credits may be spent. Where nobody can answer, --max-credits is the answer.
func (a *app) agrees(ctx context.Context, credits int64) bool {
	return a.confirm(ctx, fmt.Sprintf("Searching costs query credits. Spend up to %d?", credits))
}
