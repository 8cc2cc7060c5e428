package shodanrep

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/hashicorp/go-hclog"
	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/ipaddr"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
)

// engines are the engines of the process, one for each way that connections are configured.
var engines struct {
	sync.Mutex
	bySettings map[string]func() (*lookup.Engine, error)
	// inForce has the engine that each connection was last configured to use.
	inForce map[string]*lookup.Engine
}

// engineOf returns the engine of a connection. It is made with the first query and not with the connection: opening a
// dataset can take a while, and Steampipe reads all connections at its start.
func engineOf(ctx context.Context, connection *plugin.Connection) (*lookup.Engine, settings, error) {
	s, err := readSettings(connection)
	if err != nil {
		return nil, s, err
	}
	name := ""
	if connection != nil {
		name = connection.Name
	}
	engine, err := engineFor(ctx, name, s, plugin.Logger(ctx))
	return engine, s, err
}

// engineFor returns the engine of a connection by its settings.
func engineFor(ctx context.Context, connection string, s settings, logger hclog.Logger) (*lookup.Engine, error) {
	key := fmt.Sprintf("%#v", s.lookup)
	s.lookup.Logger = logger // each query has its own, which makes no difference to the engine
	engines.Lock()
	make := engines.bySettings[key]
	if make == nil {
		make = sync.OnceValues(func() (*lookup.Engine, error) {
			if sendsKeyInClear(s.lookup) {
				s.lookup.Logger.Warn("the API key is sent without encryption: use an https:// address",
					"api_url", s.lookup.APIURL)
			}
			return lookup.New(context.WithoutCancel(ctx), s.lookup)
		})
		if engines.bySettings == nil {
			engines.bySettings = map[string]func() (*lookup.Engine, error){}
		}
		engines.bySettings[key] = make
	}
	engines.Unlock()
	engine, err := make()
	if err != nil {
		// What was wrong, a file that is missing, may be put right by the next query.
		engines.Lock()
		delete(engines.bySettings, key)
		engines.Unlock()
		return nil, fmt.Errorf("connection %s: %w", connection, err)
	}
	if connection != "" {
		useEngine(connection, engine)
	}
	return engine, nil
}

// useEngine notes which engine a connection uses. One that no connection uses any more is retired: what its connection
// was configured with before has no effect on the rates of the others.
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
		engine.InForce()
	}
	if old != nil && !slices.Contains(slices.Collect(maps.Values(engines.inForce)), old) {
		old.Retire()
	}
}

// forgetConnection notes that a connection is not configured any more, or in another way than before.
func forgetConnection(name string) { useEngine(name, nil) }

// sendsKeyInClear reports whether the key leaves the machine in an http:// request.
func sendsKeyInClear(config lookup.Config) bool {
	u, err := url.Parse(config.APIURL)
	if err != nil || config.APIKey == "" || u.Scheme != "http" || strings.EqualFold(u.Hostname(), "localhost") {
		return false
	}
	host, ok := ipaddr.Parse(u.Hostname())
	return !ok || !host.Addr().IsLoopback()
}

// Shutdown writes what is not yet written and closes what is open, at the end of a process. No query may run any more.
func Shutdown() {
	engines.Lock()
	defer engines.Unlock()
	for _, make := range engines.bySettings {
		if engine, err := make(); err == nil {
			_ = engine.Close()
		}
	}
	engines.bySettings, engines.inForce = nil, nil
	lookup.Shutdown()
}

type listLengthKey struct{}

// WithListLength says how long the list is that a scan is a slice of. Who divides a list must say so, or its last
// slice would be short enough to be looked up elsewhere than the others.
func WithListLength(ctx context.Context, length int) context.Context {
	return context.WithValue(ctx, listLengthKey{}, length)
}

// ListLength returns what WithListLength said, or 0.
func ListLength(ctx context.Context) int {
	length, _ := ctx.Value(listLengthKey{}).(int)
	return length
}
