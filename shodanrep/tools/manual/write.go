package main

import (
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
	"github.com/spf13/pflag"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli"
)

// write makes a folder with man/*.1.gz and completions/{bash,zsh,fish}/. The same version and date give the same files.
func write(folder, version string, date time.Time) error {
	root := cli.Command()
	if err := writePages(filepath.Join(folder, "man"), root, version, date); err != nil {
		return err
	}
	return writeCompletions(filepath.Join(folder, "completions"), root)
}

// writePages writes a page for each command.
func writePages(folder string, cmd *cobra.Command, version string, date time.Time) error {
	for _, child := range cmd.Commands() {
		if child.IsAvailableCommand() {
			if err := writePages(folder, child, version, date); err != nil {
				return err
			}
		}
	}
	cmd.DisableAutoGenTag = true
	// The lines of a usage are made for a terminal; a page has its own.
	joinLines := func(flag *pflag.Flag) { flag.Usage = strings.ReplaceAll(flag.Usage, "\n", " ") }
	cmd.Flags().VisitAll(joinLines)
	cmd.PersistentFlags().VisitAll(joinLines)
	var page bytes.Buffer
	header := doc.GenManHeader{Source: strings.TrimSpace("shodanrep " + version), Manual: "shodanrep manual", Date: &date}
	if err := doc.GenMan(cmd, &header, &page); err != nil {
		return err
	}
	var packed bytes.Buffer
	zip, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err != nil {
		return err
	}
	if _, err := zip.Write(indentOptions(page.Bytes())); err != nil {
		return err
	}
	if err := zip.Close(); err != nil {
		return err
	}
	return writeFile(filepath.Join(folder, strings.ReplaceAll(cmd.CommandPath(), " ", "-")+".1.gz"), packed.Bytes())
}

// optionText finds an option of a page, and the tab before what it means.
var optionText = regexp.MustCompile(`(?m)^(?:\.PP\n)?(\\fB-.*)\n\t`)

// indentOptions makes what an option means stand below it, indented, where Cobra has it on the same line.
func indentOptions(page []byte) []byte {
	return optionText.ReplaceAll(page, []byte(".TP\n$1\n"))
}

// writeCompletions writes the completions under the names by which each shell finds them.
func writeCompletions(folder string, root *cobra.Command) error {
	var bash, zsh, fish bytes.Buffer
	if err := root.GenBashCompletionV2(&bash, true); err != nil {
		return err
	}
	if err := root.GenZshCompletion(&zsh); err != nil {
		return err
	}
	if err := root.GenFishCompletion(&fish, true); err != nil {
		return err
	}
	name := root.Name()
	for file, content := range map[string]bytes.Buffer{"bash/" + name: bash, "zsh/_" + name: zsh, "fish/" + name + ".fish": fish} {
		if err := writeFile(filepath.Join(folder, file), content.Bytes()); err != nil {
			return err
		}
	}
	return nil
}

func writeFile(path string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, content, 0o644)
}
