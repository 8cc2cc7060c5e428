package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cache"
)

func (a *app) cacheCommand() *cobra.Command {
	var flags connectionFlags
	cmd := &cobra.Command{
		Use:   "cache",
		Short: "Show what the cache of answers holds, or clear it",
		Long: `Show where the cache of a connection is, what it holds and how well it serves.

The services' answers are kept so that the same question is not asked twice, nor paid
for twice: by default for a day, InternetDB's for the five days that it says itself.`,
		Example: `  shodanrep cache
  shodanrep cache clear 8.8.8.8
  shodanrep cache prune`,
		Args: noSuchCommand,
		RunE: a.onCache(&flags, func(cmd *cobra.Command, store cache.Store, _ []string) error {
			stats, err := store.Stats(cmd.Context())
			if err != nil {
				return err
			}
			return printStats(a.stdout, stats, time.Now())
		}),
	}
	flags.add(cmd.PersistentFlags())
	cmd.AddCommand(a.cacheClearCommand(&flags), &cobra.Command{
		Use:   "prune",
		Short: "Drop the answers that have expired",
		Args:  cobra.NoArgs,
		RunE: a.onCache(&flags, func(cmd *cobra.Command, store cache.Store, _ []string) error {
			n, err := store.Prune(cmd.Context())
			return a.dropped(n, err)
		}),
	})
	return cmd
}

func (a *app) cacheClearCommand(flags *connectionFlags) *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:   "clear [ADDRESS]",
		Short: "Drop the answers about an address, or all answers",
		Long: `Drop the cached answers about an address, or without one all answers.

Without an address it asks on a terminal before it drops anything; --yes is the answer.
Where standard input or standard error is not a terminal, as in a script, nobody can
be asked, and all answers are dropped.`,
		Example: `  shodanrep cache clear 8.8.8.8
  shodanrep cache clear --yes`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				if _, err := netip.ParseAddr(args[0]); err != nil {
					return fmt.Errorf("%q is not an IP address", args[0])
				}
			}
			return cobra.MaximumNArgs(1)(cmd, args)
		},
		RunE: a.onCache(flags, func(cmd *cobra.Command, store cache.Store, args []string) error {
			subject := ""
			if len(args) == 1 {
				subject = netip.MustParseAddr(args[0]).Unmap().String()
			}
			if subject == "" && !yes {
				if goOn, err := a.agreesToClear(cmd.Context(), store); err != nil || !goOn {
					return err
				}
			}
			n, err := store.Clear(cmd.Context(), subject)
			return a.dropped(n, err)
		}),
	}
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask before all answers are dropped")
	return cmd
}

// agreesToClear asks on a terminal whether all answers may be dropped, and says where they are not.
func (a *app) agreesToClear(ctx context.Context, store cache.Store) (bool, error) {
	stats, err := store.Stats(ctx)
	if err != nil || stats.Entries == 0 {
		return err == nil, err
	}
	if !a.confirm(ctx, fmt.Sprintf("Drop all %s in %s?", plural(stats.Entries, "answer"), stats.Location)) {
		a.say("nothing was dropped")
		return false, nil
	}
	return true, nil
}

// onCache makes a command of what is to be done with the cache of the first connection, or of --connection.
func (a *app) onCache(flags *connectionFlags, do func(*cobra.Command, cache.Store, []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		found, err := flags.connections(a.say)
		if err != nil {
			return failure{err}
		}
		store, err := shodanrep.OpenCache(cmd.Context(), found[0].Name, found[0].Config, a.logger(false))
		if err != nil {
			return failure{err}
		}
		if err := errors.Join(do(cmd, store, args), store.Close()); err != nil {
			return failure{err}
		}
		return nil
	}
}

// dropped says how many answers are gone.
func (a *app) dropped(n int64, err error) error {
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(a.stdout, "%s dropped\n", plural(n, "answer"))
	return err
}

func plural(n int64, what string) string {
	if n == 1 {
		return "1 " + what
	}
	if strings.HasSuffix(what, "s") {
		what += "e"
	}
	return humanize.Comma(n) + " " + what + "s"
}

// printStats prints what a store holds.
func printStats(w io.Writer, s cache.Stats, now time.Time) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "place\t%s\n", printable(s.Location))
	fmt.Fprintf(t, "entries\t%s, %s of them expired\n", plural(s.Entries, "answer"), humanize.Comma(s.Expired))
	fmt.Fprintf(t, "size\t%s\n", humanize.Bytes(uint64(max(0, s.Bytes))))
	if s.Entries > 0 {
		fmt.Fprintf(t, "oldest\t%s\n", humanize.RelTime(s.Oldest, now, "ago", "from now"))
		fmt.Fprintf(t, "newest\t%s\n", humanize.RelTime(s.Newest, now, "ago", "from now"))
	}
	rate := "no questions yet"
	if asked := s.Hits + s.Misses; asked > 0 {
		rate = fmt.Sprintf("%.0f %% of %s", 100*float64(s.Hits)/float64(asked), plural(asked, "question"))
	}
	fmt.Fprintf(t, "hits\t%s\n", rate)
	return t.Flush()
}
