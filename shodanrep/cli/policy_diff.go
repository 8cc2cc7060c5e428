package cli

import (
	"bufio"
	"errors"
	"fmt"
	"net/netip"
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
}

func (a *app) policyDiffCommand() *cobra.Command {
	var flags diffFlags
	cmd := &cobra.Command{
		Use:   "diff OLD NEW [ADDRESS...]",
		Short: "Show whose level another policy changes, and why",
		Long: `Judge addresses by two policies, each a name or a file, and show those whose level
differs, with a row for each factor that makes the difference. Without addresses they
are read from standard input, one a line.

An address that could not be judged is shown as well: that is not the same as one
whose level stays.`,
		Example: `  shodanrep policy diff baseline extended 8.8.8.8 1.1.1.1
  shodanrep policy diff baseline ours.hcl < addresses.txt
  shodanrep policy diff ours.hcl stricter.hcl --dataset --output csv`,
		Args:              cobra.MinimumNArgs(2),
		ValidArgsFunction: completeFirst(2, builtInPolicies(), cobra.ShellCompDirectiveDefault),
		PreRunE: func(_ *cobra.Command, args []string) error {
			if !slices.Contains(outputNames, flags.output) {
				return fmt.Errorf("--output must be one of %s, not %q", strings.Join(outputNames, ", "), flags.output)
			}
			if flags.dataset && len(args) > 2 {
				return errors.New("--dataset is in place of addresses")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			where := "source = 'dataset'"
			if !flags.dataset {
				addresses, err := a.addresses(args[2:])
				if err != nil {
					return err
				}
				where = "ip in (" + addresses + ")"
			}
			return failed(a.policyDiff(cmd, flags, args[0], args[1], where))
		},
	}
	f := cmd.Flags()
	flags.add(f)
	f.StringVar(&flags.output, "output", "table", "the `FORMAT` of the result: "+strings.Join(outputNames, ", "))
	f.BoolVar(&flags.all, "all", false, "show addresses whose level stays, too")
	f.BoolVar(&flags.dataset, "dataset", false, "judge every address of the connection's dataset")
	return cmd
}

// addresses returns the addresses that are given, or those of standard input, as a list of SQL.
func (a *app) addresses(given []string) (string, error) {
	if len(given) == 0 {
		if isTerminal(a.stdin) {
			return "", errors.New("policy diff needs addresses, as arguments or on standard input, or --dataset")
		}
		lines := bufio.NewScanner(a.stdin)
		for lines.Scan() {
			line, _, _ := strings.Cut(lines.Text(), "#")
			given = append(given, strings.Fields(line)...)
		}
		if err := lines.Err(); err != nil {
			return "", failure{err}
		}
	}
	quoted := make([]string, len(given))
	for i, text := range given {
		addr, err := netip.ParseAddr(text)
		if err != nil || addr.Zone() != "" {
			return "", fmt.Errorf("%q is not an IP address", text)
		}
		quoted[i] = "'" + addr.Unmap().String() + "'"
	}
	slices.Sort(quoted)
	return strings.Join(slices.Compact(quoted), ", "), nil
}

// policyDiff judges addresses by two policies and prints the differences.
func (a *app) policyDiff(cmd *cobra.Command, flags diffFlags, before, after, where string) error {
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
	return a.onDB(cmd.Context(), job{connections: both, output: flags.output, sql: diffSQL(where, flags.all), watch: &watch{}})
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
