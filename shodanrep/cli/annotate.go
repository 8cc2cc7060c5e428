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
	"github.com/spf13/pflag"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/annotate"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/stdio"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/scan"
)

// annotateName is the name of the annotate command.
const annotateName = "annotate"

// annotateFormats are the formats of its input.
var annotateFormats = []string{string(annotate.Auto), string(annotate.Lines), string(annotate.CSV), string(annotate.Text)}

// fieldName is what --field may be: a key of JSON, the prefix of names of CSV columns, and a word of text.
var fieldName = regexp.MustCompile(`^[A-Za-z0-9_@.-]+$`)

// An annotateCommand writes a text again, each line with the verdicts on its addresses.
type annotateCommand struct {
	*app
	lookupFlags
	selectionFlags
	format string
	field  string
	ecs    bool
	file   string
}

func newAnnotateCommand(a *app) *cobra.Command {
	c := &annotateCommand{app: a}
	cmd := &cobra.Command{
		Use:   annotateName + " [FILE|-]",
		Short: "Add verdicts to the lines of a text",
		Long: `Write a text again, and add to each line the verdicts on its addresses. Nothing
else is changed, and the lines keep their order.

The text is FILE, or standard input with "-" or without an argument, compressed
(gzip, zstd, bzip2) or not. A JSON object, on one line or several, gets a field,
and so does each object of a JSON array. CSV, which is recognized by its header
or the file extension (.csv, .tsv), gets columns. Any other line gets a suffix.
A line without an address stays as it is.

Lines are looked up in parallel and written as soon as they are ready, so the
input may be a pipe that never ends. An address that could not be checked is
marked in its line, also if --only selects others, and is reported on standard
error.

The score is by the policy extended unless --policy names another.

The exit status is 0 if everything succeeded, 1 if the input, the configuration
or an output failed, a line could not be annotated, or --fail-on was given and
no address could be checked, 2 for wrong usage, 3 if --fail-on found something,
and 130 if the command was interrupted.`,
		Example: `  # A log, each line with a suffix such as [shodanrep 198.51.100.66 critical 80]
  shodanrep annotate /var/log/auth.log

  # JSON lines with an object "shodanrep", as they come
  tail -f events.jsonl | shodanrep annotate | jq -c 'select(.shodanrep.level == "critical")'

  # The same with the field names of the Elastic Common Schema
  shodanrep annotate --ecs events.jsonl

  # CSV with columns shodanrep_level, shodanrep_score and more
  shodanrep annotate hosts.csv -o hosts-scored.csv

  # Mark only addresses that are critical or high, or could not be checked
  zcat access.log.gz | shodanrep annotate --only critical,high`,
		Args: countArguments(0, 1, "one argument, the name of a file"),
		PreRunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 && stdio.IsTerminal(a.stdin) {
				return errors.New("annotate needs a file, as an argument or on standard input")
			}
			return c.validate(cmd.Flags())
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.failOn.outcome(c.run(cmd.Context(), strings.Join(args, "")))
		},
	}
	f := cmd.Flags()
	c.lookupFlags.register(f)
	c.selectionFlags.register(f, "annotate only addresses with exactly one of these `WORDS`: levels or statuses, such as high,critical; and those that could not be checked")
	f.StringVar(&c.format, "format", string(annotate.Auto), "the `FORMAT` of the text: "+strings.Join(annotateFormats, ", "))
	f.StringVar(&c.field, "field", "shodanrep", "the `NAME` of the field of JSON objects, the prefix of the names of CSV columns, and the first word of suffixes")
	f.BoolVar(&c.ecs, "ecs", false, "add fields of the Elastic Common Schema to JSON objects, threat.indicator.* and host.risk.*, instead of one field")
	addOutputFile(f, &c.file)
	return cmd
}

func (c *annotateCommand) validate(flags *pflag.FlagSet) error {
	switch {
	case !slices.Contains(annotateFormats, c.format):
		return fmt.Errorf("--format must be one of %s, not %q", strings.Join(annotateFormats, ", "), c.format)
	case c.ecs && c.format != string(annotate.Auto) && c.format != string(annotate.Lines):
		return fmt.Errorf("--ecs adds fields to JSON objects, and with --format %s there are none", c.format)
	case !fieldName.MatchString(c.field):
		return fmt.Errorf("--field must be a word of letters, digits and any of _ @ . -, not %q", c.field)
	}
	if err := c.lookupFlags.validate(); err != nil {
		return err
	}
	return c.selectionFlags.validate(flags)
}

// readerOptions returns how to read the text of a file.
func (c *annotateCommand) readerOptions(name string) annotate.Options {
	o := annotate.Options{Format: annotate.Format(c.format), HasAddress: hasAddress, Reserved: []string{c.field}}
	if c.ecs {
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

// run annotates a file, or standard input.
func (c *annotateCommand) run(ctx context.Context, name string) error {
	connection, err := c.single(ctx, c.app)
	if err != nil {
		return err
	}
	// The file of the results may be the input, which then gets its verdicts: it is replaced at the end.
	if err := checkOutputFile(c.file, c.stdin, c.usedFiles(connection)); err != nil {
		return err
	}
	input, err := c.open(ctx, name)
	if err != nil {
		return err
	}
	defer input.Close()
	defer scan.Shutdown() // writes new responses to the cache
	checker, err := c.checker(ctx, c.app, connection, c.logger(c.verbose))
	if err != nil {
		return err
	}
	n := newAnnotation(ctx, c, input, checker)
	if c.file == "" {
		err = n.write(c.stdout)
	} else {
		err = c.writeFile(ctx, c.file, n.write)
	}
	if !c.quiet {
		c.sayAll(lookupNotices(n.summary(), "", err))
		if n.networks > 0 {
			c.say(networksNotice(n.networks, n.largeNetworks, "shodanrep check --expand checks each of the addresses"))
		}
	}
	switch {
	case err != nil && ctx.Err() != nil:
		switch {
		case c.file != "": // it is not replaced
		case n.lastLine > 0:
			c.say(fmt.Sprintf("the output ends after line %d", n.lastLine))
		case n.leftOut:
			c.say("the output has no line, because only a part of the first one was read")
		}
		return interruption{}
	case err != nil:
		return err
	}
	if err := n.problems.err(); err != nil {
		return err
	}
	if !n.found.Load() {
		c.say("no address was found in " + input.name)
		c.failOn.count("", string(lookup.Failed))
	}
	return n.checked.err()
}

// A textInput is a text to annotate.
type textInput struct {
	io.Reader
	io.Closer
	name string
	// complete says that the text is a regular file: reading ahead then does not block.
	complete bool
}

// open opens a file, or standard input.
func (c *annotateCommand) open(ctx context.Context, name string) (textInput, error) {
	if name == "" || name == "-" {
		return textInput{c.awaiter().reader(c.stdin, "standard input"), io.NopCloser(nil), "standard input", isRegular(c.stdin)}, nil
	}
	file, err := stdio.Within(ctx, func() (*os.File, error) { return openInput(name, c.awaiter()) })
	if err != nil {
		return textInput{}, err
	}
	return textInput{c.awaiter().reader(stdio.Reader{Reader: file, Context: ctx}, name), file, name, isRegular(file)}, nil
}

// isRegular reports whether a stream is a regular file.
func isRegular(stream any) bool {
	if s, ok := stream.(stdio.Reader); ok {
		stream = s.Reader
	}
	file, ok := stream.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode().IsRegular()
}
