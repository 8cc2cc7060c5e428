package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/annotate"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/embedded"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation/policyfile"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/scan"
)

// annotateName is the name of the annotate command.
const annotateName = "annotate"

// annotateFormats are the formats of its input.
var annotateFormats = []string{string(annotate.Auto), string(annotate.Lines), string(annotate.CSV), string(annotate.Text)}

// fieldName is what --field may be: it is a key of JSON, the beginning of names of CSV columns, and a word of text.
var fieldName = regexp.MustCompile(`^[A-Za-z0-9_@.-]+$`)

// annotateFlags are the flags of the annotate command.
type annotateFlags struct {
	connectionFlags
	policy, source   string
	noCache, refresh bool
	format, field    string
	ecs              bool
	file             string
	only, failOn     []string
	quiet, verbose   bool

	selected selector
	hasOnly  bool
}

func (a *app) annotateCommand() *cobra.Command {
	var flags annotateFlags
	cmd := &cobra.Command{
		Use:   annotateName + " [FILE|-]",
		Short: "Write a text again, each line with the verdicts on its addresses",
		Long: `Write a text again, each line with the verdicts on the addresses in it. Nothing else
of the text is changed, and the lines keep their order.

The text is FILE, or standard input with "-" or without an argument, compressed (gzip,
zstd, bzip2) or not. A line that is a JSON object gets a field. CSV, which is known by
its header or the end of the file's name (.csv, .tsv), gets columns. Any other line
gets a suffix. A line without an address stays as it is.

Lines are looked up in parallel, and written as soon as they are ready, so that a pipe
that never ends can be annotated. An address that could not be checked is said to be
so in its line, also where --only selects others, and is reported on standard error.

The score is by the policy extended unless --policy names another.

The exit status is 0 when all was done, 1 when the input, the configuration or an
output failed or a line could not be annotated, 2 when the command line is wrong, 3
when --fail-on found something, and 130 when the command was interrupted.`,
		Example: `  # A log, each line with a suffix such as [shodanrep 198.51.100.66 critical 80]
  shodanrep annotate /var/log/auth.log

  # JSON lines with an object "shodanrep", as they come
  tail -f events.jsonl | shodanrep annotate | jq -c 'select(.shodanrep.level == "critical")'

  # The same in the names of the Elastic Common Schema
  shodanrep annotate --ecs events.jsonl

  # CSV with columns shodanrep_level, shodanrep_score and more
  shodanrep annotate hosts.csv -o hosts-scored.csv

  # Only what is bad, or could not be checked, is marked
  zcat access.log.gz | shodanrep annotate --only critical,high`,
		Args: cobra.MaximumNArgs(1),
		PreRunE: func(cmd *cobra.Command, args []string) error {
			flags.hasOnly = cmd.Flags().Changed("only")
			if len(args) == 0 && isTerminal(a.stdin) {
				return errors.New("annotate needs a file, as an argument or on standard input")
			}
			return flags.check()
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			w, err := newWatch(cmd.Flags().Changed("fail-on"), flags.failOn)
			if err != nil {
				return err
			}
			w.hasLevel, w.hasStatus = true, true
			return w.outcome(a.annotate(cmd.Context(), &flags, strings.Join(args, ""), w))
		},
	}
	f := cmd.Flags()
	flags.add(f)
	f.StringVar(&flags.policy, "policy", policyfile.ExtendedName, "score by this policy: `NAME|FILE`, a name such as baseline or the path of a file")
	f.StringVar(&flags.source, "source", "", "look up only in this `SOURCE`: dataset, shodan or internetdb")
	f.BoolVar(&flags.noCache, "no-cache", false, "neither read the cache nor write it")
	f.BoolVar(&flags.refresh, "refresh", false, "look up again what the cache has, and cache the new responses")
	f.StringVar(&flags.format, "format", string(annotate.Auto), "the `FORMAT` of the text: "+strings.Join(annotateFormats, ", "))
	f.StringVar(&flags.field, "field", "shodanrep", "the `NAME` of the field of JSON objects, the beginning of the names of CSV columns,\nand the first word of suffixes")
	f.BoolVar(&flags.ecs, "ecs", false, "give JSON objects fields of the Elastic Common Schema, threat.indicator.* and\nhost.risk.*, instead of one field")
	f.StringVarP(&flags.file, "output-file", "o", "", "write the result to this `FILE`, which is replaced only when the result is complete")
	f.StringSliceVar(&flags.only, "only", nil, "annotate only addresses with exactly one of these `WORDS`: levels or statuses, such as\nhigh,critical; and those that could not be checked")
	f.StringSliceVar(&flags.failOn, "fail-on", nil, "exit with status 3 where an address has one of these `WORDS`: a level (that one or\na worse one) or a status, such as high,error")
	f.BoolVar(&flags.quiet, "quiet", false, "do not say on standard error how many addresses could not be checked, nor that\nanother source was used than expected")
	f.BoolVar(&flags.verbose, "verbose", false, "log what is looked up to standard error")
	return cmd
}

func (f *annotateFlags) check() error {
	switch {
	case !slices.Contains(annotateFormats, f.format):
		return fmt.Errorf("--format must be one of %s, not %q", strings.Join(annotateFormats, ", "), f.format)
	case !fieldName.MatchString(f.field):
		return fmt.Errorf("--field must be a word of letters, digits and any of _ @ . -, not %q", f.field)
	case f.noCache && f.refresh:
		return errors.New("--no-cache and --refresh exclude each other")
	}
	if f.hasOnly {
		var err error
		f.selected, err = newSelector("only", f.only)
		return err
	}
	return nil
}

// readerOptions returns how a text of a name is read.
func (f *annotateFlags) readerOptions(name string) annotate.Options {
	o := annotate.Options{Format: annotate.Format(f.format), HasAddress: hasAddress, Reserved: []string{f.field}}
	if f.ecs {
		o.Reserved = append(o.Reserved, ecsFields...)
	}
	base := strings.ToLower(filepath.Base(name))
	for _, compressed := range []string{".gz", ".zst", ".bz2"} {
		base = strings.TrimSuffix(base, compressed)
	}
	switch ext := filepath.Ext(base); {
	case o.Format == annotate.Auto && (ext == ".csv" || ext == ".tsv"):
		o.Format = annotate.CSV
		if ext == ".tsv" {
			o.Delimiter = '\t'
		}
	case o.Format == annotate.Auto && (ext == ".jsonl" || ext == ".ndjson"):
		o.Format = annotate.Lines
	}
	return o
}

// annotate writes a text again with its verdicts.
func (a *app) annotate(ctx context.Context, flags *annotateFlags, name string, w *watch) error {
	found, err := within(ctx, func() ([]embedded.Connection, error) { return flags.connections(a.say) })
	if err != nil {
		return err
	}
	connection := found[0]
	if len(connection.Members) > 0 {
		return fmt.Errorf("%s is an aggregator of connections: choose one with --connection", connection.Name)
	}
	input, err := a.openText(ctx, name)
	if err != nil {
		return err
	}
	defer input.Close()
	defer scan.Shutdown() // what the services answered is written to the cache before the process ends
	checker, err := shodanrep.NewChecker(ctx, connection.Name, connection.Config, shodanrep.CheckOptions{
		Policy: flags.policy, Source: flags.source, NoCache: flags.noCache, Refresh: flags.refresh, Logger: a.logger(flags.verbose),
	})
	if err != nil {
		return err
	}
	run := newAnnotation(ctx, a, flags, input, checker, w)
	if flags.file == "" {
		err = run.write(a.stdout)
	} else {
		err = replaceFile(flags.file, run.write)
	}
	if !flags.quiet {
		for _, line := range notices(run.summary(), "") {
			a.say(line)
		}
		if run.networks > 0 {
			a.say(wereNetworks(run.networks) + " not looked up; shodanrep check --expand checks each of the addresses")
		}
	}
	switch {
	case err != nil && ctx.Err() != nil:
		if flags.file == "" && run.lastLine > 0 {
			a.say(fmt.Sprintf("the output ends after line %d", run.lastLine))
		}
		return interruption{}
	case err != nil:
		return err
	}
	if !run.found.Load() {
		a.say("no address was found in " + input.name)
		w.see("", "error")
	}
	return run.problems.err()
}

// A textInput is what is annotated.
type textInput struct {
	io.Reader
	io.Closer
	name string
	// whole says that the text is all there, so that reading ahead does not wait for more.
	whole bool
}

// openText opens a file, or standard input.
func (a *app) openText(ctx context.Context, name string) (textInput, error) {
	if name == "" || name == "-" {
		return textInput{a.stdin, io.NopCloser(nil), "standard input", isRegular(a.stdin)}, nil
	}
	file, err := within(ctx, func() (*os.File, error) { return openInput(name) })
	if err != nil {
		return textInput{}, err
	}
	return textInput{stoppableReader{file, ctx}, file, name, isRegular(file)}, nil
}

// isRegular reports whether a stream is a file on a disk.
func isRegular(stream any) bool {
	if s, ok := stream.(stoppableReader); ok {
		stream = s.Reader
	}
	file, ok := stream.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode().IsRegular()
}
