//go:build unix

package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// A figure is a row of the table.
type figure struct {
	number   int
	what     string
	measured string
	bound    string // what the best there is would need, from the same run's conditions
	ratio    string // measured to bound
	reach    string
	reached  bool
	notes    []string // what else there is to know of the measurement
}

// printTable writes the table as Markdown, and reports whether all figures are reached.
func printTable(w io.Writer, figures []figure) (reached bool, err error) {
	slices.SortFunc(figures, func(a, b figure) int { return a.number - b.number })
	rows := [][]string{{"#", "figure", "measured", "bound", "ratio", "to be reached", "reached"}}
	reached = true
	var notes strings.Builder
	for _, f := range figures {
		verdict := "yes"
		if !f.reached {
			verdict, reached = "**no**", false
		}
		rows = append(rows, []string{fmt.Sprint(f.number), f.what, f.measured, f.bound, f.ratio, f.reach, verdict})
		for _, note := range f.notes {
			fmt.Fprintf(&notes, "- Figure %d: %s.\n", f.number, note)
		}
	}
	_, err = fmt.Fprintf(w, "%s\n\n%s\n%s", machine(), markdown(rows), notes.String())
	return reached, err
}

// markdown returns rows as an aligned table. The first row is the header.
func markdown(rows [][]string) string {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	var b strings.Builder
	for n, row := range rows {
		for i, cell := range row {
			b.WriteString("| " + cell + strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell)) + " ")
		}
		b.WriteString("|\n")
		if n == 0 {
			for _, width := range widths {
				b.WriteString("| " + strings.Repeat("-", width) + " ")
			}
			b.WriteString("|\n")
		}
	}
	return b.String()
}

// seconds formats a duration.
func seconds(d time.Duration) string { return fmt.Sprintf("%.2f s", d.Seconds()) }

// times formats a ratio.
func times(ratio float64) string { return fmt.Sprintf("%.2f ×", ratio) }

// megabytes formats a size. A megabyte is a million bytes.
func megabytes(bytes int64) string { return fmt.Sprintf("%.0f MB", float64(bytes)/1e6) }
