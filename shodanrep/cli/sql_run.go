package cli

import (
	"context"
	"errors"
	"io"
	"reflect"
	"slices"
	"strings"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep"
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
	file           string // of the results, if not standard output
	options        rowformat.Options
	failOn         *failOn
	// print prints the rows of a statement; by default in the format output, and in Parquet those of one statement only.
	print func(stdout io.Writer, rows rowformat.Rows) error
}

// targetsTable is the name of the table of targets.
const targetsTable = "targets"

// streamingFormats are the formats that write rows while lookups run. json is not among them: it is one document, and a
// bar that is drawn before it does no harm.
var streamingFormats = []string{"csv", "tsv", "jsonl", "line", "markdown"}

// run runs statements, prints their results and reports on their lookups.
func (r *sqlRun) run(ctx context.Context, sql string) error {
	bar := newProgressBar(r.app, slices.Contains(streamingFormats, r.output) && r.file == "", r.quiet)
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
	columns, err := r.write(ctx, db, sql, shown.stdout)
	bar.end()
	if !r.quiet {
		advice := failureAdvice(columns)
		if r.print != nil { // the SQL is not the user's
			advice = ""
		}
		r.sayAll(progressNotices(bar.progress, advice, err))
	}
	if err != nil && ctx.Err() != nil {
		return newInterruption(bar.progress)
	}
	if err == nil && r.failOn.isSet() && bar.progress.Summary().NothingChecked() {
		return errUnchecked // --fail-on had nothing to look at
	}
	return err
}

// write writes the results to the file or to standard output. It returns the names of their columns.
func (r *sqlRun) write(ctx context.Context, db *embedded.DB, sql string, stdout io.Writer) (columns []string, err error) {
	if r.file == "" {
		return r.writeTo(ctx, db, sql, stdout)
	}
	err = r.writeFile(ctx, r.file, func(file io.Writer) error {
		buffered := stdio.NewBufferedWriter(file)
		defer buffered.Stop()
		if columns, err = r.writeTo(ctx, db, sql, buffered); err != nil {
			return err
		}
		return buffered.Flush()
	})
	return columns, err
}

func (r *sqlRun) writeTo(ctx context.Context, db *embedded.DB, sql string, out io.Writer) (columns []string, err error) {
	results := 0
	err = db.Query(ctx, sql, func(rows *embedded.Rows) error {
		for _, c := range rows.Columns() {
			columns = append(columns, c.Name)
		}
		watched := r.failOn.rows(rows, statusesOf(sql, db.Tables(), rows.Origins()))
		if r.print != nil {
			return r.print(out, watched)
		}
		if results++; results > 1 && r.output == rowformat.Parquet {
			return errParquetResults
		}
		o := r.options
		o.Origins, o.JSONType = rows.Origins(), func(origin embedded.Origin) reflect.Type { return shodanrep.JSONType(origin.Column) }
		return rowformat.Write(r.output, out, watched, o)
	})
	if err == nil && results == 0 && r.print == nil && r.output == rowformat.Parquet {
		err = errParquetResults
	}
	return columns, err
}

// errParquetResults is the error of a query that has no result for a Parquet file, or several.
var errParquetResults = errors.New("a Parquet file has the rows of one statement: the query must have exactly one statement with a result")

// attachTables attaches the CSV files and the targets. After an interrupt a file may still block in a read, and the
// database is in use: it must not be closed.
func (r *sqlRun) attachTables(ctx context.Context, db *embedded.DB) (inUse bool, err error) {
	for _, attach := range r.attach {
		name, file, _ := strings.Cut(attach, "=")
		_, err := stdio.Within(ctx, func() (any, error) {
			if file == "-" {
				return nil, db.AttachCSVFrom(name, "standard input", r.awaiter().reader(r.stdin, "standard input"))
			}
			defer r.awaiter().startFiles(file)()
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
