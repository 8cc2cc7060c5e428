// Package cli is the command line: the plugin's tables without Steampipe.
//
// Results go to standard output, everything else to standard error. exit_status.go has the exit statuses.
package cli

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/hashicorp/go-hclog"
	"github.com/spf13/cobra"
	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/display"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/stdio"
)

// Main runs the command line with the given arguments and returns the exit status. A first interrupt ends the command,
// a later one the process. The end of the terminal is an interrupt as well.
func Main(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	// If the reader of a pipe goes away, as head does, the cache must still be written.
	signal.Ignore(syscall.SIGPIPE)
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) { // nohup ignores it
		signals = append(signals, syscall.SIGHUP)
	}
	arriving := make(chan os.Signal, 1)
	signal.Notify(arriving, signals...)
	ctx, cancel := withInterrupt(context.Background(), arriving, func() { signal.Stop(arriving) })
	defer cancel()
	a := app{plugin: shodanrep.Plugin, stdin: stdin, stdout: stdout, stderr: stderr}
	// net/http writes to the standard logger what a service sends unasked, as the plugin's server does of its own.
	log.SetOutput(a.logger(false).StandardWriter(&hclog.StandardLoggerOptions{InferLevels: true}))
	return a.run(ctx, args)
}

// Command returns the command line without streams, for programs that write its manual.
func Command() *cobra.Command {
	a := app{plugin: shodanrep.Plugin, stdin: strings.NewReader(""), stdout: io.Discard, stderr: io.Discard}
	return a.command()
}

// An app is what all commands share.
type app struct {
	plugin         plugin.PluginFunc
	stdin          io.Reader
	stdout, stderr io.Writer
}

// run makes the streams safe to use, and runs a command.
func (a *app) run(ctx context.Context, args []string) int {
	output := stdio.NewWriter(ctx, a.stdout, "standard output")
	safe := app{
		plugin: a.plugin,
		stdin:  stdio.Reader{Reader: a.stdin, Context: ctx},
		stdout: output,
		stderr: stdio.MessageWriter{Writer: stdio.NewWriter(ctx, a.stderr, "standard error")},
	}
	root := safe.command()
	addCompletionCommand(root)
	if len(args) > 0 && args[0] == cobra.ShellCompRequestCmd {
		unquoteUsages(root)
	}
	args = rewriteArguments(root, args)
	root.SetArgs(args)
	cmd, err := checkDashes(root, args)
	if err == nil {
		cmd, err = root.ExecuteContextC(ctx)
	}
	status, messages := exitStatus(ctx, err)
	if lost := output.Err(); lost != nil && !stdio.IsBrokenPipe(lost) {
		isSaid := func(message string) bool { return strings.Contains(message, lost.Error()) }
		switch {
		case status == exitDone, status == exitUsage:
			// Cobra ignores the errors of writing help, and returns those of completions as they are.
			status, messages = exitFailed, []string{lost.Error()}
		case status == exitFailed && !slices.ContainsFunc(messages, isSaid):
			// The messages may refer to lines that were lost, as that of doctor does.
			messages = append([]string{lost.Error()}, messages...)
		}
	}
	if status == exitUsage {
		messages = []string{addSuggestion(cmd, args, err).Error()}
	}
	safe.sayAll(messages)
	if status == exitUsage {
		fmt.Fprintln(safe.stderr, "Run '"+helpOf(cmd)+"' for usage.")
	}
	return status
}

func init() {
	// pflag shows a switch as "--quiet[=true|false]", which nobody needs to write.
	cobra.AddTemplateFunc("switchUsages", func(usages string) string {
		const values = "[=true|false]"
		return strings.ReplaceAll(usages, values, strings.Repeat(" ", len(values)))
	})
}

// helpWidth is the width of the help on flags if standard output is not a terminal.
const helpWidth = 100

// command returns the root command.
func (a *app) command() *cobra.Command {
	root := &cobra.Command{
		Use:   "shodanrep",
		Short: "IP reputation from Shodan's data, for any text and in SQL",
		Long: `shodanrep scores IP addresses with Shodan's data and explains every score: the
addresses of any text (shodanrep check), and in SQL (shodanrep query).

Without a configuration it uses InternetDB, which is free and needs no key. With
a Shodan API key, in the environment variable SHODAN_API_KEY or in a
configuration file, it uses Shodan's REST API.

If Steampipe starts it, it is a Steampipe plugin.

The exit status is 0 if everything succeeded, 1 if the query, the configuration
or an output failed, or if --fail-on was given and no address could be checked,
2 for wrong usage, 3 if --fail-on found something, and 130 if the command was
interrupted.`,
		Example: `  shodanrep 198.51.100.66
  shodanrep check /var/log/auth.log
  shodanrep query "select ip, level, score from shodan_ip_reputation where ip = '8.8.8.8'"
  shodanrep tables shodan_ip_reputation`,
		Version:       versionText(),
		SilenceErrors: true,
		SilenceUsage:  true,
		// addSuggestion adds the nearest name to the error, in one line.
		DisableSuggestions: true,
	}
	root.SetVersionTemplate("{{.Version}}\n")
	wrapped := fmt.Sprintf(".FlagUsagesWrapped %d | switchUsages", cmp.Or(stdio.Width(a.stdout), helpWidth))
	root.SetUsageTemplate(strings.ReplaceAll(root.UsageTemplate(), ".FlagUsages", wrapped))
	root.SetIn(a.stdin)
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	root.AddCommand(
		newAnnotateCommand(a), newCheckCommand(a), newChangesCommand(a), newQueryCommand(a), newTablesCommand(a), newCacheCommand(a),
		newDatasetCommand(a), newDoctorCommand(a), newLoadCommand(a), newPolicyCommand(a), newRelatedCommand(a), newReportCommand(a),
		newVersionCommand(a),
	)
	completeFlags(root)
	refuseEmpty(root)
	root.InitDefaultHelpCmd()
	if help, _, err := root.Find([]string{"help"}); err == nil {
		help.Example = "  shodanrep help query"
		help.Args = func(_ *cobra.Command, args []string) error {
			cmd, rest, err := root.Find(args)
			if err != nil {
				return addSuggestion(root, args, err)
			}
			return noSuchCommand(cmd, rest)
		}
	}
	return root
}

// messagePrefix begins every message.
const messagePrefix = "shodanrep: "

// say writes a message to standard error, as one line: it may quote the name of a file or what a service sent, and a
// second line would look like a message of shodanrep, or like a command to what reads the lines.
func (a *app) say(message string) { fmt.Fprintln(a.stderr, messagePrefix+display.Printable(message)) }

// sayAll writes messages to standard error.
func (a *app) sayAll(messages []string) {
	for _, message := range messages {
		a.say(message)
	}
}

// confirm asks a question on a terminal. Any answer but yes is no. If standard input or standard error is not a
// terminal, it returns true: the flags of the command then say what the command may do.
func (a *app) confirm(ctx context.Context, question string) bool {
	if !stdio.IsTerminal(a.stdin) || !stdio.IsTerminal(a.stderr) {
		return true
	}
	fmt.Fprint(a.stderr, question+" [y/N] ")
	line, err := stdio.Within(ctx, func() (string, error) { return bufio.NewReader(a.stdin).ReadString('\n') })
	if err != nil && line == "" {
		fmt.Fprintln(a.stderr) // the end of the input, or an interrupt, left the cursor behind the question
	}
	answer := strings.ToLower(strings.TrimSpace(line))
	return answer == "y" || answer == "yes"
}

// logger returns the logger of the plugin. It logs warnings, unless the environment sets another level.
func (a *app) logger(verbose bool) hclog.Logger {
	level := hclog.LevelFromString(cmp.Or(os.Getenv("SHODANREP_LOG"), os.Getenv("STEAMPIPE_LOG_LEVEL")))
	if level == hclog.NoLevel {
		level = hclog.Warn
	}
	if verbose && level > hclog.Info {
		level = hclog.Info
	}
	return hclog.New(&hclog.LoggerOptions{Name: "shodanrep", Level: level, Output: a.stderr, DisableTime: level > hclog.Info})
}
