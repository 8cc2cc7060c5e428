package release_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// An instruction of a Dockerfile.
type instruction struct{ name, text string }

// readDockerfile reads the instructions of the Dockerfile. No image is built here, which needs a daemon: the tests look
// at the instructions, and run the one that builds the program.
func readDockerfile() ([]instruction, error) {
	text, err := os.ReadFile(filepath.Join(root, "Dockerfile"))
	if err != nil {
		return nil, err
	}
	var instructions []instruction
	joined := regexp.MustCompile(`\\\n\s*`).ReplaceAllString(string(text), "")
	for line := range strings.Lines(joined) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, rest, _ := strings.Cut(line, " ")
		instructions = append(instructions, instruction{name, strings.TrimSpace(rest)})
	}
	return instructions, nil
}

func TestTheImage(t *testing.T) {
	t.Parallel()
	all, err := readDockerfile()
	if err != nil {
		t.Fatal(err)
	}
	var stage []instruction // the last one
	for _, in := range all {
		if in.name == "FROM" {
			stage = nil
		}
		stage = append(stage, in)
	}
	has := func(name, pattern string) {
		t.Helper()
		for _, in := range stage {
			if in.name == name && regexp.MustCompile(pattern).MatchString(in.text) {
				return
			}
		}
		t.Errorf("no instruction %s of the image fits %s: %q", name, pattern, stage)
	}
	has("FROM", `^scratch$`)
	has("COPY", `/etc/ssl/certs/ca-certificates\.crt$`)
	has("USER", `^[1-9]\d*:[1-9]\d*$`) // there is no /etc/passwd with names
	has("ENV", `^HOME=/home/shodanrep$`)
	has("COPY", `--chown=65532:65532 /image/user/ /$`)
	for _, in := range stage {
		if in.name == "RUN" {
			t.Errorf("the image has no shell to run %q", in.text)
		}
		if in.name == "ENTRYPOINT" {
			var entry []string
			if err := json.Unmarshal([]byte(in.text), &entry); err != nil || len(entry) != 1 {
				t.Fatalf("the entry point %q is no list of one program: %v", in.text, err)
			}
			if program(t) != filepath.Join(buildFolder, entry[0]) {
				t.Errorf("the program is built as %s, and the entry point is %q", program(t), entry)
			}
		}
	}
	has("ENTRYPOINT", "")
	version := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindStringSubmatch(read(t, "go.mod"))[1]
	if !strings.HasSuffix(all[0].text, " golang:"+version+" AS build") {
		t.Errorf("it is built with %q, and go.mod wants Go %s", all[0].text, version)
	}
}
