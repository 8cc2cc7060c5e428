package main

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli"
)

// written returns the files that write makes, by path.
func written(t *testing.T) map[string]string {
	t.Helper()
	folder := t.TempDir()
	if err := write(folder, "1.2.3", time.Unix(1767225600, 0).UTC()); err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	err := filepath.WalkDir(folder, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		name, _ := filepath.Rel(folder, path)
		files[filepath.ToSlash(name)] = string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func unzipped(t *testing.T, content string) string {
	t.Helper()
	packed, err := gzip.NewReader(strings.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	page, err := io.ReadAll(packed)
	if err != nil {
		t.Fatal(err)
	}
	return string(page)
}

// Two releases of the same commit have the same files.
func TestTheManualIsReproducible(t *testing.T) {
	t.Parallel()
	if diff := cmp.Diff(written(t), written(t)); diff != "" {
		t.Error(diff)
	}
}

func TestEveryCommandHasAPage(t *testing.T) {
	t.Parallel()
	files := written(t)
	pages := 0
	var check func(*cobra.Command)
	check = func(cmd *cobra.Command) {
		name := strings.ReplaceAll(cmd.CommandPath(), " ", "-")
		page := unzipped(t, files["man/"+name+".1.gz"])
		pages++
		for _, want := range []string{`"Jan 2026" "shodanrep 1.2.3"`, ".SH NAME\n" + name + " - " + cmd.Short, ".TP\n\\fB-h\\fP, \\fB--help\\fP\nhelp for "} {
			if !strings.Contains(page, want) {
				t.Errorf("the page of %s lacks %q", name, want)
			}
		}
		for _, child := range cmd.Commands() {
			if child.IsAvailableCommand() { // help is a page by itself
				check(child)
			}
		}
	}
	check(cli.Command())
	if want := pages + 3; len(files) != want {
		t.Errorf("there are %d files, not %d", len(files), want)
	}
	for _, name := range []string{"completions/bash/shodanrep", "completions/zsh/_shodanrep", "completions/fish/shodanrep.fish"} {
		if !strings.Contains(files[name], "__complete") {
			t.Errorf("%s is %q", name, files[name])
		}
	}
}

// The lists of a description, such as that of formats, are in columns.
func TestListsStayAsTheyAre(t *testing.T) {
	t.Parallel()
	files := written(t)
	lists := 0
	for _, cmd := range cli.Command().Commands() {
		if !cmd.IsAvailableCommand() { // help is a page by itself
			continue
		}
		page := unzipped(t, files["man/shodanrep-"+cmd.Name()+".1.gz"])
		for line := range strings.Lines(cmd.Long) {
			if !strings.HasPrefix(line, "  ") {
				continue
			}
			if lists++; !strings.Contains(page, "\n"+line) {
				t.Errorf("the page of %s lacks the line %q", cmd.Name(), line)
			}
		}
		if strings.Count(page, "\n.EX\n") != strings.Count(page, "\n.EE\n") {
			t.Errorf("the page of %s begins a list that it does not end", cmd.Name())
		}
	}
	if lists == 0 {
		t.Error("no description has a list")
	}
}

func TestOptionsNameTheirValuesAndDefaults(t *testing.T) {
	t.Parallel()
	files := written(t)
	for page, options := range map[string][]string{
		"shodanrep-check": {
			".TP\n\\fB--fail-on\\fP \\fIWORDS\\fP\n", ".TP\n\\fB-o\\fP, \\fB--output-file\\fP \\fIFILE\\fP\n", ".TP\n\\fB--sort\\fP\n",
			"of a file (default extended)\n",
		},
		"shodanrep-load":        {"are not used either (default 20h)\n"},
		"shodanrep-cache-clear": {".TP\n\\fB--config\\fP \\fIFILE\\fP\n"},
	} {
		for _, want := range options {
			if content := unzipped(t, files["man/"+page+".1.gz"]); !strings.Contains(content, want) {
				t.Errorf("the page %s lacks %q: %s", page, want, content)
			}
		}
	}
	for name, content := range files {
		if strings.HasSuffix(name, ".gz") && strings.Contains(unzipped(t, content), "\\fP=") {
			t.Errorf("%s has a default in the form of Cobra", name)
		}
	}
}

// TestPagesAreRight has the formatter of man read each page.
func TestPagesAreRight(t *testing.T) {
	t.Parallel()
	groff, err := exec.LookPath("groff")
	if err != nil {
		t.Skip("groff is not installed, so no page was formatted")
	}
	for name, content := range written(t) {
		if !strings.HasSuffix(name, ".gz") {
			continue
		}
		cmd := exec.Command(groff, "-man", "-Tutf8", "-ww", "-z")
		cmd.Stdin = bytes.NewBufferString(unzipped(t, content))
		if output, err := cmd.CombinedOutput(); err != nil || len(output) > 0 {
			t.Errorf("%s: %v: %s", name, err, output)
		}
	}
}
