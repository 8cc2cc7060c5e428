package cache

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/ratelimit"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/waitlimit"
)

const (
	// retryRedisAfter is how long Redis is not used after it failed.
	retryRedisAfter = 3 * time.Second
	// redisPrefix is the prefix of all our keys in Redis. The number is the version of their layout.
	redisPrefix = "shodanrep:1:"
)

// Redis stores entries in Redis or Valkey, which machines share, and coordinates their requests. While it cannot be
// reached, it stores entries in memory, and the methods of the coordinator return ratelimit.ErrAway.
type Redis struct {
	*fallback
	*ratelimit.Redis
	store *redisStore
}

var (
	_ Store                 = (*Redis)(nil)
	_ ratelimit.Coordinator = (*Redis)(nil)
)

// redisStatus is what the store knows of whether Redis can be used.
type redisStatus struct {
	*fallback
	store *redisStore
}

func (s redisStatus) Ready() bool      { return s.ready() }
func (s redisStatus) Failed(err error) { s.fail(s.store.wrapError(err)) }

// SafeAt allows the other machines twice the time after which each tries Redis again.
func (s redisStatus) SafeAt() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.back.IsZero() {
		return time.Time{}
	}
	return s.back.Add(2 * s.every)
}

// errAddress does not contain the address: the part that cannot be read may be the password.
var errAddress = errors.New("the redis address of the cache cannot be read: " +
	"want redis://[user:password@]host[:port][/database], or rediss:// for TLS; " +
	"characters of the password such as / ? # @ have to be percent-encoded")

// parseRedis parses a redis:// or rediss:// address. The location is the address without its password.
func parseRedis(address string) (opts *redis.Options, location string, err error) {
	u, err := url.Parse(address)
	if err != nil || u.Fragment != "" || u.Opaque != "" || u.Host == "" {
		return nil, "", errAddress
	}
	if opts, err = redis.ParseURL(address); err != nil {
		return nil, "", errAddress
	}
	user := ""
	if opts.Username != "" {
		user = url.PathEscape(opts.Username) + "@"
	}
	return opts, fmt.Sprintf("%s://%s%s/%d", u.Scheme, user, opts.Addr, opts.DB), nil
}

// openRedis opens the store at a redis:// or rediss:// address. It fails only where the address cannot be read. Where
// Redis cannot be reached, it logs one warning, and tries again later.
func openRedis(ctx context.Context, address, prefix string, every time.Duration, opts Options) (*Redis, error) {
	store, err := newRedisStore(address, prefix, opts.withDefaults())
	if err != nil {
		return nil, err
	}
	f := newFallback(ctx, store, store.location, every, store.opts)
	return &Redis{fallback: f, store: store, Redis: ratelimit.NewRedis(store.client, prefix, redisStatus{f, store})}, nil
}

// newRedisStore returns a store that is not open yet.
func newRedisStore(address, prefix string, opts Options) (*redisStore, error) {
	conf, location, err := parseRedis(address)
	if err != nil {
		return nil, err
	}
	setDefault(&conf.DialTimeout, waitlimit.Of(2*time.Second))
	setDefault(&conf.ReadTimeout, waitlimit.Of(2*time.Second))
	setDefault(&conf.WriteTimeout, waitlimit.Of(2*time.Second))
	conf.ContextTimeoutEnabled = true
	// No retries: a call that fails uses memory at once, and a lease or a slot could be taken twice.
	conf.MaxRetries, conf.DialerRetries = -1, 1
	conf.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	redis.SetLogger(driverLog{opts.Logger})
	return &redisStore{client: redis.NewClient(conf), prefix: prefix, location: location, opts: opts, bound: scanBound}, nil
}

func setDefault(d *time.Duration, to time.Duration) {
	if *d == 0 {
		*d = to
	}
}

// driverLog keeps the messages of the driver off the standard error.
type driverLog struct{ to hclog.Logger }

func (l driverLog) Printf(_ context.Context, format string, v ...any) {
	l.to.Debug(fmt.Sprintf(format, v...))
}

// wrapError adds to an error which Redis it is about and what to do.
func (s *redisStore) wrapError(err error) error {
	if err == nil {
		return nil
	}
	do := "check that it runs and can be reached from here"
	for _, a := range []struct{ word, do string }{
		{"WRONGPASS", "check the user and the password in its address"},
		{"NOAUTH", "put the password in its address"},
		{"NOPERM", "allow its user the keys " + s.prefix + "*"},
		{"READONLY", "set the cache to the address of the primary"},
		{"OOM", "raise its maxmemory, or set its maxmemory-policy to allkeys-lru"},
		{"MISCONF", "make it able to write its snapshots"},
	} {
		if strings.HasPrefix(err.Error(), a.word) {
			do = a.do
		}
	}
	return fmt.Errorf("cache %s: %w: %s", s.location, err, do)
}
