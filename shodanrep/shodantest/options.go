package shodantest

import (
	"io"
	"time"
)

// Option changes how a simulator behaves.
type Option func(*settings)

// settings are set by the options. They do not change while the simulator runs.
type settings struct {
	accounts   []account
	latency    time.Duration
	rates      map[string]rate
	retryAfter time.Duration
	banAfter   int
	banFor     time.Duration
	bulk       *bool
	logTo      io.Writer
	saved      int
	scanned    int
	watched    int
	forgets    bool // keeps no requests
}

// rate is a limit of requests per second, with a burst.
type rate struct {
	interval time.Duration // between requests; in whole nanoseconds, so that the clock of a test can match it exactly
	burst    int
}

// account is the account of a key.
type account struct {
	key     string
	plan    string
	credits int
}

const defaultCredits = 10_000

func defaults() settings {
	return settings{
		accounts: []account{{key: Key, plan: "dev", credits: defaultCredits}},
		rates:    map[string]rate{},
		saved:    23, scanned: 2, watched: 2,
	}
}

// WithKey makes the REST API accept this key instead of Key.
func WithKey(key string) Option {
	return func(s *settings) { s.accounts[0].key = key }
}

// WithPlan sets the plan of the key: "oss" can neither look up hosts nor search, "dev" and "plus" can do both, and
// "corp" can also look up many addresses per request. The default is "dev".
func WithPlan(plan string) Option {
	return func(s *settings) { s.accounts[0].plan = plan }
}

// WithAnotherKey makes the REST API accept one more key, with its own plan, credits and rate limit.
func WithAnotherKey(key, plan string) Option {
	return func(s *settings) {
		s.accounts = append(s.accounts, account{key: key, plan: plan, credits: defaultCredits})
	}
}

// WithCredits sets how many query credits the key has. A search with a filter, or for a page after the first, costs one
// credit and is refused if none is left.
func WithCredits(n int) Option {
	return func(s *settings) { s.accounts[0].credits = n }
}

// WithBulk sets whether keys of any plan may look up many addresses per request.
func WithBulk(allowed bool) Option {
	return func(s *settings) { s.bulk = &allowed }
}

// WithLatency sets the time that every response takes.
func WithLatency(d time.Duration) Option {
	return func(s *settings) { s.latency = d }
}

// WithRateLimit limits the requests per second to a service, with a burst. The limit of the REST API is per key.
// Requests over the limit get status 429. The limit is strict: on a real network a client that keeps the rate needs a
// burst of 2, because two requests may arrive closer together than they were sent.
func WithRateLimit(service string, perSecond float64, burst int) Option {
	return func(s *settings) {
		s.rates[service] = rate{interval: time.Duration(float64(time.Second) / perSecond), burst: max(burst, 1)}
	}
}

// WithRetryAfter adds a Retry-After header to every 429, which no service is known to send.
func WithRetryAfter(d time.Duration) Option {
	return func(s *settings) { s.retryAfter = d }
}

// WithBan makes InternetDB ban the client for a time after a number of 429 responses by WithRateLimit, as the real
// service does. During a ban every response is 429. The number counts from the start or from the last ban.
func WithBan(after429s int, d time.Duration) Option {
	return func(s *settings) { s.banAfter, s.banFor = after429s, d }
}

// WithoutRequests makes the simulator keep no requests, so that its memory does not grow while it runs. Requests, Count and
// PeakPerSecond see none.
func WithoutRequests() Option {
	return func(s *settings) { s.forgets = true }
}

// WithSavedQueries sets how many shared queries there are. The default is 23. A page has ten.
func WithSavedQueries(n int) Option {
	return func(s *settings) { s.saved = n }
}

// WithScans sets how many scans the account has. The default is 2. A page has 100.
func WithScans(n int) Option {
	return func(s *settings) { s.scanned = n }
}

// WithAlerts sets how many alerts the account has. The default is 2.
func WithAlerts(n int) Option {
	return func(s *settings) { s.watched = n }
}

// WithLog writes a line to w for every response, without the key.
func WithLog(w io.Writer) Option {
	return func(s *settings) { s.logTo = w }
}
