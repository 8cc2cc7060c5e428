package main

import (
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

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
	if _, err := page.WriteTo(zip); err != nil {
		return err
	}
	if err := zip.Close(); err != nil {
		return err
	}
	return writeFile(filepath.Join(folder, strings.ReplaceAll(cmd.CommandPath(), " ", "-")+".1.gz"), packed.Bytes())
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
