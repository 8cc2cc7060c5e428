package cli

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// printRelated prints what was found.
func (a *app) printRelated(output, ip string, f *relatedFinder) error {
	switch output {
	case "jsonl":
		encoder := json.NewEncoder(a.jsonOut())
		encoder.SetEscapeHTML(false)
		for _, h := range f.hosts {
			if err := encoder.Encode(h); err != nil {
				return err
			}
		}
		return nil
	case "mermaid":
		return writeMermaid(a.stdout, ip, f.hosts)
	case "dot":
		return writeDot(a.stdout, ip, f.hosts)
	}
	return a.printRelatedTables(ip, f)
}

// relatedAdvice says how to see the columns that have no room.
const relatedAdvice = "use --output jsonl or a wider terminal"

// printRelatedTables prints the values that were searched for, and then the hosts, the worst first.
func (a *app) printRelatedTables(ip string, f *relatedFinder) error {
	if len(f.values) == 0 {
		_, err := fmt.Fprintf(a.stdout, "%s has nothing that other hosts could share\n", ip)
		return err
	}
	var values [][]string
	alone := 0
	for _, v := range f.values {
		if v.Total <= 1 && v.Note == noNewHosts {
			alone++
			continue
		}
		values = append(values, []string{
			v.From, string(v.Pivot), printable(v.Value), strconv.FormatInt(v.Total, 10), strconv.FormatInt(v.Cost, 10), printable(v.Note),
		})
	}
	if len(values) > 0 {
		columns := textColumns("ip", "pivot", "value", "services", "credits", "result")
		columns[2].least, columns[3].right, columns[4].right, columns[5].keep = leastWidth, true, true, true
		if err := a.writeTable(textTable{columns: columns, cells: values, maxLines: maxCellLines, advice: relatedAdvice}); err != nil {
			return err
		}
	}
	if alone > 0 {
		if _, err := fmt.Fprintf(a.stdout, "%s that no other host has\n", plural(int64(alone), "value")); err != nil {
			return err
		}
	}
	if len(f.hosts) == 0 {
		_, err := fmt.Fprintln(a.stdout, "no related hosts")
		return err
	}
	if len(values)+alone > 0 {
		if _, err := fmt.Fprintln(a.stdout); err != nil {
			return err
		}
	}
	worstFirst := slices.Clone(f.hosts)
	slices.SortStableFunc(worstFirst, func(x, y *relatedHost) int {
		return cmp.Or(cmp.Compare(x.Hop, y.Hop), cmp.Compare(orMinus(y.Score), orMinus(x.Score)))
	})
	columns := textColumns("related host", "verdict", "score", "by", "value", "port", "organization")
	columns[1].level, columns[2].right, columns[4].least, columns[5].right = true, true, leastWidth, true
	if f.hops > 1 {
		columns = append(columns, &textColumn{title: "related to"})
	}
	var hosts [][]string
	for _, h := range worstFirst {
		score := null
		if h.Score != nil {
			score = strconv.FormatInt(*h.Score, 10)
		}
		verdict := h.Level
		if h.Status != "indexed" {
			verdict = h.Status
		}
		row := []string{
			h.IP, printable(verdict), score, strings.Join(append([]string{string(h.Pivot)}, h.Also...), ", "), printable(h.Value), strconv.FormatInt(h.Port, 10), printable(h.Organization),
		}
		if f.hops > 1 {
			row = append(row, h.From)
		}
		hosts = append(hosts, row)
	}
	if err := a.writeTable(textTable{columns: columns, cells: hosts, maxLines: maxCellLines, advice: relatedAdvice}); err != nil {
		return err
	}
	_, err := fmt.Fprintf(a.stdout, "%s; verdicts by the policy %s\n", plural(int64(len(f.hosts)), "related host"), f.policy)
	return err
}

// noNewHosts is the note of a search that found nothing new.
var noNewHosts = plural(0, "new host")

func orMinus(score *int64) int64 {
	if score == nil {
		return -1
	}
	return *score
}

// graphName is what a node of a graph shows: the address and its verdict.
func graphName(h *relatedHost) string {
	if h.Status == "indexed" && h.Score != nil {
		return fmt.Sprintf("%s (%s, %d)", h.IP, h.Level, *h.Score)
	}
	return fmt.Sprintf("%s (%s)", h.IP, h.Status)
}

// graphValue is what an edge of a graph shows: the pivot and the start of its value.
func graphValue(h *relatedHost) string {
	value := []rune(printable(h.Value))
	if len(value) > 40 {
		value = append(value[:39], '…')
	}
	return string(h.Pivot) + " " + string(value)
}

// writeMermaid writes a Mermaid flowchart.
func writeMermaid(w io.Writer, ip string, hosts []*relatedHost) error {
	escape := func(s string) string {
		return strings.NewReplacer("#", "#35;", `"`, "#quot;", "<", "#lt;", ">", "#gt;", "\n", " ").Replace(s)
	}
	nodes := map[string]string{ip: "n0"}
	var b strings.Builder
	fmt.Fprintf(&b, "graph LR\n  n0[\"%s\"]\n", escape(ip))
	for i, h := range hosts {
		nodes[h.IP] = fmt.Sprintf("n%d", i+1)
		fmt.Fprintf(&b, "  %s[\"%s\"]\n", nodes[h.IP], escape(graphName(h)))
		fmt.Fprintf(&b, "  %s -->|\"%s\"| %s\n", nodes[h.From], escape(graphValue(h)), nodes[h.IP])
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// writeDot writes a graph for Graphviz.
func writeDot(w io.Writer, ip string, hosts []*relatedHost) error {
	quote := func(s string) string {
		return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", " ").Replace(s) + `"`
	}
	var b strings.Builder
	fmt.Fprintf(&b, "digraph related {\n  rankdir=LR;\n  %s;\n", quote(ip))
	for _, h := range hosts {
		fmt.Fprintf(&b, "  %s [label=%s];\n", quote(h.IP), quote(graphName(h)))
		fmt.Fprintf(&b, "  %s -> %s [label=%s];\n", quote(h.From), quote(h.IP), quote(graphValue(h)))
	}
	b.WriteString("}\n")
	_, err := io.WriteString(w, b.String())
	return err
}
