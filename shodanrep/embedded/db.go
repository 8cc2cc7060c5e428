// Package embedded serves the tables of a Steampipe plugin inside SQLite, with no database server and no cgo.
//
// Every table is a virtual table. Its scans call the plugin through the SDK's server in this process, the same code
// path as in Steampipe, or through a [Reader], which costs less and returns the same rows. What SQLite knows about a
// query is passed to the plugin as Steampipe's foreign data wrapper passes it: the values of key columns, a whole IN
// list as one batch, the columns that are used, and a LIMIT if that is safe.
//
// The pipeline of a query: virtual_table.go implements SQLite's interface, plan.go chooses the conditions to pass on,
// request.go turns them into batches, scan.go runs the calls in parallel, and server.go is the call of the SDK, or
// direct.go that of a reader.
//
// The SDK logs through Go's standard logger, which it sets in every call. While a [DB] is open, the standard logger
// writes to [Options].Logger.
package embedded

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/ext/regexp"
	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/sqlitefile"
)

// Options are what a [DB] serves.
type Options struct {
	// PluginFunc returns the plugin, as for the SDK's plugin.Serve.
	PluginFunc plugin.PluginFunc
	// Readers, if it is set, finds the tables that are read without the SDK's server. Their rows are the same.
	Readers Readers
	// Connections are the plugin's connections. Each is a schema of its name. The tables of the first one are also in
	// the schema main, so they need no prefix. The default is one connection called "default".
	Connections []Connection
	// Logger is the plugin's logger, and at debug level also the SDK's. By default nothing is logged.
	Logger hclog.Logger
	// Warn is called with what a user should know about a result without errors, such as that nothing was looked up.
	Warn func(message string)
	// ListContext, if it is set, returns the context in which the plugin's functions run for a scan. It is called with
	// the context of the query and the number of values that the scan looks up. The plugin gets a long list in batches,
	// and can learn the length of the list in this way.
	ListContext func(ctx context.Context, values int) context.Context
}

// A Connection is a connection of the plugin. Config is the text of its connection block, without the braces. With
// Members it is an aggregator of the connections of those names.
type Connection struct {
	Name    string
	Config  string
	Members []string
}

// A DB is an SQLite database in memory with the plugin's tables. Its methods may be called from several goroutines, and
// run one at a time.
type DB struct {
	mu          sync.Mutex
	conn        *sqlite3.Conn
	server      *server
	schemas     map[string]bool // those with tables of the plugin
	tables      []*Table
	warn        func(string)
	listContext func(context.Context, int) context.Context

	scans sync.WaitGroup // the scans that have not ended

	// Of the statement that is being run:
	ctx       context.Context
	statement *statement
}

// closeTimeout is how long Close waits for calls in progress. A plugin whose functions end with their context needs far
// less.
const closeTimeout = 5 * time.Second

// maxAttached is how many schemas SQLite can attach.
const maxAttached = 10

// Open starts the plugin and creates its tables. A connection with a wrong argument is an error of the plugin.
func Open(ctx context.Context, opts Options) (db *DB, err error) {
	defer sqlitefile.CatchOutOfMemory(&err)
	if len(opts.Connections) == 0 {
		opts.Connections = []Connection{{Name: "default"}}
	}
	if opts.Logger == nil {
		opts.Logger = hclog.NewNullLogger()
	}
	if opts.Warn == nil {
		opts.Warn = func(string) {}
	}
	server, err := startServer(opts.PluginFunc, opts.Readers, opts.Connections, opts.Logger)
	if err != nil {
		return nil, err
	}
	conn, err := sqlite3.OpenContext(ctx, ":memory:")
	if err != nil {
		return nil, err
	}
	db = &DB{conn: conn, server: server, warn: opts.Warn, listContext: opts.ListContext, statement: &statement{}, ctx: ctx, schemas: map[string]bool{"main": true}}
	if err := db.setUp(opts.Connections); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return db, nil
}

// setUp registers the functions and creates the tables of every connection.
func (db *DB) setUp(connections []Connection) error {
	connect := func(conn *sqlite3.Conn, _, schema, _ string, args ...string) (*virtualTable, error) {
		if !db.schemas[schema] {
			// Else a database from someone else could have a table that sends requests when it is read.
			return nil, fmt.Errorf("%s has tables of a connection only", moduleName)
		}
		return newVirtualTable(db, conn, args)
	}
	//lint:ignore SA1019 the method that replaces it needs Go 1.27
	err := sqlite3.CreateModule(db.conn, moduleName, connect, connect)
	if err := errors.Join(err, regexp.Register(db.conn), registerFunctions(db.conn), db.registerCollation()); err != nil {
		return err
	}
	for i, c := range connections {
		reserved := strings.EqualFold(c.Name, "main") || strings.EqualFold(c.Name, "temp")
		switch {
		case reserved && i > 0:
			return fmt.Errorf("connection %q: SQLite already has a schema of that name, so rename the connection", c.Name)
		case i >= maxAttached:
			db.warn(fmt.Sprintf("connection %q is left out: SQLite can have no more than %d", c.Name, maxAttached))
			continue
		}
		db.schemas[c.Name] = true
		if !reserved {
			if err := db.conn.Exec("ATTACH ':memory:' AS " + sqlite3.QuoteIdentifier(c.Name)); err != nil {
				return fmt.Errorf("connection %q: %w", c.Name, sqlError(err))
			}
		}
		if err := db.createTables(c, i == 0, !reserved); err != nil {
			return err
		}
	}
	return nil
}

// createTables creates the tables of a connection, in the schema of its name if it is named and in main if inMain is
// set.
func (db *DB) createTables(c Connection, inMain, named bool) error {
	schema, err := db.server.schema(c.Name)
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(schema)) {
		t := newTable(name, schema[name], c, db.server.plugin.TableMap[name])
		db.tables = append(db.tables, t)
		var schemas []string
		if inMain {
			schemas = append(schemas, "main")
		}
		if named {
			schemas = append(schemas, c.Name)
		}
		for _, schema := range schemas {
			create := fmt.Sprintf("CREATE VIRTUAL TABLE %s.%s USING %s(%d)",
				sqlite3.QuoteIdentifier(schema), sqlite3.QuoteIdentifier(name), moduleName, len(db.tables)-1)
			if err := db.conn.Exec(create); err != nil {
				return fmt.Errorf("table %s.%s: %w", c.Name, name, sqlError(err))
			}
		}
	}
	return nil
}

// Tables returns the tables of the first connection, sorted by name.
func (db *DB) Tables() []*Table {
	var tables []*Table
	for _, t := range db.tables {
		if t.connection.Name == db.tables[0].connection.Name {
			tables = append(tables, t)
		}
	}
	return tables
}

// Close waits for calls in progress and frees the database.
func (db *DB) Close() (err error) {
	defer sqlitefile.CatchOutOfMemory(&err)
	db.mu.Lock()
	defer db.mu.Unlock()
	ended := make(chan struct{})
	go func() { db.scans.Wait(); close(ended) }()
	select {
	case <-ended:
	case <-time.After(closeTimeout):
	}
	return db.conn.Close()
}
