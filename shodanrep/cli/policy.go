package cli

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation/policyfile"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/suggest"
)

func (a *app) policyCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "policy",
		Short: "Show, check and compare the policies that scores are by",
		Long: `Show the policies that are built in, check a policy of your own, or see whose level
another policy would change.

A policy is a file in HCL. The connection's argument policy names one, or a query does
with where policy = '...'.`,
		Example: `  shodanrep policy show extended
  shodanrep policy check ours.hcl
  shodanrep policy diff baseline ours.hcl 8.8.8.8 1.1.1.1`,
		Args: noSuchCommand,
		RunE: func(*cobra.Command, []string) error {
			return errors.New("policy needs to be told what to do: show, check or diff")
		},
	}
	cmd.AddCommand(a.policyShowCommand(), a.policyCheckCommand(), a.policyDiffCommand())
	return cmd
}

func (a *app) policyShowCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "show [NAME]",
		Short: "List the policies that are built in, or print the file of one",
		Example: `  shodanrep policy show
  shodanrep policy show extended`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: completeFirst(1, builtInPolicies(), cobra.ShellCompDirectiveNoFileComp),
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				var cells [][]string
				for _, name := range policyfile.Names() {
					cells = append(cells, []string{name, policyfile.BuiltIn(name).Description})
				}
				return failed(a.writeTable(textTable{columns: textColumns("policy", "description"), cells: cells}))
			}
			text := policyfile.Text(args[0])
			if text == "" {
				if hint := suggest.DidYouMean(args[0], policyfile.Names()); hint != "" {
					return failure{fmt.Errorf("no policy %q is built in%s", args[0], hint)}
				}
				return failure{fmt.Errorf("no policy %q is built in: there are %s", args[0], strings.Join(policyfile.Names(), " and "))}
			}
			_, err := fmt.Fprint(a.stdout, text)
			return failed(err)
		},
	}
}

func (a *app) policyCheckCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "check FILE...",
		Short: "Say all that is wrong with files of policies, with the lines",
		Example: `  shodanrep policy check ours.hcl
  shodanrep policy check policies/*.hcl`,
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: completeFiles("hcl"),
		RunE: func(_ *cobra.Command, args []string) error {
			wrong := 0
			for _, file := range args {
				if err := a.checkPolicy(file); err != nil {
					fmt.Fprintln(a.stderr, err)
					wrong++
				}
			}
			if wrong > 0 {
				return failure{fmt.Errorf("%d of %s wrong", wrong, plural(int64(len(args)), "file"))}
			}
			return nil
		},
	}
}

// checkPolicy reads the policy of a file, and says what it is or returns all that is wrong with it, one a line.
func (a *app) checkPolicy(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	policy, err := policyfile.Parse(text, file)
	var problems policyfile.Problems
	if errors.As(err, &problems) {
		lines := make([]string, len(problems))
		for i, p := range problems {
			lines[i] = p.String()
		}
		return errors.New(strings.Join(lines, "\n"))
	}
	if err != nil {
		return err
	}
	asks := "needs no more than a host's summary"
	switch {
	case policy.History:
		asks = "asks for the history of each host"
	case policy.NeedsBanners():
		asks = "asks for the banners of each host"
	}
	_, err = fmt.Fprintf(a.stdout, "%s: the policy %s is right: %s, %s\n", printable(file), policy.Name, plural(int64(len(policy.Factors)), "factor"), asks)
	return err
}
