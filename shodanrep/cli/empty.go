package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// refuseEmpty makes empty values of flags and empty arguments wrong usage, for a command and its subcommands. A script
// passes them when a variable is not set, and an empty name would mean the default, such as standard output.
func refuseEmpty(cmd *cobra.Command) {
	prepare := cmd.PreRunE
	cmd.PreRunE = func(cmd *cobra.Command, args []string) error {
		if prepare != nil { // its errors say more about what a flag must be
			if err := prepare(cmd, args); err != nil {
				return err
			}
		}
		if err := emptyFlag(cmd.Flags()); err != nil {
			return err
		}
		if cmd.Name() == queryName || !slices.Contains(args, "") { // query says what SQL it needs
			return nil
		}
		if strings.HasSuffix(cmd.Use, "[INPUT...]") {
			return errors.New("an argument is empty: it must be an address, a network or a file")
		}
		return errors.New("an argument is empty")
	}
	for _, child := range cmd.Commands() {
		refuseEmpty(child)
	}
}

// emptyFlag returns an error about the first flag that is set and has an empty value. The flags that select words have
// errors of their own, which list the words.
func emptyFlag(flags *pflag.FlagSet) (err error) {
	flags.Visit(func(flag *pflag.Flag) {
		values := []string{flag.Value.String()}
		if list, ok := flag.Value.(pflag.SliceValue); ok {
			values = list.GetSlice()
		}
		selects := flag.Name == "only" || flag.Name == "fail-on"
		if err == nil && !selects && (len(values) == 0 || slices.Contains(values, "")) {
			err = fmt.Errorf("--%s is empty: leave it out, or give it a value", flag.Name)
		}
	})
	return err
}
