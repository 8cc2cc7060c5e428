package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/zclconf/go-cty/cty"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/rowformat"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/spcfile"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/stdio"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/embedded"
)

// A policyDiffCommand compares the levels of addresses by two policies.
type policyDiffCommand struct {
	*app
	connectionFlags
	output               string
	all, dataset, expand bool
	noColor              bool
	escapeFormulas       bool
}

func newPolicyDiffCommand(a *app) *cobra.Command {
	c := &policyDiffCommand{app: a}
	cmd := &cobra.Command{
		Use:   "diff OLD NEW [INPUT...]",
		Short: "List the addresses whose level another policy changes, and why",
		Long: `Score addresses by two policies, each a name or a file, and show the addresses
whose level differs, with a row for each factor that makes the difference. If no
level differs it prints "no level changes".

An INPUT is the same as for check: an address, a network, a file of any text, or
"-" for standard input. Without an INPUT standard input is read.

An address that could not be scored is shown as well: that is not the same as
one whose level stays.

` + exitStatusHelp("a policy, an input, the configuration or an output failed"),
		Example: `  shodanrep policy diff baseline extended 8.8.8.8 1.1.1.1
  shodanrep policy diff baseline ours.hcl access.log
  shodanrep policy diff ours.hcl stricter.hcl --dataset --output csv`,
		Args:              countArguments(2, anyNumber, "two policies, and the inputs after them"),
		ValidArgsFunction: completeFirst(2, completePolicies(cobra.ShellCompDirectiveDefault)),
		PreRunE: func(_ *cobra.Command, args []string) error {
			switch {
			case !slices.Contains(rowformat.TextNames, c.output):
				return fmt.Errorf("--output must be one of %s, not %q", strings.Join(rowformat.TextNames, ", "), c.output)
			case c.dataset && len(args) > 2:
				return errors.New("--dataset and addresses exclude each other")
			case !c.dataset && len(args) == 2 && stdio.IsTerminal(a.stdin):
				return errors.New("policy diff needs addresses or files, as arguments or on standard input, or --dataset")
			}
			return rowformat.CheckEscapeFormulas(c.escapeFormulas, c.output)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return failed(c.run(cmd.Context(), args[0], args[1], args[2:]))
		},
	}
	f := cmd.Flags()
	c.register(f)
	f.StringVar(&c.output, "output", "table", "the `FORMAT` of the result: "+strings.Join(rowformat.TextNames, ", "))
	f.BoolVar(&c.all, "all", false, "also show addresses whose level stays")
	f.BoolVar(&c.dataset, "dataset", false, "score every address of the connection's dataset")
	f.BoolVar(&c.expand, "expand", false, "score each address of a network, up to network_limit of the connection")
	addEscapeFormulas(f, &c.escapeFormulas)
	addNoColor(f, &c.noColor)
	return cmd
}

// run scores addresses by two policies and prints the differences. The policies are the arguments of two connections.
func (c *policyDiffCommand) run(ctx context.Context, before, after string, inputs []string) error {
	for _, policy := range []string{before, after} {
		// A wrong policy is an error before anything is looked up.
		if err := checkPolicy(ctx, c.app, policy); err != nil {
			return err
		}
	}
	connection, err := c.single(ctx, c.app)
	if err != nil {
		return err
	}
	var both []embedded.Connection
	for _, side := range []struct{ name, policy string }{{"before", before}, {"after", after}} {
		arguments, err := spcfile.SetArgument(connection.Config, "policy", cty.StringVal(side.policy))
		if err != nil {
			return err
		}
		both = append(both, embedded.Connection{Name: side.name, Config: arguments})
	}
	r := &sqlRun{app: c.app, connections: both, output: c.output, failOn: &failOn{}, print: c.print}
	where := "source = 'dataset'"
	if !c.dataset {
		if r.targets, err = c.targets(ctx, connection, inputs); err != nil {
			return err
		}
		where = "ip in (select ip from " + targetsTable + ")"
	}
	return r.run(ctx, diffSQL(where, c.all))
}

// targets finds the addresses of inputs. Inputs without an address are an error, because nothing was compared.
func (c *policyDiffCommand) targets(ctx context.Context, connection embedded.Connection, inputs []string) (*targetList, error) {
	list, err := stdio.Within(ctx, func() (*targetList, error) { return readTargets(c.stdin, inputs, c.awaiter()) })
	if err != nil {
		return nil, err
	}
	c.sayAll(list.malformed.notices())
	if list.len() == 0 {
		return nil, errors.New("no address was found in " + inputNames(inputs))
	}
	if c.expand {
		summary, err := shodanrep.SummarizeConnection(connection.Name, connection.Config)
		if err != nil {
			return nil, err
		}
		list = list.expanded(summary.NetworkLimit)
	}
	return list, nil
}

// noLevelChanges is printed if the policies agree on every level.
const noLevelChanges = "no level changes"

// print prints the rows of a comparison, and whether no level changes: instead of an empty table, and else on standard
// error, because the rows may be of addresses that could not be scored.
func (c *policyDiffCommand) print(stdout io.Writer, rows rowformat.Rows) error {
	changes := newLevelChanges(rows)
	if c.output == "table" && changes.isEmpty() {
		_, err := fmt.Fprintln(stdout, noLevelChanges)
		return err
	}
	o := rowformat.Options{NoColor: c.noColor, EscapeFormulas: c.escapeFormulas, Keep: []string{"ip", "old_level", "new_level", "factor", "change", "detail"}}
	if err := rowformat.Write(c.output, stdout, changes, o); err != nil || changes.changed > 0 {
		return err
	}
	c.say(noLevelChanges)
	return nil
}

// levelChanges are the rows of a comparison. It counts the rows in which the levels differ.
type levelChanges struct {
	rowformat.Rows
	before, after int  // the columns of the levels
	peeked        bool // the first row has been read and not yet returned
	changed       int
}

func newLevelChanges(rows rowformat.Rows) *levelChanges {
	c := &levelChanges{Rows: rows}
	for i, column := range rows.Columns() {
		switch column.Name {
		case "old_level":
			c.before = i
		case "new_level":
			c.after = i
		}
	}
	return c
}

// isEmpty reports whether there are no rows, and no error.
func (c *levelChanges) isEmpty() bool {
	c.peeked = c.Rows.Next()
	return !c.peeked && c.Err() == nil
}

func (c *levelChanges) Next() bool {
	if !c.peeked && !c.Rows.Next() {
		return false
	}
	c.peeked = false
	if values := c.Values(); values[c.before] != values[c.after] {
		c.changed++
	}
	return true
}

// diffSQL returns the query that compares. Both sides select the same columns, so that they need the same data of each
// address and the second side is served from the cache.
func diffSQL(where string, all bool) string {
	which := "b.level <> a.level or b.status <> 'indexed'"
	if all {
		which = "true"
	}
	return strings.NewReplacer("{where}", where, "{which}", which).Replace(`
with
  b as materialized (select ip, status, error, level, score, factors, confidence from "before".shodan_ip_reputation where {where}),
  a as materialized (select ip, status, error, level, score, factors, confidence from "after".shodan_ip_reputation where {where}),
  factor as (
    select b.ip, f.value ->> 'factor' as name, -(f.value ->> 'points') as points, null as detail from b, json_each(b.factors) as f
    union all
    select a.ip, f.value ->> 'factor', f.value ->> 'points', f.value ->> 'detail' from a, json_each(a.factors) as f
  ),
  change as (
    select ip, name, sum(points) as points, max(detail) as detail from factor group by ip, name having sum(points) <> 0
  )
select
  b.ip, b.level as old_level, b.score as old_score, a.level as new_level, a.score as new_score, c.name as factor, c.points as change,
  case when b.status <> 'indexed' then b.status || coalesce(': ' || b.error, '') else case when c.name is not null then coalesce(c.detail, 'no longer counts') end end as detail
from b join a on a.ip = b.ip left join change as c on c.ip = b.ip
where {which}
order by a.score desc nulls last, b.ip, abs(c.points) desc, c.name`)
}
