package shodanrep

import (
	"fmt"
	"net/url"
	"os"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/dustin/go-humanize"
	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cache"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/history"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/scan"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

// connectionConfig is a `connection` block of the .spc file. Every argument is optional; settings has the defaults.
type connectionConfig struct {
	APIKey                      *string  `hcl:"api_key,optional"`
	Source                      *string  `hcl:"source,optional"`
	DataFiles                   []string `hcl:"data_files,optional"`
	DataWindow                  *string  `hcl:"data_window,optional"`
	InternetDBFile              *string  `hcl:"internetdb_file,optional"`
	APILookupLimit              *int     `hcl:"api_lookup_limit,optional"`
	BulkLookup                  *string  `hcl:"bulk_lookup,optional"`
	CorrelationLimit            *int     `hcl:"correlation_limit,optional"`
	SearchLimit                 *int     `hcl:"search_limit,optional"`
	NetworkLimit                *int     `hcl:"network_limit,optional"`
	RequestsPerSecond           *float64 `hcl:"requests_per_second,optional"`
	InternetDBRequestsPerSecond *float64 `hcl:"internetdb_requests_per_second,optional"`
	MaxConcurrency              *int     `hcl:"max_concurrency,optional"`
	Timeout                     *string  `hcl:"timeout,optional"`
	Cache                       *string  `hcl:"cache,optional"`
	CacheTTL                    *string  `hcl:"cache_ttl,optional"`
	CacheMaxSize                *string  `hcl:"cache_max_size,optional"`
	HistoryStore                *string  `hcl:"history_store,optional"`
	HistoryKeep                 *string  `hcl:"history_keep,optional"`
	HistoryMaxSize              *string  `hcl:"history_max_size,optional"`
	Policy                      *string  `hcl:"policy,optional"`
	AllowList                   []string `hcl:"allow_list,optional"`
	DenyList                    []string `hcl:"deny_list,optional"`
	APIURL                      *string  `hcl:"api_url,optional"`
	InternetDBURL               *string  `hcl:"internetdb_url,optional"`

	CVEDBURL    *string `hcl:"cvedb_url,optional"`
	ExploitsURL *string `hcl:"exploits_url,optional"`
}

// settings are a connection's arguments, checked and with their defaults.
type settings struct {
	scan.Settings
	keyOrigin string // where the API key is from, empty without one
}

// clock tells the time up to which the age of data is counted. Tests set it.
var clock = time.Now

// readSettings checks a connection's arguments. An error names the argument, the value, and what is allowed; the API
// key is in none.
func readSettings(connection *plugin.Connection) (settings, error) {
	var body connectionBody
	if connection != nil {
		// A connection without arguments has no config at all.
		body, _ = connection.Config.(connectionBody)
	}
	config, wrongTypes, err := decodeArguments(body.Body)
	r := reader{wrongTypes: wrongTypes, err: err}
	key, keyOrigin := r.apiKey(config.APIKey)
	s := settings{keyOrigin: keyOrigin, Settings: scan.Settings{
		Lookup: lookup.Config{
			APIKey:                      key,
			Source:                      lookup.Source(r.oneOf("source", config.Source, string(lookup.Auto), string(lookup.Dataset), string(lookup.Shodan), string(lookup.InternetDB))),
			DataFiles:                   r.texts("data_files", config.DataFiles, `["~/shodan/*.json.gz"]`),
			DataWindow:                  r.days("data_window", config.DataWindow, shodan.CurrentFor),
			InternetDBFile:              r.file("internetdb_file", config.InternetDBFile, "~/shodan/internetdb.sqlite"),
			APILookupLimit:              r.count("api_lookup_limit", config.APILookupLimit, 100, 0, 1_000_000),
			BulkLookup:                  r.oneOf("bulk_lookup", config.BulkLookup, "auto", "on", "off"),
			RequestsPerSecond:           r.rate("requests_per_second", config.RequestsPerSecond, 1),
			InternetDBRequestsPerSecond: r.rate("internetdb_requests_per_second", config.InternetDBRequestsPerSecond, 10),
			MaxConcurrency:              r.count("max_concurrency", config.MaxConcurrency, 32, 1, 1000),
			Timeout:                     r.duration("timeout", config.Timeout, 10*time.Second),
			Cache:                       r.cache(config.Cache),
			CacheMaxSize:                r.size("cache_max_size", config.CacheMaxSize, "512MB"),
			CacheTTL:                    r.duration("cache_ttl", config.CacheTTL, 24*time.Hour),
			HistoryStore:                r.historyStore(config.HistoryStore),
			HistoryKeep:                 r.days("history_keep", config.HistoryKeep, history.DefaultKeep),
			HistoryMaxSize:              r.size("history_max_size", config.HistoryMaxSize, "1GB"),
			APIURL:                      r.address("api_url", config.APIURL, "SHODAN_API_URL", shodan.DefaultAPIURL),
			InternetDBURL:               r.address("internetdb_url", config.InternetDBURL, "", shodan.DefaultInternetDBURL),
			CVEDBURL:                    r.address("cvedb_url", config.CVEDBURL, "", shodan.DefaultCVEDBURL),
			ExploitsURL:                 r.address("exploits_url", config.ExploitsURL, "", shodan.DefaultExploitsURL),
			UserAgent:                   "steampipe-plugin-shodanrep/" + Version(),
		},
		CorrelationLimit: r.count("correlation_limit", config.CorrelationLimit, 20, 1, 10_000),
		SearchLimit:      r.count("search_limit", config.SearchLimit, 1000, 1, 1_000_000),
		NetworkLimit:     r.count("network_limit", config.NetworkLimit, 4096, 1, 1_000_000),
		Policy:           r.policy(config.Policy),
		Lists:            r.lists(config.AllowList, config.DenyList),
	}}
	if r.err == nil {
		switch {
		case s.Lookup.Source == lookup.Shodan && s.Lookup.APIKey == "":
			r.wrong(`source = "shodan" needs a key: set api_key, or the environment variable SHODAN_API_KEY`)
		case s.Lookup.Source == lookup.Dataset && len(config.DataFiles) == 0:
			r.wrong(`source = "dataset" needs files: set data_files to what "shodan download" wrote, such as ["~/shodan/*.json.gz"]`)
		}
	}
	if r.err != nil && connection != nil {
		return settings{}, scan.ConnectionError(connection.Name, r.err)
	}
	return s, r.err
}

// scanSettings are the settings that scans need.
func scanSettings(connection *plugin.Connection) (scan.Settings, error) {
	s, err := readSettings(connection)
	s.Clock = clock
	return s.Settings, err
}

// reader takes values from arguments, and keeps the first error.
type reader struct {
	wrongTypes map[string]string // the values that have the wrong type, by argument, as they are written
	err        error
}

func (r *reader) wrong(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf(format, args...)
	}
}

// mistyped reports whether an argument has a value of the wrong type, and says what is allowed.
func (r *reader) mistyped(name, allowed string) bool {
	value, wrong := r.wrongTypes[name]
	if wrong {
		r.wrong("%s = %s: use %s", name, value, allowed)
	}
	return wrong
}

// texts takes a list of texts.
func (r *reader) texts(name string, list []string, example string) []string {
	r.mistyped(name, "a list of texts, such as "+example)
	return list
}

// file takes the path of a file. Whether there is one is seen when it is used.
func (r *reader) file(name string, value *string, example string) string {
	allowed := fmt.Sprintf("the path of a file, such as %q", example)
	if r.mistyped(name, allowed) || value == nil {
		return ""
	}
	switch path := *value; {
	case strings.ContainsFunc(path, unicode.IsControl):
		r.wrong(`%s = %q: the path has a control character: write / or \\ for each \ of it`, name, path)
	case strings.TrimSpace(path) == "", strings.Contains(path, "://"):
		r.wrong("%s = %q: use %s", name, path, allowed)
	}
	return *value
}

// apiKey takes the key from the argument, or from where else it is kept; see findAPIKey.
func (r *reader) apiKey(value *string) (key, origin string) {
	r.mistyped("api_key", "the key from https://account.shodan.io, in quotes")
	key, origin = findAPIKey(value)
	if strings.ContainsFunc(key, func(c rune) bool { return !(c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z') }) {
		r.wrong("api_key holds characters that no key has (the value is not shown): a key is letters and digits, " +
			"copy it from https://account.shodan.io")
	}
	return key, origin
}

// oneOf takes a word; the first that is allowed is the default.
func (r *reader) oneOf(name string, value *string, allowed ...string) string {
	words := `"` + strings.Join(allowed, `", "`) + `"`
	if r.mistyped(name, words) || value == nil {
		return allowed[0]
	}
	if !slices.Contains(allowed, *value) {
		r.wrong("%s = %q: use %s", name, *value, words)
	}
	return *value
}

func (r *reader) count(name string, value *int, standard, least, most int) int {
	allowed := fmt.Sprintf("a whole number from %d to %d", least, most)
	if r.mistyped(name, allowed) || value == nil {
		return standard
	}
	if *value < least || *value > most {
		r.wrong("%s = %d: use %s", name, *value, allowed)
	}
	return *value
}

func (r *reader) rate(name string, value *float64, standard float64) float64 {
	const most = 1_000_000
	allowed := fmt.Sprintf("a number of requests a second greater than 0, up to %d", most)
	if r.mistyped(name, allowed) || value == nil {
		return standard
	}
	if !(*value > 0 && *value <= most) {
		r.wrong("%s = %v: use %s", name, *value, allowed)
	}
	return *value
}

func (r *reader) duration(name string, value *string, standard time.Duration) time.Duration {
	const allowed = `a time such as "10s", "5m" or "24h"`
	if r.mistyped(name, allowed) || value == nil {
		return standard
	}
	d, err := time.ParseDuration(*value)
	if err != nil || d <= 0 {
		r.wrong("%s = %q: use %s", name, *value, allowed)
	}
	return d
}

// days takes a time that may have days.
func (r *reader) days(name string, value *string, standard time.Duration) time.Duration {
	const allowed = `a time of at least an hour, such as "400d", "36h" or "1d12h"`
	const most = 100 * 365 // a duration has no more than 292 years
	if r.mistyped(name, allowed) || value == nil {
		return standard
	}
	var kept time.Duration
	rest := *value
	if count, after, found := strings.Cut(rest, "d"); found {
		n, err := strconv.ParseUint(count, 10, 16)
		if err != nil || n > most {
			r.wrong("%s = %q: use %s", name, *value, allowed)
			return standard
		}
		kept, rest = time.Duration(n)*24*time.Hour, after
	}
	if rest != "" {
		d, err := time.ParseDuration(rest)
		if err != nil || d < 0 || d > most*24*time.Hour {
			r.wrong("%s = %q: use %s", name, *value, allowed)
			return standard
		}
		kept += d
	}
	if kept < time.Hour {
		r.wrong("%s = %q: use %s", name, *value, allowed)
	}
	return kept
}

func (r *reader) size(name string, value *string, standard string) int64 {
	const allowed = `a size of at least 1MB, such as "512MB" or "2GB"`
	if r.mistyped(name, allowed) || value == nil {
		value = &standard
	}
	n, err := humanize.ParseBytes(*value)
	if err != nil || n < 1<<20 || n > 1<<50 {
		r.wrong("%s = %q: use %s", name, *value, allowed)
	}
	return int64(n)
}

// cache takes the place of the cache.
func (r *reader) cache(value *string) string {
	return r.place("cache", value, `"on", "memory", "off", a path such as "~/.cache/shodanrep.sqlite", or "redis://host:6379"`,
		cache.CheckLocation, "Redis", "redis://host:6379/0")
}

// historyStore takes the place of the history.
func (r *reader) historyStore(value *string) string {
	return r.place("history_store", value, `"on", "off", a path such as "~/shodanrep/history.sqlite", or "postgres://user@host:5432/database"`,
		history.CheckLocation, "PostgreSQL", "postgres://user@host:5432/database")
}

// place takes a path, the address of a server or a word; "on" is the default.
func (r *reader) place(name string, value *string, allowed string, check func(string) error, server, example string) string {
	if r.mistyped(name, allowed) || value == nil {
		return "on"
	}
	switch place := *value; {
	case place != "" && check(place) == nil:
	case strings.Contains(place, "://"):
		r.wrong("%s is no %s address (it is not shown, it may hold a password): use one such as %q", name, server, example)
	case strings.ContainsFunc(place, unicode.IsControl):
		r.wrong(`%s = %q: the path has a control character: write / or \\ for each \ of it`, name, place)
	default:
		r.wrong("%s = %q: use %s", name, place, allowed)
	}
	return *value
}

func (r *reader) address(name string, value *string, environment, standard string) string {
	allowed := fmt.Sprintf("an address such as %q, without a query or a password", standard)
	r.mistyped(name, allowed)
	text := standard
	if environment != "" && os.Getenv(environment) != "" {
		text = os.Getenv(environment)
	}
	if value != nil && *value != "" {
		text = *value
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.RawQuery != "" || u.User != nil {
		if u != nil {
			text = u.Redacted()
		}
		r.wrong("%s = %q: use %s", name, text, allowed)
		return text
	}
	return strings.TrimSuffix(text, "/")
}

// version is set by the Makefile.
var version string

// Version returns the version of the plugin: the release, or what Go knows of the build.
func Version() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return "dev"
}
