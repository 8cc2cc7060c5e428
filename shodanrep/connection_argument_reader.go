package shodanrep

import (
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/dustin/go-humanize"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cache"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/history"
)

// An argumentReader reads the values of arguments, with their defaults, and keeps the first error.
type argumentReader struct {
	wrongTypes map[string]string // the values that have the wrong type, by argument, as they are written
	err        error
}

func (r *argumentReader) wrong(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf(format, args...)
	}
}

// mistyped reports whether an argument has a value of the wrong type, and says what is allowed.
func (r *argumentReader) mistyped(name, allowed string) bool {
	value, wrong := r.wrongTypes[name]
	if wrong {
		r.wrong("%s = %s: use %s", name, value, allowed)
	}
	return wrong
}

// texts reads a list of texts.
func (r *argumentReader) texts(name string, list []string, example string) []string {
	r.mistyped(name, "a list of texts, such as "+example)
	return list
}

// paths reads a list of paths.
func (r *argumentReader) paths(name string, list []string, example string) []string {
	for _, path := range r.texts(name, list, example) {
		r.hasControl(name, path)
	}
	return list
}

// hasControl reports whether a path has a control character, and says so: "C:\temp" in a configuration has a tab in it.
func (r *argumentReader) hasControl(name, path string) bool {
	if !strings.ContainsFunc(path, unicode.IsControl) {
		return false
	}
	r.wrong(`%s = %q: the path has a control character: write / or \\ for each \ of it`, name, path)
	return true
}

// file reads the path of a file. Whether there is one is seen when it is used.
func (r *argumentReader) file(name string, value *string, example string) string {
	allowed := fmt.Sprintf("the path of a file, such as %q", example)
	if r.mistyped(name, allowed) || value == nil {
		return ""
	}
	switch path := *value; {
	case r.hasControl(name, path):
	case strings.TrimSpace(path) == "", strings.Contains(path, "://"):
		r.wrong("%s = %q: use %s", name, path, allowed)
	}
	return *value
}

// apiKey reads the key from the argument, or from where else it is kept; see findAPIKey.
func (r *argumentReader) apiKey(value *string) (key, origin string) {
	r.mistyped("api_key", "the key from https://account.shodan.io, in quotes")
	key, origin = findAPIKey(value)
	if strings.ContainsFunc(key, func(c rune) bool { return !(c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z') }) {
		name := "api_key"
		if value == nil || cleanKey(*value) == "" {
			name = "the API key from " + origin
		}
		r.wrong("%s holds characters that no key has (the value is not shown): a key is letters and digits, "+
			"copy it from https://account.shodan.io", name)
	}
	return key, origin
}

// oneOf reads a word; the first that is allowed is the default.
func (r *argumentReader) oneOf(name string, value *string, allowed ...string) string {
	words := `"` + strings.Join(allowed, `", "`) + `"`
	if r.mistyped(name, words) || value == nil {
		return allowed[0]
	}
	if !slices.Contains(allowed, *value) {
		r.wrong("%s = %q: use %s", name, *value, words)
	}
	return *value
}

func (r *argumentReader) count(name string, value *int, def, least, most int) int {
	allowed := fmt.Sprintf("a whole number from %d to %d", least, most)
	if r.mistyped(name, allowed) || value == nil {
		return def
	}
	if *value < least || *value > most {
		r.wrong("%s = %d: use %s", name, *value, allowed)
	}
	return *value
}

func (r *argumentReader) rate(name string, value *float64, def float64) float64 {
	const most = 1_000_000
	allowed := fmt.Sprintf("a number of requests a second greater than 0, up to %d", most)
	if r.mistyped(name, allowed) || value == nil {
		return def
	}
	if !(*value > 0 && *value <= most) {
		r.wrong("%s = %v: use %s", name, *value, allowed)
	}
	return *value
}

func (r *argumentReader) duration(name string, value *string, def time.Duration) time.Duration {
	const allowed = `a time such as "10s", "5m" or "24h"`
	if r.mistyped(name, allowed) || value == nil {
		return def
	}
	d, err := time.ParseDuration(*value)
	if err != nil || d <= 0 {
		r.wrong("%s = %q: use %s", name, *value, allowed)
	}
	return d
}

// days reads a time that may have days.
func (r *argumentReader) days(name string, value *string, def time.Duration) time.Duration {
	const allowed = `a time of at least an hour, such as "400d", "36h" or "1d12h"`
	if r.mistyped(name, allowed) || value == nil {
		return def
	}
	kept, err := ParseDuration(*value, "d")
	if err != nil || kept < time.Hour {
		r.wrong("%s = %q: use %s", name, *value, allowed)
	}
	return kept
}

func (r *argumentReader) size(name string, value *string, def string) int64 {
	const allowed = `a size of at least 1MB, such as "512MB" or "2GB"`
	if r.mistyped(name, allowed) || value == nil {
		value = &def
	}
	n, err := humanize.ParseBytes(*value)
	if err != nil || n < 1<<20 || n > 1<<50 {
		r.wrong("%s = %q: use %s", name, *value, allowed)
	}
	return int64(n)
}

// cache reads the location of the cache.
func (r *argumentReader) cache(value *string) string {
	return r.location("cache", value, `"on", "memory", "off", a path such as "~/.cache/shodanrep.sqlite", or "redis://host:6379"`,
		cache.CheckLocation, "Redis", "redis://host:6379/0")
}

// historyStore reads the location of the history.
func (r *argumentReader) historyStore(value *string) string {
	return r.location("history_store", value, `"on", "off", a path such as "~/shodanrep/history.sqlite", or "postgres://user@host:5432/database"`,
		history.CheckLocation, "PostgreSQL", "postgres://user@host:5432/database")
}

// location reads a path, the address of a server or a word; "on" is the default.
func (r *argumentReader) location(name string, value *string, allowed string, check func(string) error, server, example string) string {
	if r.mistyped(name, allowed) || value == nil {
		return "on"
	}
	switch location := *value; {
	case location != "" && check(location) == nil:
	case strings.ContainsAny(location, ":=@") && !isWindowsPath(location):
		r.wrong("%s is no %s address (it is not shown, it may hold a password): use one such as %q", name, server, example)
	case r.hasControl(name, location):
	default:
		r.wrong("%s = %q: use %s", name, location, allowed)
	}
	return *value
}

// isWindowsPath reports whether a text begins with a drive, as C:\temp does.
func isWindowsPath(text string) bool {
	return len(text) > 1 && text[1] == ':'
}

// address reads the address of a service. One that is wrong is shown only if it can hold no key or password.
func (r *argumentReader) address(name string, value *string, environment, def string) string {
	allowed := fmt.Sprintf("an address such as %q, without a query or a password", def)
	r.mistyped(name, allowed)
	text := def
	if environment != "" && os.Getenv(environment) != "" {
		text = os.Getenv(environment)
	}
	if value != nil && *value != "" {
		text = *value
	}
	u, err := url.Parse(text)
	// Paths are appended to it: after a question mark or a # they would be no path.
	if err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https" || strings.ContainsAny(text, "?#") || u.User != nil {
		if strings.ContainsAny(text, "@?") {
			r.wrong("%s is no such address (it is not shown, it may hold a key or a password): use %s", name, allowed)
		} else {
			r.wrong("%s = %q: use %s", name, text, allowed)
		}
		return text
	}
	return strings.TrimSuffix(text, "/")
}
