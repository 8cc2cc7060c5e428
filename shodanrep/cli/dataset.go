package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/homedir"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/internetdbfile"
)

func newDatasetCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "dataset",
		Short: "Prepare Shodan's data files",
		Long: `Prepare Shodan's data files for lookups. What the arguments data_files and
internetdb_file of a connection name needs no preparation, unless an error says
so.`,
		Example: "  shodanrep dataset index ~/shodan/internetdb.sqlite",
		Args:    noSuchCommand,
		RunE: func(*cobra.Command, []string) error {
			return errors.New("dataset needs a command: shodanrep dataset index FILE")
		},
	}
	cmd.AddCommand(newDatasetIndexCommand(a))
	return cmd
}

func newDatasetIndexCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "index FILE",
		Short: "Add the index that lookups in internetdb.sqlite need",
		Long: `Add an index on the column ip to FILE, Shodan's internetdb.sqlite, if it has
none. Without an index every lookup would read the whole file, so internetdb_file
refuses such a file.

It takes minutes for a file of tens of gigabytes, and the file grows. If it is
interrupted, run it again: the file is then as before. A compressed file needs no
index, because its copy gets one.

The exit status is 0 if the file has an index, 1 if it cannot be added, 2 for
wrong usage, and 130 if the command was interrupted.`,
		Example:           "  shodanrep dataset index ~/shodan/internetdb.sqlite",
		Args:              countArguments(1, 1, "one argument, the name of a file"),
		ValidArgsFunction: completeFirst(1, completeFiles("sqlite")),
		RunE: func(cmd *cobra.Command, args []string) error {
			path, err := homedir.Expand(args[0])
			if err != nil {
				return failed(err)
			}
			added, err := internetdbfile.AddIndex(cmd.Context(), path)
			if err != nil {
				return failed(err)
			}
			text := "%s has an index on ip already\n"
			if added {
				text = "%s has an index on ip now\n"
			}
			_, err = fmt.Fprintf(a.stdout, text, path)
			return failed(err)
		},
	}
}
