package cli

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"

	"github.com/hashicorp/go-hclog"
)

// readableKeys returns a warning for each file with an API key that users other than its owner may read.
func readableKeys(connections []spcConnection) (warnings []string) {
	if runtime.GOOS == "windows" { // its files have no such mode
		return nil
	}
	var files []string
	for _, c := range connections {
		if file := c.where.Filename; c.hasKey && !slices.Contains(files, file) {
			files = append(files, file)
		}
	}
	for _, file := range files {
		info, err := os.Stat(file)
		if err != nil || !info.Mode().IsRegular() { // such as a pipe of a shell
			continue
		}
		if mode := info.Mode().Perm(); mode&0o077 != 0 {
			warnings = append(warnings, fmt.Sprintf("warning: other users may use %s (mode %#o), which has an API key: run chmod 600 %s",
				file, mode, file))
		}
	}
	return warnings
}

// LogReadableKeys logs a warning where Steampipe's configuration file for this plugin has an API key that other users
// may read. The plugin calls it before it serves: Steampipe sends it the arguments of a connection, and not where they
// stand. Steampipe takes the lines of its log from w. What is wrong with the file itself is for Steampipe to say.
func LogReadableKeys(w io.Writer) {
	logger := hclog.New(&hclog.LoggerOptions{Name: pluginName, Level: hclog.Warn, Output: w, JSONFormat: true})
	_, _ = readConfig([]string{steampipeConfig()}, func(warning string) { logger.Warn(warning) })
}
