package cli

import (
	"context"
	"errors"
	"io"
	"iter"
	"net/netip"
	"os"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/report"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/stdio"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/embedded"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/scan"
)

// A check is one run of a checkCommand whose targets are known.
type check struct {
	*checkCommand
	connection embedded.Connection
	checker    *scan.Checker
	list       *targetList
	bar        *progressBar
	summary    report.Summary
	written    writtenLevels
	checked    checkedCount
}

// write writes the results to standard output or a file.
func (c *check) write(ctx context.Context, stdout io.Writer) error {
	o := plainOptions()
	o.EscapeFormulas = c.escapeFormulas
	write := func(w io.Writer) error { return c.writeResults(ctx, w, o) }
	if c.file != "" {
		return c.writeFile(ctx, c.file, func(w io.Writer) error { return stdio.WriteBuffered(w, write) })
	}
	if stdio.IsTerminal(stdout) {
		o.Width, o.Painter = stdio.Width(stdout), stdio.Painter(stdout, c.noColor)
		if c.output.Paged && !c.noPager {
			return stdio.PageOutput(stdout, func(w io.Writer) error {
				defer c.bar.end() // the pager writes to the same terminal
				return write(w)
			})
		}
	}
	return stdio.WriteBuffered(stdout, write)
}

// writeResults looks up the targets, and writes the results that are selected.
func (c *check) writeResults(ctx context.Context, w io.Writer, o report.Options) error {
	began := time.Now()
	c.summary.Policy, c.summary.Total = c.checker.Policy(), c.list.len()
	o.Total, o.Levels, o.Now = c.list.len(), indicatorLevels(c.selectedWords()), began
	o.Summary = func() report.Summary {
		s := c.summary
		s.Failures = c.bar.progress.Summary().Failures
		s.Requests, s.Credits, s.FromCache = c.checker.Requests(), c.checker.Credits(), c.bar.progress.State().FromCache
		s.Duration = time.Since(began)
		return s
	}
	if c.output.ReadsHistory {
		o.Changes = c.changes(ctx)
	}
	out := c.output.New(w, o)
	converter := c.converter(out)
	if !converter.Keeps && c.checker.HasInternetDBFile() && os.Getenv("GOGC") == "" {
		// Most memory is used again and again. To collect the little garbage earlier takes hardly any time, and saves a
		// quarter of the memory.
		defer debug.SetGCPercent(debug.SetGCPercent(50))
	}
	ctx = lookup.WithProgress(ctx, c.bar.progress)
	var collected collection
	for part, err := range scan.CheckParts(ctx, c.checker, c.list.all(), c.list.countable, converter) {
		if err != nil {
			return err
		}
		c.count(part)
		if c.collects() {
			collected.add(part)
		} else if err := part.write(out); err != nil {
			return err
		}
	}
	if err := collected.write(out); err != nil {
		return err
	}
	return out.Close()
}

// changes returns what reads the changes of addresses from the history of the connection. It is nil if there is none, or
// if only the dataset is used, which has no history.
func (c *check) changes(ctx context.Context) func([]netip.Addr) iter.Seq2[*scan.Change, error] {
	reader, err := shodanrep.NewHistoryReader(ctx, c.connection.Name, c.connection.Config, shodanrep.CheckOptions{
		Policy: c.policy, Source: c.source, Logger: c.logger(false),
	})
	if err != nil {
		return nil
	}
	return func(addresses []netip.Addr) iter.Seq2[*scan.Change, error] {
		return func(yield func(*scan.Change, error) bool) {
			for o, err := range reader.Observations(ctx, addresses) {
				if err != nil {
					yield(nil, err)
					return
				}
				for _, change := range o.Changes(nil) {
					if !yield(change, nil) {
						return
					}
				}
				for _, unreadable := range o.Unreadable(nil) {
					yield(nil, errors.New(unreadable.Answer().Error))
					return
				}
			}
		}
	}
}

// plainOptions are the options for output that does not go to a terminal: the environment variable COLUMNS sets the
// width, which is unlimited by default.
func plainOptions() report.Options {
	width, err := strconv.Atoi(os.Getenv("COLUMNS"))
	if err != nil || width < 0 {
		width = 0
	}
	return report.Options{Width: width}
}
