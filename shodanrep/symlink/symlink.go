// Package symlink follows symbolic links to files that may not exist yet.
package symlink

import (
	"os"
	"path/filepath"
)

// MaxLinks is how many links may name one another.
const MaxLinks = 40

// Target returns the file that a link names, which may not exist yet, or the path itself.
func Target(path string) string {
	target := path
	for range MaxLinks {
		if existing, err := filepath.EvalSymlinks(target); err == nil {
			return existing
		}
		next, err := Follow(target)
		if err != nil {
			return target
		}
		target = next
	}
	return path
}

// Follow returns what a link names, which may be a link as well.
func Follow(path string) (string, error) {
	target, err := os.Readlink(path)
	if err != nil || filepath.IsAbs(target) {
		return target, err
	}
	dir, err := filepath.EvalSymlinks(filepath.Dir(path))
	return filepath.Join(dir, target), err
}
