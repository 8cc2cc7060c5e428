package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/display"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/load"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/stdio"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/scan"
)

const (
	loadName = "load"
	// defaultMaxAge lets a job that runs once a day look everything up again, even if it starts a little earlier than the
	// day before or an address had its turn late.
	defaultMaxAge = 20 * time.Hour
	// watchRetry is the longest time until a load of --watch that failed is tried again.
	watchRetry = time.Minute
)

// A loadCommand writes verdicts into a table of PostgreSQL.
type loadCommand struct {
	*app
	lookupFlags
	selectionFlags
	to, table, fromQuery string
	maxAge, watch        time.Duration
	expand, printSQL     bool
	// What the flags mean, see validate.
	database load.Database
	name     load.Name
}

func newLoadCommand(a *app) *cobra.Command {
	c := &loadCommand{app: a}
	cmd := &cobra.Command{
		Use:   loadName + " --to URL [INPUT...]",
		Short: "Write verdicts into a table of PostgreSQL",
		Long: `Look up the addresses of any text or of a query, score them, and write one row
per address into a table of a PostgreSQL database.

An INPUT is an address, a network, a file, or "-" for standard input, as for
check. Without an INPUT and without --from-query standard input is read.

The table is created if it does not exist. It has the columns of the table
shodan_ip_reputation and an index for queries by network. Only addresses without
a row, and rows older than --max-age or of another policy, are looked up.

Several processes, on any number of machines, share the work if they load into
the same table: each address is looked up by one of them. If a process ends, the
others look up what it had claimed.

An address that could not be checked has the status error. If an earlier lookup
succeeded, its row keeps that verdict, and the columns failed_at and failure say
that the last lookup failed. It is reported on standard error.

The password is best set in the environment variable PGPASSWORD or in ~/.pgpass:
other users of the machine can see arguments.

The exit status is 0 if everything succeeded, 1 if an input, the configuration
or the database failed, or if --fail-on was given and no address could be
checked, 2 for wrong usage, 3 if --fail-on found something, and 130 if the
command was interrupted. What is written then stays.`,
		Example: `  # The addresses of a log
  shodanrep load --to postgres://analyst@db.example.com/security /var/log/auth.log

  # The addresses of a table of the same database, again every hour
  shodanrep load --to postgres://analyst@db.example.com/security \
    --from-query 'select distinct src_ip from flows' --watch 1h

  # Into a table of another name, and exit status 3 if an address is critical
  shodanrep load --to postgres:///security --table intel.reputation \
    --fail-on critical hosts.csv

  # What creates the table, for an administrator to run
  shodanrep load --print-sql --table intel.reputation`,
		Args: cobra.ArbitraryArgs,
		PreRunE: func(cmd *cobra.Command, args []string) error {
			return c.validate(cmd.Flags(), args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if c.printSQL {
				_, err := io.WriteString(c.stdout, load.CreateSQL(c.name))
				return failed(err)
			}
			return c.failOn.outcome(c.run(cmd.Context(), args))
		},
	}
	f := cmd.Flags()
	f.StringVar(&c.to, "to", "", "the database, as a `URL` such as postgres://USER@HOST:PORT/DATABASE; what it leaves out is from the environment (PGHOST, PGPASSWORD and so on) and ~/.pgpass")
	f.StringVar(&c.table, "table", "reputation", "the `NAME` of the table, or SCHEMA.NAME")
	f.StringVar(&c.fromQuery, "from-query", "", "load the addresses that this query of the database returns: `SQL` with one column of the type inet, cidr or text")
	addDuration(f, &c.maxAge, "max-age", defaultMaxAge, "look up only addresses whose row is older than this `DURATION`, such as 30m, 20h or 7d; cached responses that are older are not used either")
	addDuration(f, &c.watch, "watch", 0, "repeat in this `INTERVAL`, such as 1h or 1d, until interrupted")
	f.BoolVar(&c.expand, "expand", false, "load each address of a network, up to network_limit of the connection")
	f.BoolVar(&c.printSQL, "print-sql", false, "print the SQL that creates the table, and do nothing else")
	c.lookupFlags.register(f)
	c.selectionFlags.registerFailOn(f)
	return cmd
}

func (c *loadCommand) validate(flags *pflag.FlagSet, args []string) error {
	var err error
	if c.name, err = load.ParseName(c.table); err != nil {
		return fmt.Errorf("--table: %w", err)
	}
	if c.printSQL {
		return nil
	}
	readsInput := slices.Contains(args, "-") || len(args) == 0 && c.fromQuery == ""
	switch {
	case c.to == "":
		return errors.New("load needs a database: --to postgres://USER@HOST/DATABASE")
	case c.maxAge < 0:
		return fmt.Errorf("--max-age must not be negative, as %v is", c.maxAge)
	case flags.Changed("watch") && c.watch < time.Second:
		return fmt.Errorf("--watch must be at least 1s, not %v", c.watch)
	case c.watch > 0 && flags.Changed("fail-on"):
		return errors.New("--watch and --fail-on exclude each other: --watch ends only when it is interrupted")
	case c.watch > 0 && readsInput:
		return errors.New("--watch reads its inputs again each time, which standard input does not allow: name files or use --from-query")
	case len(args) == 0 && readsInput && stdio.IsTerminal(c.stdin):
		return errors.New("load needs an address, a network or a file, as an argument or on standard input, or --from-query")
	case flags.Changed("from-query") && c.fromQuery == "":
		return errors.New("--from-query needs a query, such as 'select distinct src_ip from flows'")
	}
	if c.database, err = load.ParseDatabase(c.to); err != nil {
		return fmt.Errorf("--to: %w", err)
	}
	if err := c.lookupFlags.validate(); err != nil {
		return err
	}
	return c.selectionFlags.validate(flags)
}

// run loads once, or again and again.
func (c *loadCommand) run(ctx context.Context, inputs []string) error {
	connection, err := c.single(ctx, c.app)
	if err != nil {
		return err
	}
	defer scan.Shutdown() // writes new responses to the cache
	if c.refresh {
		c.maxAge = 0
	}
	c.cacheMaxAge = max(c.maxAge, 1) // 0 would be no limit
	checker, err := c.checker(ctx, c.app, connection, c.logger(c.verbose))
	if err != nil {
		return err
	}
	if c.watch == 0 {
		return c.loadOnce(ctx, checker, inputs)
	}
	connected := false // a watch that never was fails for good
	for {
		began := time.Now()
		err := c.loadOnce(ctx, checker, inputs)
		var lost load.LostError
		switch wait := c.watch; {
		case ctx.Err() != nil && err != nil && !errors.Is(err, errUnchecked):
			return err
		case ctx.Err() != nil: // it was interrupted after its last row
			return interruption{}
		case err == nil, errors.Is(err, errUnchecked):
			connected = true
			if err != nil {
				c.say(err.Error())
			}
		case !connected && !errors.As(err, &lost):
			return err
		default:
			connected = true
			c.say(err.Error())
			wait = min(wait, watchRetry)
			began = time.Now().Add(wait - c.watch)
		}
		select {
		case <-ctx.Done():
			return interruption{}
		case <-time.After(c.watch - time.Since(began)):
		}
	}
}

// loadOnce loads the inputs.
func (c *loadCommand) loadOnce(ctx context.Context, checker *scan.Checker, inputs []string) error {
	began := time.Now()
	progress := newLoadProgress()
	bar := newProgressBarOf(c.app, progress.shown, progress.state, false, c.quiet)
	defer bar.end()
	in := load.Input{Query: c.fromQuery, Expand: c.expand, NetworkLimit: checker.NetworkLimit()}
	var malformed malformedLines
	if len(inputs) > 0 || c.fromQuery == "" {
		in.Texts = interruptible(ctx, streamTargets(c.stdin, inputs, c.awaiter(), &malformed))
	}
	summary, err := c.database.Load(ctx, in, load.Options{
		Table: c.name, Policy: checker.Policy(), MaxAge: c.maxAge, Limit: checker.APILookupLimit(),
		Check: progress.checkWith(checker), Left: progress.setLeft,
	})
	bar.end()
	if !c.quiet {
		c.sayAll(lookupNotices(progress.summary(), "", err))
	}
	if err != nil {
		if ctx.Err() != nil && summary.Written > 0 {
			return interruption{display.Plural(summary.Written, "row") + " written"}
		}
		return err
	}
	if !c.quiet {
		c.sayAll(malformed.notices())
	}
	if malformed.found() {
		c.failOn.count("", string(lookup.Failed))
	}
	c.report(summary, checker.Policy(), inputs, time.Since(began))
	if err := invalidValues(summary.Found); err != nil {
		return err
	}
	var checked checkedCount // by the table, also of the lookups of other processes
	for _, g := range summary.Groups {
		checked.add(lastStatus(g), g.Addresses)
	}
	return checked.err()
}

// lastStatus returns the status of the last lookup of addresses.
func lastStatus(g load.Group) lookup.Status {
	if g.LastFailed {
		return lookup.Failed
	}
	return lookup.Status(g.Status)
}

// report says what the table has about the addresses, and counts it for --fail-on.
func (c *loadCommand) report(s load.Summary, policy string, inputs []string, took time.Duration) {
	for _, g := range s.Groups {
		c.failOn.countSeveral(g.Level, string(lastStatus(g)), int(g.Addresses))
	}
	if s.Found.Addresses == 0 {
		c.failOn.count("", string(lookup.Failed))
	}
	if c.quiet {
		return
	}
	if s.Found.Addresses == 0 {
		c.say("no address was found in " + c.inputNames(inputs))
	} else {
		c.sayAll(loadNotices(s, policy, took))
	}
	if n := s.Found.Networks; n > 0 {
		c.say(networksNotice(int(n), int(s.Found.Large), "--expand loads each of the addresses"))
	}
}

// inputNames returns the names of all inputs for a message.
func (c *loadCommand) inputNames(inputs []string) string {
	switch {
	case c.fromQuery == "":
		return inputNames(inputs)
	case len(inputs) == 0:
		return "the result of --from-query"
	}
	return inputNames(inputs) + " and the result of --from-query"
}
