package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/display"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/rowformat"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/stdio"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/texttable"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation/policyfile"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/suggest"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/textfile"
)

func newPolicyCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "policy",
		Short: "Show, check and compare scoring policies",
		Long: `Show the built-in policies, check a policy of your own, or list the addresses
whose level another policy would change.

A policy is a file in HCL. The connection's argument policy names one; a query
can also select one with where policy = '...'.`,
		Example: `  shodanrep policy show extended
  shodanrep policy check ours.hcl
  shodanrep policy diff baseline ours.hcl 8.8.8.8 1.1.1.1`,
		Args: noSuchCommand,
		RunE: func(*cobra.Command, []string) error {
			return errors.New("policy needs a command: show, check or diff")
		},
	}
	cmd.AddCommand(newPolicyShowCommand(a), newPolicyCheckCommand(a), newPolicyDiffCommand(a))
	return cmd
}

func newPolicyShowCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "show [NAME]",
		Short: "List the built-in policies, or print the file of one",
		Long: "List the built-in policies, or print the file of one.\n\n" +
			exitStatusHelp("there is no such policy or an output failed"),
		Example: `  shodanrep policy show
  shodanrep policy show extended`,
		Args:              countArguments(0, 1, "one argument, the name of a built-in policy"),
		ValidArgsFunction: completeFirst(1, completePolicies(cobra.ShellCompDirectiveNoFileComp)),
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return failed(listPolicies(a.stdout))
			}
			return failed(showPolicy(a.stdout, args[0]))
		},
	}
}

// listPolicies prints the built-in policies.
func listPolicies(out io.Writer) error {
	t := texttable.Table{Columns: texttable.Columns("policy", "description")}
	for _, name := range policyfile.Names() {
		t.Cells = append(t.Cells, []string{name, policyfile.BuiltIn(name).Description})
	}
	return rowformat.WriteTable(out, t, rowformat.Options{})
}

// showPolicy prints the file of a built-in policy.
func showPolicy(out io.Writer, name string) error {
	text := policyfile.Text(name)
	if text == "" {
		hint := suggest.DidYouMean(name, policyfile.Names())
		return fmt.Errorf("there is no built-in policy %q%s", name, cmp.Or(hint, "; there are "+strings.Join(policyfile.Names(), " and ")))
	}
	_, err := io.WriteString(out, text)
	return err
}

func newPolicyCheckCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "check FILE...",
		Short: "List all errors in policy files, with their lines",
		Long: "List all errors in policy files, with their lines.\n\n" +
			exitStatusHelp("a file is wrong or cannot be read, or an output failed"),
		Example: `  shodanrep policy check ours.hcl
  shodanrep policy check policies/*.hcl`,
		Args:              countArguments(1, anyNumber, "the files of policies"),
		ValidArgsFunction: completeFiles("hcl"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return failed(a.checkPolicies(cmd.Context(), args))
		},
	}
}

// checkPolicies describes each policy file, or lists its errors. A file that cannot be read is not called wrong.
func (a *app) checkPolicies(ctx context.Context, files []string) error {
	wrong, unread := 0, 0
	var closed error // that nobody reads about the valid files: the others are still to be found
	for _, file := range files {
		stop := a.awaiter().startFiles(file)
		text, err := stdio.Within(ctx, func() ([]byte, error) { return textfile.Read(file) })
		stop()
		if err != nil {
			if len(files) == 1 || ctx.Err() != nil {
				return err
			}
			a.say(err.Error())
			unread++
			continue
		}
		policy, err := policyfile.Parse(text, file)
		if err != nil {
			a.listProblems(err)
			wrong++
			continue
		}
		if err := describePolicy(a.stdout, file, policy); stdio.IsBrokenPipe(err) {
			closed = err
		} else if err != nil {
			return err
		}
	}
	total := display.Plural(int64(len(files)), "file")
	switch {
	case unread == 0 && wrong == 0:
		return closed
	case unread == 0:
		return fmt.Errorf("%d of %s wrong", wrong, total)
	case wrong == 0:
		return fmt.Errorf("%d of %s cannot be read", unread, total)
	}
	return fmt.Errorf("%d of %s wrong, and %d cannot be read", wrong, total, unread)
}

// listProblems prints the problems of a policy file, one per line, as compilers do: an editor can follow FILE:LINE.
func (a *app) listProblems(err error) {
	var problems policyfile.Problems
	if !errors.As(err, &problems) {
		a.say(err.Error())
	}
	for _, p := range problems {
		fmt.Fprintln(a.stderr, p)
	}
}

// describePolicy prints a line about a policy that is valid.
func describePolicy(out io.Writer, file string, policy *reputation.Policy) error {
	needs := "needs only a host's summary"
	switch {
	case policy.History:
		needs = "needs the history of each host"
	case policy.NeedsBanners():
		needs = "needs the banners of each host"
	}
	_, err := fmt.Fprintf(out, "%s: the policy %s is valid: %s, %s\n", display.Printable(file), policy.Name, display.Plural(int64(len(policy.Factors)), "factor"), needs)
	return err
}
