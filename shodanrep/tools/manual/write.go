package main

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
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
	cmd.Long = keepLists(cmd.Long)
	values := map[string]string{}
	for _, flags := range []*pflag.FlagSet{cmd.LocalFlags(), cmd.InheritedFlags()} {
		flags.VisitAll(func(flag *pflag.Flag) { values[flag.Name] = describeValue(flag) })
	}
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
	text := layOut(page.String(), values)
	if !cmd.HasParent() {
		text = strings.Replace(text, "\n.SH EXAMPLES\n", environmentSection()+"\n.SH EXAMPLES\n", 1)
	}
	if _, err := io.WriteString(zip, text); err != nil {
		return err
	}
	if err := zip.Close(); err != nil {
		return err
	}
	return writeFile(filepath.Join(folder, strings.ReplaceAll(cmd.CommandPath(), " ", "-")+".1.gz"), packed.Bytes())
}

// indentedLines finds a list in a text, such as that of formats: a paragraph of indented lines.
var indentedLines = regexp.MustCompile(`(?m)^(?:  .*\n?)+`)

// keepLists marks the lists in the description of a command as text that stays as it is. As a paragraph of Markdown the
// first line of a list would lose its indentation, and the others their columns.
func keepLists(long string) string {
	return indentedLines.ReplaceAllStringFunc(long, func(list string) string {
		return "```\n" + strings.TrimRight(list, "\n") + "\n```\n"
	})
}

// describeValue returns the name of the value of a flag, as the help of the command shows it, or "" for a switch. It adds
// the default to the usage, and joins its lines, which are made for a terminal.
func describeValue(flag *pflag.Flag) string {
	name, _ := pflag.UnquoteUsage(flag)
	flag.Usage = strings.ReplaceAll(flag.Usage, "\n", " ")
	switch {
	case flag.NoOptDefVal != "":
		return ""
	case !slices.Contains([]string{"", "[]", "0"}, flag.DefValue) && !strings.HasSuffix(flag.Usage, " (default "+flag.DefValue+")"):
		flag.Usage += " (default " + flag.DefValue + ")"
	}
	return name
}

// optionText finds an option of a page, its name, the default that Cobra writes after it, and the tab before what it
// means.
var optionText = regexp.MustCompile(`(?m)^(?:\.PP\n)?(\\fB-.*?--([a-z-]+)\\fP|\\fB--([a-z-]+)\\fP).*\n\t`)

// layOut writes the name of its value after each option, and what the option means below it, indented.
func layOut(page string, values map[string]string) string {
	page = optionText.ReplaceAllStringFunc(page, func(option string) string {
		found := optionText.FindStringSubmatch(option)
		line := ".TP\n" + found[1]
		if value := values[found[2]+found[3]]; value != "" {
			line += ` \fI` + value + `\fP`
		}
		return line + "\n"
	})
	return strings.Replace(page, "\n.SH EXAMPLE\n", "\n.SH EXAMPLES\n", 1)
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
