// Package changes writes the results of the changes command, one output format per file.
package changes

import (
	"io"
	"slices"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/display"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/report"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/rowformat"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/scan"
)

// A Result is what the history store says of an address since a time.
type Result struct {
	// Latest is the newest state of the address, or why there is none. It is nil for an address without changes.
	Latest *scan.Observed
	// Checked is when a source last responded about the address, if that was since the time.
	Checked time.Time
	// Changes are the selected changes.
	Changes []*scan.Change
	// Unchecked says why nothing is known of the address since the time, such as "never checked", or since its last
	// response, or that facts cannot be read. It is empty for an address that was checked.
	Unchecked string
	// NotChecked is the address with the status not_checked, or error if facts cannot be read, for formats with a row about it.
	NotChecked *scan.Observed
	// LookupsFailed says that lookups of the address have failed since its last response.
	LookupsFailed bool
	// Unreadable says that the history has facts of the address that cannot be read, so that not all its changes are known.
	Unreadable bool
	// Reserved says that the address is never checked, because it cannot be on the internet.
	Reserved bool
	// Failed is the address with Unchecked as the error, for formats that know addresses that could not be checked.
	Failed *scan.Observed
}

// A Writer writes results in a format.
type Writer interface {
	Write(Result) error
	// Close completes the output. After an error it is not called, and the output is incomplete.
	Close() error
}

// Options are what formats may use besides the results.
type Options struct {
	// Since is from when on changes are shown.
	Since time.Time
	// Width is the width of the output; 0 is unlimited.
	Width   int
	Painter display.Painter
	// EscapeFormulas makes csv safe for spreadsheets, see [rowformat.Options].
	EscapeFormulas bool
	// Levels are the levels whose addresses are indicators.
	Levels []reputation.Level
	// Now is the time of the command.
	Now time.Time
	// Summary returns the summary of all results. It is called in Close.
	Summary func() Summary
}

// A Format is an output format.
type Format struct {
	Name, Help string
	// Paged says that the output is for people, who read it in a pager if it is longer than their terminal.
	Paged bool
	// KeepsUnchecked says that addresses that were not checked are written even if they are not selected.
	KeepsUnchecked bool
	// AddressesOnly says that the output has addresses and nothing else: an address in it has changed.
	AddressesOnly bool
	// HasSummary says that the output ends with the summary.
	HasSummary bool
	New        func(out io.Writer, o Options) Writer
}

// Formats are the output formats, the default first.
var Formats = slices.Concat([]Format{
	{Name: "table", Help: "a table with a summary, the worst first", Paged: true, HasSummary: true, New: newTableWriter},
	{Name: "jsonl", Help: "one JSON object per line and change", New: newRowWriter("jsonl")},
	{Name: "csv", Help: "a header, and one line per change", New: newRowWriter("csv")},
	{Name: "json", Help: "one JSON document with columns and rows", New: newRowWriter("json")},
	{Name: rowformat.Parquet, Help: "a Parquet file with the columns of csv, with their types", New: newRowWriter(rowformat.Parquet)},
	{Name: "markdown", Help: "a Markdown table with a summary, the worst first", HasSummary: true, New: newMarkdownWriter},
}, addressFormats("list", "cidr", "nft", "stix", "ecs", "ocsf", "misp"))

// Names are the names of the formats.
func Names() []string {
	names := make([]string, len(Formats))
	for i, f := range Formats {
		names[i] = f.Name
	}
	return names
}

// Find returns the format of a name.
func Find(name string) (Format, bool) {
	i := slices.IndexFunc(Formats, func(f Format) bool { return f.Name == name })
	if i < 0 {
		return Format{}, false
	}
	return Formats[i], true
}

// addressFormats are formats of package report, which have each address once, with its newest verdict.
func addressFormats(names ...string) []Format {
	var formats []Format
	for _, name := range names {
		f, known := report.Find(name)
		if !known {
			panic("there is no format " + name)
		}
		formats = append(formats, Format{
			Name: name, Help: f.Help, KeepsUnchecked: f.KeepsUnchecked, AddressesOnly: f.AddressesOnly,
			New: func(out io.Writer, o Options) Writer {
				w := &addressWriter{}
				w.out = f.New(out, report.Options{Width: o.Width, Levels: o.Levels, Now: o.Now, Summary: func() report.Summary {
					w.summary.Policy = o.Summary().Policy
					return w.summary
				}})
				return w
			},
		})
	}
	return formats
}

// An addressWriter writes each address with its newest verdict.
type addressWriter struct {
	out     report.Writer
	summary report.Summary // of the addresses that are written
}

func (w *addressWriter) Write(r Result) error {
	shown := r.Latest
	if r.Failed != nil && !r.isBad() {
		shown = r.Failed
	}
	w.summary.Total++
	w.summary.Add(report.OutcomeOf(shown.Verdict, 0), 1) // it is an address, so that no limit matters
	return w.out.Write(report.Result{Verdict: shown.Verdict, Hits: 1})
}

// isBad reports whether the address has changed and was bad then. A later lookup that failed does not hide that.
func (r Result) isBad() bool {
	return len(r.Changes) > 0 && slices.Contains([]reputation.Level{reputation.Medium, reputation.High, reputation.Critical}, r.Latest.Level())
}

func (w *addressWriter) Close() error { return w.out.Close() }
