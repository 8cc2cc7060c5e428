package cli

import (
	"fmt"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep"
)

func newVersionCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version, its revision and the Go version",
		Long:  "Print the version, its revision and the Go version.\n\n" + exitStatusHelp("an output failed"),
		Args:  noArguments,
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintln(a.stdout, versionText())
			return failed(err)
		},
	}
}

// versionText returns the version, the revision and the Go version.
func versionText() string {
	text := "shodanrep " + shodanrep.Version()
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, setting := range info.Settings {
			if setting.Key == "vcs.revision" {
				text += fmt.Sprintf(", revision %.12s", setting.Value)
			}
		}
		text += ", " + info.GoVersion
	}
	return text
}
