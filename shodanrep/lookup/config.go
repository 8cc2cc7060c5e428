package lookup

import (
	"net/http"
	"time"

	"github.com/hashicorp/go-hclog"
)

// Config configures an Engine. All fields must be set unless their comment says otherwise. The plugin has the defaults.
type Config struct {
	APIKey                      string // may be empty
	APIKeyOrigin                string // where the key is from, for errors; may be empty
	Source                      Source
	DataFiles                   []string      // may be empty
	DataWindow                  time.Duration // no limit if zero
	InternetDBFile              string        // may be empty
	APILookupLimit              int
	BulkLookup                  string // "auto", "on" or "off"
	RequestsPerSecond           float64
	InternetDBRequestsPerSecond float64
	MaxConcurrency              int
	Timeout                     time.Duration
	Cache                       string // "on", "memory", "off", a path or a redis:// address
	// NoCache says that no response is read from the cache or written to it. What processes and machines share beside it
	// still is: rates and bans.
	NoCache        bool
	CacheMaxSize   int64 // bytes
	CacheTTL       time.Duration
	HistoryStore   string        // "on", "off" or nothing, a path or a postgres:// address
	HistoryKeep    time.Duration // 400 days if zero
	HistoryMaxSize int64         // bytes, 1 GB if zero
	APIURL         string
	InternetDBURL  string
	CVEDBURL       string
	ExploitsURL    string
	UserAgent      string
	// RefreshBefore is the time before which responses about addresses in the cache are too old, whatever their
	// expiry says. It may be zero.
	RefreshBefore time.Time
	// CacheMaxAge is the age from which responses about addresses in the cache are not used. 0 is no limit.
	CacheMaxAge time.Duration
	Logger      hclog.Logger
	// RateLimitDir is the folder of the file through which processes share rate limits, pauses and bans. If it is empty
	// that is the cache's folder, or else the user's cache directory. An engine with a Transport then shares none.
	RateLimitDir string
	// Transport is for tests: an engine with one shares nothing with other engines. Otherwise it is nil.
	Transport http.RoundTripper
}
