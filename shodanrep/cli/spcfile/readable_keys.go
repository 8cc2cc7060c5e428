package spcfile

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"

	"github.com/hashicorp/go-hclog"
)

// readableKeys returns a warning for each file with an API key that users other than its owner may read.
func readableKeys(connections []block) (warnings []string) {
	if runtime.GOOS == "windows" { // files have no such mode
		return nil
	}
	var files []string
	for _, c := range connections {
		if file := c.position.Filename; c.hasKey && !slices.Contains(files, file) {
			files = append(files, file)
		}
	}
	for _, file := range files {
		info, err := os.Stat(file)
		if err != nil || !info.Mode().IsRegular() { // for example a pipe
			continue
		}
		if mode := info.Mode().Perm(); mode&0o077 != 0 {
			warnings = append(warnings, fmt.Sprintf("warning: other users may use %s (mode %#o), which has an API key: run chmod 600 %s",
				file, mode, file))
		}
	}
	return warnings
}

// LogReadableKeys logs a warning to w if [DefaultFile] has an API key that users other than its owner may read. The
// plugin calls it before it serves, because Steampipe sends the arguments of a connection without the name of their
// file. w is the stream that Steampipe reads log lines from. Steampipe itself reports errors in the file.
func LogReadableKeys(w io.Writer) {
	logger := hclog.New(&hclog.LoggerOptions{Name: pluginName, Level: hclog.Warn, Output: w, JSONFormat: true})
	_, _, _ = read([]string{DefaultFile()}, func(warning string) { logger.Warn(warning) })
}
