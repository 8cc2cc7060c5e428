package shodanrep

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cache"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/history"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/homedir"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation/policyfile"
)

// A ConnectionFile is a file that a connection reads or writes.
type ConnectionFile struct {
	// Argument is the argument of the connection that names it.
	Argument string
	Path     string
}

// ConnectionFiles returns the files that the arguments of a connection name, the text of its block's body. The files of a
// pattern and of a folder are those that it has now. A file need not exist. Arguments that are wrong are left out: what
// uses the connection says what is wrong.
func ConnectionFiles(arguments string) (files []ConnectionFile) {
	file, diagnostics := hclsyntax.ParseConfig([]byte(arguments), "", hcl.InitialPos)
	if diagnostics.HasErrors() {
		return nil
	}
	config, _, err := decodeArguments(file.Body)
	if err != nil {
		return nil
	}
	add := func(argument, path string) {
		if path, err := homedir.Expand(path); err == nil && path != "" {
			files = append(files, ConnectionFile{argument, path})
		}
	}
	if p := config.Policy; p != nil && policyfile.BuiltIn(*p) == nil {
		add("policy", *p)
	}
	for argument, entries := range map[string][]string{"allow_list": config.AllowList, "deny_list": config.DenyList} {
		for _, entry := range entries {
			if path, isFile := listFile(entry); isFile {
				add(argument, path)
			}
		}
	}
	for _, pattern := range config.DataFiles {
		for _, path := range filesOf(pattern) {
			add("data_files", path)
		}
	}
	if config.InternetDBFile != nil {
		add("internetdb_file", *config.InternetDBFile)
	}
	add("cache", storeFile(config.Cache, cache.CheckLocation, cache.PathOf))
	add("history_store", storeFile(config.HistoryStore, history.CheckLocation, history.PathOf))
	slices.SortStableFunc(files, func(a, b ConnectionFile) int { return strings.Compare(a.Argument, b.Argument) })
	return files
}

// filesOf returns a path, the files that it matches if it is a pattern, and those in it if it is a folder.
func filesOf(pattern string) []string {
	path, err := homedir.Expand(pattern)
	if err != nil {
		return nil
	}
	found, err := filepath.Glob(path)
	if err != nil {
		return nil
	}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		entries, _ := os.ReadDir(path)
		for _, entry := range entries {
			found = append(found, filepath.Join(path, entry.Name()))
		}
	}
	return append(found, path)
}

// storeFile returns the file of a cache or a history. It is empty if the location has none or is wrong.
func storeFile(argument *string, check func(string) error, pathOf func(string) (string, error)) string {
	location := "on"
	if argument != nil {
		location = *argument
	}
	if check(location) != nil {
		return ""
	}
	path, _ := pathOf(location) // without a folder for it there is no file
	return path
}
