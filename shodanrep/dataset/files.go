package dataset

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/filestate"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/homedir"
)

// file is a data file. Its state tells whether it has changed.
type file struct {
	path string
	filestate.State
}

// A match is a file that was found, and how.
type match struct {
	file
	// pattern is the number of the pattern or folder that has the file, or named.
	pattern int
}

// named is the pattern of a file that is named itself. It is always kept.
const named = -1

// absolute returns globs that do not depend on the working directory, with ~ expanded.
func absolute(globs []string) ([]string, error) {
	if len(globs) == 0 {
		return nil, errors.New("no data files are named")
	}
	list := make([]string, len(globs))
	for i, glob := range globs {
		if glob == "" { // else it would be the working directory
			return nil, errors.New("data files \"\": name a file, a pattern or a folder")
		}
		path, err := homedir.Expand(glob)
		if err != nil {
			return nil, fmt.Errorf("data files %q: cannot expand ~: %w", glob, err)
		}
		if path, err = filepath.Abs(path); err != nil {
			return nil, fmt.Errorf("data files %q: %w", glob, err)
		}
		list[i] = path
	}
	return list, nil
}

// find returns the files that match the globs, each once, in order of their paths.
func find(globs []string) ([]match, error) {
	var all []match
	for i, glob := range globs {
		found, err := findOne(glob, i)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	// Of several matches of one file that by its name comes first.
	slices.SortStableFunc(all, func(a, b match) int {
		if order := strings.Compare(a.path, b.path); order != 0 {
			return order
		}
		return a.pattern - b.pattern
	})
	return slices.CompactFunc(all, func(a, b match) bool { return a.path == b.path }), nil
}

// findOne returns the files of a folder, or those that match a glob.
func findOne(glob string, number int) (found []match, err error) {
	paths, err := filepath.Glob(glob)
	if len(paths) == 0 {
		switch _, statErr := os.Lstat(glob); {
		case statErr == nil: // the name of the file has characters of a pattern
			paths, err = []string{glob}, nil
		case errors.Is(statErr, fs.ErrPermission) && !isPattern(glob):
			err = cause(statErr)
		}
	}
	if err == nil {
		err = checkFolders(glob)
	}
	if err != nil {
		return nil, fmt.Errorf("data files %q: %w", glob, err)
	}
	if len(paths) == 0 {
		return nil, fmt.Errorf("data files %q: there is no such file", glob)
	}
	several := len(paths) > 1 || paths[0] != glob
	if info, err := os.Stat(glob); err == nil && info.IsDir() && !several {
		if paths, err = filesIn(glob); err != nil {
			return nil, err
		}
		several = true
	}
	if !several {
		number = named
	}
	if found, err = regularFiles(paths, number); err != nil {
		return nil, err
	}
	if len(found) == 0 { // all are gone
		return nil, fmt.Errorf("data files %q: there is no such file", glob)
	}
	return found, nil
}

// regularFiles returns the files at paths, which have the pattern of a number, without those that are gone. Where there are
// others it leaves out the empty ones, which are being written.
func regularFiles(paths []string, pattern int) (found []match, err error) {
	var empty []match
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			if _, gone := os.Lstat(path); pattern != named && errors.Is(gone, fs.ErrNotExist) {
				continue // a moment ago it was there
			}
			return nil, fmt.Errorf("data file %q: %w", path, cause(err))
		}
		if info.IsDir() {
			return nil, fmt.Errorf("data file %q is a folder: name the files in it, such as %q", path, filepath.Join(path, "*.json.gz"))
		}
		if !info.Mode().IsRegular() { // to open a pipe would wait for ever
			return nil, fmt.Errorf("data file %q is not a file", path)
		}
		m := match{file{path, filestate.Of(info)}, pattern}
		if pattern != named && m.Size == 0 {
			empty = append(empty, m)
		} else {
			found = append(found, m)
		}
	}
	if len(found) == 0 {
		return empty, nil
	}
	return found, nil
}

func isPattern(path string) bool { return strings.ContainsAny(path, `*?[`) }

// checkFolders returns an error if a folder that a pattern leads to cannot be read: filepath.Glob leaves it out.
func checkFolders(glob string) error {
	if !isPattern(glob) {
		return nil
	}
	parent := filepath.Dir(glob)
	folders := []string{parent}
	if isPattern(parent) {
		if err := checkFolders(parent); err != nil {
			return err
		}
		folders, _ = filepath.Glob(parent) // the caller has used the whole of it
	}
	for _, folder := range folders {
		info, err := os.Stat(folder)
		if err == nil && info.IsDir() { // to open a pipe would wait for ever
			var f *os.File
			if f, err = os.Open(folder); err == nil {
				err = f.Close()
			}
		}
		if errors.Is(err, fs.ErrPermission) {
			return fmt.Errorf("folder %q: %w", folder, cause(err))
		}
	}
	return nil
}

// filesIn returns the data files of a folder, by their names: a folder of downloads often has other things as well.
func filesIn(dir string) (paths []string, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("data files %q: %w", dir, cause(err))
	}
	for _, entry := range entries {
		name := strings.ToLower(entry.Name())
		for _, packed := range []string{".gz", ".zst", ".bz2"} {
			name = strings.TrimSuffix(name, packed)
		}
		if !entry.IsDir() && !strings.HasPrefix(name, ".") && slices.Contains([]string{".json", ".jsonl", ".ndjson"}, filepath.Ext(name)) {
			paths = append(paths, filepath.Join(dir, entry.Name()))
		}
	}
	if len(paths) == 0 {
		return nil, fmt.Errorf("data files %q: the folder has no file whose name ends in .json, .jsonl or .ndjson, or in one of these and .gz, .zst or .bz2", dir)
	}
	return paths, nil
}

// cause removes the path from an error of package os: the message names it already.
func cause(err error) error {
	var pathError *os.PathError
	if errors.As(err, &pathError) {
		return pathError.Err
	}
	return err
}
