package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/rowformat"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/stdio"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/embedded"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/textfile"
)

// queryName is the name of the query command.
const queryName = "query"

// A queryCommand runs SQL over the plugin's tables.
type queryCommand struct {
	*app
	connectionFlags
	output, file      string
	attach            []string
	failOnWords       []string
	verbose, quiet    bool
	noHeader, noColor bool
	escapeFormulas    bool
}

func newQueryCommand(a *app) *cobra.Command {
	c := &queryCommand{app: a}
	cmd := &cobra.Command{
		Use:   queryName + " [SQL|FILE]",
		Short: "Run SQL over the plugin's tables",
		Long: `Run one or more SQL statements: the argument, the file that it names, or
standard input with "-" or without an argument. The SQL is SQLite's. Every
connection of the configuration is a schema of its name. The tables of the first
connection, or of --connection, can also be used without the schema.

Addresses that could not be checked, or were looked up in another source than
expected, are reported on standard error. An interrupted query continues from
the cache when it is run again, if the cache is a file or Redis.

The exit status is 0 if everything succeeded, 1 if the query, the configuration
or an output failed, or if --fail-on was given and no address could be checked,
2 for wrong usage, 3 if --fail-on found something, and 130 if the command was
interrupted.`,
		Example: `  # One address
  shodanrep query "select * from shodan_ip_reputation where ip = '8.8.8.8'" --output line

  # The worst of a list, looked up in parallel
  shodanrep query "select ip, level, score from shodan_ip_reputation
    where ip in ('8.8.8.8', '1.1.1.1', '9.9.9.9') order by score desc"

  # The addresses of a file that has a column "ip"
  shodanrep query --attach hosts=hosts.csv \
    "select * from shodan_ip_reputation where ip in (select ip from hosts)" --output csv

  # A Parquet file, for DuckDB, Spark and others
  shodanrep query --output parquet -o verdicts.parquet --attach hosts=hosts.csv \
    "select * from shodan_ip_reputation where ip in (select ip from hosts)"

  # On a schedule: exit status 3 if an address is high, critical or not checked
  shodanrep query --fail-on high,error --attach hosts=hosts.csv \
    "select ip, level, status, error from shodan_ip_reputation where ip in (select ip from hosts)"

  # The query decides: exit status 3 if a row has the status alarm or error
  shodanrep query --fail-on alarm,error --attach hosts=hosts.csv < check.sql`,
		Args: countArguments(0, 1, "one argument, the SQL in quotes or the name of a file"),
		PreRunE: func(_ *cobra.Command, args []string) error {
			return c.validate(len(args) == 0 || args[0] == "-")
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			w, err := newFailOn(cmd.Flags().Changed("fail-on"), c.failOnWords, rowWords)
			if err != nil {
				return err
			}
			sql, from, err := c.readSQL(cmd.Context(), args)
			if err != nil {
				return err
			}
			if !embedded.HasStatement(sql) {
				return fmt.Errorf("query needs SQL, and there is no statement in %s", from)
			}
			if err := checkIsSQL(sql); err != nil {
				return err
			}
			return w.outcome(c.run(cmd.Context(), sql, args, w))
		},
	}
	f := cmd.Flags()
	c.register(f)
	f.StringVar(&c.output, "output", "table", "the `FORMAT` of the result: "+strings.Join(rowformat.Names, ", "))
	addOutputFile(f, &c.file)
	f.BoolVar(&c.noHeader, "no-header", false, "leave out the line of column names, in csv, tsv, markdown and table")
	addEscapeFormulas(f, &c.escapeFormulas)
	addNoColor(f, &c.noColor)
	f.StringArrayVar(&c.attach, "attach", nil, "attach a CSV file as a table, compressed with gzip or zstd or not: `NAME=FILE`, where - is standard input; repeat for several")
	f.StringSliceVar(&c.failOnWords, "fail-on", nil, "exit with status 3 if a row has one of these `WORDS` in its columns level or status, with commas between them: a level (that one or a worse one), a status, or the status of a check, such as high,error or alarm")
	addQuiet(f, &c.quiet)
	f.BoolVar(&c.verbose, "verbose", false, "log what the plugin does to standard error; the environment variable SHODANREP_LOG sets the level: trace, debug, info, warn, error or off")
	return cmd
}

// validate validates the flags. readsInput says that the SQL is on standard input, which can be read only once.
func (c *queryCommand) validate(readsInput bool) error {
	if !slices.Contains(rowformat.Names, c.output) {
		return fmt.Errorf("--output must be one of %s, not %q", strings.Join(rowformat.Names, ", "), c.output)
	}
	if err := rowformat.CheckEscapeFormulas(c.escapeFormulas, c.output); err != nil {
		return err
	}
	if c.file == "" {
		if err := rowformat.CheckTerminal(c.output, c.stdout); err != nil {
			return err
		}
	}
	for i, attach := range c.attach {
		name, file, ok := strings.Cut(attach, "=")
		file = expandHome(file)
		switch {
		case !ok || name == "" || file == "":
			return fmt.Errorf("--attach must be NAME=FILE, not %q%s", attach, namedAttach(attach))
		case file == "-" && readsInput:
			return fmt.Errorf("--attach %s: standard input is read already, for the SQL or another table", attach)
		case file == "-":
			readsInput = true
		}
		c.attach[i] = name + "=" + file
	}
	return nil
}

// usedFiles are the files that the query reads: of the SQL, of the tables, and those of the connections.
func (c *queryCommand) usedFiles(sql []string, connections []embedded.Connection) []usedFile {
	files := []usedFile{{"-", "an input"}}
	for _, file := range sql { // an argument that is SQL names no file
		files = append(files, usedFile{file, "the SQL"})
	}
	for _, attach := range c.attach {
		_, file, _ := strings.Cut(attach, "=")
		files = append(files, usedFile{file, "an input"})
	}
	return append(files, c.connectionFlags.usedFiles(connections...)...)
}

// readSQL returns the statements to run, and where they are from.
func (c *queryCommand) readSQL(ctx context.Context, args []string) (sql, from string, err error) {
	from = "standard input"
	read := func() ([]byte, error) { return io.ReadAll(c.awaiter().reader(c.stdin, from)) }
	switch {
	case len(args) == 1 && isFile(args[0]):
		from = args[0]
		read = func() ([]byte, error) {
			defer c.awaiter().start(from)()
			return os.ReadFile(from)
		}
	case len(args) == 1 && args[0] != "-":
		return args[0], "its argument", nil
	case len(args) == 0 && stdio.IsTerminal(c.stdin):
		return "", "", errors.New("query needs SQL, as an argument or on standard input")
	}
	content, err := stdio.Within(ctx, read)
	if err == nil {
		content, err = textfile.Decode(content)
	}
	return string(content), from, failed(err)
}

// checkIsSQL returns an error if a text is not SQL but something else that users try: an address, or a command by which
// the shells of databases list tables and columns.
func checkIsSQL(text string) error {
	words := strings.FieldsFunc(text, func(r rune) bool { return unicode.IsSpace(r) || r == ';' })
	if len(words) == 0 {
		return nil
	}
	if _, err := netip.ParseAddr(words[0]); err == nil {
		return fmt.Errorf("query needs SQL, and %s is an address: 'shodanrep %s' checks it", words[0], words[0])
	}
	if shellCommand.MatchString(text) {
		return fmt.Errorf("query needs SQL, and %q is a command of a database's shell: 'shodanrep tables' lists the tables, and 'shodanrep tables NAME' the columns of one", words[0])
	}
	return nil
}

// shellCommand finds a command by which sqlite3, psql and other shells list tables and columns, or do other things.
var shellCommand = regexp.MustCompile(`(?i)^\s*(?:\.[a-z]|\\[a-z]|(?:show|describe|desc)\s)`)

// tableName is a name that needs no quotes in SQL.
var tableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// namedAttach says how to attach a file of which only the path is given, or "".
func namedAttach(path string) string {
	name, _, _ := strings.Cut(filepath.Base(path), ".")
	if _, err := os.Stat(expandHome(path)); err != nil || !tableName.MatchString(name) {
		return ""
	}
	return fmt.Sprintf(": did you mean --attach %s=%s?", name, path)
}

// isFile reports whether an argument is the name of a file of SQL: an existing file, a word that ends in .sql, or a word
// that begins as a path does, which no statement does. Then a missing file is reported as such.
func isFile(arg string) bool {
	if _, err := os.Stat(arg); err == nil {
		return true
	}
	slashes := filepath.ToSlash(arg) // of Windows
	isPath := strings.HasPrefix(slashes, "./") || strings.HasPrefix(slashes, "../") || strings.HasPrefix(slashes, "/") && !strings.HasPrefix(slashes, "/*")
	return (isPath || filepath.VolumeName(arg) != "" || strings.HasSuffix(strings.ToLower(arg), ".sql")) && !strings.ContainsFunc(arg, unicode.IsSpace)
}

// run runs the statements, which are those of the arguments, and prints the results.
func (c *queryCommand) run(ctx context.Context, sql string, args []string, w *failOn) error {
	connections, err := c.connections(ctx, c.app)
	if err != nil {
		return err
	}
	if err := checkOutputFile(c.file, c.stdin, c.usedFiles(args, connections)); err != nil {
		return err
	}
	r := &sqlRun{
		app: c.app, connections: connections, attach: c.attach, verbose: c.verbose, quiet: c.quiet, output: c.output, file: c.file,
		options: rowformat.Options{NoHeader: c.noHeader, NoColor: c.noColor, EscapeFormulas: c.escapeFormulas}, failOn: w,
	}
	return r.run(ctx, sql)
}
