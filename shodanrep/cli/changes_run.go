package cli

import (
	"context"
	"fmt"
	"io"
	"iter"
	"net/netip"
	"slices"
	"strings"
	"time"

	"go4.org/netipx"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/changes"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/display"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/stdio"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/scan"
)

// A changesRun is one run of a changesCommand.
type changesRun struct {
	*changesCommand
	reader  *scan.HistoryReader
	list    *targetList
	summary changes.Summary
	written writtenLevels
}

// write writes the results to standard output or a file.
func (r *changesRun) write(ctx context.Context) error {
	o := changes.Options{Width: plainOptions().Width, EscapeFormulas: r.escapeFormulas}
	write := func(w io.Writer) error { return r.writeResults(ctx, w, o) }
	if r.file != "" {
		return r.writeFile(ctx, r.file, func(w io.Writer) error { return stdio.WriteBuffered(w, write) })
	}
	if stdio.IsTerminal(r.stdout) {
		o.Width, o.Painter = stdio.Width(r.stdout), stdio.Painter(r.stdout, r.noColor)
		if r.output.Paged && !r.noPager {
			return stdio.PageOutput(r.stdout, write)
		}
	}
	return stdio.WriteBuffered(r.stdout, write)
}

// writeResults writes what is selected.
func (r *changesRun) writeResults(ctx context.Context, w io.Writer, o changes.Options) error {
	o.Since, o.Now, o.Levels = r.from, time.Now(), indicatorLevels(r.indicatorsOf)
	r.summary = changes.Summary{Policy: r.reader.Policy(), Since: r.from, Now: o.Now}
	o.Summary = func() changes.Summary { return r.summary }
	out := r.output.New(w, o)
	var checked netipx.IPSetBuilder
	err := r.observations(ctx, func(observations *scan.Observations, named bool) error {
		result, ok := r.result(observations, named)
		if !ok {
			return nil
		}
		r.summary.Count(result)
		r.failOn.count(result)
		if !result.Checked.IsZero() && r.list != nil && r.list.networks > 0 {
			checked.Add(observations.Addr)
		}
		if !r.selects(&result) {
			return nil
		}
		r.summary.Shown++
		if r.output.AddressesOnly && result.Latest != nil {
			r.written.add(result.Latest.Level(), 1)
		}
		return out.Write(result)
	})
	if err == nil && r.list != nil {
		err = r.countNetworks(&checked)
	}
	if err != nil {
		return err
	}
	if r.list != nil && (r.list.len() == 0 || r.list.malformed.found()) || r.list == nil && r.summary.Checked == 0 {
		r.failOn.countUnchecked()
	}
	return out.Close()
}

// countNetworks counts the networks of the inputs of which no address was checked since the time. Nobody can check
// those that are reserved.
func (r *changesRun) countNetworks(checked *netipx.IPSetBuilder) error {
	set, err := checked.IPSet()
	if err != nil {
		return err
	}
	for p := range r.list.all() {
		if !p.IsSingleIP() && !set.OverlapsPrefix(p) && !lookup.IsReservedNetwork(p) {
			r.summary.UncheckedNetworks++
			r.failOn.countUnchecked()
		}
	}
	return nil
}

// observations calls use for each address of the inputs, and for each address of their networks that was checked since
// the time; without inputs for all that were.
func (r *changesRun) observations(ctx context.Context, use func(o *scan.Observations, named bool) error) error {
	each := func(all iter.Seq2[*scan.Observations, error], named bool) error {
		for o, err := range all {
			if err != nil {
				return err
			}
			if err := use(o, named); err != nil {
				return err
			}
		}
		return nil
	}
	if r.list == nil {
		return each(r.reader.AllObservations(ctx, r.from, nil), false)
	}
	addresses := []netip.Addr{}
	var networks netipx.IPSetBuilder
	for p := range r.list.all() {
		if p.IsSingleIP() {
			addresses = append(addresses, p.Addr())
		} else {
			networks.AddPrefix(p)
		}
	}
	if err := each(r.reader.Observations(ctx, addresses), true); err != nil || r.list.networks == 0 {
		return err
	}
	for _, addr := range addresses {
		networks.Remove(addr)
	}
	set, err := networks.IPSet()
	if err != nil {
		return err
	}
	return each(r.reader.AllObservations(ctx, r.from, set.Contains), false)
}

// result returns the result of an address with all its changes. It returns false for an address that nobody named and
// that was not looked up since the time.
func (r *changesRun) result(o *scan.Observations, named bool) (changes.Result, bool) {
	last, failure := o.LastChecked(), o.Failure()
	if !last.IsZero() && !last.Before(r.from.Truncate(time.Second)) {
		result := changes.Result{Checked: last, Changes: o.Changes(scan.Since(r.from))}
		if len(result.Changes) > 0 { // scoring all others would cost most of the time
			result.Latest = o.Latest()
		}
		if failure != nil {
			setUnchecked(&result, o, "not checked since "+minute(last))
		}
		setUnreadable(&result, o, scan.Since(r.from))
		return result, true
	}
	if !named && failure == nil {
		return changes.Result{}, false
	}
	result := changes.Result{Latest: o.Latest()}
	switch {
	case !last.IsZero():
		setUnchecked(&result, o, "not checked since "+minute(last))
	case result.Latest.Status() == lookup.Reserved:
		result.Unchecked, result.Reserved = "never checked: a private, local or reserved address", true
		result.NotChecked = result.Latest
	default:
		setUnchecked(&result, o, "never checked")
	}
	return result, true
}

// setUnchecked sets in a result that its address was not checked, and why, if lookups are known to have failed.
func setUnchecked(r *changes.Result, o *scan.Observations, text string) {
	problem := ""
	if f := o.Failure(); f != nil {
		r.LookupsFailed = true
		problem = fmt.Sprintf("the last lookup failed at %s: %s", minute(f.Last), f.Reason)
		if f.Lookups > 1 {
			problem = fmt.Sprintf("%d lookups failed from %s to %s, the last with: %s", f.Lookups, minute(f.First), minute(f.Last), f.Reason)
		}
		text += ": " + problem
	}
	r.Unchecked = text
	r.NotChecked, r.Failed = o.Without(scan.NotChecked, problem), o.Without(lookup.Failed, text)
	r.NotChecked.Last = o.LastChecked()
}

// setUnreadable sets in a result that not all its changes are known, if facts of the address cannot be read.
func setUnreadable(r *changes.Result, o *scan.Observations, since []scan.Bound) {
	unreadable := o.Unreadable(since)
	if len(unreadable) == 0 {
		return
	}
	last := unreadable[len(unreadable)-1]
	r.Unreadable = true
	if r.Unchecked != "" { // as are changes after the last response, which is told already
		return
	}
	r.Unchecked = last.Answer().Error
	r.NotChecked, r.Failed = last.Observed, o.Without(lookup.Failed, r.Unchecked)
}

// minute formats a time for people.
func minute(t time.Time) string { return t.UTC().Format("2006-01-02 15:04") + " UTC" }

// selects keeps the selected changes of a result, and reports whether it is written.
func (r *changesRun) selects(result *changes.Result) bool {
	keepsUnchecked := result.Unchecked != "" && (r.only == nil && !r.hasMinScore && !r.output.AddressesOnly ||
		r.only != nil && r.only.unchecked || r.output.KeepsUnchecked)
	if !keepsUnchecked {
		result.Unchecked, result.Failed = "", nil
	}
	result.Changes = slices.DeleteFunc(slices.Clone(result.Changes), func(change *scan.Change) bool {
		if r.hasMinScore && (change.Score() == nil || change.Score().Score < r.minScore) {
			return true
		}
		return r.only != nil && r.only.match(change) == ""
	})
	return len(result.Changes) > 0 || keepsUnchecked
}

// notices returns what a user must know: which addresses were not checked.
func (r *changesRun) notices() []string {
	advice := func(n int) string {
		if n == 1 {
			return `run "shodanrep check --refresh" on it`
		}
		return `run "shodanrep check --refresh" on them`
	}
	var lines []string
	if r.list != nil {
		lines = r.list.malformed.notices()
	}
	if r.output.AddressesOnly && r.only == nil {
		lines = append(lines, r.written.notices()...)
	}
	since := minute(r.from)
	if n := r.summary.Unchecked; n > 0 {
		line := fmt.Sprintf("%d of %s were not checked since %s", n, display.Plural(int64(n+r.summary.Checked), "address"), since)
		if n+r.summary.Checked == 1 {
			line = "the address was not checked since " + since
		}
		if r.summary.Never == n {
			line = strings.ReplaceAll(strings.TrimSuffix(line, " since "+since), "not checked", "never checked")
		} else if r.summary.Never > 0 {
			line += fmt.Sprintf(", %d of them never", r.summary.Never)
		}
		lines = append(lines, line+": "+advice(n))
	}
	if n := r.summary.LookupsFailed; n > 0 {
		lines = append(lines, fmt.Sprintf("the last lookup of %s failed: changes since then are not known; %s", display.Plural(int64(n), "address"), advice(n)))
	}
	if n := r.summary.Unreadable; n > 0 {
		lines = append(lines, fmt.Sprintf("the history has facts of %s that cannot be read: not all changes are known", display.Plural(int64(n), "address")))
	}
	if last := r.summary.LastResponses(); last != "" && !r.output.HasSummary {
		lines = append(lines, strings.ToLower(last[:1])+last[1:])
	}
	if r.list == nil && r.summary.Checked == 0 && r.summary.Unchecked == 0 {
		lines = append(lines, "no address was checked since "+since+`: run "shodanrep check --refresh" first`)
	}
	if r.list != nil && r.list.networks > 0 {
		lines = append(lines, "of networks only the addresses that were checked since "+since+" are shown; nothing is known of the others")
		if n := r.summary.UncheckedNetworks; n > 0 {
			lines = append(lines, fmt.Sprintf(`%s no address that was checked since then: run "shodanrep check --refresh --expand"`, have(n)))
		}
	}
	return lines
}

func have(networks int) string {
	if networks == 1 {
		return "1 network has"
	}
	return display.Plural(int64(networks), "network") + " have"
}
