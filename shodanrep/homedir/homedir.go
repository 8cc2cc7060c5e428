// Package homedir expands ~ in the paths of a configuration, which no shell has read.
package homedir

import (
	"os"
	"path/filepath"
	"strings"
)

// Expand returns a path with a leading ~ as the user's home directory. Other paths, such as ~name/x, stay as they are.
func Expand(path string) (string, error) {
	rest, found := strings.CutPrefix(path, "~")
	if !found || rest != "" && !os.IsPathSeparator(rest[0]) {
		return path, nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return path, err
	}
	return filepath.Join(home, rest), nil
}
