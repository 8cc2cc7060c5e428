package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/changes"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/report"
)

// outputFormats are the formats of --output of a command, the default first.
type outputFormats []struct{ name, help string }

// reportFormats are those of the commands whose results are verdicts.
func reportFormats() (formats outputFormats) {
	for _, f := range report.Formats {
		formats = append(formats, struct{ name, help string }{f.Name, f.Help})
	}
	return formats
}

// changesFormats are those of the changes command.
func changesFormats() (formats outputFormats) {
	for _, f := range changes.Formats {
		formats = append(formats, struct{ name, help string }{f.Name, f.Help})
	}
	return formats
}

// list lists the formats for the help of a command, one per line.
func (f outputFormats) list() string {
	var b strings.Builder
	for _, format := range f {
		fmt.Fprintf(&b, "  %-9s %s\n", format.name, format.help)
	}
	return b.String()
}

// register adds the flag --output to a command.
func (f outputFormats) register(cmd *cobra.Command, format *string) {
	var names []string
	var completions []cobra.Completion
	for _, format := range f {
		names = append(names, format.name)
		completions = append(completions, cobra.CompletionWithDesc(format.name, format.help))
	}
	cmd.Flags().StringVar(format, "output", names[0], "the `FORMAT` of the result: "+strings.Join(names, ", "))
	if err := cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(completions, cobra.ShellCompDirectiveNoFileComp)); err != nil {
		panic(err) // the flag exists
	}
}
