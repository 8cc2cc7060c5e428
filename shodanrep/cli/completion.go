package cli

import (
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/embedded"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation/policyfile"
)

// Command returns the command line without streams, for programs that write its manual.
func Command() *cobra.Command {
	a := app{plugin: shodanrep.Plugin, stdin: strings.NewReader(""), stdout: io.Discard, stderr: io.Discard}
	return a.command()
}

// completeFlags makes the shells complete the values of the flags of a command and of those below it. A flag has the
// same meaning in every command, so its name decides; the words of other flags are those that their usage lists.
func (a *app) completeFlags(cmd *cobra.Command) {
	cmd.LocalFlags().VisitAll(func(flag *pflag.Flag) {
		complete := cobra.FixedCompletions(choices(flag), cobra.ShellCompDirectiveNoFileComp)
		switch flag.Name {
		case "config":
			complete = completeFiles("spc", "hcl")
		case "connection":
			complete = completeConnections
		case "policy":
			complete = cobra.FixedCompletions(builtInPolicies(), cobra.ShellCompDirectiveDefault) // or a file
		case "fail-on", "only":
			complete = completeList(selectableWords())
		case "pivots":
			complete = completeList(pivotNames())
		case "source", "output", "format":
		default:
			return
		}
		// It fails for a flag that is registered already: one that a command inherits.
		_ = cmd.RegisterFlagCompletionFunc(flag.Name, complete)
	})
	for _, child := range cmd.Commands() {
		a.completeFlags(child)
	}
}

// choices returns the words that the usage of a flag lists: "the FORMAT of the result: table, csv or json (default …)".
func choices(flag *pflag.Flag) []string {
	_, list, found := strings.Cut(flag.Usage, ": ")
	if !found {
		return nil
	}
	list, _, _ = strings.Cut(list, "\n")
	list, _, _ = strings.Cut(list, " (")
	return strings.Split(strings.ReplaceAll(list, " or ", ", "), ", ")
}

// selectableWords are the words that rows can be selected by.
func selectableWords() []string {
	words := slices.Concat(levels, shodanrep.Statuses(), checkWords)
	slices.Sort(words)
	return slices.Compact(words)
}

// completeFiles completes files with one of these endings.
func completeFiles(endings ...string) cobra.CompletionFunc {
	return cobra.FixedCompletions(endings, cobra.ShellCompDirectiveFilterFileExt)
}

// completeList completes words with commas between them: what is before the last comma stays.
func completeList(words []string) cobra.CompletionFunc {
	return func(_ *cobra.Command, _ []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
		before, given := "", []string(nil)
		if i := strings.LastIndexByte(typed, ','); i >= 0 {
			before, given = typed[:i+1], strings.Split(typed[:i], ",")
		}
		var found []cobra.Completion
		for _, word := range words {
			if !slices.Contains(given, word) {
				found = append(found, before+word)
			}
		}
		return found, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	}
}

// completeConnections completes the names of the connections of the configuration, which --config may name.
func completeConnections(cmd *cobra.Command, _ []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	files, err := cmd.Flags().GetStringArray("config")
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	// Cobra parses the flags of a command line that it completes twice, so that each file is there twice.
	slices.Sort(files)
	found, err := connections(slices.Compact(files), func(string) {})
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	var names []cobra.Completion
	for _, c := range found {
		names = append(names, c.Name)
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// builtInPolicies are the policies that need no file, with what they are.
func builtInPolicies() []cobra.Completion {
	var found []cobra.Completion
	for _, name := range policyfile.Names() {
		found = append(found, cobra.CompletionWithDesc(name, policyfile.BuiltIn(name).Description))
	}
	return found
}

// completeFirst completes the first n arguments of a command.
func completeFirst(n int, values []cobra.Completion, directive cobra.ShellCompDirective) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) >= n {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return values, directive
	}
}

// completeTables completes the name of a table, once.
func (a *app) completeTables(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	db, err := embedded.Open(cmd.Context(), embedded.Options{PluginFunc: a.plugin})
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	defer db.Close()
	var found []cobra.Completion
	for _, table := range db.Tables() {
		found = append(found, cobra.CompletionWithDesc(table.Name, table.Description))
	}
	return found, cobra.ShellCompDirectiveNoFileComp
}
