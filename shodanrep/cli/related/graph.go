package related

import (
	"fmt"
	"io"
	"strings"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/display"
)

// graphName returns the label of a node: the address and its verdict.
func graphName(h *Host) string {
	if h.Status == "indexed" && h.Score != nil {
		return fmt.Sprintf("%s (%s, %d)", h.IP, h.Level, *h.Score)
	}
	return fmt.Sprintf("%s (%s)", h.IP, h.Status)
}

// graphValue returns the label of an edge: the pivot and the start of its value.
func graphValue(h *Host) string {
	value := []rune(display.Printable(h.Value))
	if len(value) > 40 {
		value = append(value[:39], '…')
	}
	return string(h.Pivot) + " " + string(value)
}

// writeMermaid writes a Mermaid flowchart.
func writeMermaid(w io.Writer, r *Result) error {
	escape := func(s string) string {
		return strings.NewReplacer("#", "#35;", `"`, "#quot;", "<", "#lt;", ">", "#gt;", "\n", " ").Replace(s)
	}
	nodes := map[string]string{r.IP: "n0"}
	var b strings.Builder
	fmt.Fprintf(&b, "graph LR\n  n0[\"%s\"]\n", escape(r.IP))
	for i, h := range r.Hosts {
		nodes[h.IP] = fmt.Sprintf("n%d", i+1)
		fmt.Fprintf(&b, "  %s[\"%s\"]\n", nodes[h.IP], escape(graphName(h)))
		fmt.Fprintf(&b, "  %s -->|\"%s\"| %s\n", nodes[h.From], escape(graphValue(h)), nodes[h.IP])
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// writeDot writes a graph for Graphviz.
func writeDot(w io.Writer, r *Result) error {
	quote := func(s string) string {
		return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", " ").Replace(s) + `"`
	}
	var b strings.Builder
	fmt.Fprintf(&b, "digraph related {\n  rankdir=LR;\n  %s;\n", quote(r.IP))
	for _, h := range r.Hosts {
		fmt.Fprintf(&b, "  %s [label=%s];\n", quote(h.IP), quote(graphName(h)))
		fmt.Fprintf(&b, "  %s -> %s [label=%s];\n", quote(h.From), quote(h.IP), quote(graphValue(h)))
	}
	b.WriteString("}\n")
	_, err := io.WriteString(w, b.String())
	return err
}
