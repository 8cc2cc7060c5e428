package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/display"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/rowformat"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/stdio"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/texttable"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/embedded"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/suggest"
)

// A tablesCommand lists the tables, or the columns of one.
type tablesCommand struct{ *app }

func newTablesCommand(a *app) *cobra.Command {
	c := tablesCommand{a}
	return &cobra.Command{
		Use:   "tables [NAME]",
		Short: "List the tables, or the columns of one",
		Long:  "List the tables, or the columns of one.\n\n" + exitStatusHelp("there is no such table or an output failed"),
		Example: `  shodanrep tables
  shodanrep tables shodan_ip_reputation`,
		Args:              countArguments(0, 1, "one argument, the name of a table"),
		ValidArgsFunction: c.complete,
		RunE:              func(cmd *cobra.Command, args []string) error { return failed(c.run(cmd.Context(), args)) },
	}
}

func (c tablesCommand) run(ctx context.Context, args []string) error {
	db, err := embedded.Open(ctx, embedded.Options{PluginFunc: c.plugin})
	if err != nil {
		return err
	}
	defer db.Close()
	if len(args) == 0 {
		return c.list(db.Tables())
	}
	var names []string
	for _, t := range db.Tables() {
		if t.Name == args[0] {
			return c.describe(t)
		}
		names = append(names, t.Name)
	}
	if hint := suggest.DidYouMean(args[0], names); hint != "" {
		return fmt.Errorf("there is no table %s%s", args[0], hint)
	}
	return fmt.Errorf("there is no table %s; 'shodanrep tables' lists all tables", args[0])
}

// list prints the tables.
func (c tablesCommand) list(tables []*embedded.Table) error {
	t := texttable.Table{Columns: texttable.Columns("table", "description")}
	for _, table := range tables {
		t.Cells = append(t.Cells, []string{table.Name, table.Description})
	}
	return rowformat.WriteTable(c.stdout, t, rowformat.Options{})
}

// describe prints the columns of a table, with the conditions that the plugin can use or needs.
func (c tablesCommand) describe(table *embedded.Table) error {
	title := strings.Join(display.Wrap(table.Name+": "+table.Description, stdio.Width(c.stdout)), "\n")
	if _, err := fmt.Fprintf(c.stdout, "%s\n\n", title); err != nil {
		return err
	}
	conditions := make(map[string]string)
	for _, key := range table.Keys {
		conditions[key.Name] = fmt.Sprintf("%s (%s)", strings.ReplaceAll(key.Require, "_", " "), strings.Join(key.Operators, " "))
	}
	t := texttable.Table{Columns: texttable.Columns("column", "type", "condition", "description")}
	for _, column := range table.Visible() {
		t.Cells = append(t.Cells, []string{column.Name, column.Type, conditions[column.Name], column.Description})
	}
	return rowformat.WriteTable(c.stdout, t, rowformat.Options{})
}

// complete completes the name of a table, once.
func (c tablesCommand) complete(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	db, err := embedded.Open(cmd.Context(), embedded.Options{PluginFunc: c.plugin})
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
