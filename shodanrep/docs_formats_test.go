package shodanrep_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/report"
)

// changingInFormats is what depends on the day or the moment of a check in the formats for platforms.
var changingInFormats = regexp.MustCompile(`"modified(_at)?":"[^"]*"|seen \d+ days|"confidence(_id)?":("[A-Za-z ]*"|[0-9.]+)|"@timestamp":"[^"]*"|"id":"[0-9a-f-]*"|"uid":"[0-9a-f-]*"|"(modified_)?time":\d+|"timestamp":"\d+"|"date":"[^"]*"`)

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

func TestThePageOfTheFormatsShowsRelatedHosts(t *testing.T) {
	atRoot(t)
	all, ran := blocksIn(read(t, "docs/formats.md"), "sh", "json"), 0
	for i, b := range all {
		_, args, isRelated := strings.Cut(b.text, "bin/shodanrep related ")
		if !isRelated {
			continue
		}
		ran++
		output := map[string]bool{}
		for line := range strings.Lines(runCLI(t, append([]string{"related"}, strings.Fields(args)...)...)) {
			output[stableLine(line)] = true
		}
		for line := range strings.Lines(all[i+1].text) {
			if !output[stableLine(line)] {
				t.Errorf("%s: the output does not have the line %s", b.text, line)
			}
		}
	}
	if ran != 1 {
		t.Errorf("%d examples", ran)
	}
}

// stableLine returns a line of an array without what changes.
func stableLine(line string) string {
	return changingInFormats.ReplaceAllString(strings.TrimSuffix(strings.TrimSpace(line), ","), "…")
}

// TestThePageOfTheFormatsHasEachField checks the tables of formats whose lines are objects.
func TestThePageOfTheFormatsHasEachField(t *testing.T) {
	atRoot(t)
	page := read(t, "docs/formats.md")
	for _, format := range []string{"ecs", "ocsf", "cortex"} {
		_, section, _ := strings.Cut(page, "\n## "+format+"\n")
		section, _, _ = strings.Cut(section, "\n## ")
		output := runCLI(t, "check", "--config", sampleConfig, "--output", format, "config/sample/incident.txt")
		fields := map[string]bool{}
		for line := range strings.Lines(output) {
			var object map[string]any
			if err := json.Unmarshal([]byte(line), &object); err != nil {
				t.Fatal(err)
			}
			addFields(fields, "", object)
		}
		if len(fields) < 20 {
			t.Errorf("%s: only %d fields", format, len(fields))
		}
		for field := range fields {
			if !strings.Contains(section, "`"+field+"`") {
				t.Errorf("%s: the field %s is not documented", format, field)
			}
		}
	}
}

// addFields adds the paths of the values in a JSON value.
func addFields(fields map[string]bool, path string, value any) {
	switch value := value.(type) {
	case map[string]any:
		for name, member := range value {
			addFields(fields, strings.TrimPrefix(path+"."+name, "."), member)
		}
	case []any:
		for _, item := range value {
			addFields(fields, path, item)
		}
	default:
		fields[path] = true
	}
}
