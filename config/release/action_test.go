package release_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// action is action.yml, as far as the tests look at it.
type action struct {
	Inputs map[string]struct {
		Description string
		Default     string
	}
	Outputs map[string]struct{ Description, Value string }
	Runs    struct {
		Using string
		Steps []step
	}
}

type step struct {
	ID, If, Uses, Shell, Run string
	WorkingDirectory         string `yaml:"working-directory"`
	With, Env                map[string]string
}

func readAction(t *testing.T) action {
	t.Helper()
	var content map[string]any
	if err := yaml.Unmarshal([]byte(read(t, "action.yml")), &content); err != nil {
		t.Fatal(err)
	}
	var a action
	if err := yaml.Unmarshal([]byte(read(t, "action.yml")), &a); err != nil || a.Runs.Using != "composite" || len(a.Runs.Steps) != 3 {
		t.Fatalf("%+v: %v", a, err)
	}
	return a
}

// Each input and output is described and used, and no input is part of a script, where it would be run.
func TestTheActionIsWhole(t *testing.T) {
	t.Parallel()
	a := readAction(t)
	used := map[string]bool{}
	input := regexp.MustCompile(`\binputs\.([\w-]+)`)
	for _, s := range a.Runs.Steps {
		if strings.Contains(s.Run, "${{") {
			t.Errorf("an expression is part of the script %s", s.Run)
		}
		if s.Run != "" && s.Shell != "bash" || s.Run == "" && !regexp.MustCompile(`@v\d+$`).MatchString(s.Uses) {
			t.Errorf("the step is %+v", s)
		}
		text := s.If
		for _, value := range s.Env {
			text += " " + value
		}
		for _, found := range input.FindAllStringSubmatch(text, -1) {
			used[found[1]] = true
		}
	}
	for name, in := range a.Inputs {
		if in.Description == "" || !used[name] {
			t.Errorf("the input %s is described as %q, and used: %v", name, in.Description, used[name])
		}
		delete(used, name)
	}
	if len(used) > 0 {
		t.Errorf("there are no inputs %v", used)
	}
	for name, out := range a.Outputs {
		if out.Description == "" || out.Value != "${{ steps.check.outputs."+name+" }}" {
			t.Errorf("the output %s is %+v", name, out)
		}
	}
}

// The example of the README is right: its inputs exist.
func TestTheActionOfTheREADME(t *testing.T) {
	t.Parallel()
	a := readAction(t)
	_, example, found := strings.Cut(read(t, "README.md"), "```yaml\n")
	example, _, _ = strings.Cut(example, "```")
	var steps []step
	if err := yaml.Unmarshal([]byte(example), &steps); err != nil || !found || len(steps) != 1 {
		t.Fatalf("%q is %+v: %v", example, steps, err)
	}
	if !strings.HasPrefix(steps[0].Uses, "shodanrep/steampipe-plugin-shodanrep@") || len(steps[0].With) == 0 {
		t.Errorf("the step is %+v", steps[0])
	}
	for name := range steps[0].With {
		if _, exists := a.Inputs[name]; !exists {
			t.Errorf("the action has no input %s", name)
		}
	}
}

// ran is what the last step of the action leaves behind.
type ran struct {
	log, summary, outputs string
	status                int
}

// runAction runs the last step of the action with inputs, as GitHub's runner does.
func runAction(t *testing.T, inputs map[string]string) ran {
	t.Helper()
	a := readAction(t)
	s := a.Runs.Steps[2]
	folder := t.TempDir()
	env := []string{"HOME=" + folder, "PATH=" + os.Getenv("PATH"), "RUNNER_TEMP=" + folder,
		"GITHUB_STEP_SUMMARY=" + filepath.Join(folder, "summary"), "GITHUB_OUTPUT=" + filepath.Join(folder, "output")}
	for name, expression := range s.Env {
		input := strings.TrimSuffix(strings.TrimPrefix(expression, "${{ inputs."), " }}")
		value, given := inputs[input]
		if !given {
			value = a.Inputs[input].Default
		}
		env = append(env, name+"="+value)
	}
	script := filepath.Join(folder, "script.sh")
	if err := os.WriteFile(script, []byte(s.Run), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("bash", "--noprofile", "--norc", "-eo", "pipefail", script)
	cmd.Dir, cmd.Env = root, env
	log, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	file := func(name string) string {
		text, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		return strings.ReplaceAll(string(text), folder, "TEMP")
	}
	return ran{string(log), file("summary"), file("output"), cmd.ProcessState.ExitCode()}
}

// commandsStopped matches the lines between which GitHub's runner takes no command out of a log. The word is random.
var commandsStopped = regexp.MustCompile(`(?s)^::stop-commands::[0-9a-f]{32}\n.*\n::[0-9a-f]{32}::\n$`)

func TestTheAction(t *testing.T) {
	t.Parallel()
	binary := program(t)
	folder := t.TempDir()
	for name, text := range map[string]string{"a.log": "from 198.51.100.66 port 22\n", "b.log": "to 192.0.2.80\n", "clean it.txt": "192.0.2.80\n", "x\n::error::y z": "192.0.2.80\n"} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const found = "report=TEMP/shodanrep.md\nexit-status=3\n"
	const nothing = "report=TEMP/shodanrep.md\nexit-status=0\n"
	const bad, good = `\| 198\.51\.100\.66 \| \*\*critical\*\* `, `\| 192\.0\.2\.80 \| low `
	tests := map[string]struct {
		inputs  map[string]string
		summary []string // patterns
		outputs string
		status  int
		log     string // a pattern
	}{
		"a bad address in a text":          {map[string]string{"text": "see 198.51.100.66\nand 192.0.2.80"}, []string{bad, good, `2 addresses`}, found, 3, `1 with the level critical`},
		"a text without a bad one":         {map[string]string{"text": "192.0.2.80"}, []string{good}, nothing, 0, good},
		"never":                            {map[string]string{"text": "198.51.100.66", "fail-on": ""}, []string{bad}, nothing, 0, bad},
		"a file":                           {map[string]string{"files": folder + "/clean it.txt\n"}, []string{good}, nothing, 0, good},
		"a pattern":                        {map[string]string{"files": "\n" + folder + "/*.log\n"}, []string{bad, good}, found, 3, bad},
		"files and a text":                 {map[string]string{"files": folder + "/b.log", "text": "198.51.100.66"}, []string{bad, good}, found, 3, bad},
		"a policy":                         {map[string]string{"text": "198.51.100.66", "policy": "baseline"}, []string{`policy baseline`}, found, 3, bad},
		"a name of two lines":              {map[string]string{"files": folder + "/x*z"}, []string{good}, nothing, 0, good},
		"a name that looks like a command": {map[string]string{"files": "/none/##[error]x"}, nil, "exit-status=1\n", 1, `##\[error\]x`},
		"no input":                         {nil, nil, "", 2, `::error::shodanrep needs an input`},
		"a file that does not exist":       {map[string]string{"files": folder + "/*.csv"}, nil, "exit-status=1\n", 1, `\*\.csv`},
		"a word that is unknown":           {map[string]string{"text": "192.0.2.80", "fail-on": "terrible"}, nil, "exit-status=2\n", 2, `terrible`},
		"a text that looks like a command": {map[string]string{"text": "$(touch " + folder + "/run) `touch " + folder + "/run` 192.0.2.80"}, []string{good}, nothing, 0, good},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inputs := map[string]string{"binary": binary, "config": "config/sample/sample.spc"}
			for input, value := range tt.inputs {
				inputs[input] = value
			}
			got := runAction(t, inputs)
			if outside := commandsStopped.ReplaceAllString(got.log, ""); strings.Contains(outside, "\n") != (tt.inputs == nil) {
				t.Errorf("commands of the workflow are not stopped for %q", outside)
			}
			if got.status != tt.status || got.outputs != tt.outputs || !regexp.MustCompile(tt.log).MatchString(got.log) {
				t.Errorf("got %+v", got)
			}
			for _, pattern := range tt.summary {
				if !regexp.MustCompile(pattern).MatchString(got.summary) {
					t.Errorf("the summary lacks %s: %s", pattern, got.summary)
				}
			}
			if len(tt.summary) == 0 && got.summary != "" {
				t.Errorf("the summary is %s", got.summary)
			}
			if _, err := os.Stat(filepath.Join(folder, "run")); err == nil {
				t.Error("a part of the text was run")
			}
		})
	}
}
