package cli

import (
	"errors"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/spcfile"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation/policyfile"
)

// completionHelp is the help of the commands that print the script of a shell. Everybody may write the files that it
// names, and has the folders afterwards.
var completionHelp = map[string]string{
	"bash": `Print the script that completes shodanrep in bash. It needs the package
bash-completion.

In this shell:

  source <(shodanrep completion bash)

In every new shell:

  mkdir -p ~/.local/share/bash-completion/completions
  shodanrep completion bash > ~/.local/share/bash-completion/completions/shodanrep

For all users of a machine, root writes it to /etc/bash_completion.d/shodanrep.`,
	"zsh": `Print the script that completes shodanrep in zsh.

In this shell:

  autoload -U compinit; compinit
  source <(shodanrep completion zsh)

In every new shell:

  mkdir -p ~/.zfunc
  shodanrep completion zsh > ~/.zfunc/_shodanrep
  echo 'fpath=(~/.zfunc $fpath); autoload -U compinit; compinit' >> ~/.zshrc

If ~/.zshrc runs compinit already, as that of Oh My Zsh does, put the assignment
of fpath before it instead of the last line.`,
	"fish": `Print the script that completes shodanrep in fish.

In this shell:

  shodanrep completion fish | source

In every new shell:

  mkdir -p ~/.config/fish/completions
  shodanrep completion fish > ~/.config/fish/completions/shodanrep.fish`,
	"powershell": `Print the script that completes shodanrep in PowerShell.

In this shell, and in every new one if the line is in the file $PROFILE:

  shodanrep completion powershell | Out-String | Invoke-Expression`,
}

// addCompletionCommand adds Cobra's command that prints the scripts of shells.
func addCompletionCommand(root *cobra.Command) {
	root.InitDefaultCompletionCmd()
	completion, _, err := root.Find([]string{"completion"})
	if err != nil {
		return
	}
	completion.Short = "Print the script that completes shodanrep in a shell"
	completion.Long = completion.Short + `.

The help of a shell, such as shodanrep completion bash --help, says how to load it.`
	// Help in place of a script would be run by the shell.
	completion.Args = noSuchCommand
	completion.RunE = func(*cobra.Command, []string) error {
		return errors.New("completion needs a shell: bash, fish, powershell or zsh")
	}
	for _, shell := range completion.Commands() {
		shell.Short = "Print the script for " + shell.Name()
		shell.Long = completionHelp[shell.Name()]
		shell.Args = noArguments
	}
}

// unquoteUsages removes the quotes around the names of values in the usages of flags, which shells show as they are.
func unquoteUsages(cmd *cobra.Command) {
	cmd.LocalFlags().VisitAll(func(flag *pflag.Flag) { _, flag.Usage = pflag.UnquoteUsage(flag) })
	for _, child := range cmd.Commands() {
		unquoteUsages(child)
	}
}

// completeFlags adds shell completion to the flags of a command and its subcommands. The name of a flag decides,
// because a flag has the same meaning in every command; of those that select results, the command has the words. Other
// flags complete the words that their usage lists.
func completeFlags(cmd *cobra.Command) {
	cmd.LocalFlags().VisitAll(func(flag *pflag.Flag) {
		complete := cobra.FixedCompletions(choices(flag), cobra.ShellCompDirectiveNoFileComp)
		switch flag.Name {
		case "config":
			complete = completeFiles("spc", "hcl")
		case "connection":
			complete = completeConnections
		case "policy":
			complete = completePolicies(cobra.ShellCompDirectiveDefault) // or a file
		case "fail-on", "only":
			complete = completeList(selectableWords(cmd.Name()))
		case "pivots":
			complete = completeList(pivotNames())
		case "source", "output", "format":
		default:
			return
		}
		// It fails for an inherited flag, which is registered already.
		_ = cmd.RegisterFlagCompletionFunc(flag.Name, complete)
	})
	for _, child := range cmd.Commands() {
		completeFlags(child)
	}
}

// choices returns the words that the usage of a flag lists, such as "the FORMAT of the result: table, csv or json".
func choices(flag *pflag.Flag) []string {
	_, list, found := strings.Cut(flag.Usage, ": ")
	if !found {
		return nil
	}
	list, _, _ = strings.Cut(list, "\n")
	list, _, _ = strings.Cut(list, " (")
	return strings.Split(strings.ReplaceAll(list, " or ", ", "), ", ")
}

// selectableWords returns the words that select results of a command. It refuses all others.
func selectableWords(command string) []string {
	var words []string
	switch command {
	case queryName:
		words = rowWords.all()
	case changesName:
		words = changeWords()
	default:
		words = verdictWords.all()
	}
	slices.Sort(words)
	return slices.Compact(words)
}

// completeFiles completes files with one of these endings.
func completeFiles(endings ...string) cobra.CompletionFunc {
	return cobra.FixedCompletions(endings, cobra.ShellCompDirectiveFilterFileExt)
}

// completeList completes a list of words with commas between them.
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

// completeConnections completes the names of connections.
func completeConnections(cmd *cobra.Command, _ []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	files, err := cmd.Flags().GetStringArray("config")
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	// Cobra parses the flags twice for completion, so each file occurs twice.
	slices.Sort(files)
	found, err := spcfile.Connections(slices.Compact(files), func(string) {})
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	var names []cobra.Completion
	for _, c := range found {
		names = append(names, c.Name)
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// completePolicies completes the names of the built-in policies. It parses them only for a completion, because that takes
// a sixth of the processor time of a start.
func completePolicies(directive cobra.ShellCompDirective) cobra.CompletionFunc {
	return func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
		var found []cobra.Completion
		for _, name := range policyfile.Names() {
			found = append(found, cobra.CompletionWithDesc(name, policyfile.BuiltIn(name).Description))
		}
		return found, directive
	}
}

// completeFirst completes the first n arguments of a command.
func completeFirst(n int, complete cobra.CompletionFunc) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) >= n {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return complete(cmd, args, typed)
	}
}
