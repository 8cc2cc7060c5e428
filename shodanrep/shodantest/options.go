package shodantest

import (
	"io"
	"time"
)

// Option changes how a simulator behaves.
type Option func(*settings)

// settings is what the options set. They do not change while the simulator runs.
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
}

// rate is a limit: so many requests a second, of which burst may come at once.
type rate struct {
	interval time.Duration // from one request to the next; whole nanoseconds, so that a clock of a test meets it exactly
	burst    int
}

// account is what Shodan knows of a key.
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

// WithKey makes the REST API take this key instead of Key.
func WithKey(key string) Option {
	return func(s *settings) { s.accounts[0].key = key }
}

// WithPlan sets the plan of the key: "oss" can neither look hosts up nor search, "dev" and "plus" can do both, "corp"
// can look up many addresses in a request as well. It is "dev" where nothing is said.
func WithPlan(plan string) Option {
	return func(s *settings) { s.accounts[0].plan = plan }
}

// WithAnotherKey makes the REST API take one more key, with its own plan, its own credits and its own rate limit.
func WithAnotherKey(key, plan string) Option {
	return func(s *settings) {
		s.accounts = append(s.accounts, account{key: key, plan: plan, credits: defaultCredits})
	}
}

// WithCredits sets how many query credits the key has. A search with a filter, or of a page after the first, costs
// one; without any left it is refused.
func WithCredits(n int) Option {
	return func(s *settings) { s.accounts[0].credits = n }
}

// WithBulk says whether keys may look up many addresses in one request, whatever their plan.
func WithBulk(allowed bool) Option {
	return func(s *settings) { s.bulk = &allowed }
}

// WithLatency makes every answer take so long.
func WithLatency(d time.Duration) Option {
	return func(s *settings) { s.latency = d }
}

// WithRateLimit limits a service, the REST API by key, to so many requests a second, of which burst may come at once.
// One more is answered 429. The limit is strict: a client that keeps to it on its own clock needs a burst of 2 on a
// real network, where two requests may arrive closer than they were sent.
func WithRateLimit(service string, perSecond float64, burst int) Option {
	return func(s *settings) {
		s.rates[service] = rate{interval: time.Duration(float64(time.Second) / perSecond), burst: max(burst, 1)}
	}
}

// WithRetryAfter adds a Retry-After header to every 429, which no service is known to send.
func WithRetryAfter(d time.Duration) Option {
	return func(s *settings) { s.retryAfter = d }
}

// WithBan makes InternetDB, after so many 429s by WithRateLimit, answer nothing but 429 until d has passed, as it is
// known to do. They are counted from the start or from the last ban on, however far apart they are.
func WithBan(after429s int, d time.Duration) Option {
	return func(s *settings) { s.banAfter, s.banFor = after429s, d }
}

// WithSavedQueries sets how many queries users share, 23 where nothing is said; Shodan lists ten in a page.
func WithSavedQueries(n int) Option {
	return func(s *settings) { s.saved = n }
}

// WithScans sets how many scans the account has asked for, 2 where nothing is said; Shodan lists 100 in a page.
func WithScans(n int) Option {
	return func(s *settings) { s.scanned = n }
}

// WithAlerts sets how many alerts the account has, 2 where nothing is said.
func WithAlerts(n int) Option {
	return func(s *settings) { s.watched = n }
}

// WithLog writes a line to w for every answer, without the key.
func WithLog(w io.Writer) Option {
	return func(s *settings) { s.logTo = w }
}
