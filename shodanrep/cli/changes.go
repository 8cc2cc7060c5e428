package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"go4.org/netipx"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/changes"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/display"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/rowformat"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/stdio"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation/policyfile"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/scan"
)

// A changesCommand shows what the history store says has changed.
type changesCommand struct {
	*app
	connectionFlags
	policy, source, since  string
	onlyWords, failOnWords []string
	minScore               int
	format, file           string
	quiet                  bool
	noColor, noPager       bool
	// What the flags mean, see validate.
	from         time.Time
	only         *changeSelector // nil without --only
	failOn       *changeFailOn
	hasMinScore  bool
	output       changes.Format
	indicatorsOf []string // the words of --only
}

func newChangesCommand(a *app) *cobra.Command {
	c := &changesCommand{app: a}
	cmd := &cobra.Command{
		Use:   "changes [INPUT...]",
		Short: "Show what has changed since yesterday, from recorded checks",
		Long: `Show what has changed of addresses: the level, ports, vulnerabilities, tags, the
organization, certificates. Every response of a service is recorded in the
history (history_store of the connection), for any command and query. This
command reads the history and looks nothing up: run "shodanrep check --refresh"
before it.

An INPUT is an address, a network, a file, or "-" for standard input, as for
check. Without an INPUT all addresses in the history are read. An address in an
INPUT that was not checked since the time is shown as not checked, which does
not mean unchanged.

An address that was checked for the first time has changed as well: from new to
its level. The levels are by one policy, before and after: another policy, or
another source, is not a change.

The words of --only and --fail-on are:

  worse, better   the level is worse or better than before
  critical, …     the level after the change; --fail-on also takes a worse one
  port_opened, …  the change: ` + strings.Join(scan.ChangeKinds()[:4], ", ") + `,
                  ` + strings.Join(scan.ChangeKinds()[4:8], ", ") + `,
                  ` + strings.Join(scan.ChangeKinds()[8:], ", ") + `
  not_checked     the address was not checked since the time

The formats of --output are:

` + changesFormatHelp() + `
The formats about addresses (list, cidr, nft, stix, ecs, ocsf, misp) have each
address with a selected change, with its newest verdict.

The exit status is 0 if everything succeeded, also if nothing has changed, 1 if
the history store, an input, the configuration or an output failed, 2 for wrong
usage, 3 if --fail-on found something, and 130 if the command was interrupted.`,
		Example: `  # What changed since yesterday?
  shodanrep changes

  # Which of our addresses are newly bad? Check them, then compare
  shodanrep check --refresh --quiet addresses.txt > /dev/null
  shodanrep changes --only worse addresses.txt

  # For a schedule: exit status 3 if an address is worse or was not checked
  shodanrep changes --since 24h --fail-on worse,not_checked addresses.txt

  # The ports that opened this week, as JSON lines
  shodanrep changes --since 7d --only port_opened --output jsonl`,
		Args: cobra.ArbitraryArgs,
		PreRunE: func(cmd *cobra.Command, _ []string) error {
			c.hasMinScore = cmd.Flags().Changed("min-score")
			return c.validate(cmd.Flags(), time.Now())
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.failOn.outcome(c.run(cmd.Context(), args))
		},
	}
	f := cmd.Flags()
	c.register(f)
	f.StringVar(&c.since, "since", "24h", "show changes since this `TIME`: a duration such as 24h or 7d, or a date such as 2026-01-31")
	f.StringSliceVar(&c.onlyWords, "only", nil, "show only changes with one of these `WORDS`, such as worse, high or port_opened")
	f.StringSliceVar(&c.failOnWords, "fail-on", nil, "exit with status 3 if a change has one of these `WORDS`, such as worse, high or not_checked")
	f.IntVar(&c.minScore, "min-score", 0, "show only changes to at least this `SCORE`")
	f.StringVar(&c.policy, "policy", policyfile.ExtendedName, "score by this policy: `NAME|FILE`, a name such as baseline or the path of a file")
	f.StringVar(&c.source, "source", "", "show only what this `SOURCE` responded: shodan or internetdb")
	f.StringVar(&c.format, "output", changes.Formats[0].Name, "the `FORMAT` of the result: "+strings.Join(changes.Names(), ", "))
	addOutputFile(f, &c.file)
	f.BoolVar(&c.quiet, "quiet", false, "do not report on standard error how many addresses were not checked")
	addNoColor(f, &c.noColor)
	f.BoolVar(&c.noPager, "no-pager", false, "do not show a long table in a pager")
	if err := cmd.RegisterFlagCompletionFunc("output", completeChangesFormats); err != nil {
		panic(err) // the flag exists
	}
	return cmd
}

// changesFormatHelp lists the output formats, one per line.
func changesFormatHelp() string {
	var b strings.Builder
	for _, f := range changes.Formats {
		fmt.Fprintf(&b, "  %-9s %s\n", f.Name, f.Help)
	}
	return b.String()
}

func completeChangesFormats(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	var found []cobra.Completion
	for _, f := range changes.Formats {
		found = append(found, cobra.CompletionWithDesc(f.Name, f.Help))
	}
	return found, cobra.ShellCompDirectiveNoFileComp
}

func (c *changesCommand) validate(flags *pflag.FlagSet, now time.Time) (err error) {
	var known bool
	if c.output, known = changes.Find(c.format); !known {
		return fmt.Errorf("--output must be one of %s, not %q", strings.Join(changes.Names(), ", "), c.format)
	}
	if c.file == "" {
		if err := rowformat.CheckTerminal(c.format, c.stdout); err != nil {
			return err
		}
	}
	if !slices.Contains([]string{"", string(lookup.Shodan), string(lookup.InternetDB)}, c.source) {
		return fmt.Errorf("--source must be shodan or internetdb, not %q: other answers are not recorded", c.source)
	}
	if c.from, err = parseSince(c.since, now); err != nil {
		return err
	}
	if flags.Changed("only") {
		only, err := newChangeSelector("only", c.onlyWords, false)
		if err != nil {
			return err
		}
		c.only, c.indicatorsOf = &only, only.words
	}
	c.failOn = &changeFailOn{}
	if flags.Changed("fail-on") {
		c.failOn.selector, err = newChangeSelector("fail-on", c.failOnWords, true)
	}
	return err
}

// run reads the store and writes the changes of the addresses of inputs, or of all.
func (c *changesCommand) run(ctx context.Context, inputs []string) error {
	connection, err := c.single(ctx, c.say)
	if err != nil {
		return err
	}
	var list *targetList // nil for all
	if len(inputs) > 0 {
		list, err = stdio.Within(ctx, func() (*targetList, error) { return readTargets(c.stdin, inputs) })
		if err != nil {
			return err
		}
		if list.len() == 0 {
			c.say("no address was found in " + inputNames(inputs))
		}
	}
	defer scan.Shutdown()
	reader, err := shodanrep.NewHistoryReader(ctx, connection.Name, connection.Config, shodanrep.CheckOptions{
		Policy: c.policy, Source: c.source, Logger: c.logger(false),
	})
	if err != nil {
		return err
	}
	r := &changesRun{changesCommand: c, reader: reader, list: list}
	if err := r.write(ctx); err != nil {
		return err
	}
	if !c.quiet {
		c.sayAll(r.notices())
	}
	return nil
}

// A changesRun is one run of a changesCommand.
type changesRun struct {
	*changesCommand
	reader  *scan.HistoryReader
	list    *targetList
	summary changes.Summary
}

// write writes the results to standard output or a file.
func (r *changesRun) write(ctx context.Context) error {
	o := changes.Options{Width: plainOptions().Width}
	if r.file != "" {
		return stdio.ReplaceFile(r.file, func(w io.Writer) error { return r.writeBuffered(ctx, w, o) })
	}
	if stdio.IsTerminal(r.stdout) {
		o.Width, o.Painter = stdio.Width(r.stdout), stdio.Painter(r.stdout, r.noColor)
		if r.output.Paged && !r.noPager {
			return stdio.PageOutput(r.stdout, func(w io.Writer) error { return r.writeResults(ctx, w, o) })
		}
	}
	return r.writeBuffered(ctx, r.stdout, o)
}

// writeBuffered writes the results through a buffer, also what there is before an error.
func (r *changesRun) writeBuffered(ctx context.Context, w io.Writer, o changes.Options) error {
	buffered := stdio.NewBufferedWriter(w)
	defer buffered.Stop()
	err := r.writeResults(ctx, buffered, o)
	return errors.Join(err, buffered.Flush())
}

// writeResults writes what is selected.
func (r *changesRun) writeResults(ctx context.Context, w io.Writer, o changes.Options) error {
	r.summary = changes.Summary{Policy: r.reader.Policy(), Since: r.from}
	o.Since, o.Now, o.Levels = r.from, time.Now(), indicatorLevels(r.indicatorsOf)
	o.Summary = func() changes.Summary { return r.summary }
	out := r.output.New(w, o)
	err := r.observations(ctx, func(observations *scan.Observations, named bool) error {
		result, ok := r.result(observations, named)
		if !ok {
			return nil
		}
		r.summary.Count(result)
		r.failOn.count(result)
		if !r.selects(&result) {
			return nil
		}
		r.summary.Shown++
		return out.Write(result)
	})
	if err != nil {
		return err
	}
	if r.list != nil && r.list.len() == 0 || r.list == nil && r.summary.Checked == 0 {
		r.failOn.countUnchecked()
	}
	return out.Close()
}

// observations calls use for each address of the inputs, and for each address of their networks that was checked since
// the time; without inputs for all that were.
func (r *changesRun) observations(ctx context.Context, use func(o *scan.Observations, named bool) error) error {
	each := func(addresses []netip.Addr, named bool, skip func(netip.Addr) bool) error {
		for o, err := range r.reader.Observations(ctx, addresses, r.from) {
			if err != nil {
				return err
			}
			if !skip(o.Addr) {
				if err := use(o, named); err != nil {
					return err
				}
			}
		}
		return nil
	}
	if r.list == nil {
		return each(nil, false, func(netip.Addr) bool { return false })
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
	if err := each(addresses, true, func(netip.Addr) bool { return false }); err != nil || len(r.list.byNet) == 0 {
		return err
	}
	for _, addr := range addresses {
		networks.Remove(addr)
	}
	set, err := networks.IPSet()
	if err != nil {
		return err
	}
	return each(nil, false, func(addr netip.Addr) bool { return !set.Contains(addr) })
}

// result returns the result of an address with all its changes. It returns false for an address that nobody named and
// that was not checked since the time.
func (r *changesRun) result(o *scan.Observations, named bool) (changes.Result, bool) {
	latest := o.Latest()
	result := changes.Result{Latest: latest}
	switch {
	case !latest.Last.IsZero() && !latest.Last.Before(r.from.Truncate(time.Second)):
		result.Changes = o.Changes(scan.Since(r.from))
		return result, true
	case !named:
		return result, false
	case !latest.Last.IsZero():
		result.Unchecked = "not checked since " + latest.Last.UTC().Format("2006-01-02 15:04") + " UTC"
		result.Latest = o.Without(scan.NotChecked, "")
		result.Latest.Last = latest.Last
	case latest.Status() == lookup.Reserved:
		result.Unchecked, result.Reserved = "never checked: a private, local or reserved address", true
		return result, true
	default:
		result.Unchecked = "never checked"
	}
	result.Failed = o.Without(lookup.Failed, result.Unchecked)
	return result, true
}

// selects keeps the selected changes of a result, and reports whether it is written.
func (r *changesRun) selects(result *changes.Result) bool {
	if result.Unchecked != "" {
		return r.only == nil && !r.hasMinScore && !r.aboutAddresses() || r.only != nil && r.only.unchecked || r.output.KeepsUnchecked
	}
	result.Changes = slices.DeleteFunc(slices.Clone(result.Changes), func(change *scan.Change) bool {
		if r.hasMinScore && (change.Score() == nil || change.Score().Score < r.minScore) {
			return true
		}
		return r.only != nil && r.only.match(change) == ""
	})
	return len(result.Changes) > 0
}

// aboutAddresses reports whether the output has addresses and nothing else: an address in it has changed.
func (c *changesCommand) aboutAddresses() bool {
	return slices.Contains([]string{"list", "cidr", "nft"}, c.output.Name)
}

// notices returns what a user must know: which addresses were not checked.
func (r *changesRun) notices() []string {
	const advice = `run "shodanrep check --refresh" on them`
	var lines []string
	since := r.from.UTC().Format("2006-01-02 15:04") + " UTC"
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
		lines = append(lines, line+": "+advice)
	}
	if r.list == nil && r.summary.Checked == 0 {
		lines = append(lines, "no address was checked since "+since+`: run "shodanrep check --refresh" first`)
	}
	if r.list != nil && len(r.list.byNet) > 0 {
		lines = append(lines, "of networks only the addresses that were checked since "+since+" are shown; nothing is known of the others")
	}
	return lines
}
