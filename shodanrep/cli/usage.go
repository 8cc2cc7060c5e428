package cli

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/suggest"
)

// addSuggestion adds the most similar flag or command to an error about an unknown one. cmd is the last command that
// was recognized in args.
func addSuggestion(cmd *cobra.Command, args []string, err error) error {
	var noFlag *pflag.NotExistError
	if errors.As(err, &noFlag) && noFlag.GetSpecifiedShortnames() == "" {
		if output := cmd.Flags().Lookup("output"); output != nil && slices.Contains(choices(output), noFlag.GetSpecifiedName()) { // as other programs have it
			return fmt.Errorf("%w: did you mean \"--output %s\"?", err, noFlag.GetSpecifiedName())
		}
		var names []string
		collect := func(flag *pflag.Flag) {
			if !flag.Hidden {
				names = append(names, "--"+flag.Name)
			}
		}
		cmd.Flags().VisitAll(collect)
		return fmt.Errorf("%w%s", err, suggest.DidYouMean("--"+noFlag.GetSpecifiedName(), names))
	}
	if _, _, unknown := cmd.Root().Find(args); unknown == nil {
		return err
	}
	// The flags of the root have no values, so the first other argument is the command.
	i := slices.IndexFunc(args, func(arg string) bool { return !strings.HasPrefix(arg, "-") })
	if i < 0 {
		return err
	}
	nearest := suggest.DidYouMean(args[i], commandNames(cmd))
	if nearest == "" && cmd == cmd.Root() && strings.ContainsAny(args[i], "./") {
		nearest = ": it is not an address, and there is no such file"
		if _, statErr := os.Stat(args[i]); statErr == nil {
			nearest = fmt.Sprintf(": did you mean \"shodanrep %s %s\"?", checkName, args[i])
		}
	}
	return fmt.Errorf("%w%s", err, nearest)
}

// anyNumber is the maximum for a command that takes any number of arguments.
const anyNumber = -1

// noArguments validates the arguments of a command that takes none.
var noArguments = countArguments(0, 0, "no arguments")

// countArguments returns a function that validates the number of arguments of a command. expected says which arguments
// the command takes.
func countArguments(least, most int, expected string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		n := len(args)
		if n >= least && (n <= most || most == anyNumber) {
			return nil
		}
		given := fmt.Sprintf("%d were given", n)
		switch {
		case n == 0:
			given = "none was given"
		case n == 1 && most == 0:
			given = fmt.Sprintf("%q was given", args[0])
		case n == 1:
			given = fmt.Sprintf("only %q was given", args[0])
		}
		return fmt.Errorf("%s takes %s, and %s", commandName(cmd), expected, given)
	}
}

// commandName returns the name of a command as it is typed after the name of the program.
func commandName(cmd *cobra.Command) string {
	return strings.TrimPrefix(cmd.CommandPath(), cmd.Root().Name()+" ")
}

// helpOf returns the command line that shows the help of a command. The help of the command help is that of all.
func helpOf(cmd *cobra.Command) string {
	if cmd.Name() == "help" {
		cmd = cmd.Root()
	}
	return cmd.CommandPath() + " --help"
}

// noSuchCommand validates the arguments of a command that has subcommands and takes no arguments itself.
func noSuchCommand(cmd *cobra.Command, args []string) error {
	if err := cobra.NoArgs(cmd, args); err != nil {
		return fmt.Errorf("%w%s", err, suggest.DidYouMean(args[0], commandNames(cmd)))
	}
	return nil
}

// commandNames returns the names of subcommands.
func commandNames(cmd *cobra.Command) []string {
	var names []string
	for _, child := range cmd.Commands() {
		if child.IsAvailableCommand() {
			names = append(names, child.Name())
		}
	}
	return names
}
