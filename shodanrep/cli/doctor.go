package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/display"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/spcfile"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/stdio"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/embedded"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/scan"
)

// The results of a check of doctor.
const (
	checkOK      = "ok"
	checkWarning = "warning"
	checkError   = "error"
)

// A doctor checks what lookups need, and prints a line per check.
type doctor struct {
	*app
	connectionFlags
	failed bool
}

// errChecksFailed is the error of a doctor whose lines say what is wrong.
var errChecksFailed = errors.New("at least one check failed; its line says what to do")

func newDoctorCommand(a *app) *cobra.Command {
	d := &doctor{app: a}
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Check the configuration, the API key, the services, the cache and the history",
		Long: `Check what lookups need, and print a line per check: ok, warning or error, with
what to do. It sends one request to each service, to all at once, and one more
with the API key. It spends no query credits, and does not show the key.

The exit status is 0 if no check failed, 1 if one did, 2 for wrong usage, and 130
if the command was interrupted.`,
		Example: `  shodanrep doctor
  shodanrep doctor --config ./shodanrep.spc --connection work`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch d.run(cmd.Context()); {
			case cmd.Context().Err() != nil:
				return failed(interruption{})
			case d.failed:
				return failed(errChecksFailed)
			}
			return nil
		},
	}
	d.register(cmd.Flags())
	return cmd
}

const (
	// The widths of the first two columns of a line.
	checkWidth, nameWidth = 9, 18
	// doctorWidth is the width of a line if standard output is not a terminal.
	doctorWidth = 100
)

// print prints the result of a check. After an interrupt it prints nothing: a check that was interrupted has no result.
func (d *doctor) print(ctx context.Context, l checkLine) {
	if ctx.Err() != nil {
		return
	}
	if l.result == checkError {
		d.failed = true
	}
	width := cmp.Or(stdio.Width(d.stdout), doctorWidth)
	for i, part := range display.Wrap(display.Printable(l.detail), max(display.MinWidth, width-checkWidth-nameWidth)) {
		if i > 0 {
			l.result, l.name = "", ""
		}
		fmt.Fprintf(d.stdout, "%-*s%-*s%s\n", checkWidth, l.result, nameWidth, l.name, part)
	}
}

// run makes all checks, also after one that failed.
func (d *doctor) run(ctx context.Context) {
	defer scan.Shutdown() // also removes a temporary index of data files
	var line lineFunc = func(result, name, format string, args ...any) {
		d.print(ctx, checkLine{result, name, fmt.Sprintf(format, args...)})
	}
	line(checkOK, "version", "shodanrep %s", shodanrep.Version())
	found, err := d.connections(ctx, d.app)
	if err != nil {
		line(checkError, "configuration", "%v", err)
		return
	}
	d.configuration(line)
	var chosen *embedded.Connection
	var summary shodanrep.ConnectionSummary
	for i, c := range found {
		if len(c.Members) > 0 {
			line(checkOK, "connection", "%s joins the rows of %s", c.Name, strings.Join(c.Members, ", "))
			continue
		}
		s, err := shodanrep.SummarizeConnection(c.Name, c.Config)
		if err != nil {
			line(checkError, "connection", "%v", err)
			continue
		}
		line(checkOK, "connection", "%s: the arguments are valid; policy %s", c.Name, s.Policy)
		if chosen == nil {
			chosen, summary = &found[i], s
		}
	}
	if chosen == nil {
		return
	}
	if len(found) > 1 {
		line(checkOK, "checked below", "connection %s; --connection NAME checks another one", chosen.Name)
	}
	c, s := *chosen, summary
	checks := []checkFunc{
		func(line lineFunc) { d.keyAndSources(ctx, line, c, s) },
		func(line lineFunc) { d.dataFiles(ctx, line, c, s) },
		func(line lineFunc) { d.internetDBFile(ctx, line, c, s) },
		certificates,
	}
	checks = append(checks, networkChecks(ctx, s)...)
	checks = append(checks,
		func(line lineFunc) { d.cache(ctx, line, c) },
		func(line lineFunc) { d.history(ctx, line, c) },
	)
	inParallel(checks, func(l checkLine) { d.print(ctx, l) })
}

// configuration lists the configuration files.
func (d *doctor) configuration(line lineFunc) {
	files := d.files()
	if len(files) == 0 {
		files = []string{spcfile.DefaultFile()}
	}
	for _, file := range files {
		if file == "" { // without a home folder
			line(checkOK, "configuration", "$HOME is not set, so no file is read and every argument has its default; --config names a file")
			continue
		}
		if _, err := os.Stat(file); err != nil {
			line(checkOK, "configuration", "%s does not exist, so every argument has its default; --config names another file", file)
			continue
		}
		line(checkOK, "configuration", "%s", file)
	}
}

// sources says in which source addresses would be looked up.
func sources(line lineFunc, s shodanrep.ConnectionSummary, planAllows bool) {
	before := ""
	if len(s.DataFiles) > 0 && s.Source == "auto" {
		before = "the files of data_files, and if they do not have it, in "
	}
	line(checkOK, "1 address", "is looked up in %s%s", before, s.SourceFor(1, planAllows))
	many := s.APILookupLimit + 1
	line(checkOK, fmt.Sprintf("%d addresses", many), "are looked up in %s%s; api_lookup_limit is %d",
		before, s.SourceFor(many, planAllows), s.APILookupLimit)
}

// maxLeftOut is how many data files are named that are left out.
const maxLeftOut = 10

// dataFiles opens the dataset, which builds its index if that is missing.
func (d *doctor) dataFiles(ctx context.Context, line lineFunc, c embedded.Connection, s shodanrep.ConnectionSummary) {
	if len(s.DataFiles) == 0 {
		return
	}
	stats, err := shodanrep.InspectDataFiles(ctx, c.Name, c.Config, d.logger(false))
	if err != nil {
		line(checkError, "data_files", "%v", err)
		return
	}
	result, text := checkOK, fmt.Sprintf("%s in %s", display.Plural(stats.Hosts, "host"), strings.Join(s.DataFiles, ", "))
	if left := stats.LeftOut; len(left) > 0 {
		named := strings.Join(left[:min(len(left), maxLeftOut)], ", ")
		if more := len(left) - maxLeftOut; more > 0 {
			named += fmt.Sprintf(" and %s more", humanize.Comma(int64(more)))
		}
		text += fmt.Sprintf("; data_window leaves out %s: %s", display.Plural(int64(len(left)), "file"), named)
	}
	if stats.BadRecords > 0 {
		result = checkWarning
		text += fmt.Sprintf("; %s cannot be read, the first in %s", display.Plural(stats.BadRecords, "record"), stats.FirstBad)
	}
	if foreign := stats.Foreign; len(foreign) > 0 {
		result = checkWarning
		text += fmt.Sprintf("; %s without a banner left out, the first: %s", display.Plural(int64(len(foreign)), "file"), foreign[0])
	}
	line(result, "data_files", "%s", text)
}

// maxFileAge is how old the file of InternetDB may be without a warning. Shodan makes a new one every week.
const maxFileAge = 14 * 24 * time.Hour

// internetDBFile checks the file that answers in place of InternetDB.
func (d *doctor) internetDBFile(ctx context.Context, line lineFunc, c embedded.Connection, s shodanrep.ConnectionSummary) {
	if s.InternetDBFile == "" {
		return
	}
	info, err := shodanrep.InspectInternetDBFile(ctx, c.Name, c.Config)
	if err != nil {
		line(checkError, "internetdb_file", "%v", err)
		return
	}
	text := fmt.Sprintf("%s, of %s (%s)", info.Path, info.Time.Format(time.DateOnly), humanize.Time(info.Time))
	switch {
	case info.Copy != "" && info.Size == 0:
		text += "; it is compressed, and unpacked to " + info.Copy + " by the first lookup"
	case info.Copy != "":
		text += fmt.Sprintf("; unpacked to %s, %s", info.Copy, humanize.Bytes(uint64(info.Size)))
	default:
		text += ", " + humanize.Bytes(uint64(info.Size))
	}
	if time.Since(info.Time) > maxFileAge {
		line(checkWarning, "internetdb_file", "%s; Shodan makes a new file every week: download it again", text)
		return
	}
	line(checkOK, "internetdb_file", "%s; it answers in place of InternetDB", text)
}

// query runs SQL on a connection.
func (d *doctor) query(ctx context.Context, c embedded.Connection, sql string) ([]embedded.Row, error) {
	db, err := embedded.Open(ctx, embedded.Options{
		PluginFunc: d.plugin, Readers: scan.ReaderOf, Connections: []embedded.Connection{c}, Logger: d.logger(false),
	})
	if err != nil {
		return nil, err
	}
	defer db.Close()
	return db.QueryAll(ctx, sql)
}
