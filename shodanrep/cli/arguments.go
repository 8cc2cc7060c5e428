package cli

import (
	"slices"
	"strings"
	"unicode"

	"github.com/spf13/cobra"
)

// separateSQL moves an argument of a command that is SQL beginning with a comment behind a "--", where it is not taken
// for a flag: what $(cat check.sql) gives may begin so.
func separateSQL(cmd *cobra.Command, args []string) []string {
	if len(args) == 0 || args[0] != cmd.Name() || slices.Contains(args, "--") {
		return args
	}
	i := slices.IndexFunc(args, func(arg string) bool {
		return isCommentedSQL(arg, func(name string) bool { return cmd.Flags().Lookup(name) != nil })
	})
	if i < 0 {
		return args
	}
	return append(slices.Delete(slices.Clone(args), i, i+1), "--", args[i])
}

// isCommentedSQL reports whether an argument is SQL that begins with a comment: no flag has a blank in its name, and one
// that is none has no further lines.
func isCommentedSQL(arg string, isFlag func(name string) bool) bool {
	rest, dashes := strings.CutPrefix(arg, "--")
	if !dashes {
		return false
	}
	name, _, _ := strings.Cut(rest, "=")
	return strings.ContainsFunc(name, unicode.IsSpace) || !isFlag(name) && strings.Contains(rest, "\n")
}
