package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/spf13/pflag"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/spcfile"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/stdio"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/embedded"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/homedir"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation/policyfile"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/scan"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/suggest"
)

// configVariable is the environment variable that names configuration files if no flag does.
const configVariable = "SHODANREP_CONFIG"

// connectionFlags are the flags that choose a connection.
type connectionFlags struct {
	config     []string
	connection string
}

func (f *connectionFlags) register(flags *pflag.FlagSet) {
	flags.StringArrayVar(&f.config, "config", nil, "a Steampipe configuration `FILE` with connections of this plugin; repeat for several (default SHODANREP_CONFIG, or else ~/.steampipe/config/shodanrep.spc, if it exists)")
	flags.StringVar(&f.connection, "connection", "", "the `NAME` of the connection to use; by default the first one")
}

// files returns the named configuration files; without any the default file is read, if it exists.
func (f *connectionFlags) files() []string {
	files := f.config
	if len(files) == 0 {
		files = filepath.SplitList(os.Getenv(configVariable))
	}
	expanded := make([]string, len(files))
	for i, file := range files {
		expanded[i] = expandHome(file)
	}
	return expanded
}

// expandHome returns a path with a leading ~ as the home directory. Shells leave it as it is in --config=~/x and in
// --attach hosts=~/x. Without a home the error of opening the path says what was named.
func expandHome(path string) string {
	expanded, err := homedir.Expand(path)
	if err != nil {
		return path
	}
	return expanded
}

// connections returns the connections of the configuration, the chosen one first. The app says what is not safe about the
// files, and which it waits for.
func (f *connectionFlags) connections(ctx context.Context, a *app) ([]embedded.Connection, error) {
	defer a.awaiter().startFiles(f.files()...)()
	found, err := stdio.Within(ctx, func() ([]embedded.Connection, error) { return spcfile.Connections(f.files(), a.say) })
	if err != nil || f.connection == "" {
		return found, err
	}
	i := slices.IndexFunc(found, func(c embedded.Connection) bool { return c.Name == f.connection })
	if i < 0 {
		names := make([]string, len(found))
		for i, c := range found {
			names[i] = c.Name
		}
		return nil, fmt.Errorf("there is no connection %q in the configuration%s", f.connection, suggest.DidYouMean(f.connection, names))
	}
	first := found[i]
	return slices.Insert(slices.Delete(found, i, i+1), 0, first), nil
}

// single returns the chosen connection, which must not be an aggregator.
func (f *connectionFlags) single(ctx context.Context, a *app) (embedded.Connection, error) {
	found, err := f.connections(ctx, a)
	if err != nil {
		return embedded.Connection{}, err
	}
	if len(found[0].Members) > 0 {
		return embedded.Connection{}, fmt.Errorf("%s is an aggregator of connections: choose one with --connection", found[0].Name)
	}
	return found[0], nil
}

// lookupFlags are the flags of commands that look up the addresses of a text.
type lookupFlags struct {
	connectionFlags
	policy, source   string
	noCache, refresh bool
	quiet, verbose   bool
	// cacheMaxAge is the age from which cached responses are not used, unless it is 0. No flag of all commands sets it.
	cacheMaxAge time.Duration
}

func (f *lookupFlags) register(flags *pflag.FlagSet) {
	f.connectionFlags.register(flags)
	flags.StringVar(&f.policy, "policy", policyfile.ExtendedName, "score by this policy: `NAME|FILE`, a name such as baseline or the path of a file")
	flags.StringVar(&f.source, "source", "", "look up only in this `SOURCE`: dataset, shodan or internetdb")
	addNoCache(flags, &f.noCache)
	flags.BoolVar(&f.refresh, "refresh", false, "look up cached addresses again, and cache the new responses")
	addQuiet(flags, &f.quiet)
	addVerbose(flags, &f.verbose)
}

func (f *lookupFlags) validate() error {
	if f.noCache && f.refresh {
		return errors.New("--no-cache and --refresh exclude each other")
	}
	if !slices.Contains([]lookup.Source{"", lookup.Auto, lookup.Dataset, lookup.Shodan, lookup.InternetDB}, lookup.Source(f.source)) {
		return fmt.Errorf("--source must be dataset, shodan or internetdb, not %q", f.source)
	}
	return nil
}

// checkPolicy returns an error if a policy, by its name or path, is wrong or cannot be read. An interrupt ends it, also if
// the path is a pipe, for which the app says that it waits. What was read is not read again.
func checkPolicy(ctx context.Context, a *app, policy string) error {
	defer a.awaiter().startFiles(policyFile(policy).name)()
	_, err := stdio.Within(ctx, func() (*reputation.Policy, error) { return shodanrep.ReadPolicy(policy) })
	return err
}

// checker returns a checker on a connection.
func (f *lookupFlags) checker(ctx context.Context, a *app, c embedded.Connection, logger hclog.Logger) (*scan.Checker, error) {
	if err := checkPolicy(ctx, a, f.policy); err != nil {
		return nil, err
	}
	return shodanrep.NewChecker(ctx, c.Name, c.Config, shodanrep.CheckOptions{
		Policy: f.policy, Source: f.source, NoCache: f.noCache, Refresh: f.refresh, CacheMaxAge: f.cacheMaxAge, Logger: logger,
	})
}

// selectionFlags are the flags that select verdicts.
type selectionFlags struct {
	onlyWords, failOnWords []string
	// What the flags mean, see validate.
	only   *selector // nil without --only
	failOn *failOn
}

// register adds the flags. The help of --only says what the command does with the selected addresses.
func (f *selectionFlags) register(flags *pflag.FlagSet, onlyHelp string) {
	flags.StringSliceVar(&f.onlyWords, "only", nil, onlyHelp)
	f.registerFailOn(flags)
}

// registerFailOn registers only --fail-on, for a command that does not select what it writes.
func (f *selectionFlags) registerFailOn(flags *pflag.FlagSet) {
	flags.StringSliceVar(&f.failOnWords, "fail-on", nil, "exit with status 3 if an address has one of these `WORDS`: a level (that one or a worse one) or a status, such as high,error")
}

func (f *selectionFlags) validate(flags *pflag.FlagSet) error {
	if flags.Changed("only") {
		only, err := newSelector("only", f.onlyWords, verdictWords)
		if err != nil {
			return err
		}
		f.only = &only
	}
	var err error
	f.failOn, err = newVerdictFailOn(flags.Changed("fail-on"), f.failOnWords)
	return err
}

// selects reports whether --only selects a level or a status. Without the flag all are selected.
func (f *selectionFlags) selects(level, status string) bool {
	if f.only == nil {
		return true
	}
	_, ok := f.only.match(level, status)
	return ok
}

// selectedWords returns the words of --only, in lower case.
func (f *selectionFlags) selectedWords() []string {
	if f.only == nil {
		return nil
	}
	return f.only.words
}

// addQuiet adds the flag that turns notices and progress off.
func addQuiet(flags *pflag.FlagSet, quiet *bool) {
	flags.BoolVar(quiet, "quiet", false, "do not report on standard error how many addresses could not be checked or were looked up in another source than expected, and show no progress")
}

// addNoColor adds the flag that turns colours off.
func addNoColor(flags *pflag.FlagSet, noColor *bool) {
	flags.BoolVar(noColor, "no-color", false, "no colours on a terminal; the same as the environment variable NO_COLOR")
}

// addEscapeFormulas adds the flag that makes csv and tsv safe for spreadsheets. rowformat.CheckEscapeFormulas validates it.
func addEscapeFormulas(flags *pflag.FlagSet, escape *bool) {
	flags.BoolVar(escape, "escape-formulas", false, "for csv that a spreadsheet opens: an apostrophe before each text that it would take for a formula")
}

// addOutputFile adds the flag that names the file of the result.
func addOutputFile(flags *pflag.FlagSet, file *string) {
	flags.StringVarP(file, "output-file", "o", "", "write the result to this `FILE`, which is replaced only when the result is complete")
}

// addNoCache adds the flag --no-cache.
func addNoCache(flags *pflag.FlagSet, noCache *bool) {
	flags.BoolVar(noCache, "no-cache", false, "neither read nor write the cache")
}

// addVerbose adds the flag --verbose of commands that look addresses up.
func addVerbose(flags *pflag.FlagSet, verbose *bool) {
	flags.BoolVar(verbose, "verbose", false, "log lookups to standard error")
}
