package cli

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/iptext"
)

// rewriteArguments returns the arguments as cobra can parse them: with the name of the check command, which may be left
// out before an address, and with "--" before SQL that begins with a comment.
func rewriteArguments(root *cobra.Command, args []string) []string {
	if query, _, err := root.Find([]string{queryName}); err == nil {
		args = separateSQL(query, args)
	}
	return insertCheck(root, args)
}

// insertCheck puts the name of the check command before arguments that begin with an address, or with flags of that
// command and an address, as in "shodanrep 198.51.100.66" and "shodanrep --output csv 198.51.100.66".
func insertCheck(root *cobra.Command, args []string) []string {
	check, _, err := root.Find([]string{checkName})
	if err != nil {
		return args
	}
	first, found := firstArgument(check.Flags(), args)
	if !found {
		return args
	}
	if _, _, err := root.Find([]string{first}); err == nil {
		return args
	}
	isAddress := malformedArgument(first) != nil // check says why it is none
	for range iptext.Find([]byte(first)) {
		isAddress = true
	}
	if isAddress {
		return append([]string{checkName}, args...)
	}
	return args
}

// firstArgument returns the first argument that is neither a flag nor the value of one. It reports false if there is
// none, or another flag comes before it.
func firstArgument(flags *pflag.FlagSet, args []string) (first string, found bool) {
	for i := 0; i < len(args); i++ {
		if !isFlag(args[i]) {
			return args[i], true
		}
		flag, takesNext := flagOf(flags, args[i])
		if flag == nil {
			return "", false
		}
		if takesNext {
			i++
		}
	}
	return "", false
}

// isFlag reports whether an argument is a flag. A single dash is standard input.
func isFlag(argument string) bool { return len(argument) > 1 && argument[0] == '-' }

// flagOf returns the flag that an argument sets, the first one of several letters, and whether the next argument is its
// value. It returns nil for an unknown flag.
func flagOf(flags *pflag.FlagSet, argument string) (flag *pflag.Flag, takesNext bool) {
	name, isLong := strings.CutPrefix(argument, "--")
	name, _, hasValue := strings.Cut(name, "=")
	if isLong {
		flag = flags.Lookup(name)
	} else {
		flag, hasValue = flags.ShorthandLookup(argument[1:2]), len(argument) > 2
	}
	return flag, flag != nil && !hasValue && flag.NoOptDefVal == ""
}

// checkDashes returns an error, and its command, if an argument is the name of a flag with one dash, as Go's programs take
// it. Of -output pflag would take the letter o for a flag, and write a file of the name utput.
func checkDashes(root *cobra.Command, args []string) (*cobra.Command, error) {
	cmd, rest, err := root.Find(args)
	if err != nil {
		return cmd, nil // the parser says what is wrong
	}
	cmd.InitDefaultHelpFlag() // also adds the flags of the parents
	cmd.InitDefaultVersionFlag()
	for i := 0; i < len(rest) && rest[i] != "--"; i++ {
		if !isFlag(rest[i]) {
			continue
		}
		name, _, _ := strings.Cut(rest[i][1:], "=")
		if len(rest[i]) > 2 && cmd.Flags().Lookup(name) != nil {
			return cmd, fmt.Errorf("there is no flag -%s: did you mean %q?", name, "--"+name)
		}
		if _, takesNext := flagOf(cmd.Flags(), rest[i]); takesNext {
			i++
		}
	}
	return cmd, nil
}

// separateSQL moves an argument that is SQL beginning with a comment behind a "--", so that it is not parsed as a flag.
// $(cat check.sql) can begin like this.
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

// isCommentedSQL reports whether an argument is SQL that begins with a comment. The name of a flag has no white space,
// and an argument with an unknown name and several lines is not a flag.
func isCommentedSQL(arg string, isFlag func(name string) bool) bool {
	rest, dashes := strings.CutPrefix(arg, "--")
	if !dashes {
		return false
	}
	name, _, _ := strings.Cut(rest, "=")
	return strings.ContainsFunc(name, unicode.IsSpace) || !isFlag(name) && strings.Contains(rest, "\n")
}
