//go:build unix

package main

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

func TestTheTableIsInOrderAndSaysWhatIsNotReached(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	reached, err := printTable(&out, []figure{
		{number: 2, what: "memory", measured: "1 MB", reach: "≤ 2 MB", reached: true},
		{number: 1, what: "time", measured: "6.00 s", bound: "5.00 s", ratio: "1.20 ×", reach: "≤ 1.10 ×", notes: []string{"one", "two"}},
	})
	if reached || err != nil {
		t.Errorf("reached %v, error %v", reached, err)
	}
	const want = `
| # | figure | measured | bound  | ratio  | to be reached | reached |
| - | ------ | -------- | ------ | ------ | ------------- | ------- |
| 1 | time   | 6.00 s   | 5.00 s | 1.20 × | ≤ 1.10 ×      | **no**  |
| 2 | memory | 1 MB     |        |        | ≤ 2 MB        | yes     |

- Figure 1: one.
- Figure 1: two.
`
	if _, table, _ := strings.Cut(out.String(), "\n"); table != want {
		t.Errorf("got\n%s\nwant\n%s", table, want)
	}
	if reached, _ := printTable(&out, []figure{{reached: true}}); !reached {
		t.Error("all is reached, and that is not what it returned")
	}
}

func TestAMeasurementThatFailsIsAFigureThatIsNotReached(t *testing.T) {
	t.Parallel()
	got := measure(new(bench), measurement{[]int{4, 5}, func(*bench) ([]figure, error) {
		return []figure{{what: "good", reached: true}}, errors.New("no luck")
	}})
	if len(got) != 2 || got[0].number != 4 || !got[0].reached || got[1].number != 5 || got[1].reached || !slices.Equal(got[1].notes, []string{"no luck"}) {
		t.Errorf("got %+v", got)
	}
}

func TestEveryFigureIsMeasuredOnce(t *testing.T) {
	t.Parallel()
	var all []int
	for _, stage := range stages {
		for _, m := range stage {
			all = append(all, m.figures...)
		}
	}
	if slices.Sort(all); !slices.Equal(all, []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17}) {
		t.Errorf("got %v", all)
	}
}

func TestWhatIsWrongWithTheCommandLineIsSaid(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		args []string
		want string
	}{
		"a list that is none": {[]string{"-only", "1,x"}, "-only 1,x: use numbers of figures, such as 1,2"},
		"a missing binary":    {[]string{"-binary", "./nonesuch"}, "-binary ./nonesuch: "},
		"an unknown flag":     {[]string{"-nonesuch"}, "flag provided but not defined: -nonesuch"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out, errs bytes.Buffer
			if _, err := run(tt.args, &out, &errs); err == nil || !strings.HasPrefix(err.Error(), tt.want) || out.Len() > 0 {
				t.Errorf("error %v, standard output %q", err, out.String())
			}
		})
	}
	if err := work("nonesuch", nil); err == nil {
		t.Error("an unknown worker is no error")
	}
}

func TestTheFilesOfTheKernelAreRead(t *testing.T) {
	t.Parallel()
	// user nice system idle iowait irq softirq steal guest guest_nice
	if got := usedTime("cpu  100 20 3 9000 9000 9000 9000 4 0 0\ncpu0 1 1 1 1\n"); got != 1270*time.Millisecond {
		t.Errorf("the time used is %v", got)
	}
}

func TestTheProgramThatOnlyAsksAsksForEachAddressOnce(t *testing.T) {
	t.Parallel()
	s, err := simulate()
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	s.Generate(250)
	if _, err := requestOnly([]string{s.url + shodantest.InternetDBPath, "250"}); err != nil {
		t.Fatal(err)
	}
	asked := map[string]bool{}
	for _, r := range s.Requests() {
		asked[r.Target] = true
	}
	if len(asked) != 250 || s.Count(shodantest.InternetDB) != 250 || s.refused() != 0 {
		t.Errorf("%d requests for %d addresses, %d refused", s.Count(""), len(asked), s.refused())
	}
}

func TestAResultIsHeldAgainstWhatWasAsked(t *testing.T) {
	t.Parallel()
	rows := [][]string{{"11.0.0.1", "indexed"}, {"11.0.0.2", "error"}}
	for name, tt := range map[string]struct {
		rows [][]string
		n    int
		want string
	}{
		"all answered":    {rows[:1], 1, ""},
		"one that failed": {rows, 2, "2 rows, of which 1 are indexed, of 2 addresses"},
		"one missing":     {rows[:1], 2, "1 rows, of which 1 are indexed, of 2 addresses"},
		"one too many":    {[][]string{rows[0], rows[0]}, 1, "2 rows, of which 2 are indexed, of 1 addresses"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := ""
			if err := (result{rows: tt.rows}).want(tt.n, "indexed"); err != nil {
				got = err.Error()
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
