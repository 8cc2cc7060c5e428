package related

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/display"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/report"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/rowformat"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/texttable"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
)

// Formats are the output formats.
var Formats = []string{"table", "jsonl", "mermaid", "dot", "stix", "misp"}

// Write writes a result in a format.
func Write(format string, out io.Writer, r *Result, noColor bool) error {
	switch format {
	case "jsonl":
		return writeJSONLines(out, r.Hosts)
	case "mermaid":
		return writeMermaid(out, r)
	case "dot":
		return writeDot(out, r)
	case "stix":
		return report.WriteRelatedSTIX(out, exchanged(r))
	case "misp":
		return report.WriteRelatedMISP(out, exchanged(r))
	}
	return writeTables(out, r, rowformat.Options{NoColor: noColor})
}

func writeJSONLines(out io.Writer, hosts []*Host) error {
	encoder := json.NewEncoder(rowformat.JSONOutput(out))
	encoder.SetEscapeHTML(false)
	for _, h := range hosts {
		if err := encoder.Encode(h); err != nil {
			return err
		}
	}
	return nil
}

// noNewHosts is the note of a search that found nothing new.
var noNewHosts = display.Plural(0, "new host")

// writeTables writes the values that were searched for, and then the hosts.
func writeTables(out io.Writer, r *Result, o rowformat.Options) error {
	if len(r.Values) == 0 {
		what := "nothing that other hosts could share"
		if r.Named {
			what = "no value of the pivots that --pivots names"
		}
		_, err := fmt.Fprintf(out, "%s has %s\n", r.IP, what)
		return err
	}
	var shared [][]string
	unique := 0
	for _, v := range r.Values {
		if v.Total <= 1 && v.Note == noNewHosts {
			unique++
			continue
		}
		shared = append(shared, []string{
			v.From, string(v.Pivot), display.Printable(v.Value), strconv.FormatInt(v.Total, 10), strconv.FormatInt(v.Cost, 10), display.Printable(v.Note),
		})
	}
	if len(shared) > 0 {
		columns := texttable.Columns("ip", "pivot", "value", "services", "credits", "result")
		columns[2].MinWidth, columns[3].Right, columns[4].Right, columns[5].Keep = display.MinWidth, true, true, true
		if err := writeTable(out, columns, shared, o); err != nil {
			return err
		}
	}
	var b bytes.Buffer
	if unique > 0 {
		fmt.Fprintf(&b, "%s that no other host has\n", display.Plural(int64(unique), "value"))
	}
	if unsearched := r.UnsearchedText(); len(r.Hosts) == 0 && unsearched != "" {
		fmt.Fprintf(&b, "no related hosts found; %s\n", unsearched)
	} else if len(r.Hosts) == 0 {
		b.WriteString("no related hosts\n")
	} else if len(shared)+unique > 0 {
		b.WriteByte('\n')
	}
	if _, err := b.WriteTo(out); err != nil || len(r.Hosts) == 0 {
		return err
	}
	if err := writeHosts(out, r, o); err != nil {
		return err
	}
	_, err := fmt.Fprintf(out, "%s; verdicts by the policy %s\n", display.Plural(int64(len(r.Hosts)), "related host"), display.Printable(r.Policy))
	return err
}

// writeHosts writes the table of hosts, the worst of each hop first.
func writeHosts(out io.Writer, r *Result, o rowformat.Options) error {
	columns := texttable.Columns("related host", "verdict", "score", "by", "value", "port", "organization")
	columns[1].Level, columns[2].Right, columns[4].MinWidth, columns[5].Right = true, true, display.MinWidth, true
	if r.Hops > 1 {
		columns = append(columns, &texttable.Column{Title: "related to"})
	}
	score := func(h *Host) int64 {
		if h.Score == nil {
			return -1
		}
		return *h.Score
	}
	worstFirst := slices.Clone(r.Hosts)
	slices.SortStableFunc(worstFirst, func(a, b *Host) int {
		return cmp.Or(cmp.Compare(a.Hop, b.Hop), cmp.Compare(score(b), score(a)))
	})
	var rows [][]string
	for _, h := range worstFirst {
		shown := rowformat.Null
		if h.Score != nil {
			shown = strconv.FormatInt(*h.Score, 10)
		}
		verdict := h.Level
		if h.Status != string(lookup.Indexed) {
			verdict = h.Status
		}
		pivots := strings.Join(append([]string{string(h.Pivot)}, h.Also...), ", ")
		row := []string{h.IP, display.Printable(verdict), shown, pivots, display.Printable(h.Value), strconv.FormatInt(h.Port, 10), display.Printable(h.Organization)}
		if r.Hops > 1 {
			row = append(row, h.From)
		}
		rows = append(rows, row)
	}
	return writeTable(out, columns, rows, o)
}

func writeTable(out io.Writer, columns []*texttable.Column, rows [][]string, o rowformat.Options) error {
	return rowformat.WriteTable(out, texttable.Table{
		Columns: columns, Cells: rows, MaxLines: rowformat.MaxCellLines, Advice: "use --output jsonl or a wider terminal",
	}, o)
}
