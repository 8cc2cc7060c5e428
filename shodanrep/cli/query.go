package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"github.com/hashicorp/go-hclog"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/embedded"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/scan"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/suggest"
)

// queryFlags are the flags of the query command.
type queryFlags struct {
	connectionFlags
	output  string
	attach  []string
	failOn  []string
	verbose bool
	quiet   bool

	noHeader, noColor bool
}

// connectionFlags are the flags that choose a connection.
type connectionFlags struct {
	config     []string
	connection string
}

func (f *connectionFlags) add(flags *pflag.FlagSet) {
	flags.StringArrayVar(&f.config, "config", nil, "a Steampipe configuration `FILE` with connections of this plugin;\nrepeat for several (default SHODANREP_CONFIG, or else\n~/.steampipe/config/shodanrep.spc, if there)")
	flags.StringVar(&f.connection, "connection", "", "the `NAME` of the connection whose tables need no name before theirs")
}

// configVariable is the environment variable that names configuration files where no flag does.
const configVariable = "SHODANREP_CONFIG"

// connections returns the connections of the configuration, the chosen one first. Warn is told what is not safe about
// the files.
func (f *connectionFlags) connections(warn func(string)) ([]embedded.Connection, error) {
	files := f.config
	if env := os.Getenv(configVariable); len(files) == 0 && env != "" {
		files = filepath.SplitList(env)
	}
	found, err := connections(files, warn)
	if err != nil || f.connection == "" {
		return found, err
	}
	i := slices.IndexFunc(found, func(c embedded.Connection) bool { return c.Name == f.connection })
	if i < 0 {
		names := make([]string, len(found))
		for i, c := range found {
			names[i] = c.Name
		}
		return nil, fmt.Errorf("there is no connection %q in the configuration%s", f.connection, suggest.DidYouMean(f.connection, names))
	}
	first := found[i]
	return slices.Insert(slices.Delete(found, i, i+1), 0, first), nil
}

// queryName is the name of the query command.
const queryName = "query"

func (a *app) queryCommand() *cobra.Command {
	var flags queryFlags
	cmd := &cobra.Command{
		Use:   queryName + " [SQL|FILE]",
		Short: "Run SQL over the plugin's tables",
		Long: `Run one or more SQL statements, from the argument, from the file that it names, or,
without one or with "-", from standard input. The SQL is SQLite's. Every connection of the configuration is a
schema of its name; the tables of the first one, or of --connection, need no name
before theirs.

Addresses that could not be checked, and another source than expected, are reported
on standard error. An interrupted query goes on where it was, if the cache keeps the
answers.`,
		Example: `  # One address
  shodanrep query "select * from shodan_ip_reputation where ip = '8.8.8.8'" --output line

  # The worst of a list, looked up side by side
  shodanrep query "select ip, level, score from shodan_ip_reputation
    where ip in ('8.8.8.8', '1.1.1.1', '9.9.9.9') order by score desc"

  # The addresses of a file that has a column "ip"
  shodanrep query --attach hosts=hosts.csv \
    "select * from shodan_ip_reputation where ip in (select ip from hosts)" --output csv

  # A check for a schedule: exit status 3 where an address is high or critical, or was not checked
  shodanrep query --fail-on high,error --attach hosts=hosts.csv \
    "select ip, level, status, error from shodan_ip_reputation where ip in (select ip from hosts)"

  # The same where the query decides: exit status 3 where a row has the status alarm, or error
  shodanrep query --fail-on alarm,error --attach hosts=hosts.csv < check.sql`,
		Args: cobra.MaximumNArgs(1),
		PreRunE: func(_ *cobra.Command, args []string) error {
			return flags.check(len(args) == 0 || args[0] == "-")
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			w, err := newWatch(cmd.Flags().Changed("fail-on"), flags.failOn)
			if err != nil {
				return err
			}
			sql, from, err := a.sql(cmd.Context(), args)
			if err != nil {
				return err
			}
			if !embedded.HasStatement(sql) {
				return fmt.Errorf("query needs SQL, and there is no statement in %s", from)
			}
			return w.outcome(a.query(cmd.Context(), flags, sql, w))
		},
	}
	f := cmd.Flags()
	flags.add(f)
	f.StringVar(&flags.output, "output", "table", "the `FORMAT` of the result: "+strings.Join(outputNames, ", "))
	f.BoolVar(&flags.noHeader, "no-header", false, "leave the line of column names out, in csv, tsv, markdown and table")
	addNoColor(f, &flags.noColor)
	f.StringArrayVar(&flags.attach, "attach", nil, "make a table of a CSV file, packed with gzip or zstd or not: `NAME=FILE`, where - is\nstandard input; repeat for several")
	f.StringSliceVar(&flags.failOn, "fail-on", nil, "exit with status 3 where a row has one of these `WORDS`, with commas between them:\na level (that one or a worse one), a status, or a word of a check, such as\nhigh,error or alarm; the columns level and status are looked at")
	f.BoolVar(&flags.quiet, "quiet", false, "do not say on standard error how many addresses could not be checked, nor that\nanother source was used than expected, and show no progress")
	f.BoolVar(&flags.verbose, "verbose", false, "log what the plugin does to standard error; the environment variable\nSHODANREP_LOG sets the level: trace, debug, info, warn, error or off")
	return cmd
}

// check checks the flags. fromInput says that the SQL is on standard input, which can be read only once.
func (f queryFlags) check(fromInput bool) error {
	if !slices.Contains(outputNames, f.output) {
		return fmt.Errorf("--output must be one of %s, not %q", strings.Join(outputNames, ", "), f.output)
	}
	for _, attach := range f.attach {
		if name, file, ok := strings.Cut(attach, "="); !ok || name == "" || file == "" {
			return fmt.Errorf("--attach must be NAME=FILE, not %q", attach)
		} else if file == "-" {
			if fromInput {
				return fmt.Errorf("--attach %s: standard input is read already, for the SQL or another table", attach)
			}
			fromInput = true
		}
	}
	return nil
}

// sql returns the statements to run, and what they are from.
func (a *app) sql(ctx context.Context, args []string) (text, from string, err error) {
	read, from := func() ([]byte, error) { return io.ReadAll(a.stdin) }, "standard input"
	switch {
	case len(args) == 1 && isFile(args[0]):
		from = args[0]
		read = func() ([]byte, error) { return os.ReadFile(from) }
	case len(args) == 1 && args[0] != "-":
		return args[0], "its argument", nil
	case len(args) == 0 && isTerminal(a.stdin):
		return "", "", errors.New("query needs SQL, as an argument or on standard input")
	}
	content, err := within(ctx, read)
	return string(content), from, failed(err)
}

// isFile reports whether an argument is the name of a file of SQL: one that is there, or, so that its absence is
// reported as such, one word that ends as such names do.
func isFile(arg string) bool {
	if _, err := os.Stat(arg); err == nil {
		return true
	}
	return strings.HasSuffix(strings.ToLower(arg), ".sql") && !strings.ContainsFunc(arg, unicode.IsSpace)
}

func (a *app) query(ctx context.Context, flags queryFlags, sql string, w *watch) error {
	found, err := within(ctx, func() ([]embedded.Connection, error) { return flags.connections(a.say) })
	if err != nil {
		return err
	}
	return a.onDB(ctx, job{connections: found, attached: flags.attach, verbose: flags.verbose, quiet: flags.quiet, output: flags.output, noHeader: flags.noHeader, noColor: flags.noColor, sql: sql, watch: w})
}

// attach makes a table of a CSV file, or of standard input.
func (a *app) attach(db *embedded.DB, name, file string) error {
	if file == "-" {
		return db.AttachCSVFrom(name, "standard input", a.stdin)
	}
	return db.AttachCSV(name, file)
}

// A job is SQL over the tables of connections and of CSV files.
type job struct {
	connections []embedded.Connection
	attached    []string // NAME=FILE
	verbose     bool
	quiet       bool // nothing is said of lookups
	output      string
	noHeader    bool
	noColor     bool
	sql         string
	watch       *watch
	// targets, where there are any, are the table targetsTable with the one column ip.
	targets *targetList
	// print prints the rows of a statement; nil is app.print.
	print func(a *app, output string, rows results) error
}

// targetsTable is the table of a job's targets.
const targetsTable = "targets"

// onDB does a job: it prints what the SQL returns, and tells what a user must know of its lookups.
func (a *app) onDB(ctx context.Context, j job) error {
	progress := a.showProgress(j.output, j.quiet)
	defer progress.end()
	shown := *a
	shown.noHeader, shown.noColor = j.noHeader, j.noColor
	shown.stdout, shown.stderr = progress.before(a.stdout), progress.above(a.stderr)
	db, err := embedded.Open(ctx, embedded.Options{
		PluginFunc:  a.plugin,
		Connections: j.connections,
		Logger:      shown.logger(j.verbose),
		ListContext: progress.listContext,
		Warn:        func(message string) { shown.say("warning: " + message) },
	})
	if err != nil {
		return err
	}
	// What the services answered is written to the cache before the process ends.
	defer scan.Shutdown()
	for _, attach := range j.attached {
		name, file, _ := strings.Cut(attach, "=")
		if _, err := within(ctx, func() (any, error) { return nil, a.attach(db, name, file) }); err != nil {
			if ctx.Err() == nil {
				return errors.Join(err, db.Close())
			}
			return err // the file may be a pipe that is being waited for, and the database is in use
		}
	}
	defer db.Close()
	if j.targets != nil {
		if err := db.AttachCSVFrom(targetsTable, "the inputs", j.targets.csv()); err != nil {
			return err
		}
	}
	if j.print == nil {
		j.print = (*app).print
	}
	var columns seenColumns
	err = db.Query(ctx, j.sql, func(rows *embedded.Rows) error {
		for _, c := range rows.Columns() {
			columns = append(columns, c.Name)
		}
		return j.print(&shown, j.output, j.watch.rows(rows))
	})
	progress.end()
	if !j.quiet {
		a.report(progress.meter, columns.advice())
	}
	if err != nil && ctx.Err() != nil {
		return newInterruption(progress.meter)
	}
	return err
}

// logger returns where the plugin logs to. Its warnings are shown unless the environment says otherwise.
func (a *app) logger(verbose bool) hclog.Logger {
	level := hclog.LevelFromString(cmp.Or(os.Getenv("SHODANREP_LOG"), os.Getenv("STEAMPIPE_LOG_LEVEL")))
	if level == hclog.NoLevel {
		level = hclog.Warn
	}
	if verbose && level > hclog.Info {
		level = hclog.Info
	}
	return hclog.New(&hclog.LoggerOptions{Name: "shodanrep", Level: level, Output: a.stderr, DisableTime: level > hclog.Info})
}
