package cli

import (
	"context"
	"io"
	"slices"
	"strings"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/rowformat"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/stdio"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/embedded"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/scan"
)

// A sqlRun runs SQL over the tables of connections and of CSV files, and prints the results.
type sqlRun struct {
	*app
	connections    []embedded.Connection
	attach         []string    // NAME=FILE
	targets        *targetList // the table targetsTable with the column ip, if it is not nil
	verbose, quiet bool
	output         string
	options        rowformat.Options
	failOn         *failOn
	// print prints the rows of a statement; by default in the format output.
	print func(stdout io.Writer, rows rowformat.Rows) error
}

// targetsTable is the name of the table of targets.
const targetsTable = "targets"

// streamingFormats are the formats that write rows while lookups run. json is not among them: it is one document, and a
// bar that is drawn before it does no harm.
var streamingFormats = []string{"csv", "tsv", "jsonl", "line", "markdown"}

// run runs statements, prints their results and reports on their lookups.
func (r *sqlRun) run(ctx context.Context, sql string) error {
	bar := newProgressBar(r.app, slices.Contains(streamingFormats, r.output), r.quiet)
	defer bar.end()
	shown := *r.app
	shown.stdout, shown.stderr = bar.before(r.stdout), bar.above(r.stderr)
	db, err := embedded.Open(ctx, embedded.Options{
		PluginFunc:  r.plugin,
		Readers:     scan.ReaderOf,
		Connections: r.connections,
		Logger:      shown.logger(r.verbose),
		ListContext: bar.listContext,
		Warn:        func(message string) { shown.say("warning: " + message) },
	})
	if err != nil {
		return err
	}
	defer scan.Shutdown() // writes new responses to the cache
	inUse, err := r.attachTables(ctx, db)
	if inUse {
		return err
	}
	defer db.Close()
	if err != nil {
		return err
	}
	if names, known := db.ResultColumns(ctx, sql); known {
		if err := r.failOn.checkColumns(names); err != nil {
			return err
		}
	}
	if r.print == nil {
		r.print = func(stdout io.Writer, rows rowformat.Rows) error {
			return rowformat.Write(r.output, stdout, rows, r.options)
		}
	}
	var columns []string
	err = db.Query(ctx, sql, func(rows *embedded.Rows) error {
		for _, c := range rows.Columns() {
			columns = append(columns, c.Name)
		}
		return r.print(shown.stdout, r.failOn.rows(rows))
	})
	bar.end()
	if !r.quiet {
		r.sayAll(progressNotices(bar.progress, failureAdvice(columns)))
	}
	if err != nil && ctx.Err() != nil {
		return newInterruption(bar.progress)
	}
	return err
}

// attachTables attaches the CSV files and the targets. After an interrupt a file may still block in a read, and the
// database is in use: it must not be closed.
func (r *sqlRun) attachTables(ctx context.Context, db *embedded.DB) (inUse bool, err error) {
	for _, attach := range r.attach {
		name, file, _ := strings.Cut(attach, "=")
		_, err := stdio.Within(ctx, func() (any, error) {
			if file == "-" {
				return nil, db.AttachCSVFrom(name, "standard input", r.stdin)
			}
			return nil, db.AttachCSV(name, file)
		})
		if err != nil {
			return ctx.Err() != nil, err
		}
	}
	if r.targets == nil {
		return false, nil
	}
	return false, db.AttachCSVFrom(targetsTable, "the inputs", r.targets.csv())
}
