// Package report writes the results of the check command, one output format per file.
//
// To add a format, write a type with the methods of [Writer] in a file of its own, and add it to [Formats].
package report

import (
	"io"
	"iter"
	"net/netip"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/display"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/rowformat"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/scan"
)

// A Writer writes results in a format.
type Writer interface {
	// Write adds a result. Formats that are not AtEnd write it at once.
	Write(Result) error
	// Close completes the output. After an error it is not called, and the output is incomplete.
	Close() error
}

// An Appender is a Writer of a format in which the text of a result does not depend on other results. The texts of many
// results can be made on all processors, and are then written in the order of the results.
type Appender interface {
	Writer
	// Append appends the text of a result to b. It may be called concurrently.
	Append(b []byte, r Result) []byte
	// WriteText writes the texts of one or more results.
	WriteText(text []byte) error
}

// A Reducer is a Writer of a format in which results are not text at once, mostly because the text depends on all of them. It
// keeps only what the format needs of a result, and not the response that the result refers to.
type Reducer interface {
	Writer
	// Reduce takes what the format needs of a result, and returns the function that adds it. Reduce may be called
	// concurrently, and the functions it returns one after the other. Nothing refers to the result afterwards.
	Reduce(r Result) (add func() error)
}

// A Format is an output format.
type Format struct {
	// Name is the value of --output, and Help says in some words what it is.
	Name, Help string
	// WorstFirst says that results must be written in the order of [WorstFirst].
	WorstFirst bool
	// Sorts says that the output has an order of its own, whatever the order of the results.
	Sorts bool
	// AtEnd says that nothing is written before Close.
	AtEnd bool
	// Paged says that the output is for people, who read it in a pager if it is longer than their terminal.
	Paged bool
	// IsFile says that the output is a file for another program, such as a browser, and not for a terminal.
	IsFile bool
	// ReadsHistory says that the format uses Options.Changes.
	ReadsHistory bool
	// KeepsUnchecked says that results that were not checked are written even if they are not selected: for a platform,
	// an address that is missing would look like one without findings.
	KeepsUnchecked bool
	// AddressesOnly says that nothing in the output tells a critical address from one that was not checked.
	AddressesOnly bool
	// New returns a Writer to out.
	New func(out io.Writer, o Options) Writer
}

// Formats are the output formats, the default first.
var Formats = []Format{
	{Name: "table", Help: "a table, or cards for up to three addresses, with a summary", WorstFirst: true, AtEnd: true, Paged: true, New: newTableWriter},
	{Name: "jsonl", Help: "one JSON object per line and address", New: newRowWriter("jsonl")},
	{Name: "csv", Help: "a header, and one line per address", New: newRowWriter("csv")},
	{Name: "json", Help: "one JSON document with columns and rows", New: newRowWriter("json")},
	{Name: rowformat.Parquet, Help: "a Parquet file with the columns of csv, with their types", IsFile: true, New: newParquetWriter},
	{Name: "markdown", Help: "a Markdown table with a summary", WorstFirst: true, AtEnd: true, New: newMarkdownWriter},
	{Name: "html", Help: "a page in one file: charts, a table to filter, the worst in detail", Sorts: true, AtEnd: true, IsFile: true, ReadsHistory: true, New: newHTMLWriter},
	{Name: "list", Help: "the addresses, one per line", AddressesOnly: true, New: newListWriter},
	{Name: "cidr", Help: "the smallest set of networks that covers exactly these addresses", Sorts: true, AtEnd: true, AddressesOnly: true, New: newCIDRWriter},
	{Name: "nft", Help: "an nftables table with the addresses as sets", Sorts: true, AtEnd: true, AddressesOnly: true, New: newNftWriter},
	{Name: "stix", Help: "a STIX 2.1 bundle for OpenCTI and others", KeepsUnchecked: true, New: newSTIXWriter},
	{Name: "ecs", Help: "one event of the Elastic Common Schema per line and address", KeepsUnchecked: true, New: newEventWriter(newECSEvent)},
	{Name: "ocsf", Help: "one OCSF event (OSINT Inventory Info) per line and address", KeepsUnchecked: true, New: newEventWriter(newOCSFEvent)},
	{Name: "cortex", Help: "the report of a Cortex analyzer per line and address", KeepsUnchecked: true, New: newEventWriter(newCortexReport)},
	{Name: "misp", Help: "a MISP event with attributes and objects", AtEnd: true, KeepsUnchecked: true, New: newMISPWriter},
}

// Options are what formats may use besides the results.
type Options struct {
	// Total is how many addresses and networks are checked, whether or not they are selected.
	Total int
	// Width is the width of the output; 0 is unlimited.
	Width int
	// Painter colours text.
	Painter display.Painter
	// EscapeFormulas makes csv safe for spreadsheets, see [rowformat.Options].
	EscapeFormulas bool
	// Levels are the levels whose addresses are indicators.
	Levels []reputation.Level
	// Now is the time of the check.
	Now time.Time
	// Summary returns the summary of all results. It is called in Close.
	Summary func() Summary
	// Changes yields how addresses changed, as far as the history has it. It is nil if there is no history.
	Changes func([]netip.Addr) iter.Seq2[*scan.Change, error]
}

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
	for _, f := range Formats {
		if f.Name == name {
			return f, true
		}
	}
	return Format{}, false
}
