package schedules_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// schedules are the files of this folder, and the page that explains them.
var schedules = []string{"crontab", "github-actions.yml", "../../docs/schedules.md"}

func TestSchedulesRunBenchmarksThatThereAre(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../powerpipe/*.pp")
	if err != nil {
		t.Fatal(err)
	}
	var mod strings.Builder
	for _, file := range files {
		mod.WriteString(read(t, file))
	}
	for _, file := range schedules {
		found := regexp.MustCompile(`powerpipe benchmark run (\w+)`).FindAllStringSubmatch(read(t, file), -1)
		if len(found) == 0 {
			t.Errorf("%s runs no benchmark", file)
		}
		for _, m := range found {
			if !strings.Contains(mod.String(), "benchmark \""+m[1]+"\"") {
				t.Errorf("%s runs the benchmark %s, which there is not", file, m[1])
			}
		}
	}
}

func TestSchedulesNameFilesThatThereAre(t *testing.T) {
	t.Parallel()
	for _, file := range schedules {
		for _, path := range regexp.MustCompile(`\b(?:config|docs)/[\w./-]*\w`).FindAllString(read(t, file), -1) {
			if _, err := os.Stat("../../" + path); err != nil && path != "config/powerpipe/report" {
				t.Errorf("%s: %v", file, err)
			}
		}
	}
}

func TestTheLinesOfTheCrontabAreComplete(t *testing.T) {
	t.Parallel()
	line := regexp.MustCompile(`^([0-9*/,-]+ ){5}cd /opt/shodanrep\S* && [^%]+$`)
	jobs := 0
	for text := range strings.Lines(read(t, "crontab")) {
		text = strings.TrimSuffix(text, "\n")
		if text == "" || strings.HasPrefix(text, "#") || strings.HasPrefix(text, "MAILTO=") {
			continue
		}
		if jobs++; !line.MatchString(text) {
			t.Errorf("not a job: %s", text)
		}
	}
	if jobs != 3 {
		t.Errorf("%d jobs", jobs)
	}
}

func TestTheWorkflowIsOne(t *testing.T) {
	t.Parallel()
	var workflow struct {
		Name string         `yaml:"name"`
		On   map[string]any `yaml:"on"`
		Jobs map[string]struct {
			RunsOn string           `yaml:"runs-on"`
			Steps  []map[string]any `yaml:"steps"`
		} `yaml:"jobs"`
	}
	if err := yaml.Unmarshal([]byte(read(t, "github-actions.yml")), &workflow); err != nil {
		t.Fatal(err)
	}
	if workflow.Name == "" || workflow.On["schedule"] == nil || len(workflow.Jobs) == 0 {
		t.Errorf("the workflow is %+v", workflow)
	}
	pinned := regexp.MustCompile(`^[\w-]+/[\w-]+@v\d`)
	for name, job := range workflow.Jobs {
		if job.RunsOn == "" || len(job.Steps) == 0 {
			t.Errorf("the job %s is %+v", name, job)
		}
		for _, step := range job.Steps {
			uses, isAction := step["uses"].(string)
			if _, runs := step["run"].(string); runs == isAction || isAction && !pinned.MatchString(uses) {
				t.Errorf("a step of %s is %v", name, step)
			}
		}
	}
}

// TestTheFilesOfGitHubAreYAML is about those of the repository itself, which nothing else here reads.
func TestTheFilesOfGitHubAreYAML(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../.github/*/*.yml")
	if err != nil || len(files) < 4 {
		t.Fatalf("there are only %q: %v", files, err)
	}
	for _, file := range append(files, "../../.github/dependabot.yml", "../../.goreleaser.yml") {
		var content map[string]any
		if err := yaml.Unmarshal([]byte(read(t, file)), &content); err != nil || len(content) == 0 {
			t.Errorf("%s: %v", file, err)
		}
	}
}
