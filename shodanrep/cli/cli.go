// Package cli is the command line: the plugin's tables without a Steampipe.
//
// Results go to standard output, all else to standard error. The exit status is 0 when all was done, 1 when the query,
// the configuration or an output failed, 2 when the command line itself is wrong, 3 when --fail-on found something, and
// 130 when the command was interrupted.
package cli

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"slices"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep"
)

const (
	exitDone        = 0
	exitFailed      = 1
	exitUsage       = 2
	exitFound       = 3
	exitInterrupted = 130 // as shells report a program that SIGINT ended
)

// Main runs the command line with the given arguments and returns the exit status. An interrupt ends the query under
// way; a second one ends the process.
func Main(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	// A reader that has seen enough, such as head, is no reason to die of a signal before the cache is written.
	signal.Ignore(syscall.SIGPIPE)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	a := app{plugin: shodanrep.Plugin, stdin: stdin, stdout: stdout, stderr: stderr}
	return a.run(ctx, args)
}

// app is the command line with all that it touches.
type app struct {
	plugin         plugin.PluginFunc
	stdin          io.Reader
	stdout, stderr io.Writer
	noHeader       bool // no names of columns before rows
	noColor        bool // no colours on a terminal
}

// failure is an error of a command that was given rightly.
type failure struct{ error }

func (f failure) Unwrap() error { return f.error }

// failed marks an error, if it is one, as a failure.
func failed(err error) error {
	if err == nil {
		return nil
	}
	return failure{err}
}

func (a *app) run(ctx context.Context, args []string) int {
	own := app{
		plugin: a.plugin,
		stdin:  stoppableReader{a.stdin, ctx},
		stdout: newStoppableWriter(ctx, a.stdout),
		stderr: messageWriter{newStoppableWriter(ctx, a.stderr)},
	}
	return own.execute(ctx, args)
}

// execute runs a command on streams that are safe to use.
func (a *app) execute(ctx context.Context, args []string) int {
	root := a.command()
	if query, _, err := root.Find([]string{queryName}); err == nil {
		args = separateSQL(query, args)
	}
	args = withCheck(root, args)
	root.SetArgs(args)
	cmd, err := root.ExecuteContextC(ctx)
	var stopped interruption
	switch {
	case err == nil, isBrokenPipe(err):
		return exitDone
	case errors.As(err, &statusFound{}):
		a.say(err.Error())
		return exitFound
	case errors.As(err, &failure{}) && ctx.Err() != nil:
		errors.As(err, &stopped)
		a.say(stopped.Error())
		return exitInterrupted
	case errors.As(err, &failure{}):
		a.say(err.Error())
		return exitFailed
	}
	a.say(explainUsage(cmd, args, err).Error() + "\nRun 'shodanrep --help' for usage.")
	return exitUsage
}

func (a *app) command() *cobra.Command {
	root := &cobra.Command{
		Use:   "shodanrep",
		Short: "IP reputation from Shodan's data, for any text and as SQL",
		Long: `shodanrep scores IP addresses with Shodan's data and explains every score: those of
any text (shodanrep check), and in SQL (shodanrep query).

Without a configuration it asks InternetDB, which is free and needs no key. With a
Shodan API key, in the environment variable SHODAN_API_KEY or in a configuration
file, it asks Shodan itself.

Started by Steampipe, it is a Steampipe plugin.

The exit status is 0 when all was done, 1 when the query, the configuration or an
output failed, 2 when the command line is wrong, 3 when --fail-on found something,
and 130 when the command was interrupted.`,
		Example: `  shodanrep 198.51.100.66
  shodanrep check /var/log/auth.log
  shodanrep query "select ip, level, score from shodan_ip_reputation where ip = '8.8.8.8'"
  shodanrep tables shodan_ip_reputation`,
		Version:       versionText(),
		SilenceErrors: true,
		SilenceUsage:  true,
		// The nearest name is added to the error, in one line.
		DisableSuggestions: true,
	}
	root.SetVersionTemplate("{{.Version}}\n")
	root.SetIn(a.stdin)
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	root.AddCommand(a.annotateCommand(), a.checkCommand(), a.queryCommand(), a.tablesCommand(), a.cacheCommand(), a.doctorCommand(), a.policyCommand(), a.relatedCommand(), a.versionCommand())
	a.completeFlags(root)
	root.InitDefaultHelpCmd()
	if help, _, err := root.Find([]string{"help"}); err == nil {
		help.Example = "  shodanrep help query"
		help.Args = func(_ *cobra.Command, args []string) error {
			if _, _, err := root.Find(args); err != nil {
				return explainUsage(root, args, err)
			}
			return nil
		}
	}
	return root
}

// isBrokenPipe reports that whoever reads standard output has gone away.
func isBrokenPipe(err error) bool {
	return slices.ContainsFunc(brokenPipeErrors, func(broken error) bool { return errors.Is(err, broken) })
}
