package dataset

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/homedir"
)

// file is a data file. Its size and time tell whether it has changed.
type file struct {
	path  string
	size  int64
	mtime int64 // nanoseconds since 1970
}

// absolute returns globs that do not depend on the working directory, with ~ expanded.
func absolute(globs []string) ([]string, error) {
	if len(globs) == 0 {
		return nil, errors.New("no data files are named")
	}
	list := make([]string, len(globs))
	for i, glob := range globs {
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
func find(globs []string) ([]file, error) {
	var files []file
	for _, glob := range globs {
		paths, err := filepath.Glob(glob)
		if err != nil {
			return nil, fmt.Errorf("data files %q: %w", glob, err)
		}
		if len(paths) == 0 {
			return nil, fmt.Errorf("data files %q: there is no such file", glob)
		}
		for _, path := range paths {
			info, err := os.Stat(path)
			if err != nil {
				return nil, fmt.Errorf("data file %q: %w", path, cause(err))
			}
			if info.IsDir() {
				return nil, fmt.Errorf("data file %q is a folder: name the files in it, such as %q", path, filepath.Join(path, "*.json.gz"))
			}
			files = append(files, file{path: path, size: info.Size(), mtime: info.ModTime().UnixNano()})
		}
	}
	slices.SortFunc(files, func(a, b file) int { return strings.Compare(a.path, b.path) })
	return slices.CompactFunc(files, func(a, b file) bool { return a.path == b.path }), nil
}

// cause removes the path from an error of package os: the message names it already.
func cause(err error) error {
	var pathError *os.PathError
	if errors.As(err, &pathError) {
		return pathError.Err
	}
	return err
}
