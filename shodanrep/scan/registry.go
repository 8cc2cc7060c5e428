package scan

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/ipaddr"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation"
)

// engines are the engines of the process, one for each different configuration.
var engines struct {
	sync.Mutex
	byConfig map[string]*engineOpening
	// inForce has the engine that each connection was last configured to use.
	inForce map[string]*lookup.Engine
}

// An engineOpening opens the engine of a configuration once.
type engineOpening struct {
	open func() (*lookup.Engine, error)
}

// Settings are what scans need of the arguments of a connection.
type Settings struct {
	Lookup           lookup.Config
	CorrelationLimit int
	SearchLimit      int
	NetworkLimit     int
	Policy           *reputation.Policy
	Lists            *reputation.Lists // nil if there are none
	Clock            func() time.Time  // the age of data is counted up to its time
}

// ReadSettings reads the arguments of a connection. An error names the argument, the value and what is allowed.
type ReadSettings func(*plugin.Connection) (Settings, error)

// engineOf returns the engine of a connection. It is made with the first scan and not with the connection: opening a
// dataset can take a while, and Steampipe reads all connections at its start.
func engineOf(ctx context.Context, connection *plugin.Connection, read ReadSettings) (*lookup.Engine, Settings, error) {
	settings, err := read(connection)
	if err != nil {
		return nil, settings, err
	}
	settings.Lookup.NoCache = isWithoutCache(ctx)
	name := ""
	if connection != nil {
		name = connection.Name
	}
	engine, err := engineFor(ctx, name, settings.Lookup, plugin.Logger(ctx))
	return engine, settings, err
}

// engineFor returns the engine of a connection by its configuration.
func engineFor(ctx context.Context, connection string, config lookup.Config, logger hclog.Logger) (*lookup.Engine, error) {
	key := fmt.Sprintf("%#v", config)
	config.Logger = logger // each scan has its own, which makes no difference to the engine
	engines.Lock()
	opening := engines.byConfig[key]
	if opening == nil {
		opening = &engineOpening{sync.OnceValues(func() (*lookup.Engine, error) {
			warnOfKeyInClear(config, logger)
			return lookup.New(context.WithoutCancel(ctx), config)
		})}
		if engines.byConfig == nil {
			engines.byConfig = map[string]*engineOpening{}
		}
		engines.byConfig[key] = opening
	}
	engines.Unlock()
	engine, err := opening.open()
	if err != nil {
		// The next scan tries again: a missing file may be there by then. Another may have begun to already.
		engines.Lock()
		if engines.byConfig[key] == opening {
			delete(engines.byConfig, key)
		}
		engines.Unlock()
		return nil, ConnectionError(connection, err)
	}
	if connection != "" {
		useEngine(connection, engine)
	}
	return engine, nil
}

// InspectDataFiles describes the data files of a configuration that has some. The engine of its connection has them open
// already if that was in use.
func InspectDataFiles(ctx context.Context, config lookup.Config, logger hclog.Logger) (lookup.DataFileStats, error) {
	engine, err := engineFor(ctx, "", config, logger)
	if err != nil {
		return lookup.DataFileStats{}, err
	}
	return engine.DataFiles(ctx)
}

// ConnectionError wraps an error about a connection. The name may be empty.
func ConnectionError(name string, err error) error {
	if name == "" || err == nil {
		return err
	}
	return fmt.Errorf("connection %s: %w", name, err)
}

// useEngine notes which engine a connection uses. One that no connection uses any more is no longer in force: the former
// configuration of its connection has no effect on the rates of the others.
func useEngine(connection string, engine *lookup.Engine) {
	engines.Lock()
	defer engines.Unlock()
	old := engines.inForce[connection]
	if old == engine {
		return
	}
	if engine == nil {
		delete(engines.inForce, connection)
	} else {
		if engines.inForce == nil {
			engines.inForce = map[string]*lookup.Engine{}
		}
		engines.inForce[connection] = engine
		engine.SetInForce(true)
	}
	if old != nil && !slices.Contains(slices.Collect(maps.Values(engines.inForce)), old) {
		old.SetInForce(false)
	}
}

// ForgetConnection notes that a connection was removed or changed.
func ForgetConnection(name string) { useEngine(name, nil) }

// warnOfKeyInClear warns of each address to which requests with the key leave the machine without encryption.
func warnOfKeyInClear(config lookup.Config, logger hclog.Logger) {
	for _, a := range []struct{ argument, url string }{{"api_url", config.APIURL}, {"exploits_url", config.ExploitsURL}} {
		if config.APIKey != "" && isSentInClear(a.url) {
			logger.Warn("the API key is sent without encryption: use an https:// address", a.argument, a.url)
		}
	}
}

// isSentInClear reports whether requests to an address leave the machine without encryption.
func isSentInClear(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" || strings.EqualFold(u.Hostname(), "localhost") {
		return false
	}
	host, ok := ipaddr.Parse(u.Hostname())
	return !ok || !host.Addr().IsLoopback()
}

// Shutdown writes what is not yet written and closes what is open, at the end of a process. No scan may run any more.
func Shutdown() {
	engines.Lock()
	defer engines.Unlock()
	for _, opening := range engines.byConfig {
		if engine, err := opening.open(); err == nil {
			_ = engine.Close()
		}
	}
	engines.byConfig, engines.inForce = nil, nil
	lookup.Shutdown()
}

type withoutCacheKey struct{}

// WithoutCache returns a context whose scans neither read responses from the cache nor write them to it.
func WithoutCache(ctx context.Context) context.Context {
	return context.WithValue(ctx, withoutCacheKey{}, true)
}

func isWithoutCache(ctx context.Context) bool { return ctx.Value(withoutCacheKey{}) != nil }

type listLengthKey struct{}

// WithListLength says how long the list is that a scan is a slice of. The caller that divides a list must say so, or the
// last slice may be short enough to be looked up in another source than the others.
func WithListLength(ctx context.Context, length int) context.Context {
	return context.WithValue(ctx, listLengthKey{}, length)
}

// listLengthOf returns what WithListLength said, or 0.
func listLengthOf(ctx context.Context) int {
	length, _ := ctx.Value(listLengthKey{}).(int)
	return length
}
