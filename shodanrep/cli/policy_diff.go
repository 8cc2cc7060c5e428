package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/spf13/cobra"
	"github.com/zclconf/go-cty/cty"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/embedded"
)

// diffFlags are the flags of the comparison.
type diffFlags struct {
	connectionFlags
	output  string
	all     bool
	dataset bool
	expand  bool
	noColor bool
}

func (a *app) policyDiffCommand() *cobra.Command {
	var flags diffFlags
	cmd := &cobra.Command{
		Use:   "diff OLD NEW [INPUT...]",
		Short: "Show whose level another policy changes, and why",
		Long: `Judge addresses by two policies, each a name or a file, and show those whose level
differs, with a row for each factor that makes the difference. Where no level differs
it says "no level changes".

An INPUT is what it is for check: an address, a network, a file of any text, or "-"
for standard input, which is also read without any INPUT.

An address that could not be judged is shown as well: that is not the same as one
whose level stays.`,
		Example: `  shodanrep policy diff baseline extended 8.8.8.8 1.1.1.1
  shodanrep policy diff baseline ours.hcl access.log
  shodanrep policy diff ours.hcl stricter.hcl --dataset --output csv`,
		Args:              cobra.MinimumNArgs(2),
		ValidArgsFunction: completeFirst(2, builtInPolicies(), cobra.ShellCompDirectiveDefault),
		PreRunE: func(_ *cobra.Command, args []string) error {
			switch {
			case !slices.Contains(outputNames, flags.output):
				return fmt.Errorf("--output must be one of %s, not %q", strings.Join(outputNames, ", "), flags.output)
			case flags.dataset && len(args) > 2:
				return errors.New("--dataset is in place of addresses")
			case !flags.dataset && len(args) == 2 && isTerminal(a.stdin):
				return errors.New("policy diff needs addresses or files, as arguments or on standard input, or --dataset")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return failed(a.policyDiff(cmd.Context(), flags, args[0], args[1], args[2:]))
		},
	}
	f := cmd.Flags()
	flags.add(f)
	f.StringVar(&flags.output, "output", "table", "the `FORMAT` of the result: "+strings.Join(outputNames, ", "))
	f.BoolVar(&flags.all, "all", false, "show addresses whose level stays, too")
	f.BoolVar(&flags.dataset, "dataset", false, "judge every address of the connection's dataset")
	f.BoolVar(&flags.expand, "expand", false, "judge each address of a network, up to network_limit of the connection")
	addNoColor(f, &flags.noColor)
	return cmd
}

// policyDiff judges addresses by two policies and prints the differences.
func (a *app) policyDiff(ctx context.Context, flags diffFlags, before, after string, inputs []string) error {
	for _, policy := range []string{before, after} {
		// So that a wrong one fails before anything is looked up.
		if _, err := shodanrep.ReadPolicy(policy); err != nil {
			return fmt.Errorf("%s: %w", policy, err)
		}
	}
	found, err := flags.connections(a.say)
	if err != nil {
		return err
	}
	if len(found[0].Members) > 0 {
		return fmt.Errorf("%s is an aggregator of connections: choose one with --connection", found[0].Name)
	}
	var both []embedded.Connection
	for name, policy := range map[string]string{"before": before, "after": after} {
		config, err := withPolicy(found[0].Config, policy)
		if err != nil {
			return err
		}
		both = append(both, embedded.Connection{Name: name, Config: config})
	}
	j := job{connections: both, output: flags.output, noColor: flags.noColor, watch: &watch{}, print: (*app).printChanges}
	where := "source = 'dataset'"
	if !flags.dataset {
		if j.targets, err = a.diffTargets(ctx, flags, found[0], inputs); err != nil {
			return err
		}
		where = "ip in (select ip from " + targetsTable + ")"
	}
	j.sql = diffSQL(where, flags.all)
	return a.onDB(ctx, j)
}

// diffTargets finds the addresses of inputs. Without one there is nothing to compare, which is not the same as a
// comparison without changes.
func (a *app) diffTargets(ctx context.Context, flags diffFlags, connection embedded.Connection, inputs []string) (*targetList, error) {
	list, err := within(ctx, func() (*targetList, error) { return a.readTargets(inputs) })
	if err != nil {
		return nil, err
	}
	if list.len() == 0 {
		return nil, errors.New("no address was found in " + inputNames(inputs))
	}
	if flags.expand {
		summary, err := shodanrep.SummarizeConnection(connection.Name, connection.Config)
		if err != nil {
			return nil, err
		}
		list = list.expanded(summary.NetworkLimit)
	}
	return list, nil
}

// noLevelChanges is what a comparison says whose policies agree on every level.
const noLevelChanges = "no level changes"

// levelChanges are the rows of a comparison. It counts those in which the levels differ.
type levelChanges struct {
	results
	before, after int  // the columns of the levels
	read          bool // the first row has been read and not yet returned
	changed       int
}

// printChanges prints the rows of a comparison, and says where no level changes: as the result, where a table would have
// no rows, and else on standard error, where rows are of addresses that could not be judged, or another format is asked
// for.
func (a *app) printChanges(output string, rows results) error {
	c := &levelChanges{results: rows}
	for i, column := range rows.Columns() {
		switch column.Name {
		case "old_level":
			c.before = i
		case "new_level":
			c.after = i
		}
	}
	print := func() error { return a.print(output, c) }
	if output == "table" {
		if c.read = rows.Next(); !c.read && rows.Err() == nil {
			_, err := fmt.Fprintln(a.stdout, noLevelChanges)
			return err
		}
		print = func() error { return a.printTable(c, "ip", "old_level", "new_level", "factor", "change", "detail") }
	}
	if err := print(); err != nil || c.changed > 0 {
		return err
	}
	a.say(noLevelChanges)
	return nil
}

func (c *levelChanges) Next() bool {
	if !c.read && !c.results.Next() {
		return false
	}
	c.read = false
	if values := c.Values(); values[c.before] != values[c.after] {
		c.changed++
	}
	return true
}

// withPolicy returns a connection's arguments with another policy.
func withPolicy(config, policy string) (string, error) {
	file, diagnostics := hclwrite.ParseConfig([]byte(config), "connection", hcl.InitialPos)
	if diagnostics.HasErrors() {
		return "", diagnosticsError(diagnostics)
	}
	file.Body().SetAttributeValue("policy", cty.StringVal(policy))
	return string(file.Bytes()), nil
}

// diffSQL returns the query that compares. Both sides select the confidence, so that both ask for the same of each
// address and the second is answered from the cache.
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
