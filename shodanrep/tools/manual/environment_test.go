package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The page of the documentation and the man page of the program have the same variables, and all of the program's own.
func TestTheEnvironmentIsDescribed(t *testing.T) {
	t.Parallel()
	docs, err := os.ReadFile("../../../docs/cli.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(docs), "\n| Environment variable | Description |\n|---|---|\n")
	table, _, _ = strings.Cut(table, "\n\n")
	var rows, described []string
	for _, variable := range environment {
		rows = append(rows, "| "+variable.names+" | "+variable.meaning+" |")
		described = append(described, strings.Split(variable.names, ", ")...)
	}
	if got, want := strings.ReplaceAll(table, "`", ""), strings.Join(rows, "\n"); got != want {
		t.Errorf("docs/cli.md has\n%s\nand the man page\n%s", got, want)
	}
	if page := unzipped(t, written(t)["man/shodanrep.1.gz"]); !strings.Contains(page, "\n.SH ENVIRONMENT\n.TP\n\\fBSHODAN_API_KEY\\fP\n") {
		t.Errorf("the man page lacks the section: %s", page)
	}
	known := "," + strings.Join(described, ",") + ","
	own := regexp.MustCompile(`"(SHODAN(?:REP)?_[A-Z_]+)"`)
	err = filepath.WalkDir("../..", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (entry.Name() == "tools" || strings.HasSuffix(entry.Name(), "test")):
			return fs.SkipDir
		case !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		source, err := os.ReadFile(path)
		for _, found := range own.FindAllStringSubmatch(string(source), -1) {
			if !strings.Contains(known, ","+found[1]+",") {
				t.Errorf("%s reads %s, which is not described", path, found[1])
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
