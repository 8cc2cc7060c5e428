package shodanrep

import (
	"runtime/debug"
	"time"

	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/history"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/scan"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

// MaxCorrelationLimit is the largest correlation_limit of a connection.
const MaxCorrelationLimit = 10_000

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

// clock tells the time up to which the age of data is counted. Tests set it.
var clock = time.Now

// readSettings checks a connection's arguments. An error names the argument, the value, and what is allowed; the API
// key is in none.
func readSettings(connection *plugin.Connection) (scan.Settings, error) {
	var body connectionBody
	if connection != nil {
		// A connection without arguments has no config at all.
		body, _ = connection.Config.(connectionBody)
	}
	config, wrongTypes, err := decodeArguments(body.Body)
	r := argumentReader{wrongTypes: wrongTypes, err: err}
	key, keyOrigin := r.apiKey(config.APIKey)
	s := scan.Settings{
		Lookup: lookup.Config{
			APIKey:                      key,
			APIKeyOrigin:                keyOrigin,
			Source:                      lookup.Source(r.oneOf("source", config.Source, string(lookup.Auto), string(lookup.Dataset), string(lookup.Shodan), string(lookup.InternetDB))),
			DataFiles:                   r.paths("data_files", config.DataFiles, `["~/shodan/*.json.gz"]`),
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
		CorrelationLimit: r.count("correlation_limit", config.CorrelationLimit, 20, 1, MaxCorrelationLimit),
		SearchLimit:      r.count("search_limit", config.SearchLimit, 1000, 1, 1_000_000),
		NetworkLimit:     r.count("network_limit", config.NetworkLimit, 4096, 1, scan.MaxNetworkLimit),
		Policy:           r.policy(config.Policy),
		Lists:            r.lists(config.AllowList, config.DenyList),
	}
	if r.err == nil {
		switch {
		case s.Lookup.Source == lookup.Shodan && s.Lookup.APIKey == "":
			r.wrong(`source = "shodan" needs a key: set api_key, or the environment variable SHODAN_API_KEY`)
		case s.Lookup.Source == lookup.Dataset && len(config.DataFiles) == 0:
			r.wrong(`source = "dataset" needs files: set data_files to what "shodan download" wrote, such as ["~/shodan/*.json.gz"]`)
		}
	}
	if r.err != nil && connection != nil {
		return scan.Settings{}, scan.ConnectionError(connection.Name, r.err)
	}
	return s, r.err
}

// scanSettings are the settings that scans need.
func scanSettings(connection *plugin.Connection) (scan.Settings, error) {
	s, err := readSettings(connection)
	s.Clock = clock
	return s, err
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
