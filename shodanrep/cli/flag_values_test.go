package cli

import (
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

func TestWholeNumbersAreDecimal(t *testing.T) {
	t.Parallel()
	const noNumber, large = "must be a whole number, such as 50", "the number is too large"
	for text, want := range map[string]any{
		"0": 0, "50": 50, "-5": -5, "+5": 5, "050": 50, "08": 8, "9223372036854775807": 1<<63 - 1,
		"": noNumber, " 5": noNumber, "0x10": noNumber, "1_0": noNumber, "1.5": noNumber, "1e2": noNumber, "NaN": noNumber,
		"99999999999999999999": large, "-99999999999999999999": large,
	} {
		var n wholeNumber
		err := n.Set(text)
		if number, ok := want.(int); ok && (err != nil || int(n) != number) || !ok && (err == nil || err.Error() != want) {
			t.Errorf("%q: %d, %v; want %v", text, n, err, want)
		}
	}
}

// The flags of pflag take 010 for 8, refuse days, and say of a number out of range that it is none.
func TestNumbersAndDurationsOfFlagsAreOurs(t *testing.T) {
	t.Parallel()
	var found int
	var visit func(cmd *cobra.Command)
	visit = func(cmd *cobra.Command) {
		for _, child := range cmd.Commands() {
			visit(child)
		}
		cmd.LocalFlags().VisitAll(func(flag *pflag.Flag) {
			switch flag.Value.(type) {
			case *wholeNumber, *duration:
				found++
				return
			}
			if kind := flag.Value.Type(); kind != "bool" && !strings.HasPrefix(kind, "string") {
				t.Errorf("%s --%s is of pflag's type %s: use addInt or addDuration", cmd.Name(), flag.Name, kind)
			}
		})
	}
	visit(Command())
	if found == 0 {
		t.Error("no flag was found")
	}
}

func TestDurationsAreWrittenAsAUserWould(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"20h": "20h", "90m": "1h30m", "30m": "30m", "10s": "10s", "1h5s": "1h0m5s", "7d": "168h", "0s": "0s"} {
		var d duration
		if err := d.Set(text); err != nil || d.String() != want {
			t.Errorf("%s: got %s, want %s, %v", text, d.String(), want, err)
		}
	}
}
