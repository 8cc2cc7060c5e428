package shodanrep_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/report"
)

// changingInFormats is what depends on the day or the moment of a check in the formats for platforms.
var changingInFormats = regexp.MustCompile(`"modified":"[^"]*"|seen \d+ days|"confidence":\d+`)

func TestThePageOfTheFormatsShowsWhatTheirOutputsHave(t *testing.T) {
	atRoot(t)
	page := read(t, "docs/formats.md")
	all := blocksIn(page, "sh", "json")
	ran := 0
	for i, b := range all {
		_, args, isCheck := strings.Cut(b.text, "bin/shodanrep check ")
		if !isCheck {
			continue
		}
		ran++
		output := map[string]bool{}
		for line := range strings.Lines(runCLI(t, append([]string{"check"}, strings.Fields(args)...)...)) {
			output[stableLine(line)] = true
		}
		for line := range strings.Lines(all[i+1].text) {
			if !output[stableLine(line)] {
				t.Errorf("%s: the output does not have the line %s", b.text, line)
			}
		}
	}
	documented := 0
	for _, f := range report.Formats {
		if !f.KeepsUnchecked {
			continue
		}
		documented++
		if !strings.Contains(page, "\n## "+f.Name+"\n") || !strings.Contains(read(t, "docs/cli.md"), "(formats.md#"+f.Name+")") {
			t.Errorf("the format %s is not documented", f.Name)
		}
	}
	if ran != documented {
		t.Errorf("%d examples of %d formats", ran, documented)
	}
}

// stableLine returns a line of an array without what changes.
func stableLine(line string) string {
	return changingInFormats.ReplaceAllString(strings.TrimSuffix(strings.TrimSpace(line), ","), "…")
}
