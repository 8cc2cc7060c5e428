package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cache"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/display"
)

// A cacheCommand shows the cache of a connection, or drops responses from it.
type cacheCommand struct {
	*app
	connectionFlags
	yes bool // drop all responses without asking
}

// cacheFailure is when the commands on the cache have the exit status 1.
const cacheFailure = "the configuration, the cache or an output failed"

func newCacheCommand(a *app) *cobra.Command {
	c := &cacheCommand{app: a}
	cmd := &cobra.Command{
		Use:   "cache",
		Short: "Show the cache of responses, or clear it",
		Long: `Show where the cache of a connection is, how large it is, and its hit rate.

Responses are cached so that the same request is not sent, or paid for, twice:
those of the REST API for a day, those of InternetDB for five days.

` + exitStatusHelp(cacheFailure),
		Example: `  shodanrep cache
  shodanrep cache clear 8.8.8.8
  shodanrep cache prune`,
		Args: noSuchCommand,
		RunE: c.withStore(func(ctx context.Context, store *shodanrep.Cache) error {
			stats, err := store.Stats(ctx)
			if err != nil {
				return err
			}
			return printStats(a.stdout, stats, time.Now())
		}),
	}
	c.register(cmd.PersistentFlags())
	cmd.AddCommand(c.clearCommand(), &cobra.Command{
		Use:   "prune",
		Short: "Drop expired responses",
		Long:  "Drop expired responses.\n\n" + exitStatusHelp(cacheFailure),
		Args:  noArguments,
		RunE: c.withStore(func(ctx context.Context, store *shodanrep.Cache) error {
			n, err := store.Prune(ctx)
			return c.printDropped(store, n, err)
		}),
	})
	return cmd
}

func (c *cacheCommand) clearCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "clear [ADDRESS]",
		Short: "Drop the responses about an address, or all responses",
		Long: `Drop the cached responses about an address, or without an address all responses.
The history of what was looked up is not in the cache, and stays.

Without an address it asks for confirmation on a terminal, unless --yes is
given. If standard input or standard error is not a terminal, as in a script, it
does not ask.

` + exitStatusHelp(cacheFailure),
		Example: `  shodanrep cache clear 8.8.8.8
  shodanrep cache clear --yes`,
		Args: countArguments(0, 1, "one argument, an address"),
		RunE: func(cmd *cobra.Command, args []string) error {
			address := ""
			if len(args) == 1 {
				addr, err := addressOf(args[0])
				if err != nil {
					return err
				}
				address = addr.String()
			}
			return c.withStore(func(ctx context.Context, store *shodanrep.Cache) error {
				return c.clear(ctx, store, address)
			})(cmd, args)
		},
	}
	cmd.Flags().BoolVarP(&c.yes, "yes", "y", false, "do not ask before all responses are dropped")
	return cmd
}

// clear drops the responses about an address, or all responses if it is empty.
func (c *cacheCommand) clear(ctx context.Context, store *shodanrep.Cache, address string) error {
	if address == "" && !c.yes {
		if agreed, err := c.confirmClear(ctx, store); err != nil || !agreed {
			return err
		}
	}
	n, err := store.Clear(ctx, address)
	return c.printDropped(store, n, err)
}

// confirmClear asks on a terminal whether to drop all responses. An empty cache needs no answer.
func (c *cacheCommand) confirmClear(ctx context.Context, store *shodanrep.Cache) (bool, error) {
	stats, err := store.Stats(ctx)
	if err != nil || stats.Entries == 0 {
		return err == nil, err
	}
	if !c.confirm(ctx, fmt.Sprintf("Drop all %s in %s?", display.Plural(stats.Entries, "response"), stats.Location)) {
		c.say("nothing was dropped")
		return false, nil
	}
	return true, nil
}

// withStore returns a command's function that opens the cache of the chosen connection.
func (c *cacheCommand) withStore(do func(context.Context, *shodanrep.Cache) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, _ []string) error {
		found, err := c.connections(cmd.Context(), c.app)
		if err != nil {
			return failed(err)
		}
		store, err := shodanrep.OpenCache(cmd.Context(), found[0].Name, found[0].Config, c.logger(false))
		if err != nil {
			return failed(err)
		}
		return failed(errors.Join(do(cmd.Context(), store), store.Close()))
	}
}

// printDropped prints how many responses were dropped, and on standard error why there was none in a cache that is off.
func (c *cacheCommand) printDropped(store *shodanrep.Cache, n int64, err error) error {
	if err != nil {
		return err
	}
	if store.IsOff() {
		c.say("the cache is off, so it has no responses")
	}
	_, err = fmt.Fprintf(c.stdout, "%s dropped\n", display.Plural(n, "response"))
	return err
}

// printStats prints the statistics of a store.
func printStats(w io.Writer, s cache.Stats, now time.Time) error {
	if s.IsOff() {
		_, err := fmt.Fprintln(w, "location  off: responses are not kept, and each lookup sends a request")
		return err
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "location\t%s\n", display.Printable(s.Location))
	fmt.Fprintf(t, "entries\t%s, %s of them expired\n", display.Plural(s.Entries, "response"), humanize.Comma(s.Expired))
	fmt.Fprintf(t, "size\t%s\n", humanize.Bytes(uint64(max(0, s.Bytes))))
	if s.Entries > 0 {
		fmt.Fprintf(t, "oldest\t%s\n", humanize.RelTime(s.Oldest, now, "ago", "from now"))
		fmt.Fprintf(t, "newest\t%s\n", humanize.RelTime(s.Newest, now, "ago", "from now"))
	}
	rate := "no lookups yet"
	if lookups := s.Hits + s.Misses; lookups > 0 {
		rate = fmt.Sprintf("%.0f %% of %s", 100*float64(s.Hits)/float64(lookups), display.Plural(lookups, "lookup"))
	}
	fmt.Fprintf(t, "hits\t%s\n", rate)
	return t.Flush()
}
