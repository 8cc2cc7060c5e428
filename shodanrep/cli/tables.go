package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/embedded"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/suggest"
)

func (a *app) tablesCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "tables [NAME]",
		Short: "List the tables, or the columns of one",
		Example: `  shodanrep tables
  shodanrep tables shodan_ip_reputation`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: a.completeTables,
		RunE: func(cmd *cobra.Command, args []string) error {
			db, err := embedded.Open(cmd.Context(), embedded.Options{PluginFunc: a.plugin})
			if err != nil {
				return failure{err}
			}
			defer db.Close()
			if len(args) == 0 {
				return failed(a.listTables(db.Tables()))
			}
			var names []string
			for _, t := range db.Tables() {
				if t.Name == args[0] {
					return failed(a.describeTable(t))
				}
				names = append(names, t.Name)
			}
			if hint := suggest.DidYouMean(args[0], names); hint != "" {
				return failure{fmt.Errorf("there is no table %s%s", args[0], hint)}
			}
			return failure{fmt.Errorf("there is no table %s; 'shodanrep tables' lists those that there are", args[0])}
		},
	}
}

func (a *app) listTables(tables []*embedded.Table) error {
	var cells [][]string
	for _, t := range tables {
		cells = append(cells, []string{t.Name, t.Description})
	}
	return a.writeTable(textTable{columns: textColumns("table", "description"), cells: cells})
}

// describeTable lists a table's columns. Those that a query may or must have a condition on say so, with the operators
// of which the plugin is told.
func (a *app) describeTable(t *embedded.Table) error {
	title := strings.Join(wrapped(t.Name+": "+t.Description, a.width()), "\n")
	if _, err := fmt.Fprintf(a.stdout, "%s\n\n", title); err != nil {
		return err
	}
	conditions := make(map[string]string)
	for _, key := range t.Keys {
		conditions[key.Name] = fmt.Sprintf("%s (%s)", strings.ReplaceAll(key.Require, "_", " "), strings.Join(key.Operators, " "))
	}
	var cells [][]string
	for _, c := range t.Visible() {
		cells = append(cells, []string{c.Name, c.Type, conditions[c.Name], c.Description})
	}
	return a.writeTable(textTable{columns: textColumns("column", "type", "condition", "description"), cells: cells})
}
