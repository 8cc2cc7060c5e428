package history

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"unicode"

	"github.com/jackc/pgx/v5"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/homedir"
)

const fileName = "history.sqlite"

// DefaultPath returns the file of the location "on": shodanrep/history.sqlite in the user's data folder, which
// XDG_DATA_HOME names.
func DefaultPath() (string, error) {
	// The specification says to ignore a relative path.
	if dir := os.Getenv("XDG_DATA_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "shodanrep", fileName), nil
	}
	if dir := os.Getenv("LocalAppData"); runtime.GOOS == "windows" && dir != "" {
		return filepath.Join(dir, "shodanrep", fileName), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("no folder for the history: %w: set XDG_DATA_HOME, or history_store to a path or \"off\"", err)
	}
	if runtime.GOOS == "darwin" {
		return filepath.Join(home, "Library", "Application Support", "shodanrep", fileName), nil
	}
	return filepath.Join(home, ".local", "share", "shodanrep", fileName), nil
}

// PathOf returns the file of a valid location, empty where it has none.
func PathOf(location string) (string, error) {
	switch {
	case location == "off", isPostgres(location):
		return "", nil
	case location == "", location == "on":
		return DefaultPath()
	}
	path, err := homedir.Expand(location)
	if err != nil {
		return "", fmt.Errorf("no folder for the history %s: %w", location, err)
	}
	return filepath.Abs(path)
}

// isPostgres reports whether a location is an address of PostgreSQL.
func isPostgres(location string) bool {
	return strings.HasPrefix(location, "postgres://") || strings.HasPrefix(location, "postgresql://")
}

// notAPath matches an address of PostgreSQL without its slashes, and a connection string of keywords and values.
var notAPath = regexp.MustCompile(`(?i)^postgres(ql)?:|^\s*(host|hostaddr|port|user|dbname|password|service|sslmode)\s*=`)

// CheckLocation returns an error where a location is invalid, such as a misspelled word or an unreadable address. It
// opens nothing. The error has no part of an address, which may hold a password.
func CheckLocation(location string) error {
	switch {
	case isPostgres(location):
		if _, err := pgx.ParseConfig(location); err != nil {
			return errors.New(`the history is at no address of PostgreSQL (it is not shown, it may hold a password): want one such as postgres://user@host:5432/database`)
		}
		return nil
	case location == "", location == "on", location == "off":
		return nil
	case strings.Contains(location, "://"), notAPath.MatchString(location):
		// As a path it would make a file whose name is the password.
		return errors.New("the history cannot be at an address of that kind: want postgres://")
	case strings.ContainsFunc(location, unicode.IsControl):
		// "C:\temp" in a configuration has a tab in it.
		return fmt.Errorf(`the history cannot be at %q: it has a control character; write / or \\ for each \ of a path`, location)
	case !strings.ContainsAny(location, `/\.`):
		return fmt.Errorf(`the history cannot be at %q: want "on", "off", a path such as "./%s", or postgres://…`, location, location)
	}
	return nil
}

// shownAddress returns an address without its password and parameters.
func shownAddress(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "PostgreSQL"
	}
	shown := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}
	if name := u.User.Username(); name != "" {
		shown.User = url.User(name)
	}
	return shown.String()
}
