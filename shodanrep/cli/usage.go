package cli

import (
	"errors"
	"fmt"
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
	return fmt.Errorf("%w%s", err, suggest.DidYouMean(args[i], commandNames(cmd)))
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
