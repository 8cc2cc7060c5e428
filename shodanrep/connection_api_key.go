package shodanrep

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/textfile"
)

// keyVariable is the environment variable that holds the API key where the connection has none.
const keyVariable = "SHODAN_API_KEY"

// findAPIKey returns the API key and where it is from: the argument api_key, the environment variable, or the file in
// which Shodan's own command line keeps it ("shodan init KEY"). Both are empty where there is none.
func findAPIKey(argument *string) (key, origin string) {
	if argument != nil {
		if key := cleanKey(*argument); key != "" {
			return key, "the argument api_key"
		}
	}
	if key := cleanKey(os.Getenv(keyVariable)); key != "" {
		return key, "the environment variable " + keyVariable
	}
	if key, path, _ := readKeyFile(); key != "" {
		return key, "the file " + path + " of Shodan's command line"
	}
	return "", ""
}

// readKeyFile returns the key in the first of keyFiles that has one, and its path. The error is about a file before it that
// cannot be read, and is passed over as if it did not exist.
func readKeyFile() (key, path string, problem error) {
	for _, path := range keyFiles() {
		text, err := textfile.Read(path)
		if err == nil && cleanKey(string(text)) != "" {
			return cleanKey(string(text)), path, problem
		}
		isMissing := errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) // as where HOME is /dev/null
		if problem == nil && !isMissing {
			problem = err
		}
	}
	return "", "", problem
}

// CheckKeyFile returns an error if a key file of Shodan's command line cannot be read. Lookups pass it over.
func CheckKeyFile() error {
	if _, _, err := readKeyFile(); err != nil {
		return fmt.Errorf("the key file of Shodan's command line cannot be read: %w", err)
	}
	return nil
}

// cleanKey removes what is around a key: blanks, the byte order mark with which programs of Windows begin a file, and the
// quotes that docker run --env-file leaves in the value of a variable.
func cleanKey(text string) string {
	key := strings.TrimSpace(strings.TrimPrefix(text, "\ufeff"))
	for _, quote := range []string{`"`, "'"} {
		if inner, ok := strings.CutPrefix(key, quote); ok && strings.HasSuffix(inner, quote) {
			return strings.TrimSpace(strings.TrimSuffix(inner, quote))
		}
	}
	return key
}

// keyFiles are where Shodan's command line keeps the key, the newer one first.
func keyFiles() []string {
	var paths []string
	if dir, err := os.UserConfigDir(); err == nil {
		paths = append(paths, filepath.Join(dir, "shodan", "api_key"))
	}
	if home, err := os.UserHomeDir(); err == nil {
		paths = append(paths, filepath.Join(home, ".config", "shodan", "api_key"), filepath.Join(home, ".shodan", "api_key"))
	}
	return paths
}
