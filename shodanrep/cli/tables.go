package cli

import (
	"fmt"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/embedded"
)

func (a *app) tablesCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "tables [NAME]",
		Short: "List the tables, or the columns of one",
		Example: `  shodanrep tables
  shodanrep tables shodan_ip_reputation`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			db, err := embedded.Open(cmd.Context(), embedded.Options{PluginFunc: a.plugin})
			if err != nil {
				return failure{err}
			}
			defer db.Close()
			if len(args) == 0 {
				return a.listTables(db.Tables())
			}
			for _, t := range db.Tables() {
				if t.Name == args[0] {
					return a.describeTable(t)
				}
			}
			return failure{fmt.Errorf("there is no table %s; 'shodanrep tables' lists those that there are", args[0])}
		},
	}
}

func (a *app) listTables(tables []*embedded.Table) error {
	w := a.newTable("table", "description")
	for _, t := range tables {
		w.AppendRow(table.Row{t.Name, t.Description})
	}
	return a.render(w)
}

func (a *app) describeTable(t *embedded.Table) error {
	if err := failed(fmt.Fprintf(a.stdout, "%s: %s\n\n", t.Name, t.Description)); err != nil {
		return err
	}
	keys := make(map[string]string)
	for _, key := range t.Keys {
		keys[key.Name] = strings.ReplaceAll(key.Require, "_", " ") + ": " + strings.Join(key.Operators, " ")
	}
	w := a.newTable("column", "type", "key", "description")
	for _, c := range t.Visible() {
		w.AppendRow(table.Row{c.Name, c.Type, keys[c.Name], c.Description})
	}
	return a.render(w)
}
